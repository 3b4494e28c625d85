// SPDX-License-Identifier: MIT
// Floats in SSE2 registers: what lanes_float_simd.hpp leaves to the instruction set. No fused multiply-add and no binary16.
#pragma once

#include <redoubt/kernel/geometry.hpp>

#if REDOUBT_LEVEL_NUMBER == 2
#include <emmintrin.h>
#include <xsimd/xsimd.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Four floats.
struct float_register {
    using batch = xsimd::batch<float, xsimd::sse2>;

    /// factor * weight + sum, rounded twice.
    static batch multiply_add(float factor, const batch& weight, const batch& sum) {
        return _mm_add_ps(_mm_mul_ps(_mm_set1_ps(factor), weight), sum);
    }
    static batch multiply_add(const batch& factor, const batch& weight, const batch& sum) {
        return _mm_add_ps(_mm_mul_ps(factor, weight), sum);
    }
    template <int From>
    static batch joined(const batch& a, const batch& b) {
        const __m128i first = _mm_castps_si128(a), last = _mm_castps_si128(b);
        return _mm_castsi128_ps(_mm_or_si128(_mm_srli_si128(first, 4 * From), _mm_slli_si128(last, 16 - 4 * From)));
    }
    /// Exponent and fraction move to their place and the exponent's bias is put right. Denormals become 2^-14 times 1.f,
    /// less 2^-14, which is exact and meets no denormal binary32.
    static batch widen(const half* p) {
        const __m128i words = _mm_unpacklo_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)), _mm_setzero_si128());
        const __m128i sign = _mm_slli_epi32(_mm_and_si128(words, _mm_set1_epi32(0x8000)), 16);
        const __m128i moved = _mm_slli_epi32(_mm_and_si128(words, _mm_set1_epi32(0x7fff)), 13);
        const __m128i special = _mm_cmpgt_epi32(moved, _mm_set1_epi32((0x7c00 << 13) - 1));
        const __m128i small = _mm_cmpgt_epi32(_mm_set1_epi32(0x0400 << 13), moved);
        const __m128i rebias = _mm_add_epi32(_mm_set1_epi32(112 << 23), _mm_and_si128(special, _mm_set1_epi32(112 << 23)));
        const __m128i whole = _mm_add_epi32(moved, rebias);
        const __m128 with_one = _mm_castsi128_ps(_mm_add_epi32(whole, _mm_set1_epi32(1 << 23)));
        const __m128i denormal = _mm_castps_si128(_mm_sub_ps(with_one, _mm_set1_ps(0x1p-14f)));
        return _mm_castsi128_ps(_mm_or_si128(sign, chosen(small, denormal, whole)));
    }
    /// The rounding of `half`, in integers; denormal results by an addition that leaves their unit, 2^-24, in bit 0.
    static void narrow(const batch& v, half* p) {
        const __m128i bits = _mm_castps_si128(v);
        const __m128i sign = _mm_srai_epi32(_mm_and_si128(bits, _mm_set1_epi32(INT32_MIN)), 16);
        const __m128i magnitude = _mm_and_si128(bits, _mm_set1_epi32(INT32_MAX));
        const __m128i is_nan = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7f800000));
        const __m128i special = _mm_or_si128(_mm_set1_epi32(0x7c00), _mm_and_si128(is_nan, _mm_set1_epi32(0x0200)));
        const __m128i finite = _mm_cmpgt_epi32(_mm_set1_epi32(0x47800000), magnitude);  // below 2^16; may round to infinity
        const __m128i small = _mm_cmpgt_epi32(_mm_set1_epi32(0x38800000), magnitude);   // below 2^-14

        const __m128 unit_in_bit_0 = _mm_set1_ps(0.5f);
        const __m128i denormal = _mm_sub_epi32(_mm_castps_si128(_mm_add_ps(_mm_castsi128_ps(magnitude), unit_in_bit_0)),
                                               _mm_castps_si128(unit_in_bit_0));
        const __m128i odd = _mm_and_si128(_mm_srli_epi32(magnitude, 13), _mm_set1_epi32(1));
        const __m128i up = _mm_add_epi32(odd, _mm_set1_epi32(0xfff - (112 << 23)));
        const __m128i normal = _mm_srli_epi32(_mm_add_epi32(magnitude, up), 13);

        const __m128i kept = chosen(finite, chosen(small, denormal, normal), special);
        const __m128i word = _mm_or_si128(sign, kept);  // sign extended: packing does not saturate
        _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi32(word, word));
    }

private:
    static __m128i chosen(const __m128i& mask, const __m128i& yes, const __m128i& no) {
        return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
