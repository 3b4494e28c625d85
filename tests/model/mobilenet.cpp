// SPDX-License-Identifier: MIT
#include "support/zoo.hpp"

using namespace redoubt;
using namespace support;
using model::form;
using model::mobilenet_width;

namespace {
using photograph = image<3, 224, 224>;
}

TEST_CASE("MobileNet-V2 has the published size and torchvision's names", "[model]") {
    using net = model::mobilenet_v2<photograph>;
    STATIC_REQUIRE(learned<net>() == 3'504'872);
    STATIC_REQUIRE(macs<net>() == 300'774'272);
    STATIC_REQUIRE(net::table.slot_count == 53);
    STATIC_REQUIRE(net::table.steps[static_cast<std::size_t>(net::table.step_count - 2)].geometry.in == shape{1280, 7, 7});
    CHECK(checkpoint_entries<net>() == torchvision_entries("mobilenet_v2"));
}

TEST_CASE("MobileNet-V2 adds where shapes allow and activates but at the end of a block", "[model]") {
    using net = model::mobilenet_v2<image<3, 32, 32>, float32, 10>;
    STATIC_REQUIRE(net::table.step_count == 1 + 53 + 1);
    int added = 0, depthwise = 0, bare = 0;
    for (int i = 0; i < net::table.step_count; ++i) {
        const step& s = net::table.steps[static_cast<std::size_t>(i)];
        added += s.residual >= 0;
        depthwise += s.geometry.is_depthwise();
        bare += s.kind == op::convolution && s.act == kernel::activation::none;
    }
    CHECK(added == 10);
    CHECK(depthwise == 17);
    CHECK(bare == 17 + 1);
    STATIC_REQUIRE(net::table.steps[static_cast<std::size_t>(net::table.step_count - 2)].geometry.in == shape{1280, 4, 4});
}

TEST_CASE("MobileNet-V2 in other widths", "[model]") {
    STATIC_REQUIRE(mobilenet_width(32, 100) == 32);
    STATIC_REQUIRE(mobilenet_width(24, 75) == 24);   // 18 would round to 16, less than nine tenths
    STATIC_REQUIRE(mobilenet_width(16, 35) == 8);
    STATIC_REQUIRE(mobilenet_width(160, 140) == 224);
    STATIC_REQUIRE(mobilenet_width(1280, 140) == 1792);
    using half = model::mobilenet_v2<photograph, float32, 1000, form::photograph, 50>;
    STATIC_REQUIRE(learned<half>() == 1'968'680);
    using more = model::mobilenet_v2<photograph, float32, 1000, form::photograph, 140>;
    STATIC_REQUIRE(learned<more>() == 6'108'776);
}

TEST_CASE("MobileNet-V2 answers in both forms", "[model]") {
    check_network<model::mobilenet_v2<image<3, 17, 18>, float32, 10>>(10);
    check_network<model::mobilenet_v2<image<3, 40, 33>, float32, 10, form::photograph, 50>>(10);
    check_int8<model::mobilenet_v2<image<3, 17, 18>, float32, 10>>();
}
