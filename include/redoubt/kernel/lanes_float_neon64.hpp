// SPDX-License-Identifier: MIT
// Floats in AArch64 NEON registers: what lanes_float_simd.hpp leaves to the instruction set.
#pragma once

#include <redoubt/kernel/geometry.hpp>

#if REDOUBT_LEVEL_NUMBER == 1
#include <arm_neon.h>
#include <xsimd/xsimd.hpp>

#include <cstring>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Four floats.
struct float_register {
    using batch = xsimd::batch<float, xsimd::neon64>;

    /// factor * weight + sum, fused.
    static batch multiply_add(float factor, const batch& weight, const batch& sum) {
        return vfmaq_n_f32(sum, weight, factor);
    }
    static batch multiply_add(const batch& factor, const batch& weight, const batch& sum) {
        return vfmaq_f32(sum, weight, factor);
    }
    /// Rounded as IEEE 754 has it: xsimd's is by an estimate.
    static batch divide(const batch& dividend, const batch& divisor) { return vdivq_f32(dividend, divisor); }
    template <int From>
    static batch joined(const batch& a, const batch& b) { return vextq_f32(a, b, From); }
    static batch widen(const half* p) {
        std::uint16_t words[4];
        std::memcpy(words, static_cast<const void*>(p), sizeof words);
        return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(words)));
    }
    static void narrow(const batch& v, half* p) {
        std::uint16_t words[4];
        vst1_u16(words, vreinterpret_u16_f16(vcvt_f16_f32(v)));
        std::memcpy(static_cast<void*>(p), words, sizeof words);
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
