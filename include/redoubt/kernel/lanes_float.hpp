// SPDX-License-Identifier: MIT
// Sixteen float accumulators, the vector of the wide layout: one AVX-512 register, two of AVX2, or an array.
#pragma once

#include <redoubt/kernel/call.hpp>

#include <cstring>

#if REDOUBT_LEVEL_NUMBER > 0
#include <immintrin.h>
#include <xsimd/xsimd.hpp>
#endif

namespace redoubt::kernel::inline REDOUBT_ABI {

#if REDOUBT_LEVEL_NUMBER > 0

/// Sixteen floats in registers.
struct float_lanes {
#if REDOUBT_LEVEL_NUMBER >= 4
    using batch = xsimd::batch<float, xsimd::avx512bw>;
    /// Every lane: the unmasked forms of these conversions make g++ 12 warn of its own headers.
    static constexpr __mmask16 all = 0xffff;
#else
    using batch = xsimd::batch<float, xsimd::fma3<xsimd::avx2>>;
#endif
    static constexpr int parts = lane_count / static_cast<int>(batch::size);
    static constexpr int width = static_cast<int>(batch::size);
    batch part[parts];

    static float_lanes load(const float* p) {
        float_lanes v;
        for (int i = 0; i < parts; ++i) v.part[i] = batch::load_unaligned(p + i * width);
        return v;
    }
    static float_lanes load(const half* p) {
        float_lanes v;
#if REDOUBT_LEVEL_NUMBER >= 4
        v.part[0] = _mm512_maskz_cvtph_ps(all, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
#else
        for (int i = 0; i < parts; ++i)
            v.part[i] = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i * width)));
#endif
        return v;
    }
    /// The first `count`, then zeros; reads no further.
    static float_lanes load(const half* p, int count) {
#if REDOUBT_LEVEL_NUMBER >= 4
        const auto first = static_cast<__mmask16>((1u << count) - 1u);
        return {{_mm512_maskz_cvtph_ps(0xffff, _mm256_maskz_loadu_epi16(first, p))}};
#else
        half buffer[lane_count];
        for (int i = 0; i < count; ++i) buffer[i] = p[i];
        return load(buffer);
#endif
    }
    void store(float* p) const {
        for (int i = 0; i < parts; ++i) part[i].store_unaligned(p + i * width);
    }
    void store(half* p) const {
#if REDOUBT_LEVEL_NUMBER >= 4
        const __m256i words = _mm512_maskz_cvtps_ph(all, part[0], _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), words);
#else
        for (int i = 0; i < parts; ++i) {
            const __m128i words = _mm256_cvtps_ph(part[i], _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
            _mm_storeu_si128(reinterpret_cast<__m128i*>(p + i * width), words);
        }
#endif
    }
    /// this + factor * weight, fused. Spelled with intrinsics: clang makes slower code of the xsimd form.
    void add_product(float factor, const float_lanes& weight) {
#if REDOUBT_LEVEL_NUMBER >= 4
        part[0] = _mm512_fmadd_ps(_mm512_set1_ps(factor), weight.part[0], part[0]);
#else
        for (int i = 0; i < parts; ++i)
            part[i] = _mm256_fmadd_ps(_mm256_set1_ps(factor), weight.part[i], part[i]);
#endif
    }
    void add(const float_lanes& other) {
        for (int i = 0; i < parts; ++i) part[i] = part[i] + other.part[i];
    }
    void relu() {
        const batch zero(0.0f);
        for (int i = 0; i < parts; ++i) part[i] = xsimd::select(part[i] <= zero, zero, part[i]);
    }
    void clip(float limit) {
        const batch top(limit);
        for (int i = 0; i < parts; ++i) part[i] = xsimd::select(part[i] > top, top, part[i]);
    }
    void make_canonical() {
        const batch one_nan(from_word<float>(canonical_nan_word));
        for (int i = 0; i < parts; ++i) part[i] = xsimd::select(part[i] == part[i], part[i], one_nan);
    }
};

#else

/// Sixteen floats in an array.
struct float_lanes {
    float part[lane_count];

    template <class Word>
    static float_lanes load(const Word* p) {
        float_lanes v;
        for (int i = 0; i < lane_count; ++i) v.part[i] = widened(p[i]);
        return v;
    }
    template <class Word>
    static float_lanes load(const Word* p, int count) {
        float_lanes v{};
        for (int i = 0; i < count; ++i) v.part[i] = widened(p[i]);
        return v;
    }
    template <class Word>
    void store(Word* p) const {
        for (int i = 0; i < lane_count; ++i) p[i] = static_cast<Word>(part[i]);
    }
    void add_product(float factor, const float_lanes& weight) {
        for (int i = 0; i < lane_count; ++i) part[i] = __builtin_fmaf(factor, weight.part[i], part[i]);
    }
    void add(const float_lanes& other) {
        for (int i = 0; i < lane_count; ++i) part[i] = part[i] + other.part[i];
    }
    void relu() {
        for (float& v : part) v = relu_of(v);
    }
    void clip(float limit) {
        for (float& v : part) v = v > limit ? limit : v;
    }
    void make_canonical() {
        for (float& v : part) v = canonical(v);
    }
};

#endif

/// How a direct kernel computes with a float number.
template <number N>
struct lane_arithmetic {
    using lanes = float_lanes;
    using operand = float;  ///< what the inner loop reads of an input
    using weight = typename N::kernel_weight;
    static constexpr int group = 1;
    static constexpr bool padding_counts = false;
    /// Inputs are converted tile by tile where they are stored as another type.
    static constexpr bool converts_input = !std::same_as<typename N::activation, float>;

    static lanes load_bias(const typename N::bias* p) { return lanes::load(p); }
    static lanes load_weights(const weight* p) { return lanes::load(p); }
    static void step(lanes& sum, const operand* input, const lanes& weights) { sum.add_product(*input, weights); }

    /// Residual add, activation, canonical NaN and rounding.
    class finisher {
    public:
        explicit finisher(const conv_call<N>& call)
            : residual_{call.residual}, to_{call.logits != nullptr ? call.logits : call.out}, act_{call.act},
              limit_{static_cast<float>(call.limit)} {}

        /// `count` channels at output `index`.
        void operator()(lanes sum, int index, int count) const {
            const bool whole = count == lane_count;
            word buffer[lane_count];
            if (residual_ != nullptr) {
                const word* from = residual_ + index;
                if (!whole) {
                    std::memset(static_cast<void*>(buffer), 0, sizeof buffer);
                    std::memcpy(static_cast<void*>(buffer), from, static_cast<std::size_t>(count) * sizeof(word));
                    from = buffer;
                }
                sum.add(lanes::load(from));
            }
            if (act_ != activation::none) sum.relu();
            if (act_ == activation::clipped_relu) sum.clip(limit_);
            sum.make_canonical();
            if (whole) {
                sum.store(to_ + index);
            } else {
                sum.store(buffer);
                std::memcpy(static_cast<void*>(to_ + index), buffer, static_cast<std::size_t>(count) * sizeof(word));
            }
        }

    private:
        using word = typename N::activation;
        const word* residual_;
        word* to_;
        activation act_;
        float limit_;
    };
    static void spill(const lanes& sum, float* to) { sum.store(to); }
    static lanes fill(const float* from) { return lanes::load(from); }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI
