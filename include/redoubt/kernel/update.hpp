// SPDX-License-Identifier: MIT
// Steps of optimisers, elementwise, each operation rounded once. Counts are multiples of sixteen.
#pragma once

#include <redoubt/kernel/activation_gradient.hpp>

#include <cstddef>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Stochastic gradient descent with momentum: d = gradient * scale + decay * w; v = momentum * v + d; w -= rate * v, or
/// with Nesterov's form rate * (momentum * v + d).
struct momentum_step {
    float rate = 0.0f, momentum = 0.0f, decay = 0.0f, scale = 1.0f;
    bool nesterov = false;

    void operator()(float* w, const float* gradient, float* velocity, std::size_t count) const {
        const auto mu = float_lanes::filled(momentum), down = float_lanes::filled(-rate), pull = float_lanes::filled(decay), times = float_lanes::filled(scale);
        for (std::size_t i = 0; i < count; i += lane_count) {
            const float_lanes old = float_lanes::load(w + i);
            float_lanes d = float_lanes::load(gradient + i);
            if (scale != 1.0f) d = impl::product(d, times);
            if (decay != 0.0f) d.add_product(pull, old);
            const float_lanes v = impl::multiplied_and_added(mu, float_lanes::load(velocity + i), d);
            v.store(velocity + i);
            const float_lanes step = nesterov ? impl::multiplied_and_added(mu, v, d) : v;
            impl::multiplied_and_added(down, step, old).store(w + i);
        }
    }
};

/// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019). `keep` is what decoupled decay leaves of a weight,
/// 1 - rate * decay; `decay` the coupled one. `rate` is already divided by the first moment's correction, `root` is one by the
/// square root of the second's.
struct adam_step {
    float rate = 0.0f, first = 0.9f, second = 0.999f, epsilon = 1e-8f, decay = 0.0f, keep = 1.0f, root = 1.0f, scale = 1.0f;

    void operator()(float* w, const float* gradient, float* mean, float* square, std::size_t count) const {
        const auto b1 = float_lanes::filled(first), b2 = float_lanes::filled(second), c1 = float_lanes::filled(1.0f - first),
                   c2 = float_lanes::filled(1.0f - second), down = float_lanes::filled(-rate), pull = float_lanes::filled(decay),
                   left = float_lanes::filled(keep), times = float_lanes::filled(scale), small = float_lanes::filled(epsilon), by = float_lanes::filled(root);
        for (std::size_t i = 0; i < count; i += lane_count) {
            float_lanes old = float_lanes::load(w + i);
            if (keep != 1.0f) old = impl::product(old, left);
            float_lanes d = float_lanes::load(gradient + i);
            if (scale != 1.0f) d = impl::product(d, times);
            if (decay != 0.0f) d.add_product(pull, old);
            const float_lanes m = impl::multiplied_and_added(b1, float_lanes::load(mean + i), impl::product(c1, d));
            const float_lanes v = impl::multiplied_and_added(b2, float_lanes::load(square + i), impl::product(c2, impl::product(d, d)));
            m.store(mean + i);
            v.store(square + i);
            const float_lanes size = impl::multiplied_and_added(v.root(), by, small);
            float_lanes step = m;
            step.divide(size);
            impl::multiplied_and_added(down, step, old).store(w + i);
        }
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI
