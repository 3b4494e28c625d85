// SPDX-License-Identifier: MIT
// When a checksum and what it should be count as the same: exactly for integers, within a bound of rounding for floats.
#pragma once

#include <redoubt/kernel/multiply_add.hpp>

#include <cstdint>
#include <limits>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// How far apart two sums of terms of that magnitude may lie: `factor` of it, and `smallest` where it underflows. Infinity, which is no verdict, where the
/// magnitude is past half of the largest float, so that a sum may have overflowed, or NaN.
inline float checksum_bound(float magnitude, float factor, float smallest) {
    const bool judged = magnitude <= std::numeric_limits<float>::max() / 2.0f;
    return judged ? multiply_add(magnitude, factor, smallest) : std::numeric_limits<float>::infinity();
}

/// The verdicts. A NaN or infinite difference is a fault where there is a verdict.
inline bool sums_agree(float total, float expected, float bound) {
    const float apart = total - expected;
    return !(bound < std::numeric_limits<float>::infinity()) || (apart <= bound && -apart <= bound);
}
inline bool sums_agree(std::int32_t total, std::int32_t expected) { return total == expected; }

}  // namespace redoubt::kernel::inline REDOUBT_ABI
