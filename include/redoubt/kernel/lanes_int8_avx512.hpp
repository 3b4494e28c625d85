// SPDX-License-Identifier: MIT
// Sixteen accumulators of an int8 dot product in one AVX-512 register, by VNNI.
#pragma once

#include <redoubt/kernel/geometry.hpp>
#include <redoubt/kernel/rounding_shift.hpp>

#if REDOUBT_LEVEL_NUMBER >= 5
#include <immintrin.h>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Sixteen accumulators and sixteen times four weights, one register each. Some intrinsics are in their zero-masking
/// form with a full mask: the same instruction, but g++ 12 warns of the plain form's undefined register.
struct int_lanes {
    __m512i part;
    using weights = __m512i;

    static int_lanes load(const std::int32_t* p) { return {_mm512_loadu_si512(p)}; }
    void store(std::int32_t* p) const { _mm512_storeu_si512(p, part); }
    static weights load_weights(const std::int8_t* p) { return _mm512_loadu_si512(p); }
    /// Lane i of the result is lane (i + By) % 16 of this; the same of loaded weights, four bytes a lane.
    template <int By>
    int_lanes rotated() const { return {_mm512_maskz_alignr_epi32(all, part, part, By)}; }
    template <int By>
    static weights rotated_weights(const std::int8_t* p) { return int_lanes{load_weights(p)}.template rotated<By>().part; }
    /// Adds the four products of `quad`'s unsigned bytes with each lane's four weights.
    void add_products(std::int32_t quad, const weights& w) {
        part = _mm512_dpbusd_epi32(part, _mm512_set1_epi32(quad), w);
    }
    /// Sixteen times four unsigned bytes; the first `count`, then zeros.
    using quads = __m512i;
    static quads load_quads(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
    static quads load_quads(const std::uint8_t* p, int count) {
        return _mm512_maskz_loadu_epi8((std::uint64_t{1} << count) - 1, p);  // less than 64
    }
    /// Adds the four products of each lane's bytes with its weights.
    void add_products(const quads& in, const weights& w) { part = _mm512_dpbusd_epi32(part, in, w); }
    /// Bytes as they are stored, one a lane; the first `count`, then zeros.
    static int_lanes widen(const std::uint8_t* p) {
        return {_mm512_maskz_cvtepu8_epi32(all, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
    }
    static int_lanes widen(const std::uint8_t* p, int count) {
        return {_mm512_maskz_cvtepu8_epi32(all, _mm_maskz_loadu_epi8(first(count), p))};
    }
    static int_lanes widen(const std::int8_t* p) {
        return {_mm512_maskz_cvtepi8_epi32(all, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
    }
    static int_lanes filled(std::int32_t v) { return {_mm512_set1_epi32(v)}; }
    /// this + a * w, lane by lane; a is a widened unsigned byte, so that the upper half of its lane adds nothing.
    void add_product(const int_lanes& a, const int_lanes& w) { part = _mm512_dpwssd_epi32(part, a.part, w.part); }
    static int_lanes load_codes(const std::uint8_t* p, int count) {
        const __m128i bytes = _mm_maskz_loadu_epi8(first(count), p);
        return {_mm512_sub_epi32(_mm512_maskz_cvtepu8_epi32(all, bytes), _mm512_set1_epi32(128))};
    }
    void store(std::int32_t* p, int count) const { _mm512_mask_storeu_epi32(p, first(count), part); }
    /// Codes of a byte's range.
    void store_codes(std::uint8_t* p) const {
        const __m128i codes = _mm512_maskz_cvtepi32_epi8(all, part);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_xor_si128(codes, _mm_set1_epi8(-128)));
    }
    void store_codes(std::uint8_t* p, int count) const {
        const __m512i words = _mm512_add_epi32(part, _mm512_set1_epi32(128));
        _mm_mask_storeu_epi8(p, first(count), _mm512_maskz_cvtepi32_epi8(all, words));
    }
    /// The sum of all lanes.
    std::int32_t total() const {
        const __m256i half = _mm256_add_epi32(_mm512_maskz_extracti64x4_epi64(0xf, part, 0), _mm512_maskz_extracti64x4_epi64(0xf, part, 1));
        const __m128i quarter = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
        const __m128i pair = _mm_add_epi32(quarter, _mm_shuffle_epi32(quarter, 0xee));
        return _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32(pair, 0x55)));
    }
    /// One bit a lane: whose words differ; which are not within.
    unsigned unlike(const int_lanes& o) const { return _mm512_cmpneq_epi32_mask(part, o.part); }
    unsigned outside(const int_lanes& low, const int_lanes& high) const {
        return static_cast<unsigned>(_mm512_cmplt_epi32_mask(part, low.part)) | static_cast<unsigned>(_mm512_cmpgt_epi32_mask(part, high.part));
    }
    void add(const int_lanes& other) { part = _mm512_add_epi32(part, other.part); }
    void shift_left(int n) { part = _mm512_maskz_sll_epi32(all, part, _mm_cvtsi32_si128(n)); }
    void shift_right(const rounding_shift& by) {
        const __m128i count = _mm_cvtsi32_si128(by.count);
        const __m512i q = _mm512_maskz_sra_epi32(all, part, count);
        const __m512i rest = _mm512_and_epi32(part, _mm512_set1_epi32(by.rest));
        const __m512i bias = _mm512_add_epi32(_mm512_and_epi32(q, _mm512_set1_epi32(by.odd)),
                                              _mm512_set1_epi32(by.below_tie));
        part = _mm512_add_epi32(q, _mm512_maskz_srl_epi32(all, _mm512_add_epi32(rest, bias), count));
    }
    /// The same after a cut to by.most, in fewer instructions: (v + below_tie + lowest bit of the quotient) >> count.
    void shift_right_cut(const rounding_shift& by) {
        const __m512i v = _mm512_maskz_min_epi32(all, part, _mm512_set1_epi32(by.most));
        const __mmask16 is_odd = _mm512_test_epi32_mask(v, _mm512_set1_epi32(by.lowest));
        const __m512i up = _mm512_add_epi32(v, _mm512_set1_epi32(by.below_tie));
        part = _mm512_maskz_sra_epi32(all, _mm512_mask_add_epi32(up, is_odd, up, _mm512_set1_epi32(1)),
                                      _mm_cvtsi32_si128(by.count));
    }
    void clamp(std::int32_t low, std::int32_t high) {
        part = _mm512_maskz_max_epi32(all, part, _mm512_set1_epi32(low));
        part = _mm512_maskz_min_epi32(all, part, _mm512_set1_epi32(high));
    }

private:
    static constexpr __mmask16 all = 0xffff;
    static __mmask16 first(int count) { return static_cast<__mmask16>((1u << count) - 1u); }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
