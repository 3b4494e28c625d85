// SPDX-License-Identifier: MIT
// Sixteen accumulators of an int8 dot product in four AArch64 NEON registers, with the dot product instructions where the
// target has them.
#pragma once

#include <redoubt/kernel/first_bytes.hpp>
#include <redoubt/kernel/geometry.hpp>
#include <redoubt/kernel/rounding_shift.hpp>

#if REDOUBT_LEVEL_NUMBER == 1
#include <arm_neon.h>

#include <cstring>

namespace redoubt::kernel::inline REDOUBT_ABI {

#if defined(__ARM_FEATURE_MATMUL_INT8)

/// Sixteen times four weights, for the dot product of unsigned with signed bytes.
struct int_weights {
    int8x16_t bytes[4];

    explicit int_weights(const std::int8_t* p) {
        for (int i = 0; i < 4; ++i) bytes[i] = vld1q_s8(p + 16 * i);
    }
    int_weights() = default;
    void multiply(uint8x16_t in, int i, int32x4_t& sum) const { sum = vusdotq_s32(sum, in, bytes[i]); }
};

#elif defined(__ARM_FEATURE_DOTPROD)

/// Sixteen times four weights, for the dot product of signed bytes: an input a counts as a - 128, and each lane's weight
/// sum times 128 is added along.
struct int_weights {
    int8x16_t bytes[4];
    int32x4_t offset[4];

    explicit int_weights(const std::int8_t* p) {
        for (int i = 0; i < 4; ++i) {
            bytes[i] = vld1q_s8(p + 16 * i);
            offset[i] = vshlq_n_s32(vdotq_s32(vdupq_n_s32(0), bytes[i], vdupq_n_s8(1)), 7);
        }
    }
    int_weights() = default;
    void multiply(uint8x16_t in, int i, int32x4_t& sum) const {
        const int8x16_t codes = veorq_s8(vreinterpretq_s8_u8(in), vdupq_n_s8(-128));
        sum = vaddq_s32(vdotq_s32(sum, bytes[i], codes), offset[i]);
    }
};

#else

/// Sixteen times four weights, split into even and odd bytes and widened: a product of two bytes fits in 16 bits, and pairs
/// of products are added in 32.
struct int_weights {
    int16x8_t even[4], odd[4];

    explicit int_weights(const std::int8_t* p) {
        for (int i = 0; i < 4; ++i) {
            const int16x8_t words = vreinterpretq_s16_s8(vld1q_s8(p + 16 * i));
            even[i] = vshrq_n_s16(vshlq_n_s16(words, 8), 8);
            odd[i] = vshrq_n_s16(words, 8);
        }
    }
    int_weights() = default;
    void multiply(uint8x16_t in, int i, int32x4_t& sum) const {
        const uint16x8_t words = vreinterpretq_u16_u8(in);
        const int16x8_t in_even = vreinterpretq_s16_u16(vandq_u16(words, vdupq_n_u16(0xff)));
        const int16x8_t in_odd = vreinterpretq_s16_u16(vshrq_n_u16(words, 8));
        sum = vpadalq_s16(sum, vmulq_s16(even[i], in_even));
        sum = vpadalq_s16(sum, vmulq_s16(odd[i], in_odd));
    }
};

#endif

/// Four registers of four accumulators.
struct int_lanes {
    int32x4_t part[4];
    using weights = int_weights;

    static int_lanes load(const std::int32_t* p) {
        int_lanes v;
        for (int i = 0; i < 4; ++i) v.part[i] = vld1q_s32(p + 4 * i);
        return v;
    }
    void store(std::int32_t* p) const {
        for (int i = 0; i < 4; ++i) vst1q_s32(p + 4 * i, part[i]);
    }
    static weights load_weights(const std::int8_t* p) { return weights{p}; }
    /// Adds the four products of `quad`'s unsigned bytes with each lane's four weights.
    void add_products(std::int32_t quad, const weights& w) {
        const uint8x16_t in = vreinterpretq_u8_s32(vdupq_n_s32(quad));
        for (int i = 0; i < 4; ++i) w.multiply(in, i, part[i]);
    }
    /// Sixteen times four unsigned bytes; the first `count`, then zeros.
    struct quads { uint8x16_t bytes[4]; };
    static quads load_quads(const std::uint8_t* p) {
        quads q;
        for (int i = 0; i < 4; ++i) q.bytes[i] = vld1q_u8(p + 16 * i);
        return q;
    }
    static quads load_quads(const std::uint8_t* p, int count) { return load_quads(first_bytes<4 * lane_count>{p, count}.byte); }
    /// Adds the four products of each lane's bytes with its weights.
    void add_products(const quads& in, const weights& w) {
        for (int i = 0; i < 4; ++i) w.multiply(in.bytes[i], i, part[i]);
    }
    /// Bytes as they are stored, one a lane; the first `count`, then zeros.
    static int_lanes widen(const std::uint8_t* p) {
        const uint8x16_t bytes = vld1q_u8(p);
        const uint16x8_t half[2] = {vmovl_u8(vget_low_u8(bytes)), vmovl_u8(vget_high_u8(bytes))};
        int_lanes v;
        for (int i = 0; i < 2; ++i) {
            v.part[2 * i] = vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(half[i])));
            v.part[2 * i + 1] = vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(half[i])));
        }
        return v;
    }
    static int_lanes widen(const std::uint8_t* p, int count) { return widen(first_bytes<lane_count>{p, count}.byte); }
    static int_lanes widen(const std::int8_t* p) {
        const int8x16_t bytes = vld1q_s8(p);
        const int16x8_t half[2] = {vmovl_s8(vget_low_s8(bytes)), vmovl_s8(vget_high_s8(bytes))};
        int_lanes v;
        for (int i = 0; i < 2; ++i) {
            v.part[2 * i] = vmovl_s16(vget_low_s16(half[i]));
            v.part[2 * i + 1] = vmovl_s16(vget_high_s16(half[i]));
        }
        return v;
    }
    static int_lanes filled(std::int32_t value) {
        int_lanes v;
        for (int32x4_t& lane : v.part) lane = vdupq_n_s32(value);
        return v;
    }
    /// this + a * w, lane by lane.
    void add_product(const int_lanes& a, const int_lanes& w) {
        for (int i = 0; i < 4; ++i) part[i] = vmlaq_s32(part[i], a.part[i], w.part[i]);
    }
    static int_lanes load_codes(const std::uint8_t* p, int count) {
        std::uint8_t buffer[lane_count] = {};
        if (count < lane_count) {
            std::memcpy(buffer, p, static_cast<std::size_t>(count));
            p = buffer;
        }
        const int8x16_t codes = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(p), vdupq_n_u8(128)));  // takes 128 off
        const int16x8_t low = vmovl_s8(vget_low_s8(codes)), high = vmovl_s8(vget_high_s8(codes));
        return {{vmovl_s16(vget_low_s16(low)), vmovl_s16(vget_high_s16(low)), vmovl_s16(vget_low_s16(high)),
                 vmovl_s16(vget_high_s16(high))}};
    }
    void store(std::int32_t* p, int count) const {
        std::int32_t words[lane_count];
        store(words);
        std::memcpy(p, words, static_cast<std::size_t>(count) * sizeof *words);
    }
    /// Of lanes in [-128, 127].
    void store_codes(std::uint8_t* p) const { store_codes(p, lane_count); }
    void store_codes(std::uint8_t* p, int count) const {
        const int16x8_t low = vcombine_s16(vmovn_s32(part[0]), vmovn_s32(part[1]));
        const int16x8_t high = vcombine_s16(vmovn_s32(part[2]), vmovn_s32(part[3]));
        const int8x16_t codes = vcombine_s8(vmovn_s16(low), vmovn_s16(high));
        const uint8x16_t bytes = veorq_u8(vreinterpretq_u8_s8(codes), vdupq_n_u8(128));  // adds 128
        if (count == lane_count) {
            vst1q_u8(p, bytes);
        } else {
            std::uint8_t buffer[lane_count];
            vst1q_u8(buffer, bytes);
            std::memcpy(p, buffer, static_cast<std::size_t>(count));
        }
    }
    void add(const int_lanes& other) {
        for (int i = 0; i < 4; ++i) part[i] = vaddq_s32(part[i], other.part[i]);
    }
    void shift_left(int n) {
        for (int32x4_t& v : part) v = vshlq_s32(v, vdupq_n_s32(n));
    }
    void shift_right(const rounding_shift& by) {
        const int32x4_t down = vdupq_n_s32(-by.count);  // a left shift by a negative count
        for (int32x4_t& v : part) {
            const int32x4_t q = vshlq_s32(v, down);
            const int32x4_t rest = vandq_s32(v, vdupq_n_s32(by.rest));
            const int32x4_t bias = vaddq_s32(vandq_s32(q, vdupq_n_s32(by.odd)), vdupq_n_s32(by.below_tie));
            const uint32x4_t carry = vshlq_u32(vreinterpretq_u32_s32(vaddq_s32(rest, bias)), down);
            v = vaddq_s32(q, vreinterpretq_s32_u32(carry));
        }
    }
    void shift_right_cut(const rounding_shift& by) { shift_right(by); }
    void clamp(std::int32_t low, std::int32_t high) {
        for (int32x4_t& v : part) v = vminq_s32(vmaxq_s32(v, vdupq_n_s32(low)), vdupq_n_s32(high));
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
