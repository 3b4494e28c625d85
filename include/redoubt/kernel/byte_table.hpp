// SPDX-License-Identifier: MIT
// A table of 256 bytes for many bytes at once.
#pragma once

#include <redoubt/base/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

#if REDOUBT_LEVEL_NUMBER >= 3
#include <immintrin.h>
#elif REDOUBT_LEVEL_NUMBER == 1
#include <arm_neon.h>
#endif

namespace redoubt::kernel::inline v1 {

/// What each byte becomes, on lines of its own so that a vector is never parted.
struct alignas(64) byte_table {
    std::array<std::uint8_t, 256> of{};
};

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

/// to[i] = table[from[i]]. AVX2 and AVX-512 look up sixteen rows by the low half of a byte and keep the one of its high half; NEON four of 64. Cost: about half an
/// instruction a byte with AVX-512, one and a half with AVX2.
inline void look_up(const byte_table& table, const std::uint8_t* from, std::size_t count, std::uint8_t* to) {
    std::size_t i = 0;
#if REDOUBT_LEVEL_NUMBER >= 4
    for (; i + 64 <= count; i += 64) {
        const __m512i bytes = _mm512_loadu_si512(from + i), low = _mm512_set1_epi8(15);
        const __m512i row = _mm512_and_si512(_mm512_maskz_srli_epi16(__mmask32{0xffffffff}, bytes, 4), low), column = _mm512_and_si512(bytes, low);
        __m512i result = _mm512_setzero_si512();
        for (int r = 0; r < 16; ++r) {
            const __m512i here = _mm512_maskz_broadcast_i32x4(__mmask16{0xffff}, _mm_load_si128(reinterpret_cast<const __m128i*>(table.of.data() + 16 * r)));
            result = _mm512_mask_shuffle_epi8(result, _mm512_cmpeq_epi8_mask(row, _mm512_set1_epi8(static_cast<char>(r))), here, column);
        }
        _mm512_storeu_si512(to + i, result);
    }
#elif REDOUBT_LEVEL_NUMBER == 3
    for (; i + 32 <= count; i += 32) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i)), low = _mm256_set1_epi8(15);
        const __m256i row = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low), column = _mm256_and_si256(bytes, low);
        __m256i result = _mm256_setzero_si256();
        for (int r = 0; r < 16; ++r) {
            const __m256i here = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table.of.data() + 16 * r)));
            result = _mm256_blendv_epi8(result, _mm256_shuffle_epi8(here, column), _mm256_cmpeq_epi8(row, _mm256_set1_epi8(static_cast<char>(r))));
        }
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), result);
    }
#elif REDOUBT_LEVEL_NUMBER == 1
    for (; i + 16 <= count; i += 16) {
        uint8x16_t bytes = vld1q_u8(from + i), result = vdupq_n_u8(0);
        for (int part = 0; part < 4; ++part) {
            // indices past a part's 64 give 0
            result = vorrq_u8(result, vqtbl4q_u8(vld1q_u8_x4(table.of.data() + 64 * part), bytes));
            bytes = vsubq_u8(bytes, vdupq_n_u8(64));
        }
        vst1q_u8(to + i, result);
    }
#endif
    for (; i < count; ++i) to[i] = table.of[from[i]];
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
