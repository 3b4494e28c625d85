// SPDX-License-Identifier: MIT
#include <redoubt/number/bfloat16.hpp>

#include "support/catch.hpp"

#if __has_include(<Eigen/Core>)
#include <Eigen/Core>
#endif

#include <cmath>
#include <cstdint>
#include <type_traits>

using namespace redoubt;

static_assert(sizeof(brain) == 2 && std::is_trivially_copyable_v<brain>);
static_assert(brain{}.bits() == 0);
static_assert(brain{1.0f}.bits() == 0x3f80 && brain{-2.0f}.bits() == 0xc000);
static_assert(brain{0x1.fep127f}.bits() == 0x7f7f && brain{0x1.fefffep127f}.bits() == 0x7f7f &&
              brain{0x1.ffp127f}.bits() == 0x7f80);
static_assert(brain{0x1p-133f}.bits() == 1 && brain{0x1p-134f}.bits() == 0 && brain{0x1.0002p-134f}.bits() == 1);
static_assert(brain{0x1.8p-133f}.bits() == 2 && brain{0x1.4p-132f}.bits() == 2, "ties go to the even neighbour");
static_assert(brain{0x1.fcp-127f}.bits() == 0x7f && brain{0x1.fep-127f}.bits() == 0x80, "a denormal may round up");
static_assert(to_word(static_cast<float>(brain::from_bits(0x0001))) == to_word(0x1p-133f));
static_assert(to_word(static_cast<float>(brain::from_bits(0x8000))) == 0x80000000u);

namespace {

constexpr bool is_nan_word(std::uint16_t b) { return (b & 0x7fffu) > 0x7f80u; }

/// The definition, in double: sign, exponent and fraction put together by multiplication.
double defined_value(std::uint16_t b) {
    const int exponent = (b >> 7) & 255, fraction = b & 0x7f;
    const double magnitude = exponent == 0 ? std::ldexp(fraction, -133) : std::ldexp(128 + fraction, exponent - 134);
    return (b & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace

TEST_CASE("every brain float pattern widens to its value and rounds back to itself", "[number][bfloat16]") {
    int wrong = 0;
    for (std::uint32_t pattern = 0; pattern <= 0xffff; ++pattern) {
        const auto bits = static_cast<std::uint16_t>(pattern);
        const auto value = static_cast<float>(brain::from_bits(bits));
        if (is_nan_word(bits)) {
            wrong += to_word(value) != 0x7fc00000u || brain{value}.bits() != 0x7fc0;
        } else if ((bits & 0x7fff) == 0x7f80) {
            wrong += to_word(value) != ((pattern & 0x8000u) << 16 | 0x7f800000u) || brain{value}.bits() != bits;
        } else {
            wrong += static_cast<double>(value) != defined_value(bits) || brain{value}.bits() != bits;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("between two brain floats the nearer one is taken, the even one half-way", "[number][bfloat16]") {
    int wrong = 0;
    for (std::uint16_t low = 0; low < 0x7f7f; ++low) {
        const auto high = static_cast<std::uint16_t>(low + 1);
        const auto middle = static_cast<float>((defined_value(low) + defined_value(high)) * 0.5);  // exact
        wrong += brain{middle}.bits() != (low % 2 == 0 ? low : high);
        wrong += brain{from_word<float>(to_word(middle) - 1)}.bits() != low;
        wrong += brain{from_word<float>(to_word(middle) + 1)}.bits() != high;
        wrong += brain{-from_word<float>(to_word(middle) + 1)}.bits() != (high | 0x8000);
    }
    CHECK(wrong == 0);
}

TEST_CASE("every NaN becomes the one NaN of brain floats in both directions", "[number][bfloat16]") {
    for (std::uint32_t word :
         {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u, 0xffc00000u, 0xffffffffu, 0x7f802000u})
        CHECK(brain{from_word<float>(word)}.bits() == 0x7fc0);
    for (int bits : {0x7f81, 0x7fc0, 0x7fff, 0xff81, 0xffc0, 0xffff})
        CHECK(to_word(static_cast<float>(brain::from_bits(static_cast<std::uint16_t>(bits)))) == 0x7fc00000u);
}

#if __has_include(<Eigen/Core>)

namespace {

std::uint16_t eigen_bits(float value) { return Eigen::numext::bit_cast<Eigen::numext::uint16_t>(Eigen::bfloat16{value}); }
float eigen_value(std::uint16_t bits) { return static_cast<float>(Eigen::numext::bit_cast<Eigen::bfloat16>(bits)); }

}  // namespace

TEST_CASE("brain conversions equal Eigen's for all 65,536 patterns", "[number][bfloat16]") {
    int wrong = 0;
    for (std::uint32_t pattern = 0; pattern <= 0xffff; ++pattern) {
        const auto bits = static_cast<std::uint16_t>(pattern);
        const auto value = static_cast<float>(brain::from_bits(bits));
        if (is_nan_word(bits)) continue;  // by our own policy, above
        wrong += to_word(value) != to_word(eigen_value(bits));
        wrong += brain{value}.bits() != eigen_bits(value);
    }
    CHECK(wrong == 0);
}

TEST_CASE("brain rounding equals Eigen's for a sample of all floats", "[number][bfloat16]") {
    int wrong = 0;
    for (std::uint64_t word = 0; word <= 0xffffffffu; word += 9973) {
        const float value = from_word<float>(static_cast<std::uint32_t>(word));
        wrong += brain{value}.bits() != (is_nan(value) ? 0x7fc0 : eigen_bits(value));
    }
    CHECK(wrong == 0);
}

TEST_CASE("brain rounding equals Eigen's for all 2^32 floats", "[number][bfloat16][.slow]") {
    std::uint64_t wrong = 0, last = 0;
    for (std::uint64_t word = 0; word <= 0xffffffffu; ++word) {
        const float value = from_word<float>(static_cast<std::uint32_t>(word));
        if (brain{value}.bits() == (is_nan(value) ? 0x7fc0 : eigen_bits(value))) continue;
        ++wrong;
        last = word;
    }
    CAPTURE(last);
    CHECK(wrong == 0);
}

#else

TEST_CASE("brain conversions were not compared with Eigen: it is not installed", "[number][bfloat16]") {
    WARN("install libeigen3-dev to compare");
}

#endif
