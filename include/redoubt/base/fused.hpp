// SPDX-License-Identifier: MIT
// A float multiply-add that is rounded once, also where the C library's is not.
#pragma once

#include <redoubt/base/bits.hpp>
#include <redoubt/base/config.hpp>

#include <cmath>
#include <cstdint>

namespace redoubt::inline v1 {

namespace detail {

/// fma(a, b, c) by double arithmetic: the product is exact there; the sum is rounded to odd, so that rounding it to float
/// afterwards is right (Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums", 2008).
inline float fused_in_software(float a, float b, float c) {
    const double product = static_cast<double>(a) * static_cast<double>(b);
    const double sum = product + static_cast<double>(c);
    constexpr std::uint64_t infinity = 0x7ff0000000000000u;
    const std::uint64_t word = to_word(sum);
    if ((word & infinity) == infinity || (word & 1u) != 0) return static_cast<float>(sum);
    const double part = sum - product;
    const double lost = (product - (sum - part)) + (static_cast<double>(c) - part);
    if (lost == 0.0) return static_cast<float>(sum);
    const bool outward = (lost < 0.0) == (sum < 0.0);  // the exact sum is the larger in magnitude
    return static_cast<float>(from_word<double>(outward ? word + 1 : word - 1));
}

}  // namespace detail
}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

/// a * b + c, rounded once, as IEEE 754 says. newlib without a processor that fuses rounds twice: there in software.
inline float fused(float a, float b, float c) {
#if defined(__NEWLIB__) && !defined(__FP_FAST_FMAF)
    return detail::fused_in_software(a, b, c);
#else
    return std::fma(a, b, c);
#endif
}

}  // namespace redoubt::inline REDOUBT_ABI
