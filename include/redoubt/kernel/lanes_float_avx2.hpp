// SPDX-License-Identifier: MIT
// Floats in AVX2 registers: what lanes_float_simd.hpp leaves to the instruction set.
#pragma once

#include <redoubt/kernel/geometry.hpp>

#if REDOUBT_LEVEL_NUMBER == 3
#include <immintrin.h>
#include <xsimd/xsimd.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Eight floats.
struct float_register {
    using batch = xsimd::batch<float, xsimd::fma3<xsimd::avx2>>;

    /// factor * weight + sum, fused. Spelled with intrinsics: clang makes slower code of the xsimd form.
    static batch multiply_add(float factor, const batch& weight, const batch& sum) {
        return _mm256_fmadd_ps(_mm256_set1_ps(factor), weight, sum);
    }
    static batch multiply_add(const batch& factor, const batch& weight, const batch& sum) {
        return _mm256_fmadd_ps(factor, weight, sum);
    }
    /// By 16-byte halves: the middle ones first, then the four bytes a lane has.
    template <int From>
    static batch joined(const batch& a, const batch& b) {
        const __m256i first = _mm256_castps_si256(a), last = _mm256_castps_si256(b);
        const __m256i middle = _mm256_permute2x128_si256(first, last, 0x21);
        if constexpr (From < 4) return _mm256_castsi256_ps(_mm256_alignr_epi8(middle, first, 4 * From));
        else return _mm256_castsi256_ps(_mm256_alignr_epi8(last, middle, 4 * (From - 4)));
    }
    static batch widen(const half* p) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
    static void narrow(const batch& v, half* p) {
        const __m128i words = _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), words);
    }
    static batch widen(const brain* p) {
        const __m128i words = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(words), 16));
    }
    /// The rounding of `brain`; NaN must be the one NaN.
    static void narrow(const batch& v, brain* p) {
        const __m256i bits = _mm256_castps_si256(v);
        const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
        const __m256i up = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
        const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, up), 16);
        const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), words);
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
