// SPDX-License-Identifier: MIT
// The NaN policy: every NaN is one value, and it propagates through every operation but range restriction.
#pragma once

#include <redoubt/base/bits.hpp>

namespace redoubt::inline v1 {

/// The one NaN: quiet, positive, payload zero.
inline constexpr std::uint32_t canonical_nan_word = 0x7fc00000u;

/// True for any NaN, also under flags that let the compiler forget them.
constexpr bool is_nan(float value) { return (to_word(value) & 0x7fffffffu) > 0x7f800000u; }

/// The value itself, or the one NaN. Applied at every store.
constexpr float canonical(float value) { return is_nan(value) ? from_word<float>(canonical_nan_word) : value; }

/// max(value, +0): NaN stays NaN, -0 becomes +0.
constexpr float relu_of(float value) { return value <= 0.0f ? 0.0f : value; }

/// min(max(value, +0), limit): NaN stays NaN.
constexpr float clipped_relu_of(float value, float limit) {
    const float v = relu_of(value);
    return v > limit ? limit : v;
}

/// The larger; NaN if either is, +0 above -0, so that order does not matter.
constexpr float max_of(float a, float b) {
    if (is_nan(a) || is_nan(b)) return from_word<float>(canonical_nan_word);
    if (a == b) return (to_word(a) >> 31) != 0 ? b : a;
    return a > b ? a : b;
}

}  // namespace redoubt::inline v1
