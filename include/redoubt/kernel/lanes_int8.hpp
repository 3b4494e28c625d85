// SPDX-License-Identifier: MIT
// Sixteen 32-bit accumulators of an int8 dot product: AVX-512 VNNI, AVX2, or an array. All wrap, all give the same bits.
#pragma once

#include <redoubt/kernel/call.hpp>
#include <redoubt/kernel/lanes_float.hpp>

#include <cstring>

namespace redoubt::kernel::inline REDOUBT_ABI {

#if REDOUBT_LEVEL_NUMBER >= 5

/// Sixteen accumulators and sixteen times four weights, one register each.
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
            part[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(part[i]) + static_cast<std::uint32_t>(sum));
        }
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
    static void finish(const conv_call<int8>& call, const lanes& sum, int index, int count) {
        alignas(64) std::int32_t value[lane_count];
        sum.store(value);
        const int8_shifts shifts{call};
        if (call.residual != nullptr) {
            for (int i = 0; i < count; ++i)
                value[i] = static_cast<std::int32_t>(
                    static_cast<std::uint32_t>(value[i]) +
                    static_cast<std::uint32_t>(shifts.align_residual(widened(call.residual[index + i]))));
        }
        if (call.logits != nullptr) {
            std::memcpy(call.logits + index, value, static_cast<std::size_t>(count) * 4);
            return;
        }
        const bool rectified = call.act != activation::none;
        const std::int32_t low = rectified ? 0 : -128, high = rectified ? shifts.limit : 127;
        std::uint8_t words[lane_count];
        for (int i = 0; i < lane_count; ++i) {
            const std::int32_t code = std::clamp(shift_right_round(value[i], shifts.output), low, high);
            words[i] = static_cast<std::uint8_t>(code + 128);
        }
        std::memcpy(call.out + index, words, static_cast<std::size_t>(count));
    }
    static void spill(const lanes& sum, std::int32_t* to) { sum.store(to); }
    static lanes fill(const std::int32_t* from) { return lanes::load(from); }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI
