// SPDX-License-Identifier: MIT
// A bound with a slope: what stands for "0 above the bound" while bounds are trained.
#pragma once

#include <redoubt/kernel/activation_gradient.hpp>
#include <redoubt/kernel/saturate.hpp>

#include <cstddef>

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

/// tanh(steepness / 2 (high - y)), of which the logistic function of steepness (high - y) is half and a half.
template <class V>
V below_bound(const V& y, const V& high, float steepness) {
    return saturated<saturation::tanh>((high - y) * V(0.5f * steepness));
}

}  // namespace impl

/// to = y / (1 + exp(-steepness (high - y))), elementwise: about y below its bound, half of it there, about 0 above. FitReLU of Ghavami, Sadati, Fang, Shannon,
/// "FitAct" (DATE 2022, arXiv 2112.13544), once y is past its ReLU. Within 1e-6 of y; NaN stays NaN. `to` may be `y`.
inline void bound_softly(const float* y, const float* high, float steepness, float* to, std::size_t count) {
    impl::by_vectors(count, [&](std::size_t i, auto n) {
        const auto through = [&](const auto& value, const auto& bound) {
            using vector = std::decay_t<decltype(value)>;
            const vector half(0.5f);
            return value * impl::fused(impl::below_bound(value, bound, steepness), half, half);
        };
        impl::store_lanes(impl::zipped(through, impl::load_lanes(y + i, n), impl::load_lanes(high + i, n)), to + i, n);
    });
}

/// `gradient` to what bound_softly() made becomes that to y, in `to`, which may be `gradient`; that to the bounds is added to `high_gradient`, unless it is null. With s the
/// logistic function, their factors are s - steepness y s (1 - s) and steepness y s (1 - s).
inline void soft_bound_gradient(const float* gradient, const float* y, const float* high, float steepness, float* to, float* high_gradient, std::size_t count) {
    impl::by_vectors(count, [&](std::size_t i, auto n) {
        const float_lanes d = impl::load_lanes(gradient + i, n), value = impl::load_lanes(y + i, n), bound = impl::load_lanes(high + i, n);
        const auto below = impl::zipped([&](const auto& v, const auto& b) { return impl::below_bound(v, b, steepness); }, value, bound);
        const auto slope = [&](const auto& t, const auto& v) {
            using vector = std::decay_t<decltype(v)>;
            const vector half(0.5f), share = impl::fused(t, half, half), rest = impl::fused(t, vector(-0.5f), half);
            return v * (share * rest * vector(steepness));
        };
        const float_lanes steep = impl::zipped(slope, below, value);
        if (high_gradient != nullptr) impl::store_lanes(impl::multiplied_and_added(d, steep, impl::load_lanes(high_gradient + i, n)), high_gradient + i, n);
        const auto through = [&](const auto& g, const auto& t, const auto& s) {
            using vector = std::decay_t<decltype(g)>;
            const vector half(0.5f), share = impl::fused(t, half, half);
            // a product of more than one factor first: nothing is left to contract
            return g * impl::fused(s, vector(-1.0f), share);
        };
        impl::store_lanes(impl::zipped(through, d, below, steep), to + i, n);
    });
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
