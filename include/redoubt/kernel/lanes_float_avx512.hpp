// SPDX-License-Identifier: MIT
// Floats in AVX-512 registers: what lanes_float_simd.hpp leaves to the instruction set.
#pragma once

#include <redoubt/kernel/geometry.hpp>

#if REDOUBT_LEVEL_NUMBER >= 4
#include <immintrin.h>
#include <xsimd/xsimd.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Sixteen floats. The conversions are in their zero-masking form with a full mask: the same instruction, but g++ 12
/// warns of the plain form's undefined register.
struct float_register {
    using batch = xsimd::batch<float, xsimd::avx512bw>;

    /// factor * weight + sum, fused. Spelled with intrinsics: clang makes slower code of the xsimd form.
    static batch multiply_add(float factor, const batch& weight, const batch& sum) {
        return _mm512_fmadd_ps(_mm512_set1_ps(factor), weight, sum);
    }
    static batch multiply_add(const batch& factor, const batch& weight, const batch& sum) {
        return _mm512_fmadd_ps(factor, weight, sum);
    }
    template <int From>
    static batch joined(const batch& a, const batch& b) {
        return _mm512_castsi512_ps(_mm512_maskz_alignr_epi32(0xffff, _mm512_castps_si512(b), _mm512_castps_si512(a), From));
    }
    static batch root(const batch& v) { return _mm512_maskz_sqrt_ps(0xffff, v); }
    /// The first `count`, then zeros; reads no further.
    static batch load(const float* p, int count) {
        return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1u), p);
    }
    /// ReLU, where asked for, nothing above `limit`, and the one NaN. The first and last in one instruction, by a table of what becomes of each class of value (from bit
    /// 0, four bits each: quiet NaN, signalling NaN, zero, one, -Inf, Inf, negative, positive; 0 takes the first operand,
    /// 1 the value, 8 is +0).
    static batch settled(const batch& v, bool rectify, float limit) {
        const __m512i classes = _mm512_set1_epi32(rectify ? 0x18181800 : 0x11111100);
// without optimisation g++ has a macro here, with a conversion that it warns of
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
        const __m512 settled = _mm512_fixupimm_ps(_mm512_set1_ps(from_word<float>(canonical_nan_word)), v, classes, 0);
#pragma GCC diagnostic pop
        return _mm512_maskz_min_ps(0xffff, _mm512_set1_ps(limit), settled);  // takes its second operand when it is a NaN
    }
    static batch widen(const half* p) {
        return _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    }
    /// The first `count`, then zeros; reads no further.
    static batch widen(const half* p, int count) {
        const auto first = static_cast<__mmask16>((1u << count) - 1u);
        return _mm512_maskz_cvtph_ps(0xffff, _mm256_maskz_loadu_epi16(first, p));
    }
    static void narrow(const batch& v, half* p) {
        const __m256i words = _mm512_maskz_cvtps_ph(0xffff, v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), words);
    }
    static batch widen(const brain* p) {
        return upper_halves(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    }
    /// The first `count`, then zeros; reads no further.
    static batch widen(const brain* p, int count) {
        return upper_halves(_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << count) - 1u), p));
    }
    /// The rounding of `brain`, in integers: vcvtneps2bf16 would flush denormals. NaN must be the one NaN.
    static void narrow(const batch& v, brain* p) {
        const __m512i bits = _mm512_castps_si512(v);
        const __m512i odd = _mm512_and_si512(_mm512_maskz_srli_epi32(0xffff, bits, 16), _mm512_set1_epi32(1));
        const __m512i up = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
        const __m512i rounded = _mm512_maskz_srli_epi32(0xffff, _mm512_add_epi32(bits, up), 16);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_maskz_cvtepi32_epi16(0xffff, rounded));
    }

private:
    static batch upper_halves(const __m256i& words) {
        return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xffff, _mm512_maskz_cvtepu16_epi32(0xffff, words), 16));
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
