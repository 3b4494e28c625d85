// SPDX-License-Identifier: MIT
// Sixteen accumulators of an int8 dot product in two AVX2 registers, with AVX-VNNI where the target has it.
#pragma once

#include <redoubt/kernel/first_bytes.hpp>
#include <redoubt/kernel/geometry.hpp>
#include <redoubt/kernel/rounding_shift.hpp>

#if REDOUBT_LEVEL_NUMBER == 3 || REDOUBT_LEVEL_NUMBER == 4
#include <immintrin.h>

#include <cstring>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Two registers of eight accumulators.
struct int_lanes {
    __m256i part[2];

    static int_lanes load(const std::int32_t* p) {
        return {{_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
                 _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 8))}};
    }
    void store(std::int32_t* p) const {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), part[0]);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), part[1]);
    }
    /// Sixteen times four unsigned bytes; the first `count`, then zeros.
    struct quads { __m256i bytes[2]; };
    static quads load_quads(const std::uint8_t* p) {
        return {{_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32))}};
    }
    static quads load_quads(const std::uint8_t* p, int count) { return load_quads(first_bytes<4 * lane_count>{p, count}.byte); }
#ifdef __AVXVNNI__
    struct weights { __m256i bytes[2]; };
    static weights load_weights(const std::int8_t* p) {
        return {{_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
                 _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32))}};
    }
    void add_products(std::int32_t quad, const weights& w) {
        for (int i = 0; i < 2; ++i) part[i] = _mm256_dpbusd_avx_epi32(part[i], _mm256_set1_epi32(quad), w.bytes[i]);
    }
    /// Adds the four products of each lane's bytes with its weights.
    void add_products(const quads& in, const weights& w) {
        for (int i = 0; i < 2; ++i) part[i] = _mm256_dpbusd_avx_epi32(part[i], in.bytes[i], w.bytes[i]);
    }
#else
    /// Split into even and odd bytes, widened, so that the pairwise 16-bit products cannot saturate.
    struct weights { __m256i even[2], odd[2]; };
    static weights load_weights(const std::int8_t* p) {
        weights w;
        for (int i = 0; i < 2; ++i) {
            const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32 * i));
            w.even[i] = _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8);
            w.odd[i] = _mm256_srai_epi16(bytes, 8);
        }
        return w;
    }
    void add_products(std::int32_t quad, const weights& w) {
        const __m256i bytes = _mm256_set1_epi32(quad);
        add_products(quads{{bytes, bytes}}, w);
    }
    /// Adds the four products of each lane's bytes with its weights.
    void add_products(const quads& in, const weights& w) {
        for (int i = 0; i < 2; ++i) {
            const __m256i even = _mm256_and_si256(in.bytes[i], _mm256_set1_epi16(0xff));
            const __m256i odd = _mm256_srli_epi16(in.bytes[i], 8);
            const __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(w.even[i], even), _mm256_madd_epi16(w.odd[i], odd));
            part[i] = _mm256_add_epi32(part[i], sum);
        }
    }
#endif
    /// Bytes as they are stored, one a lane; the first `count`, then zeros.
    static int_lanes widen(const std::uint8_t* p) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        return {{_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_unpackhi_epi64(bytes, bytes))}};
    }
    static int_lanes widen(const std::uint8_t* p, int count) { return widen(first_bytes<lane_count>{p, count}.byte); }
    static int_lanes widen(const std::int8_t* p) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        return {{_mm256_cvtepi8_epi32(bytes), _mm256_cvtepi8_epi32(_mm_unpackhi_epi64(bytes, bytes))}};
    }
    static int_lanes filled(std::int32_t v) { return {{_mm256_set1_epi32(v), _mm256_set1_epi32(v)}}; }
    /// this + a * w, lane by lane; a is a widened unsigned byte, so that the upper half of its lane adds nothing.
    void add_product(const int_lanes& a, const int_lanes& w) {
        for (int i = 0; i < 2; ++i) part[i] = _mm256_add_epi32(part[i], _mm256_madd_epi16(a.part[i], w.part[i]));
    }
    static int_lanes load_codes(const std::uint8_t* p, int count) {
        std::uint8_t buffer[lane_count] = {};
        if (count < lane_count) {
            std::memcpy(buffer, p, static_cast<std::size_t>(count));
            p = buffer;
        }
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m256i offset = _mm256_set1_epi32(128);
        return {{_mm256_sub_epi32(_mm256_cvtepu8_epi32(bytes), offset),
                 _mm256_sub_epi32(_mm256_cvtepu8_epi32(_mm_unpackhi_epi64(bytes, bytes)), offset)}};
    }
    void store(std::int32_t* p, int count) const {
        std::int32_t words[lane_count];
        store(words);
        std::memcpy(p, words, static_cast<std::size_t>(count) * sizeof *words);
    }
    void store_codes(std::uint8_t* p) const { store_codes(p, lane_count); }
    void store_codes(std::uint8_t* p, int count) const {
        const __m256i offset = _mm256_set1_epi32(128);
        // packing works in halves of a register: put the quarters back in order in between
        const __m256i pairs = _mm256_permute4x64_epi64(
            _mm256_packus_epi32(_mm256_add_epi32(part[0], offset), _mm256_add_epi32(part[1], offset)), 0xd8);
        const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
        if (count == lane_count) {
            _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
        } else {
            std::uint8_t buffer[lane_count];
            _mm_storeu_si128(reinterpret_cast<__m128i*>(buffer), bytes);
            std::memcpy(p, buffer, static_cast<std::size_t>(count));
        }
    }
    void add(const int_lanes& other) {
        for (int i = 0; i < 2; ++i) part[i] = _mm256_add_epi32(part[i], other.part[i]);
    }
    void shift_left(int n) {
        for (__m256i& v : part) v = _mm256_sll_epi32(v, _mm_cvtsi32_si128(n));
    }
    void shift_right(const rounding_shift& by) {
        const __m128i count = _mm_cvtsi32_si128(by.count);
        for (__m256i& v : part) {
            const __m256i q = _mm256_sra_epi32(v, count);
            const __m256i rest = _mm256_and_si256(v, _mm256_set1_epi32(by.rest));
            const __m256i bias = _mm256_add_epi32(_mm256_and_si256(q, _mm256_set1_epi32(by.odd)),
                                                  _mm256_set1_epi32(by.below_tie));
            v = _mm256_add_epi32(q, _mm256_srl_epi32(_mm256_add_epi32(rest, bias), count));
        }
    }
    void shift_right_cut(const rounding_shift& by) { shift_right(by); }
    void clamp(std::int32_t low, std::int32_t high) {
        for (__m256i& v : part)
            v = _mm256_min_epi32(_mm256_max_epi32(v, _mm256_set1_epi32(low)), _mm256_set1_epi32(high));
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
