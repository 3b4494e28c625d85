// SPDX-License-Identifier: MIT
#include <redoubt/base/bits.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <limits>

using namespace redoubt;

static_assert(std::is_same_v<word_of<float>, std::uint32_t>);
static_assert(std::is_same_v<word_of<signed char>, std::uint8_t>);
static_assert(bits_in<double> == 64);
static_assert(to_word(1.0f) == 0x3f800000u);
static_assert(from_word<float>(0xbf800000u) == -1.0f);

TEST_CASE("a flip strikes the named bit and undoes itself", "[bits]") {
    for (int bit = 0; bit < bits_in<float>; ++bit) {
        const float struck = flip(0.7f, bit_mask<float>(bit));
        CHECK((to_word(struck) ^ to_word(0.7f)) == 1u << bit);
        CHECK(to_word(flip(struck, bit_mask<float>(bit))) == to_word(0.7f));
    }
    CHECK(flip(std::int8_t{0}, bit_mask<std::int8_t>(7)) == std::numeric_limits<std::int8_t>::min());
}

TEST_CASE("the majority is taken bit by bit", "[bits]") {
    for (unsigned cases = 0; cases < 8; ++cases) {
        const unsigned a = cases & 1u, b = (cases >> 1) & 1u, c = (cases >> 2) & 1u;
        CHECK(majority(a, b, c) == (a + b + c >= 2 ? 1u : 0u));
    }
    // Two copies struck in different bits still outvote every single error.
    CHECK(majority<std::uint16_t>(0x1234 ^ 0x0001, 0x1234 ^ 0x8000, 0x1234) == 0x1234);
}
