// SPDX-License-Identifier: MIT
// Derivatives of activations, elementwise, with PyTorch's choices at the bends.
#pragma once

#include <redoubt/kernel/lanes_float.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <type_traits>

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

/// f of the lanes of several vectors, side by side.
template <class F, class... Lanes>
[[gnu::always_inline]] inline float_lanes zipped(F&& f, const Lanes&... lanes) {
    float_lanes r;
    for (std::size_t i = 0; i < std::size(r.part); ++i) r.part[i] = f(lanes.part[i]...);
    return r;
}
/// a * b + sum.
[[gnu::always_inline]] inline float_lanes multiplied_and_added(const float_lanes& a, const float_lanes& b, float_lanes sum) {
    sum.add_product(a, b);
    return sum;
}
[[gnu::always_inline]] inline float_lanes difference(const float_lanes& a, const float_lanes& b) {
    return zipped([](const auto& x, const auto& y) { return x - y; }, a, b);
}
[[gnu::always_inline]] inline float_lanes product(const float_lanes& a, const float_lanes& b) {
    return zipped([](const auto& x, const auto& y) { return x * y; }, a, b);
}

/// How many lanes of a vector count: all of them, known when compiled, or so many. Cold memory is read fast only by short loops, of which the
/// processor sees many rounds at once.
using all_lanes = std::integral_constant<int, lane_count>;
[[gnu::always_inline]] inline float_lanes load_lanes(const float* p, all_lanes) { return float_lanes::load(p); }
[[gnu::always_inline]] inline float_lanes load_lanes(const float* p, int count) { return float_lanes::load(p, count); }
[[gnu::always_inline]] inline void store_lanes(const float_lanes& v, float* p, all_lanes) { v.store(p); }
[[gnu::always_inline]] inline void store_lanes(const float_lanes& v, float* p, int count) { v.store(p, count); }

/// body(vector's first element, how many lanes): whole vectors, then what is left.
template <class Body>
[[gnu::always_inline]] inline void by_vectors(std::size_t count, Body&& body) {
    std::size_t i = 0;
    for (; i + lane_count <= count; i += lane_count) body(i, all_lanes{});
    if (i < count) body(i, static_cast<int>(count - i));
}
/// body(first element, channel, how many lanes) for each vector of each pixel, [pixel][channel].
template <class Body>
[[gnu::always_inline]] inline void by_pixels(int pixels, int channels, Body&& body) {
    std::size_t at = 0;
    if (channels % lane_count == 0) {
        for (int p = 0; p < pixels; ++p)
            for (int c = 0; c < channels; c += lane_count, at += lane_count) body(at, c, all_lanes{});
        return;
    }
    for (int p = 0; p < pixels; ++p, at += static_cast<std::size_t>(channels))
        for (int c = 0; c < channels; c += lane_count) body(at + static_cast<std::size_t>(c), c, std::min(lane_count, channels - c));
}

}  // namespace impl

/// Whether the derivative needs what went into the activation; the others' follows from what came out.
constexpr bool needs_input(activation kind) { return kind == activation::hard_swish; }

/// `gradient` to what came out becomes that to what went in: relu passes it where the output is not 0 or less, clips
/// strictly between their ends, leaky_relu times the slope where the output is not above 0, hard_swish with x / 3 + 1/2
/// between -3 and 3. `seen` is the output, or for needs_input() the input. V is float or a register of floats.
template <class V>
V through_activation(const activation_spec& by, const V& gradient, const V& seen) {
    const V zero(0.0f);
    switch (by.kind) {
        case activation::none: return gradient;
        case activation::relu: return select(seen <= zero, zero, gradient);
        case activation::clipped_relu:
        case activation::clip: {
            const V low(by.kind == activation::clip ? static_cast<float>(by.lower) : 0.0f), high(static_cast<float>(by.limit));
            return select(seen <= low, zero, select(seen >= high, zero, gradient));
        }
        case activation::leaky_relu: return select(seen > zero, gradient, gradient * V(by.slope.value()));
        default: {
            // the sum first: a product first would be a chance to contract
            const V slope = (seen + V(1.5f)) * V(1.0f / 3.0f);
            return select(seen < V(-3.0f), zero, select(seen <= V(3.0f), gradient * slope, gradient));
        }
    }
}

/// The same of `count` elements; `to` may be `gradient`.
inline void activation_gradient(const activation_spec& by, const float* gradient, const float* seen, float* to, std::size_t count) {
    const auto all = [&](auto&& through) __attribute__((always_inline)) {
        impl::by_vectors(count, [&](std::size_t i, auto n) __attribute__((always_inline)) {
            impl::store_lanes(impl::zipped(through, impl::load_lanes(gradient + i, n), impl::load_lanes(seen + i, n)), to + i, n);
        });
    };
    if (by.kind == activation::relu)
        return all([](const auto& d, const auto& a) __attribute__((always_inline)) { return select(a <= std::decay_t<decltype(a)>(0.0f), std::decay_t<decltype(a)>(0.0f), d); });
    all([&](const auto& d, const auto& a) __attribute__((always_inline)) { return through_activation(by, d, a); });
}

/// to = a + b.
inline void add_elements(const float* a, const float* b, float* to, std::size_t count) {
    impl::by_vectors(count, [&](std::size_t i, auto n) __attribute__((always_inline)) {
        float_lanes sum = impl::load_lanes(a + i, n);
        sum.add(impl::load_lanes(b + i, n));
        impl::store_lanes(sum, to + i, n);
    });
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
