// SPDX-License-Identifier: MIT
// Sixteen float accumulators in registers. An instruction set gives `float_register`: its xsimd batch, multiply_add, and
// the conversions of stored words (widen, narrow), each for one register.
#pragma once

#include <redoubt/kernel/geometry.hpp>

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

    static float_lanes filled(float value) {
        float_lanes v;
        for (batch& b : v.part) b = batch(value);
        return v;
    }
    static float_lanes load(const float* p) {
        float_lanes v;
        for (int i = 0; i < parts; ++i) v.part[i] = batch::load_unaligned(p + i * width);
        return v;
    }
    static float_lanes load(const half* p) {
        float_lanes v;
        for (int i = 0; i < parts; ++i) v.part[i] = float_register::widen(p + i * width);
        return v;
    }
    /// The first `count`, then zeros; reads no further.
    static float_lanes load(const half* p, int count) {
#if REDOUBT_LEVEL_NUMBER >= 4
        return {{float_register::widen(p, count)}};
#else
        half buffer[lane_count] = {};
        for (int i = 0; i < count; ++i) buffer[i] = p[i];
        return load(buffer);
#endif
    }
    static float_lanes load(const float* p, int count) {
#if REDOUBT_LEVEL_NUMBER >= 4
        return {{float_register::load(p, count)}};
#else
        float buffer[lane_count] = {};
        for (int i = 0; i < count; ++i) buffer[i] = p[i];
        return load(buffer);
#endif
    }
    void store(float* p) const {
        for (int i = 0; i < parts; ++i) part[i].store_unaligned(p + i * width);
    }
    void store(half* p) const {
        for (int i = 0; i < parts; ++i) float_register::narrow(part[i], p + i * width);
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
    void relu() {
        const batch zero(0.0f);
        for (int i = 0; i < parts; ++i) part[i] = xsimd::select(part[i] <= zero, zero, part[i]);
    }
    void clip(float limit) {
        const batch top(limit);
        for (int i = 0; i < parts; ++i) part[i] = xsimd::select(part[i] > top, top, part[i]);
    }
    /// ReLU, where asked for, and the one NaN.
    void settle(bool rectify) {
#if REDOUBT_LEVEL_NUMBER >= 4
        part[0] = float_register::settled(part[0], rectify);
#else
        // no branch: nothing is below -infinity but itself
        const batch floor(rectify ? 0.0f : -std::numeric_limits<float>::infinity());
        for (batch& v : part) v = xsimd::select(v <= floor, floor, v);
        make_canonical();
#endif
    }
    void make_canonical() {
        const batch one_nan(from_word<float>(canonical_nan_word));
        for (int i = 0; i < parts; ++i) part[i] = xsimd::select(part[i] == part[i], part[i], one_nan);
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
