// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/replicas.hpp"

using namespace redoubt;
using namespace support;

TEST_CASE("TMR masks any faults in one replica of a layer, fp32", "[harden]") {
    check_one_replica<bare<float32>, each<float32, tmr>>(true);
}

TEST_CASE("TMR masks any faults in one replica of a network, fp32", "[harden]") {
    check_one_replica<bare<float32>, together<float32, tmr>>(true);
}

TEST_CASE("DMR finds and masks any faults in one replica of a layer, fp32", "[harden]") {
    check_one_replica<bare<float32>, each<float32, dmr>>(false);
}
