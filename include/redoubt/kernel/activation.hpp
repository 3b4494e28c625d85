// SPDX-License-Identifier: MIT
// What an activation does to an accumulator: written once for one value and for many side by side.
#pragma once

#include <redoubt/base/config.hpp>
#include <redoubt/kernel/rounding_shift.hpp>
#include <redoubt/number/fixed.hpp>

#include <algorithm>
#include <cstdint>

namespace redoubt::kernel::inline v1 {

/// What follows the accumulation, the residual add included.
enum class activation { none, relu, clipped_relu, clip, leaky_relu, hard_swish };

/// A slope as two whole numbers, so that int8 needs no floating point for it.
struct fraction {
    std::int16_t numerator = 1;
    std::int16_t denominator = 1;
    constexpr bool operator==(const fraction&) const = default;
    /// The nearest float.
    constexpr float value() const { return static_cast<float>(numerator) / static_cast<float>(denominator); }
};

/// An activation with its numbers.
struct activation_spec {
    activation kind = activation::none;
    std::int32_t limit = 0;  ///< of clipped_relu and clip: the largest value
    std::int32_t lower = 0;  ///< of clip: the smallest value
    fraction slope{};        ///< of leaky_relu, in (0, 1]
};

/// A slope in (0, 1] as multiplier / 2^shift, the multiplier the nearest of 15 bits: exact where the denominator is a
/// power of two.
struct binary_slope {
    std::int32_t multiplier = 1;
    int shift = 0;

    constexpr explicit binary_slope(const fraction& f) {
        const std::int64_t p = f.numerator < 1 ? 1 : f.numerator, q = f.denominator < p ? p : f.denominator;
        const auto nearest = [&](int s) { return ((p << (s + 1)) + q) / (2 * q); };
        while (shift < 30 && nearest(shift + 1) < 32768) ++shift;
        multiplier = static_cast<std::int32_t>(nearest(shift));
    }
};

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

// ---- floats: V is float or a register of floats, for which xsimd has its own `select`. NaN passes through all.

inline float select(bool condition, float yes, float no) { return condition ? yes : no; }

/// max(v, +0); -0 becomes +0.
template <class V>
V rectified(const V& v) {
    const V zero(0.0f);
    return select(v <= zero, zero, v);
}
/// min(max(v, low), high); what equals `low` becomes it, so that -0 becomes +0 where low is 0.
template <class V>
V clipped(const V& v, float low, float high) {
    const V bottom(low), top(high);
    const V raised = select(v <= bottom, bottom, v);
    return select(raised > top, top, raised);
}
/// v below 0 times the slope, rounded once.
template <class V>
V leaked(const V& v, float slope) { return select(v < V(0.0f), v * V(slope), v); }

/// v * (clip(v + 3, 0, 6) * s) where s is the float nearest to 1/6, each operation rounded, and +0 for all v <= -3.
/// Infinity stays, and what is 3 or more is kept as it is.
template <class V>
V hard_swished(const V& v) {
    const V gate = clipped(v + V(3.0f), 0.0f, 6.0f) * V(1.0f / 6.0f);
    return select(v <= V(-3.0f), V(0.0f), v * gate);
}

/// Any activation of floats.
class float_activation {
public:
    explicit float_activation(const activation_spec& spec)
        : kind_{spec.kind}, low_{spec.kind == activation::clip ? static_cast<float>(spec.lower) : 0.0f},
          high_{static_cast<float>(spec.limit)},
          slope_{spec.kind == activation::leaky_relu ? spec.slope.value() : 0.0f} {}

    template <class V>
    V operator()(const V& v) const {
        switch (kind_) {
            case activation::none: return v;
            case activation::relu: return rectified(v);
            case activation::leaky_relu: return leaked(v, slope_);
            case activation::hard_swish: return hard_swished(v);
            default: return clipped(v, low_, high_);
        }
    }

private:
    activation kind_;
    float low_, high_, slope_;
};

// ---- int8: codes of the output's scale, 32 bits wide, before they are saturated. Lanes is int_lanes or int_lane.

/// One accumulator, with the members that int_lanes has for many.
struct int_lane {
    std::int32_t part;

    static int_lane filled(std::int32_t v) { return {v}; }
    void add(const int_lane& other) { part += other.part; }
    void add_product(const int_lane& a, const int_lane& b) { part += a.part * b.part; }
    void shift_left(int n) { part = static_cast<std::int32_t>(static_cast<std::uint32_t>(part) << n); }
    void shift_right(const rounding_shift& by) { part = shift_right_round(part, by.count); }
    void clamp(std::int32_t low, std::int32_t high) { part = std::clamp(part, low, high); }
};

/// Codes below 0, saturated to 16 bits, times multiplier / 2^shift (binary_slope), rounded to nearest even.
template <class Lanes>
void leak(Lanes& code, const binary_slope& slope) {
    Lanes below = code;
    below.clamp(-32768, 0);
    code.clamp(0, 32767);
    Lanes leaked = Lanes::filled(0);
    leaked.add_product(Lanes::filled(slope.multiplier), below);
    leaked.shift_right(rounding_shift{slope.shift});
    code.add(leaked);
}

/// x * clip(x + 3, 0, 6) / 6 of codes at scale 2^frac. The product of the two is exact, at a scale of at most 2^12 for
/// the second; it is rounded to an eighth of an output code (less where that is not to be had), multiplied by
/// 21845 / 2^16 for the third that is left of 1/6, and rounded: within 0.6 codes of the exact quotient (with frac past 12,
/// for codes of -2000 and above; codes below -32768 then count as that). Codes of 3 and more stay as they are.
template <class Lanes>
void hard_swish(Lanes& code, std::int32_t frac) {
    const int scale = static_cast<int>(std::clamp<std::int32_t>(frac, 0, 12));
    const std::int32_t three = 3 << std::clamp<std::int32_t>(frac, 0, 13);
    // what is left out saturates anyway: from 256 on above, and below -3 the result is 0
    code.clamp(frac > 13 ? -32768 : -three, 256);
    Lanes gate = code;
    gate.clamp(-three, three);
    gate.shift_left(std::clamp<std::int32_t>(-frac, 0, 24));
    gate.shift_right(rounding_shift{std::clamp<std::int32_t>(frac - 12, 0, 24)});
    gate.add(Lanes::filled(3 << scale));
    gate.clamp(0, 6 << scale);
    Lanes product = Lanes::filled(0);
    product.add_product(gate, code);
    const int extra = std::min(2, scale + 1);
    product.shift_right(rounding_shift{scale + 1 - extra});
    product.clamp(-32768, 32767);
    code = Lanes::filled(0);
    code.add_product(Lanes::filled(21845), product);
    code.shift_right(rounding_shift{16 + extra});
}

/// The activations of int8 that are more than a clamp.
template <class Lanes>
void bend(Lanes& code, const activation_spec& spec, std::int32_t frac) {
    if (spec.kind == activation::leaky_relu) leak(code, binary_slope{spec.slope});
    if (spec.kind == activation::hard_swish) hard_swish(code, frac);
}

/// Whether an activation is a clamp for int8.
constexpr bool is_clamp(activation kind) { return kind != activation::leaky_relu && kind != activation::hard_swish; }

}  // namespace redoubt::kernel::inline REDOUBT_ABI
