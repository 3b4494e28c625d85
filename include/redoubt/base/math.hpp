// SPDX-License-Identifier: MIT
// Logarithm and exponential that give the same bits everywhere. libm may not: its results differ between libraries and
// versions. Everything here is IEEE addition, multiplication, division, std::fma and bit manipulation under round to
// nearest; wherever a product meets a sum, the fma is written out, so that no compiler has anything left to contract.
#pragma once

#include <redoubt/base/bits.hpp>
#include <redoubt/base/config.hpp>
#include <redoubt/base/fused.hpp>

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <limits>

namespace redoubt::inline v1 {

static_assert(FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 16,
              "redoubt: float and double must be evaluated in their own precision (x87 needs -mfpmath=sse)");
static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559);

namespace detail {

// ln 2 in two parts; the first leaves 11 bits (double) or 8 bits (float) free, so that its product with an exponent is
// exact.
inline constexpr double ln2_high = 0x1.62e42fefa38p-1, ln2_low = 0x1.ef35793c7673p-45;
inline constexpr float ln2f_high = 0x1.62e4p-1f, ln2f_low = 0x1.7f7d1cp-20f;

/// 2^exponent, for the exponent of a normal number.
constexpr double power_of_two(int exponent) {
    return from_word<double>(static_cast<std::uint64_t>(1023 + exponent) << 52);
}
constexpr float power_of_two_f(int exponent) {
    return from_word<float>(static_cast<std::uint32_t>(127 + exponent) << 23);
}

}  // namespace detail
}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

/// The natural logarithm, within 0.6 ulp, denormal arguments included. ln(+-0) is -Inf, ln(Inf) is Inf; negative
/// numbers and NaN give the one canonical quiet NaN. The same bits with every compiler, option and instruction set.
inline double natural_log(double x) {
    constexpr std::uint64_t smallest_normal = 0x0010000000000000u, infinity = 0x7ff0000000000000u;
    std::uint64_t word = to_word(x);
    int exponent = 0;
    if (word - smallest_normal >= infinity - smallest_normal) {
        if (x == 0.0) return -std::numeric_limits<double>::infinity();
        if (word == infinity) return x;
        if (word > infinity) return std::numeric_limits<double>::quiet_NaN();
        word = to_word(x * 0x1p54);
        exponent = -54;
    }

    // x = 2^exponent * m with m in [sqrt(1/2), sqrt(2)).
    constexpr std::uint64_t one = 0x3ff0000000000000u, root_half = 0x3fe6a09e667f3bcdu, fraction = 0x000fffffffffffffu;
    const std::uint64_t shifted = word + (one - root_half);
    exponent += static_cast<int>(shifted >> 52) - 1023;
    const double m = from_word<double>((shifted & fraction) + root_half);

    // ln m = 2 atanh(s), s = (m - 1) / (m + 1), with the quotient's rounding error kept as s_low.
    const double difference = m - 1.0, sum = m + 1.0;
    const double sum_low = m - (sum - 1.0);
    const double inverse = 1.0 / sum;
    const double s = difference / sum;
    const double rest = std::fma(-s, sum_low, std::fma(-s, sum, difference));
    const double twice_s_low = (rest + rest) * inverse;

    // 2 atanh(s) = 2s + s * series(s^2); the series' first term left out is below 2^-60 of the whole. Two chains.
    const double z = s * s, zz = z * z;
    double odd = 2.0 / 19.0, even = 2.0 / 21.0;
    odd = std::fma(odd, zz, 2.0 / 15.0), even = std::fma(even, zz, 2.0 / 17.0);
    odd = std::fma(odd, zz, 2.0 / 11.0), even = std::fma(even, zz, 2.0 / 13.0);
    odd = std::fma(odd, zz, 2.0 / 7.0), even = std::fma(even, zz, 2.0 / 9.0);
    odd = std::fma(odd, zz, 2.0 / 3.0), even = std::fma(even, zz, 2.0 / 5.0);
    const double series = z * std::fma(even, z, odd);

    const double n = static_cast<double>(exponent);
    const double twice_s = s + s;
    const double high = std::fma(n, detail::ln2_high, twice_s);
    const double lost = twice_s - std::fma(-n, detail::ln2_high, high);
    return high + (lost + std::fma(n, detail::ln2_low, std::fma(s, series, twice_s_low)));
}

/// e to the x, within 0.8 ulp, denormal results included. Past 709.78... it is Inf, below -745.13... it is 0,
/// exponential(+-0) is 1; NaN gives the one canonical quiet NaN. The same bits everywhere.
inline double exponential(double x) {
    if (x != x) return std::numeric_limits<double>::quiet_NaN();
    if (x > 710.0) return std::numeric_limits<double>::infinity();
    if (x < -746.0) return 0.0;

    // x = n ln 2 + r + r_low with |r| <= ln(2) / 2; adding 1.5 * 2^52 rounds to a whole number.
    constexpr double round_bias = 0x1.8p52;
    const double n = std::fma(x, 0x1.71547652b82fep0, round_bias) - round_bias;
    const double reduced = std::fma(-n, detail::ln2_high, x);
    const double r = std::fma(-n, detail::ln2_low, reduced);
    const double r_low = std::fma(-n, detail::ln2_low, reduced - r);

    // e^r = 1 + r + r^2 (1/2! + r/3! + ...); the first term left out is below 2^-57. Two chains.
    const double rr = r * r;
    double even = 1.0 / 479001600.0, odd = 1.0 / 6227020800.0;
    even = std::fma(even, rr, 1.0 / 3628800.0), odd = std::fma(odd, rr, 1.0 / 39916800.0);
    even = std::fma(even, rr, 1.0 / 40320.0), odd = std::fma(odd, rr, 1.0 / 362880.0);
    even = std::fma(even, rr, 1.0 / 720.0), odd = std::fma(odd, rr, 1.0 / 5040.0);
    even = std::fma(even, rr, 1.0 / 24.0), odd = std::fma(odd, rr, 1.0 / 120.0);
    even = std::fma(even, rr, 1.0 / 2.0), odd = std::fma(odd, rr, 1.0 / 6.0);
    const double tail = std::fma(rr, std::fma(odd, r, even), r_low);

    const double high = 1.0 + r;
    const double value = high + ((r - (high - 1.0)) + tail);
    // In two factors, so that a denormal result is rounded once and the largest ones do not overflow early; the last
    // one as an fma, so that a caller's sum cannot be contracted with it.
    const int whole = static_cast<int>(n), half = whole / 2;
    return std::fma(value * detail::power_of_two(half), detail::power_of_two(whole - half), 0.0);
}

/// e to the x in single precision only (for softmax), within 1.1 ulp and monotone (checked for every float):
/// x <= y gives e^x <= e^y. Past 88.72... it is Inf, below -103.97... it is 0, exponential(+-0) is 1, small results are
/// denormal; NaN gives the one canonical quiet NaN. The same bits everywhere.
inline float exponential(float x) {
    if (x != x) return std::numeric_limits<float>::quiet_NaN();
    if (x > 89.0f) return std::numeric_limits<float>::infinity();
    if (x < -104.0f) return 0.0f;

    constexpr float round_bias = 0x1.8p23f;
    const float n = fused(x, 0x1.715476p0f, round_bias) - round_bias;
    const float r = fused(-n, detail::ln2f_low, fused(-n, detail::ln2f_high, x));

    float series = 1.0f / 5040.0f;
    series = fused(series, r, 1.0f / 720.0f);
    series = fused(series, r, 1.0f / 120.0f);
    series = fused(series, r, 1.0f / 24.0f);
    series = fused(series, r, 1.0f / 6.0f);
    series = fused(series, r, 0.5f);
    const float value = 1.0f + fused(r * r, series, r);
    const int whole = static_cast<int>(n), half = whole / 2;
    return fused(value * detail::power_of_two_f(half), detail::power_of_two_f(whole - half), 0.0f);
}

}  // namespace redoubt::inline REDOUBT_ABI
