// SPDX-License-Identifier: MIT
// Shifting right with rounding to nearest even, prepared for many values.
#pragma once

#include <redoubt/base/config.hpp>

#include <cstdint>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// shift_right_round() by one count for many values: q + ((rest + below_tie + (q & odd)) >> count), which counts one up
/// exactly where rest is above half, or is half and q odd. A count of 0 leaves everything as it is.
struct rounding_shift {
    int count;                  ///< 0 .. 31
    std::int32_t rest = 0;      ///< mask of the bits shifted out
    std::int32_t below_tie = 0; ///< half of 2^count, less one
    std::int32_t odd = 0;       ///< mask of the quotient's lowest bit
    std::int32_t lowest = 0;    ///< that bit before the shift
    std::int32_t most = INT32_MAX;  ///< to which below_tie and one more may be added

    /// Whether a value cut to `most` is still shifted to 127 or more, so that a clamp to bytes hides the cut.
    bool may_cut() const { return count <= 24; }

    explicit rounding_shift(int n) : count{n} {
        if (n == 0) return;
        rest = static_cast<std::int32_t>((1u << n) - 1u);
        below_tie = static_cast<std::int32_t>((1u << (n - 1)) - 1u);
        odd = 1;
        lowest = static_cast<std::int32_t>(1u << n);
        most = INT32_MAX - below_tie - 1;
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI
