// SPDX-License-Identifier: MIT
// Sixteen float accumulators in registers. An instruction set gives `float_register`: its xsimd batch, multiply_add,
// the conversions of stored words (widen, narrow), and joined<From>(a, b): the lanes From.. of a, then the first ones of b.
#pragma once

#include <redoubt/kernel/activation.hpp>
#include <redoubt/kernel/geometry.hpp>

#include <cstring>
#include <limits>

#if REDOUBT_LEVEL_NUMBER >= 4
#include <redoubt/kernel/lanes_float_avx512.hpp>
#elif REDOUBT_LEVEL_NUMBER == 3
#include <redoubt/kernel/lanes_float_avx2.hpp>
#elif REDOUBT_LEVEL_NUMBER == 2
#include <redoubt/kernel/lanes_float_sse2.hpp>
#elif REDOUBT_LEVEL_NUMBER == 1
#include <redoubt/kernel/lanes_float_neon64.hpp>
#endif

#if REDOUBT_LEVEL_NUMBER > 0

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Sixteen floats in registers.
struct float_lanes {
    using batch = float_register::batch;
    static constexpr int width = static_cast<int>(batch::size);
    static constexpr int parts = lane_count / width;
    batch part[parts];

    static float_lanes load(const float* p) {
        float_lanes v;
        for (int i = 0; i < parts; ++i) v.part[i] = batch::load_unaligned(p + i * width);
        return v;
    }
    template <class Word>
    static float_lanes load(const Word* p) {
        float_lanes v;
        for (int i = 0; i < parts; ++i) v.part[i] = widen(p + i * width);
        return v;
    }
    /// The first `count`, then zeros; reads no further.
    template <class Word>
    static float_lanes load(const Word* p, int count) {
#if REDOUBT_LEVEL_NUMBER >= 4
        if constexpr (std::same_as<Word, float>) return {{float_register::load(p, count)}};
        else return {{float_register::widen(p, count)}};
#else
        if (count == lane_count) return load(p);
        Word buffer[lane_count] = {};
        for (int i = 0; i < count; ++i) buffer[i] = p[i];
        return load(buffer);
#endif
    }
    void store(float* p) const {
        for (int i = 0; i < parts; ++i) part[i].store_unaligned(p + i * width);
    }
    template <class Word>
    void store(Word* p) const {
        for (int i = 0; i < parts; ++i) narrow(part[i], p + i * width);
    }
    /// The first `count`; writes no further.
    template <class Word>
    void store(Word* p, int count) const {
        if (count == lane_count) return store(p);
        Word buffer[lane_count];
        store(buffer);
        std::memcpy(static_cast<void*>(p), buffer, static_cast<std::size_t>(count) * sizeof(Word));
    }
    static float_lanes filled(float value) {
        float_lanes v;
        for (batch& lanes : v.part) lanes = batch(value);
        return v;
    }
    /// this + factor * weight, with the bits of kernel::multiply_add.
    void add_product(float factor, const float_lanes& weight) {
        for (int i = 0; i < parts; ++i) part[i] = float_register::multiply_add(factor, weight.part[i], part[i]);
    }
    /// this + factor * weight, lane by lane.
    void add_product(const float_lanes& factor, const float_lanes& weight) {
        for (int i = 0; i < parts; ++i) part[i] = float_register::multiply_add(factor.part[i], weight.part[i], part[i]);
    }
    void add(const float_lanes& other) {
        for (int i = 0; i < parts; ++i) part[i] = part[i] + other.part[i];
    }
    /// Lane i of the result is lane (i + By) % 16 of this.
    template <int By>
    float_lanes rotated() const {
        float_lanes v;
        for (int i = 0; i < parts; ++i)
            v.part[i] = float_register::joined<By % width>(part[(i + By / width) % parts], part[(i + By / width + 1) % parts]);
        return v;
    }
#if REDOUBT_LEVEL_NUMBER >= 4
    /// The sum of all lanes: halves onto each other until one is left.
    float total() const {
        // zero-masking with a full mask: g++ 12 warns of the plain form's undefined register
        const __m512d pairs = _mm512_castps_pd(part[0]);
        const __m256 half = _mm256_add_ps(_mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xf, pairs, 0)),
                                          _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xf, pairs, 1)));
        const __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
        const __m128 pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
        return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
    }
    /// For the compiler only: what is read from `p` afterwards is read after these lanes were computed.
    [[gnu::always_inline]] void precede(const float*& p) const { asm("" : "+r"(p) : "v"(static_cast<__m512>(part[0]))); }
    /// One bit a lane: whose words differ; which are not within.
    unsigned unlike(const float_lanes& o) const {
        return _mm512_cmpneq_epi32_mask(_mm512_castps_si512(part[0]), _mm512_castps_si512(o.part[0]));
    }
    unsigned outside(const float_lanes& low, const float_lanes& high) const {
        return static_cast<unsigned>(_mm512_cmp_ps_mask(part[0], low.part[0], _CMP_NGE_UQ)) |
               static_cast<unsigned>(_mm512_cmp_ps_mask(part[0], high.part[0], _CMP_NLE_UQ));
    }
#endif
    /// Without signs.
    float_lanes magnitude() const {
        float_lanes v;
        for (int i = 0; i < parts; ++i) v.part[i] = xsimd::abs(part[i]);
        return v;
    }
    void divide(float by) { divide(filled(by)); }
    template <class Register = float_register>
    void divide(const float_lanes& by) {
        for (int i = 0; i < parts; ++i) {
            if constexpr (requires { Register::divide(part[i], by.part[i]); }) part[i] = Register::divide(part[i], by.part[i]);
            else part[i] = part[i] / by.part[i];
        }
    }
    template <class Register = float_register>
    float_lanes root() const {
        float_lanes v;
        for (int i = 0; i < parts; ++i) {
            if constexpr (requires { Register::root(part[i]); }) v.part[i] = Register::root(part[i]);
            else v.part[i] = xsimd::sqrt(part[i]);
        }
        return v;
    }
    /// max_of(), but for a NaN's payload.
    void raise(const float_lanes& other) {
        for (int i = 0; i < parts; ++i) {
            const batch &a = part[i], &b = other.part[i];
            const batch larger = xsimd::select(b > a, b, a);                      // a where one is NaN
            const batch ordered = xsimd::select(a == b, a & b, larger);           // +0 above -0
            part[i] = xsimd::select(b == b, ordered, b);
        }
    }
    void relu() {
        apply([](const auto& v) { return rectified(v); });
    }
    /// An activation of activation.hpp.
    template <class F>
    void apply(const F& f) {
        for (batch& v : part) v = f(v);
    }
    /// ReLU, where asked for, nothing above `limit`, and the one NaN.
    void settle(bool rectify, float limit) {
#if REDOUBT_LEVEL_NUMBER >= 4
        part[0] = float_register::settled(part[0], rectify, limit);
#else
        // no branch: nothing is below -infinity but itself
        const batch floor(rectify ? 0.0f : -std::numeric_limits<float>::infinity());
        const batch top(limit);
        for (batch& v : part) {
            v = xsimd::select(v <= floor, floor, v);
            v = xsimd::select(v > top, top, v);
        }
        make_canonical();
#endif
    }
    void make_canonical() {
        const batch one_nan(from_word<float>(canonical_nan_word));
        for (int i = 0; i < parts; ++i) part[i] = xsimd::select(part[i] == part[i], part[i], one_nan);
    }

private:
    /// One register of stored words; word by word where the instruction set has no form of its own.
    template <class Word>
    static batch widen(const Word* p) {
        if constexpr (requires { float_register::widen(p); }) {
            return float_register::widen(p);
        } else {
            float buffer[width];
            for (int i = 0; i < width; ++i) buffer[i] = widened(p[i]);
            return batch::load_unaligned(buffer);
        }
    }
    template <class Word>
    static void narrow(const batch& v, Word* p) {
        if constexpr (requires { float_register::narrow(v, p); }) {
            float_register::narrow(v, p);
        } else {
            float buffer[width];
            v.store_unaligned(buffer);
            for (int i = 0; i < width; ++i) p[i] = static_cast<Word>(buffer[i]);
        }
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
