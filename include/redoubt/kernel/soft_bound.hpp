// SPDX-License-Identifier: MIT
// A bound with a slope: what stands for "0 above the bound" while bounds are trained.
#pragma once

#include <redoubt/kernel/activation_gradient.hpp>
#include <redoubt/kernel/lanes_float.hpp>
#include <redoubt/kernel/saturate.hpp>

#include <cstddef>
#include <type_traits>

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

/// tanh(steepness / 2 (high - y)), of which the logistic function of steepness (high - y) is half and a half.
template <class V>
[[gnu::always_inline]] inline V below_bound(const V& y, const V& high, float steepness) {
    return saturated<saturation::tanh>((high - y) * V(0.5f * steepness));
}
/// s of that tanh, and steepness s (1 - s).
template <class V>
[[gnu::always_inline]] inline V bound_share(const V& t) { return fused(t, V(0.5f), V(0.5f)); }
template <class V>
[[gnu::always_inline]] inline V bound_slope(const V& t, float steepness) { return (bound_share(t) * fused(t, V(-0.5f), V(0.5f))) * V(steepness); }

}  // namespace impl

/// to = y / (1 + exp(-steepness (high - y))), elementwise: about y below its bound, half of it there, about 0 above. FitReLU of Ghavami, Sadati, Fang, Shannon,
/// "FitAct" (DATE 2022, arXiv 2112.13544), once y is past its ReLU. The error is within 1e-6, for |y| above 1 within 1e-6 |y|. NaN stays NaN, and an infinite y past a finite
/// bound becomes it. `to` may be `y`. Cost: a tanh for each element.
inline void bound_softly(const float* y, const float* high, float steepness, float* to, std::size_t count) {
    impl::by_vectors(count, [&](std::size_t i, auto n) __attribute__((always_inline)) {
        const auto through = [&](const auto& value, const auto& bound) __attribute__((always_inline)) {
            return value * impl::bound_share(impl::below_bound(value, bound, steepness));
        };
        impl::store_lanes(impl::zipped(through, impl::load_lanes(y + i, n), impl::load_lanes(high + i, n)), to + i, n);
    });
}

/// `gradient` to what bound_softly() made becomes that to y, in `to`, which may be `gradient`; that to the bounds is added to `high_gradient`, unless it is null; it lies apart from
/// the others. With s the logistic function, their factors are s - steepness y s (1 - s) and steepness y s (1 - s). Cost: a tanh for each element.
inline void soft_bound_gradient(const float* gradient, const float* y, const float* high, float steepness, float* to, float* high_gradient, std::size_t count) {
    impl::by_vectors(count, [&](std::size_t i, auto n) __attribute__((always_inline)) {
        const float_lanes d = impl::load_lanes(gradient + i, n), value = impl::load_lanes(y + i, n), bound = impl::load_lanes(high + i, n);
        const float_lanes below = impl::zipped([&](const auto& v, const auto& b) __attribute__((always_inline)) { return impl::below_bound(v, b, steepness); }, value, bound);
        const float_lanes slope = impl::zipped([&](const auto& t) __attribute__((always_inline)) { return impl::bound_slope(t, steepness); }, below);
        if (high_gradient != nullptr)
            impl::store_lanes(impl::multiplied_and_added(d, impl::product(value, slope), impl::load_lanes(high_gradient + i, n)), high_gradient + i, n);
        // one rounding, said so: a product taken off would be a compiler's to contract or not
        const auto through = [](const auto& g, const auto& v, const auto& s, const auto& t) __attribute__((always_inline)) {
            using vector = std::decay_t<decltype(g)>;
            return g * impl::fused(v, vector(0.0f) - s, impl::bound_share(t));
        };
        impl::store_lanes(impl::zipped(through, d, value, slope, below), to + i, n);
    });
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
