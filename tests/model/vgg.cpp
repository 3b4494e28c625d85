// SPDX-License-Identifier: MIT
#include "support/zoo.hpp"

using namespace redoubt;
using namespace support;
using model::form;

namespace {
using photograph = image<3, 224, 224>;
using thumbnail = image<3, 32, 32>;
}

TEST_CASE("VGG has the published sizes and torchvision's names", "[model]") {
    STATIC_REQUIRE(learned<model::vgg16<photograph>>() == 138'357'544);
    STATIC_REQUIRE(macs<model::vgg16<photograph>>() == 15'470'264'320);
    STATIC_REQUIRE(learned<model::vgg16_bn<photograph>>(true) == 138'365'992);
    STATIC_REQUIRE(learned<model::vgg11<photograph>>() == 132'863'336);
    STATIC_REQUIRE(macs<model::vgg11<photograph>>() == 7'609'090'048);
    STATIC_REQUIRE(learned<model::vgg11_bn<photograph>>(true) == 132'868'840);
    CHECK(checkpoint_entries<model::vgg16<photograph>>() == torchvision_entries("vgg16"));
    CHECK(checkpoint_entries<model::vgg16_bn<photograph>>(true) == torchvision_entries("vgg16_bn"));
    CHECK(checkpoint_entries<model::vgg11<photograph>>() == torchvision_entries("vgg11"));
    CHECK(checkpoint_entries<model::vgg11_bn<photograph>>(true) == torchvision_entries("vgg11_bn"));
}

TEST_CASE("VGG of thumbnails has one linear layer", "[model]") {
    using net = model::vgg16<thumbnail, float32, 10>;
    STATIC_REQUIRE(learned<net>() == 14'719'818);
    STATIC_REQUIRE(macs<net>() == 313'201'664);
    STATIC_REQUIRE(net::table.slot_count == 14);
    CHECK(net::table.slots[12].name.view() == "features.28");
    CHECK(net::table.slots[13].name.view() == "classifier");
}

TEST_CASE("VGG-11 answers", "[model]") {
    check_network<model::vgg11_bn<thumbnail, float32, 10>>(10);
}

TEST_CASE("VGG-16 answers in both forms and in int8", "[model][.slow]") {
    check_network<model::vgg16<thumbnail, float32, 10>>(10);
    check_network<model::vgg16<thumbnail, float32, 10, form::photograph>>(10);
    check_int8<model::vgg16<thumbnail, float32, 10>>();
}
