// SPDX-License-Identifier: MIT
// One step of a float chain, as this instruction level does it.
#pragma once

#include <redoubt/base/fused.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// a * b + sum: fused, rounded once; at a level that cannot fuse, the product is rounded, then the sum. The SIMD kernels of
/// a level give the same bits, NaN payloads aside.
inline float multiply_add(float a, float b, float sum) {
    if constexpr (fuses) {
        return fused(a, b, sum);
    } else {
        const float product = a * b;
        return product + sum;
    }
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
