// SPDX-License-Identifier: MIT
#include <redoubt/base/philox.hpp>
#include <redoubt/number/fixed.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

using namespace redoubt;

using q25 = fixed<2, 5>;
static_assert(sizeof(q25) == 1 && std::is_trivially_copyable_v<q25>);
static_assert(q25{0.5f}.code() == 16 && static_cast<float>(q25::from_code(-128)) == -4.0f);
static_assert(shift_right_round(5, 1) == 2 && shift_right_round(7, 1) == 4 && shift_right_round(-5, 1) == -2);

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr std::int32_t least = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();

/// v / 2^n to nearest even: floor(v / 2^n + 1/2) in 64 bits, one less where that was a tie and came out odd.
std::int64_t closed_form(std::int64_t v, int n) {
    if (n == 0) return v;
    const std::int64_t half = std::int64_t{1} << (n - 1);
    const std::int64_t q = (v + half) >> n;
    return q - ((((v + half) & (2 * half - 1)) == 0 && (q & 1) != 0) ? 1 : 0);
}

}  // namespace

TEST_CASE("shift_right_round is division to nearest even, without overflow", "[number][fixed]") {
    std::vector<std::int32_t> values{0, 1, -1, 2, -2, 3, -3, most, most - 1, least, least + 1, 0x40000000, -0x40000000,
                                     0x3fffffff, 0x40000001, -0x40000001};
    random_stream random{1, {}};
    for (int i = 0; i < 2000; ++i) values.push_back(static_cast<std::int32_t>(random()) >> random.below(31));
    for (int n = 0; n < 31; ++n) {  // exact ties and their neighbours
        for (std::int32_t odd : {1, 3, 5, -1, -3}) {
            const auto tie = static_cast<std::int32_t>(static_cast<std::uint32_t>(odd) << n);
            for (std::int32_t around : {-1, 0, 1})
                values.push_back(static_cast<std::int32_t>(static_cast<std::int64_t>(tie) + around));
        }
    }
    int wrong = 0;
    for (int n = 0; n <= 31; ++n)
        for (std::int32_t v : values) wrong += shift_right_round(v, n) != closed_form(v, n);
    CHECK(wrong == 0);
}

TEST_CASE("round_saturate takes the nearest whole number, ties to even, within its bounds", "[number][fixed]") {
    for (int k = -300; k <= 300; ++k) {
        const auto bounded = [](double v) { return static_cast<std::int32_t>(std::fmin(std::fmax(v, -128.0), 127.0)); };
        for (float rest : {0.0f, 0.25f, 0.5f, 0.75f, -0.5f, 0.4999f, 0.5001f}) {
            const float v = static_cast<float>(k) + rest;
            CAPTURE(v);
            CHECK(round_saturate(v, -128, 127) == bounded(std::nearbyint(static_cast<double>(v))));
        }
    }
    CHECK(round_saturate(nan_value, -128, 127) == 0);
    CHECK(round_saturate(-nan_value, 3, 127) == 0);
    CHECK(round_saturate(infinity, -128, 127) == 127);
    CHECK(round_saturate(-infinity, -128, 127) == -128);
    CHECK(round_saturate(3.4e38f, -128, 127) == 127);
    CHECK(round_saturate(-0.0f, -128, 127) == 0);
    CHECK(round_saturate(1e-45f, -128, 127) == 0);
    // A 32-bit accumulator: 2^31 itself is out of range.
    CHECK(round_saturate(0x1p31f, least, most) == most);
    CHECK(round_saturate(-0x1p31f, least, most) == least);
    CHECK(round_saturate(0x1.fffffep30f, least, most) == 0x7fffff80);
}

TEST_CASE("scaled multiplies by a power of two", "[number][fixed]") {
    for (int e = -149; e <= 127; ++e) {
        CHECK(to_word(scaled(1.0f, e)) == to_word(std::ldexp(1.0f, e)));
        CHECK(to_word(scaled(-0x1.234p0f, e / 2)) == to_word(std::ldexp(-0x1.234p0f, e / 2)));
    }
    CHECK(scaled(0x1p-149f, 276) == 0x1p127f);
    CHECK(scaled(0x1p127f, -276) == 0x1p-149f);
    CHECK(scaled(1.0f, 128) == infinity);
    CHECK(scaled(1.0f, -151) == 0.0f);
    CHECK(scaled(0x1p-140f, 1000) == infinity);
    CHECK(scaled(1.0f, -100000) == 0.0f);
    CHECK(to_word(scaled(-0.0f, 40)) == 0x80000000u);
}

TEST_CASE("every code of Q2.5 stands for code / 32 and comes back", "[number][fixed]") {
    for (int code = -128; code <= 127; ++code) {
        const q25 f = q25::from_code(static_cast<std::int8_t>(code));
        const auto value = static_cast<float>(f);
        CHECK(value == static_cast<float>(code) / 32.0f);
        CHECK(q25{value}.code() == code);
        if (code == 127) break;
        const float tie = value + 1.0f / 64.0f;
        CHECK(q25{tie}.code() == (code % 2 == 0 ? code : code + 1));
        CHECK(q25{std::nextafter(tie, -8.0f)}.code() == code);
        CHECK(q25{std::nextafter(tie, 8.0f)}.code() == code + 1);
    }
}

TEST_CASE("Q formats saturate, and NaN becomes zero", "[number][fixed]") {
    CHECK(q25{3.97f}.code() == 127);
    CHECK(q25{4.0f}.code() == 127);
    CHECK(q25{infinity}.code() == 127);
    CHECK(q25{-4.0f}.code() == -128);
    CHECK(q25{-4.1f}.code() == -128);
    CHECK(q25{-infinity}.code() == -128);
    CHECK(q25{nan_value}.code() == 0);
    CHECK(q25{from_word<float>(0xffc12345u)}.code() == 0);
    CHECK(q25{-0.0f}.code() == 0);
    CHECK(fixed<0, 7>{1.0f}.code() == 127);
    CHECK(static_cast<float>(fixed<7, 0>{-128.0f}) == -128.0f);
}
