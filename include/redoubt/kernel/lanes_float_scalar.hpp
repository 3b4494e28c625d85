// SPDX-License-Identifier: MIT
// Sixteen float accumulators in an array.
#pragma once

#include <redoubt/kernel/call.hpp>
#include <redoubt/kernel/multiply_add.hpp>

#include <cmath>

#if REDOUBT_LEVEL_NUMBER == 0
namespace redoubt::kernel::inline REDOUBT_ABI {

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
    void store(Word* p) const { store(p, lane_count); }
    /// The first `count`.
    template <class Word>
    void store(Word* p, int count) const {
        for (int i = 0; i < count; ++i) p[i] = static_cast<Word>(part[i]);
    }
    static float_lanes filled(float value) {
        float_lanes v;
        for (float& lane : v.part) lane = value;
        return v;
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
    /// Without signs.
    float_lanes magnitude() const {
        float_lanes v;
        for (int i = 0; i < lane_count; ++i) v.part[i] = part[i] < 0.0f ? -part[i] : part[i];
        return v;
    }
    void divide(float by) {
        for (float& v : part) v = v / by;
    }
    void divide(const float_lanes& by) {
        for (int i = 0; i < lane_count; ++i) part[i] = part[i] / by.part[i];
    }
    float_lanes root() const {
        float_lanes v;
        for (int i = 0; i < lane_count; ++i) v.part[i] = std::sqrt(part[i]);
        return v;
    }
    /// max_of(), but for a NaN's payload.
    void raise(const float_lanes& other) {
        for (int i = 0; i < lane_count; ++i) part[i] = max_of(part[i], other.part[i]);
    }
    void relu() {
        apply([](const auto& v) { return rectified(v); });
    }
    /// An activation of activation.hpp.
    template <class F>
    void apply(const F& f) {
        for (float& v : part) v = f(v);
    }
    /// ReLU, where asked for, nothing above `limit`, and the one NaN.
    void settle(bool rectify, float limit) {
        if (rectify) relu();
        for (float& v : part) v = v > limit ? limit : v;
        make_canonical();
    }
    void make_canonical() {
        for (float& v : part) v = canonical(v);
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
