// SPDX-License-Identifier: MIT
#include <redoubt/kernel/activation.hpp>

#include "support/activations.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

using namespace redoubt;
using kernel::activation;
using kernel::activation_spec;
using kernel::binary_slope;
using kernel::int_lane;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr activation_spec swish{.kind = activation::hard_swish};

std::uint32_t bits_after(const activation_spec& by, float v) { return to_word(kernel::float_activation{by}(v)); }

int code_after(const activation_spec& by, int code, int frac) {
    int_lane lane{code};
    kernel::bend(lane, by, frac);
    return std::clamp(lane.part, -128, 127);
}

}  // namespace

TEST_CASE("activations of floats: the table of special values", "[kernel][activation]") {
    for (const activation_spec& by : support::some_activations())
        for (std::uint32_t nan : {0x7fc00000u, 0xff812345u, 0x7f800001u}) {
            const float v = kernel::float_activation{by}(from_word<float>(nan));
            CHECK(v != v);
        }
    CHECK(bits_after(swish, infinity) == to_word(infinity));
    CHECK(bits_after(swish, -infinity) == 0);
    CHECK(bits_after(swish, -3.0f) == 0);
    CHECK(bits_after(swish, -0.0f) == 0x80000000u);
    CHECK(bits_after(swish, 3e38f) == to_word(3e38f));
    CHECK(bits_after(swish, 1.0f) == to_word(4.0f / 6.0f));
    constexpr activation_spec leaky{.kind = activation::leaky_relu, .slope = {1, 100}};
    CHECK(bits_after(leaky, -infinity) == to_word(-infinity));
    CHECK(bits_after(leaky, infinity) == to_word(infinity));
    CHECK(bits_after(leaky, -0.0f) == 0x80000000u);
    CHECK(bits_after(leaky, -100.0f) == to_word(-1.0f));
    CHECK(bits_after(leaky, -3.0f) == to_word(-3.0f * 0.01f));
    constexpr activation_spec range{.kind = activation::clip, .limit = 4, .lower = -2};
    CHECK(bits_after(range, -infinity) == to_word(-2.0f));
    CHECK(bits_after(range, infinity) == to_word(4.0f));
    CHECK(bits_after(range, -0.0f) == 0x80000000u);
    CHECK(bits_after({.kind = activation::clip, .limit = 4}, -0.0f) == 0);
}

TEST_CASE("a slope of a power of two is exact for int8, any other the nearest of 15 bits", "[kernel][activation]") {
    for (int k = 0; k <= 14; ++k) {
        const binary_slope s{{1, static_cast<std::int16_t>(1 << k)}};
        CHECK(std::ldexp(s.multiplier, -s.shift) == std::ldexp(1.0, -k));
    }
    for (int p = 1; p < 300; p += 7)
        for (int q = p; q < 32767; q = q * 3 + 1) {
            const binary_slope s{{static_cast<std::int16_t>(p), static_cast<std::int16_t>(q)}};
            const double exact = static_cast<double>(p) / q;
            CAPTURE(p, q);
            CHECK(s.multiplier < 32768);
            CHECK(std::fabs(std::ldexp(s.multiplier, -s.shift) - exact) <= exact * 0x1p-15);
        }
    // whatever memory may hold
    CHECK(binary_slope{{0, 0}}.multiplier > 0);
    CHECK(binary_slope{{-5, 3}}.multiplier > 0);
}

TEST_CASE("int8: a leaky code is the nearest to its slope, within the slope's 15 bits", "[kernel][activation]") {
    for (const auto& [p, q] : {std::pair{1, 100}, {1, 10}, {1, 4}, {1, 3}, {9, 10}, {1, 1}}) {
        const activation_spec by{.kind = activation::leaky_relu,
                                 .slope = {static_cast<std::int16_t>(p), static_cast<std::int16_t>(q)}};
        int wrong = 0;
        for (int code = -40000; code <= 300; ++code) {
            const double exact = code < 0 ? static_cast<double>(code) * p / q : code;
            wrong += std::fabs(code_after(by, code, 4) - std::clamp(exact, -128.0, 127.0)) > 0.505;
        }
        CAPTURE(p, q);
        CHECK(wrong == 0);
    }
    constexpr activation_spec quarter{.kind = activation::leaky_relu, .slope = {1, 4}};
    CHECK(code_after(quarter, -2, 0) == 0);   // ties to even
    CHECK(code_after(quarter, -6, 0) == -2);
    CHECK(code_after(quarter, std::numeric_limits<std::int32_t>::min(), 0) == -128);
    CHECK(code_after(quarter, std::numeric_limits<std::int32_t>::max(), 0) == 127);
}

TEST_CASE("int8: a hard-swished code is within 0.6 of the exact value at any scale", "[kernel][activation]") {
    for (int frac = -26; frac <= 26; ++frac) {
        int wrong = 0, kept = 0;
        double worst = 0.0;
        // past 2^-12, where outputs are all below 1/32, what is far below them is not followed
        for (int code = frac <= 12 ? -60000 : -2000; code <= 2000; ++code) {
            const double x = std::ldexp(code, -frac);
            const double exact = std::ldexp(x * std::clamp(x + 3.0, 0.0, 6.0) / 6.0, frac);
            const double off = std::fabs(code_after(swish, code, frac) - std::clamp(exact, -128.0, 127.0));
            worst = std::max(worst, off);
            wrong += off > 0.6;
            if (x >= 3.0) kept += code_after(swish, code, frac) != std::min(code, 127);
        }
        CAPTURE(frac, worst);
        CHECK(wrong == 0);
        CHECK(kept == 0);
    }
    CHECK(code_after(swish, std::numeric_limits<std::int32_t>::min(), 0) == 0);
    CHECK(code_after(swish, std::numeric_limits<std::int32_t>::min(), 30) == -128);
    CHECK(code_after(swish, std::numeric_limits<std::int32_t>::max(), -30) == 127);
}
