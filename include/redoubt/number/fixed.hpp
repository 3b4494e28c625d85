// SPDX-License-Identifier: MIT
// Fixed point in eight bits: a sign, I integer bits and F fraction bits (Q formats).
#pragma once

#include <redoubt/number/fields.hpp>
#include <redoubt/number/nan.hpp>

#include <cstdint>

namespace redoubt::inline v1 {

/// value * 2^exponent, exact unless it leaves binary32's range (then infinite or rounded once by the multiplication).
constexpr float scaled(float value, int exponent) {
    while (exponent > 127) { value *= 0x1p127f; exponent -= 127; }
    while (exponent < -126) { value *= 0x1p-126f; exponent += 126; }
    return value * from_word<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
}

/// The nearest whole number, ties to even, saturating to [low, high]; NaN gives 0 (a code has no NaN).
constexpr std::int32_t round_saturate(float value, std::int32_t low, std::int32_t high) {
    if (is_nan(value)) return 0;
    if (value <= static_cast<float>(low)) return low;
    if (value >= static_cast<float>(high)) return high;
    std::int32_t whole = static_cast<std::int32_t>(value);
    if (static_cast<float>(whole) > value) --whole;
    const float rest = value - static_cast<float>(whole);  // exact
    if (rest > 0.5f || (rest == 0.5f && (whole & 1) != 0)) ++whole;
    return whole;
}

/// v / 2^n rounded to nearest even, for 0 <= n <= 31; no overflow.
constexpr std::int32_t shift_right_round(std::int32_t v, int n) {
    if (n == 0) return v;
    const std::int32_t q = v >> n;
    const std::uint32_t rest = static_cast<std::uint32_t>(v) - (static_cast<std::uint32_t>(q) << n);
    const std::uint32_t tie = 1u << (n - 1);
    return q + ((rest > tie || (rest == tie && (q & 1) != 0)) ? 1 : 0);
}

/// A stored code of Q format I.F: value = code / 2^F, range [-2^I, 2^I - 2^-F]. Rounds to nearest even, saturates,
/// NaN gives 0.
template <int I, int F>
    requires(I >= 0 && F >= 0 && I + F == 7)
class fixed {
public:
    constexpr fixed() = default;
    constexpr explicit fixed(float value)
        : code_{static_cast<std::int8_t>(round_saturate(scaled(value, F), -128, 127))} {}
    static constexpr fixed from_code(std::int8_t code) {
        fixed f;
        f.code_ = code;
        return f;
    }
    constexpr std::int8_t code() const { return code_; }
    constexpr explicit operator float() const { return scaled(static_cast<float>(code_), -F); }

private:
    std::int8_t code_ = 0;
};

}  // namespace redoubt::inline v1
