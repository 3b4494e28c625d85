// SPDX-License-Identifier: MIT
#include "support/zoo.hpp"

using namespace redoubt;
using namespace support;
using model::form;

namespace {
using photograph = image<3, 224, 224>;
}

TEST_CASE("ResNet-18 has the published size and torchvision's names", "[model]") {
    using net = model::resnet18<photograph>;
    STATIC_REQUIRE(learned<net>() == 11'689'512);
    STATIC_REQUIRE(macs<net>() == 1'814'073'344);
    STATIC_REQUIRE(net::outputs == 1000);
    STATIC_REQUIRE(net::table.steps[1].geometry.out == shape{64, 112, 112});
    STATIC_REQUIRE(net::table.steps[2].geometry.out == shape{64, 56, 56});
    STATIC_REQUIRE(net::table.steps[static_cast<std::size_t>(net::table.step_count - 2)].geometry.in == shape{512, 7, 7});
    CHECK(checkpoint_entries<net>() == torchvision_entries("resnet18"));
}

TEST_CASE("ResNet-18 of thumbnails keeps their size up to the second stage", "[model]") {
    using net = model::resnet18<image<3, 32, 32>, float32, 10>;
    STATIC_REQUIRE(net::table.steps[1].geometry.out == shape{64, 32, 32});
    STATIC_REQUIRE(net::table.steps[static_cast<std::size_t>(net::table.step_count - 2)].geometry.in == shape{512, 4, 4});
    STATIC_REQUIRE(learned<net>() == 11'173'962);
    STATIC_REQUIRE(macs<net>() == 555'422'720);
}

TEST_CASE("ResNet-18 answers in both forms", "[model]") {
    check_network<model::resnet18<image<3, 12, 13>, float32, 10>>(10);
    check_network<model::resnet18<image<3, 24, 21>, float32, 10, form::photograph>>(10);
    check_int8<model::resnet18<image<3, 12, 13>, float32, 10>>();
}
