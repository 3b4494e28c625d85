// SPDX-License-Identifier: MIT
#include "support/cones.hpp"

using namespace support;

namespace {

template <class Net>
using ranged = harden<Net, protect<is_weighted, redoubt::range>>;
template <class Net>
using tripled = harden<Net, protect<is_weighted, tmr_parameters>>;
template <class Net>
using coded = harden<Net, protect<is_weighted, crc>>;
template <class Net>
using checked = harden<Net, protect<is_weighted, abft>>;
/// Every second row: the last one is not read, so that the geometry of a part of the layer is another. Both kinds of checksum are near each other.
template <number N>
using strided = network<image<16, 8, 8>, N, conv<80, 1, 2, 0>, relu, conv<160, 1, 2, 0>, relu, linear<7>>;
template <class Net>
using doubled = harden<Net, duplicate_share<40, duplicate_minimum>>;

}  // namespace

TEMPLATE_TEST_CASE("the cone of a fault has the counters of a whole inference", "[campaign][cone]", float32, int8) {
    check_cone<ranged<winding<TestType>>>(200);
    check_cone<tripled<plain_resnet<TestType>>>(200);
    check_cone<coded<plain_resnet<TestType>>>(200);
}

TEMPLATE_TEST_CASE("and where kernels check and correct", "[campaign][cone]", float32, int8) {
    check_cone<checked<winding<TestType>>>(200);
    check_cone<checked<strided<TestType>>>(100);
    check_cone<doubled<plain_resnet<TestType>>>(200);
}
