// SPDX-License-Identifier: MIT
// Gradients of pools, of the shortcut without weights and of a concat, added to what the input's gradient holds. One image.
#pragma once

#include <redoubt/kernel/activation_gradient.hpp>
#include <redoubt/kernel/pool.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Each window's gradient goes to its first tap that equals the largest; a window whose largest is NaN passes none.
inline void max_pool_gradient(const conv_geometry& g, const float* in, const float* out, const float* gradient, float* to) {
    impl::for_each_window(g, out, [&](int row, int column, const impl::window& w, const float* most) {
        const float* const from = gradient + g.out.index(row, column, 0);
        for (int c = 0; c < g.in.channels; c += lane_count) {
            const int n = std::min(lane_count, g.in.channels - c);
            const float_lanes largest = float_lanes::load(most + c, n);
            float_lanes left = float_lanes::load(from + c, n);  // what has not found its tap; then 0
            w.for_each(g, row, column, in, [&](const float* tap) {
                const float_lanes here = float_lanes::load(tap + c, n);
                const auto found = [](const auto& v, const auto& m, const auto& d) { return select(v == m, d, std::decay_t<decltype(d)>(0.0f)); };
                const auto unfound = [](const auto& v, const auto& m, const auto& d) { return select(v == m, std::decay_t<decltype(d)>(0.0f), d); };
                float* const at = to + (tap - in) + c;
                float_lanes sum = float_lanes::load(at, n);
                sum.add(impl::zipped(found, here, largest, left));
                sum.store(at, n);
                left = impl::zipped(unfound, here, largest, left);
            });
        }
    });
}

/// Each window's gradient, divided by the divisor of its mean, goes to all its taps.
inline void average_pool_gradient(const conv_geometry& g, const float* gradient, float* to, count_padding counted = count_padding::yes) {
    impl::for_each_window(g, gradient, [&](int row, int column, const impl::window& w, const float* from) {
        const int taps = counted == count_padding::yes ? g.kernel.h * g.kernel.w : w.taps();
        for (int c = 0; c < g.in.channels; c += lane_count) {
            const int n = std::min(lane_count, g.in.channels - c);
            float_lanes share = float_lanes::load(from + c, n);
            share.divide(static_cast<float>(taps));
            w.for_each(g, row, column, static_cast<const float*>(to), [&](const float* tap) {
                float* const at = to + (tap - to) + c;
                float_lanes sum = float_lanes::load(at, n);
                sum.add(share);
                sum.store(at, n);
            });
        }
    });
}

/// Of subsample(): the pixels and channels that it took.
inline void subsample_gradient(const conv_geometry& g, const float* gradient, float* to) {
    const int before = (g.out.channels - g.in.channels) / 2;
    for (int row = 0; row < g.out.height; ++row)
        for (int column = 0; column < g.out.width; ++column) {
            float* const at = to + g.in.index(row * g.stride.h, column * g.stride.w, 0);
            add_elements(at, gradient + g.out.index(row, column, before), at, static_cast<std::size_t>(g.in.channels));
        }
}

/// Of concat_part().
inline void concat_gradient(shape part, shape whole, const float* gradient, int channel, float* to) {
    for (int i = 0; i < part.height * part.width; ++i)
        add_elements(to + i * part.channels, gradient + i * whole.channels + channel, to + i * part.channels, static_cast<std::size_t>(part.channels));
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
