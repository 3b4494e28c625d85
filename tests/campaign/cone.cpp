// SPDX-License-Identifier: MIT
#include "support/cones.hpp"

using namespace support;

TEMPLATE_TEST_CASE("the cone of a fault gives the bits of a whole inference", "[campaign][cone]", float32, float16, int8) {
    check_cone<winding<TestType>>(400);
    check_cone<plain_resnet<TestType>>(300);
}
