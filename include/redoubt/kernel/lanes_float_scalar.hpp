// SPDX-License-Identifier: MIT
// Sixteen float accumulators in an array.
#pragma once

#include <redoubt/kernel/call.hpp>
#include <redoubt/kernel/multiply_add.hpp>

#if REDOUBT_LEVEL_NUMBER == 0
namespace redoubt::kernel::inline REDOUBT_ABI {

/// Sixteen floats in an array.
struct float_lanes {
    float part[lane_count];

    static float_lanes filled(float value) {
        float_lanes v;
        for (float& lane : v.part) lane = value;
        return v;
    }
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
        for (int i = 0; i < lane_count; ++i) part[i] = multiply_add(factor, weight.part[i], part[i]);
    }
    void add_product(const float_lanes& factor, const float_lanes& weight) {
        for (int i = 0; i < lane_count; ++i) part[i] = multiply_add(factor.part[i], weight.part[i], part[i]);
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
    /// ReLU, where asked for, and the one NaN.
    void settle(bool rectify) {
        if (rectify) relu();
        make_canonical();
    }
    void make_canonical() {
        for (float& v : part) v = canonical(v);
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
