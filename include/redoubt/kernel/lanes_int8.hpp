// SPDX-License-Identifier: MIT
// Sixteen 32-bit accumulators of an int8 dot product: AVX-512 VNNI, AVX2, or an array. All wrap, all give the same bits.
#pragma once

#include <redoubt/kernel/call.hpp>
#include <redoubt/kernel/lanes_float.hpp>

#include <cstring>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// shift_right_round() by one count for many values: q + ((rest + below_tie + (q & odd)) >> count), which counts one up
/// exactly where rest is above half, or is half and q odd. A count of 0 leaves everything as it is.
struct rounding_shift {
    int count;                  ///< 0 .. 31
    std::int32_t rest = 0;      ///< mask of the bits shifted out
    std::int32_t below_tie = 0; ///< half of 2^count, less one
    std::int32_t odd = 0;       ///< mask of the quotient's lowest bit

    explicit rounding_shift(int n) : count{n} {
        if (n == 0) return;
        rest = static_cast<std::int32_t>((1u << n) - 1u);
        below_tie = static_cast<std::int32_t>((1u << (n - 1)) - 1u);
        odd = 1;
    }
};

#if REDOUBT_LEVEL_NUMBER >= 5

/// Sixteen accumulators and sixteen times four weights, one register each. Some intrinsics are in their zero-masking
/// form with a full mask: the same instruction, but g++ 12 warns of the plain form's undefined register.
struct int_lanes {
    __m512i part;
    using weights = __m512i;

    static int_lanes load(const std::int32_t* p) { return {_mm512_loadu_si512(p)}; }
    void store(std::int32_t* p) const { _mm512_storeu_si512(p, part); }
    static weights load_weights(const std::int8_t* p) { return _mm512_loadu_si512(p); }
    /// Adds the four products of `quad`'s unsigned bytes with each lane's four weights.
    void add_products(std::int32_t quad, const weights& w) {
        part = _mm512_dpbusd_epi32(part, _mm512_set1_epi32(quad), w);
    }
    static int_lanes load_codes(const std::uint8_t* p, int count) {
        const __m128i bytes = _mm_maskz_loadu_epi8(first(count), p);
        return {_mm512_sub_epi32(_mm512_maskz_cvtepu8_epi32(all, bytes), _mm512_set1_epi32(128))};
    }
    void store(std::int32_t* p, int count) const { _mm512_mask_storeu_epi32(p, first(count), part); }
    void store_codes(std::uint8_t* p, int count) const {
        const __m512i words = _mm512_add_epi32(part, _mm512_set1_epi32(128));
        _mm_mask_storeu_epi8(p, first(count), _mm512_maskz_cvtepi32_epi8(all, words));
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
    void clamp(std::int32_t low, std::int32_t high) {
        part = _mm512_maskz_max_epi32(all, part, _mm512_set1_epi32(low));
        part = _mm512_maskz_min_epi32(all, part, _mm512_set1_epi32(high));
    }

private:
    static constexpr __mmask16 all = 0xffff;
    static __mmask16 first(int count) { return static_cast<__mmask16>((1u << count) - 1u); }
};

#elif REDOUBT_LEVEL_NUMBER >= 3

/// Two registers of eight accumulators. The weights are split into even and odd bytes, widened, so that the pairwise
/// 16-bit products cannot saturate.
struct int_lanes {
    __m256i part[2];
    struct weights { __m256i even[2], odd[2]; };

    static int_lanes load(const std::int32_t* p) {
        return {{_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
                 _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 8))}};
    }
    void store(std::int32_t* p) const {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), part[0]);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), part[1]);
    }
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
        const __m256i even = _mm256_and_si256(bytes, _mm256_set1_epi16(0xff));
        const __m256i odd = _mm256_srli_epi16(bytes, 8);
        for (int i = 0; i < 2; ++i) {
            const __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(w.even[i], even), _mm256_madd_epi16(w.odd[i], odd));
            part[i] = _mm256_add_epi32(part[i], sum);
        }
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
    void clamp(std::int32_t low, std::int32_t high) {
        for (__m256i& v : part)
            v = _mm256_min_epi32(_mm256_max_epi32(v, _mm256_set1_epi32(low)), _mm256_set1_epi32(high));
    }
};

#else

/// Arrays.
struct int_lanes {
    std::int32_t part[lane_count];
    struct weights { std::int8_t byte[4 * lane_count]; };

    static int_lanes load(const std::int32_t* p) {
        int_lanes v;
        std::memcpy(v.part, p, sizeof v.part);
        return v;
    }
    void store(std::int32_t* p) const { std::memcpy(p, part, sizeof part); }
    static weights load_weights(const std::int8_t* p) {
        weights w;
        std::memcpy(w.byte, p, sizeof w.byte);
        return w;
    }
    void add_products(std::int32_t quad, const weights& w) {
        std::uint8_t a[4];
        std::memcpy(a, &quad, 4);
        for (int i = 0; i < lane_count; ++i) {
            std::int32_t sum = 0;
            for (int j = 0; j < 4; ++j) sum += a[j] * w.byte[4 * i + j];
            part[i] = wrapped_sum(part[i], sum);
        }
    }
    static int_lanes load_codes(const std::uint8_t* p, int count) {
        int_lanes v{};
        for (int i = 0; i < count; ++i) v.part[i] = widened(p[i]);
        return v;
    }
    void store(std::int32_t* p, int count) const { std::memcpy(p, part, static_cast<std::size_t>(count) * sizeof *p); }
    void store_codes(std::uint8_t* p, int count) const {
        for (int i = 0; i < count; ++i) p[i] = static_cast<std::uint8_t>(part[i] + 128);
    }
    void add(const int_lanes& other) {
        for (int i = 0; i < lane_count; ++i) part[i] = wrapped_sum(part[i], other.part[i]);
    }
    void shift_left(int n) {
        for (std::int32_t& v : part) v = static_cast<std::int32_t>(static_cast<std::uint32_t>(v) << n);
    }
    void shift_right(const rounding_shift& by) {
        for (std::int32_t& v : part) v = shift_right_round(v, by.count);
    }
    void clamp(std::int32_t low, std::int32_t high) {
        for (std::int32_t& v : part) v = std::clamp(v, low, high);
    }

private:
    static std::int32_t wrapped_sum(std::int32_t a, std::int32_t b) {
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
    }
};

#endif

/// How a direct kernel computes with int8.
template <>
struct lane_arithmetic<int8> {
    using lanes = int_lanes;
    using operand = std::uint8_t;
    using weight = std::int8_t;
    static constexpr int group = 4;
    static constexpr bool padding_counts = true;
    static constexpr bool converts_input = false;
    /// Four stored zeros.
    static constexpr operand padding[4] = {128, 128, 128, 128};

    static lanes load_bias(const std::int32_t* p) { return lanes::load(p); }
    static lanes::weights load_weights(const weight* p) { return lanes::load_weights(p); }
    static void step(lanes& sum, const operand* input, const lanes::weights& weights) {
        std::int32_t quad;
        std::memcpy(&quad, input, 4);
        sum.add_products(quad, weights);
    }

    /// Residual add, activation, rounding and narrowing. Reads the call once: its stores are of bytes, which might be
    /// the call's own as far as the compiler knows.
    class finisher {
    public:
        explicit finisher(const conv_call<int8>& call) : finisher{call, int8_shifts{call}} {}

        /// `count` channels at output `index`.
        void operator()(lanes sum, int index, int count) const {
            if (residual_ != nullptr) {
                lanes codes = lanes::load_codes(residual_ + index, count);
                if (residual_left_ > 0) codes.shift_left(residual_left_);
                else codes.shift_right(residual_right_);
                sum.add(codes);
            }
            if (logits_ != nullptr) {
                sum.store(logits_ + index, count);
                return;
            }
            sum.shift_right(right_);
            sum.clamp(low_, high_);
            sum.store_codes(out_ + index, count);
        }

    private:
        finisher(const conv_call<int8>& call, const int8_shifts& shifts)
            : residual_{call.residual}, out_{call.out}, logits_{call.logits}, right_{shifts.output},
              residual_right_{std::max(-shifts.residual, 0)}, residual_left_{shifts.residual},
              low_{call.act == activation::none ? -128 : 0}, high_{call.act == activation::none ? 127 : shifts.limit} {}

        const std::uint8_t* residual_;
        std::uint8_t* out_;
        std::int32_t* logits_;
        rounding_shift right_, residual_right_;
        int residual_left_;
        std::int32_t low_, high_;
    };
    static void spill(const lanes& sum, std::int32_t* to) { sum.store(to); }
    static lanes fill(const std::int32_t* from) { return lanes::load(from); }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI
