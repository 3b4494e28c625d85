// SPDX-License-Identifier: MIT
#include <redoubt/number/float16.hpp>

#include "support/catch.hpp"

#if __has_include(<Eigen/Core>)
#include <Eigen/Core>
#endif

#include <cstdint>
#include <type_traits>

using namespace redoubt;

static_assert(sizeof(half) == 2 && std::is_trivially_copyable_v<half>);
static_assert(half{}.bits() == 0);
static_assert(half{1.0f}.bits() == 0x3c00 && half{-2.0f}.bits() == 0xc000);
static_assert(half{65504.0f}.bits() == 0x7bff && half{65519.996f}.bits() == 0x7bff && half{65520.0f}.bits() == 0x7c00);
static_assert(half{0x1p-24f}.bits() == 1 && half{0x1p-25f}.bits() == 0 && half{0x1.000002p-25f}.bits() == 1);
static_assert(half{0x1.8p-24f}.bits() == 2 && half{0x1.4p-23f}.bits() == 2, "ties go to the even neighbour");
static_assert(half{0x1.ff8p-15f}.bits() == 0x3ff && half{0x1.ffcp-15f}.bits() == 0x400, "a denormal may round up");
static_assert(to_word(static_cast<float>(half::from_bits(0x0001))) == to_word(0x1p-24f));
static_assert(to_word(static_cast<float>(half::from_bits(0x8000))) == 0x80000000u);

namespace {

constexpr bool is_nan_word(std::uint16_t h) { return (h & 0x7fffu) > 0x7c00u; }

/// The definition, in double: sign, exponent and fraction put together by multiplication.
double defined_value(std::uint16_t h) {
    const int exponent = (h >> 10) & 31, fraction = h & 0x3ff;
    double magnitude = exponent == 0 ? fraction * 0x1p-24 : (1024 + fraction) * 0x1p-25;
    for (int i = 0; i < exponent; ++i) magnitude *= 2.0;
    return (h & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace

TEST_CASE("every binary16 pattern widens to its value and rounds back to itself", "[number][float16]") {
    int wrong = 0;
    for (std::uint32_t pattern = 0; pattern <= 0xffff; ++pattern) {
        const auto bits = static_cast<std::uint16_t>(pattern);
        const auto value = static_cast<float>(half::from_bits(bits));
        if (is_nan_word(bits)) {
            wrong += to_word(value) != 0x7fc00000u || half{value}.bits() != 0x7e00;
        } else if ((bits & 0x7fff) == 0x7c00) {
            wrong += to_word(value) != ((pattern & 0x8000u) << 16 | 0x7f800000u) || half{value}.bits() != bits;
        } else {
            wrong += static_cast<double>(value) != defined_value(bits) || half{value}.bits() != bits;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("between two neighbours the nearer one is taken, the even one half-way", "[number][float16]") {
    int wrong = 0;
    for (std::uint16_t low = 0; low < 0x7bff; ++low) {
        const auto high = static_cast<std::uint16_t>(low + 1);
        const float a = static_cast<float>(half::from_bits(low)), b = static_cast<float>(half::from_bits(high));
        const float middle = (a + b) * 0.5f;  // exact: one bit more than either
        wrong += half{middle}.bits() != (low % 2 == 0 ? low : high);
        wrong += half{from_word<float>(to_word(middle) - 1)}.bits() != low;
        wrong += half{from_word<float>(to_word(middle) + 1)}.bits() != high;
        wrong += half{-from_word<float>(to_word(middle) + 1)}.bits() != (high | 0x8000);
    }
    CHECK(wrong == 0);
}

TEST_CASE("every NaN becomes the one NaN in both directions", "[number][float16]") {
    for (std::uint32_t word :
         {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u, 0xffc00000u, 0xffffffffu, 0x7f802000u})
        CHECK(half{from_word<float>(word)}.bits() == 0x7e00);
    for (int bits : {0x7c01, 0x7e00, 0x7fff, 0xfc01, 0xfe00, 0xffff})
        CHECK(to_word(static_cast<float>(half::from_bits(static_cast<std::uint16_t>(bits)))) == 0x7fc00000u);
}

#if __has_include(<Eigen/Core>)

namespace {

std::uint16_t eigen_bits(float value) { return Eigen::numext::bit_cast<Eigen::numext::uint16_t>(Eigen::half{value}); }
float eigen_value(std::uint16_t bits) { return static_cast<float>(Eigen::numext::bit_cast<Eigen::half>(bits)); }

}  // namespace

TEST_CASE("conversions equal Eigen's for all 65,536 patterns", "[number][float16]") {
    int wrong = 0;
    for (std::uint32_t pattern = 0; pattern <= 0xffff; ++pattern) {
        const auto bits = static_cast<std::uint16_t>(pattern);
        const auto value = static_cast<float>(half::from_bits(bits));
        if (is_nan_word(bits)) continue;  // by our own policy, above
        wrong += to_word(value) != to_word(eigen_value(bits));
        wrong += half{value}.bits() != eigen_bits(value);
    }
    CHECK(wrong == 0);
}

TEST_CASE("rounding equals Eigen's for a sample of all floats", "[number][float16]") {
    int wrong = 0;
    for (std::uint64_t word = 0; word <= 0xffffffffu; word += 9973) {
        const float value = from_word<float>(static_cast<std::uint32_t>(word));
        wrong += half{value}.bits() != (is_nan(value) ? 0x7e00 : eigen_bits(value));
    }
    CHECK(wrong == 0);
}

TEST_CASE("rounding equals Eigen's for all 2^32 floats", "[number][float16][.slow]") {
    std::uint64_t wrong = 0, last = 0;
    for (std::uint64_t word = 0; word <= 0xffffffffu; ++word) {
        const float value = from_word<float>(static_cast<std::uint32_t>(word));
        if (half{value}.bits() == (is_nan(value) ? 0x7e00 : eigen_bits(value))) continue;
        ++wrong;
        last = word;
    }
    CAPTURE(last);
    CHECK(wrong == 0);
}

#else

TEST_CASE("conversions were not compared with Eigen: it is not installed", "[number][float16]") {
    WARN("install libeigen3-dev to compare");
}

#endif
