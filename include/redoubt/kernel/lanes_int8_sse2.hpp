// SPDX-License-Identifier: MIT
// Sixteen accumulators of an int8 dot product in four SSE2 registers.
#pragma once

#include <redoubt/kernel/first_bytes.hpp>
#include <redoubt/kernel/geometry.hpp>
#include <redoubt/kernel/rounding_shift.hpp>

#if REDOUBT_LEVEL_NUMBER == 2
#include <emmintrin.h>

#include <cstring>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Four registers of four accumulators. The weights are split into even and odd bytes, widened, so that the pairwise
/// 16-bit products cannot saturate.
struct int_lanes {
    __m128i part[4];
    struct weights { __m128i even[4], odd[4]; };

    static int_lanes load(const std::int32_t* p) {
        int_lanes v;
        for (int i = 0; i < 4; ++i) v.part[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 4 * i));
        return v;
    }
    void store(std::int32_t* p) const {
        for (int i = 0; i < 4; ++i) _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 4 * i), part[i]);
    }
    static weights load_weights(const std::int8_t* p) {
        weights w;
        for (int i = 0; i < 4; ++i) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
            w.even[i] = _mm_srai_epi16(_mm_slli_epi16(bytes, 8), 8);
            w.odd[i] = _mm_srai_epi16(bytes, 8);
        }
        return w;
    }
    void add_products(std::int32_t quad, const weights& w) {
        const __m128i bytes = _mm_set1_epi32(quad);
        add_products(quads{{bytes, bytes, bytes, bytes}}, w);
    }
    /// Sixteen times four unsigned bytes; the first `count`, then zeros.
    struct quads { __m128i bytes[4]; };
    static quads load_quads(const std::uint8_t* p) {
        quads q;
        for (int i = 0; i < 4; ++i) q.bytes[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
        return q;
    }
    static quads load_quads(const std::uint8_t* p, int count) { return load_quads(first_bytes<4 * lane_count>{p, count}.byte); }
    /// Adds the four products of each lane's bytes with its weights.
    void add_products(const quads& in, const weights& w) {
        for (int i = 0; i < 4; ++i) {
            const __m128i even = _mm_and_si128(in.bytes[i], _mm_set1_epi16(0xff));
            const __m128i odd = _mm_srli_epi16(in.bytes[i], 8);
            const __m128i sum = _mm_add_epi32(_mm_madd_epi16(w.even[i], even), _mm_madd_epi16(w.odd[i], odd));
            part[i] = _mm_add_epi32(part[i], sum);
        }
    }
    /// Bytes as they are stored, one a lane; the first `count`, then zeros.
    static int_lanes widen(const std::uint8_t* p) {
        const __m128i zero = _mm_setzero_si128(), bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i low = _mm_unpacklo_epi8(bytes, zero), high = _mm_unpackhi_epi8(bytes, zero);
        return {{_mm_unpacklo_epi16(low, zero), _mm_unpackhi_epi16(low, zero), _mm_unpacklo_epi16(high, zero),
                 _mm_unpackhi_epi16(high, zero)}};
    }
    static int_lanes widen(const std::uint8_t* p, int count) { return widen(first_bytes<lane_count>{p, count}.byte); }
    static int_lanes widen(const std::int8_t* p) {
        const __m128i zero = _mm_setzero_si128(), bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i low = _mm_unpacklo_epi8(zero, bytes), high = _mm_unpackhi_epi8(zero, bytes);
        int_lanes v{{_mm_unpacklo_epi16(zero, low), _mm_unpackhi_epi16(zero, low), _mm_unpacklo_epi16(zero, high),
                     _mm_unpackhi_epi16(zero, high)}};
        for (__m128i& lane : v.part) lane = _mm_srai_epi32(lane, 24);
        return v;
    }
    static int_lanes filled(std::int32_t value) {
        int_lanes v;
        for (__m128i& lane : v.part) lane = _mm_set1_epi32(value);
        return v;
    }
    /// this + a * w, lane by lane; a is a widened unsigned byte, so that the upper half of its lane adds nothing.
    void add_product(const int_lanes& a, const int_lanes& w) {
        for (int i = 0; i < 4; ++i) part[i] = _mm_add_epi32(part[i], _mm_madd_epi16(a.part[i], w.part[i]));
    }
    static int_lanes load_codes(const std::uint8_t* p, int count) {
        std::uint8_t buffer[lane_count] = {};
        if (count < lane_count) {
            std::memcpy(buffer, p, static_cast<std::size_t>(count));
            p = buffer;
        }
        const __m128i zero = _mm_setzero_si128(), offset = _mm_set1_epi32(128);
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i low = _mm_unpacklo_epi8(bytes, zero), high = _mm_unpackhi_epi8(bytes, zero);
        return {{_mm_sub_epi32(_mm_unpacklo_epi16(low, zero), offset), _mm_sub_epi32(_mm_unpackhi_epi16(low, zero), offset),
                 _mm_sub_epi32(_mm_unpacklo_epi16(high, zero), offset),
                 _mm_sub_epi32(_mm_unpackhi_epi16(high, zero), offset)}};
    }
    void store(std::int32_t* p, int count) const {
        std::int32_t words[lane_count];
        store(words);
        std::memcpy(p, words, static_cast<std::size_t>(count) * sizeof *words);
    }
    void store_codes(std::uint8_t* p) const { store_codes(p, lane_count); }
    /// Of lanes in [-128, 127].
    void store_codes(std::uint8_t* p, int count) const {
        const __m128i signed_bytes = _mm_packs_epi16(_mm_packs_epi32(part[0], part[1]), _mm_packs_epi32(part[2], part[3]));
        const __m128i bytes = _mm_xor_si128(signed_bytes, _mm_set1_epi8(-128));  // adds 128
        if (count == lane_count) {
            _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
        } else {
            std::uint8_t buffer[lane_count];
            _mm_storeu_si128(reinterpret_cast<__m128i*>(buffer), bytes);
            std::memcpy(p, buffer, static_cast<std::size_t>(count));
        }
    }
    void add(const int_lanes& other) {
        for (int i = 0; i < 4; ++i) part[i] = _mm_add_epi32(part[i], other.part[i]);
    }
    void shift_left(int n) {
        for (__m128i& v : part) v = _mm_sll_epi32(v, _mm_cvtsi32_si128(n));
    }
    void shift_right(const rounding_shift& by) {
        const __m128i count = _mm_cvtsi32_si128(by.count);
        for (__m128i& v : part) {
            const __m128i q = _mm_sra_epi32(v, count);
            const __m128i rest = _mm_and_si128(v, _mm_set1_epi32(by.rest));
            const __m128i bias = _mm_add_epi32(_mm_and_si128(q, _mm_set1_epi32(by.odd)), _mm_set1_epi32(by.below_tie));
            v = _mm_add_epi32(q, _mm_srl_epi32(_mm_add_epi32(rest, bias), count));
        }
    }
    void shift_right_cut(const rounding_shift& by) { shift_right(by); }
    void clamp(std::int32_t low, std::int32_t high) {
        const __m128i least = _mm_set1_epi32(low), most = _mm_set1_epi32(high);
        for (__m128i& v : part) {
            v = chosen(_mm_cmpgt_epi32(least, v), least, v);
            v = chosen(_mm_cmpgt_epi32(v, most), most, v);
        }
    }

private:
    static __m128i chosen(const __m128i& mask, const __m128i& yes, const __m128i& no) {
        return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
