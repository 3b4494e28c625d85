// SPDX-License-Identifier: MIT
// Batch normalisation as training needs it: sums over pixels, the norm with what follows it, and its gradient. Pixels are
// [pixel][channel], of one image or several. Sums have four chains a channel, of the pixels with the same remainder.
#pragma once

#include <redoubt/kernel/activation_gradient.hpp>
#include <redoubt/kernel/direct.hpp>

#include <cstddef>

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

/// `Sums` sums of the channels [c, c + n): body(chains of one remainder, first element, channel, how many lanes) for each pixel, then done(sums,
/// channel, how many lanes).
template <int Sums, class Lanes, class Body, class Done>
[[gnu::always_inline]] inline void sum_channels(int pixels, int channels, int c, Lanes n, Body&& body, Done&& done) {
    constexpr int chains = 4;
    float_lanes sum[static_cast<std::size_t>(chains)][static_cast<std::size_t>(Sums)];
    unrolled<chains>([&](auto k) __attribute__((always_inline)) {
        unrolled<Sums>([&](auto s) __attribute__((always_inline)) { sum[k()][s()] = float_lanes::filled(0.0f); });
    });
    std::size_t at = static_cast<std::size_t>(c);
    const auto pixel = static_cast<std::size_t>(channels);
    int p = 0;
    for (; p + chains <= pixels; p += chains)
        unrolled<chains>([&](auto k) __attribute__((always_inline)) {
            body(sum[k()], at, c, n);
            at += pixel;
        });
    unrolled<chains - 1>([&](auto k) __attribute__((always_inline)) {
        if (p + k() < pixels) {
            body(sum[k()], at, c, n);
            at += pixel;
        }
    });
    unrolled<Sums>([&](auto s) __attribute__((always_inline)) {
        sum[0][s()].add(sum[1][s()]);
        sum[2][s()].add(sum[3][s()]);
        sum[0][s()].add(sum[2][s()]);
    });
    done(sum[0], c, n);
}
template <int Sums, class Body, class Done>
[[gnu::always_inline]] inline void sum_pixels(int pixels, int channels, Body&& body, Done&& done) {
    int c = 0;
    for (; c + lane_count <= channels; c += lane_count) sum_channels<Sums>(pixels, channels, c, all_lanes{}, body, done);
    if (c < channels) sum_channels<Sums>(pixels, channels, c, channels - c, body, done);
}

}  // namespace impl

/// Sum of each channel.
inline void channel_sums(const float* x, int pixels, int channels, float* sums) {
    impl::sum_pixels<1>(
        pixels, channels,
        [&](float_lanes* sum, std::size_t at, int, auto n) __attribute__((always_inline)) { sum[0].add(impl::load_lanes(x + at, n)); },
        [&](const float_lanes* sum, int c, auto n) __attribute__((always_inline)) { impl::store_lanes(sum[0], sums + c, n); });
}

/// Of each channel the mean, and of the differences from it as rounded their sum and the sum of their squares, by which both mean and variance
/// are known to more than a float's digits.
inline void channel_moments(const float* x, int pixels, int channels, float* mean, float* rest, float* squares) {
    channel_sums(x, pixels, channels, mean);
    for (int c = 0; c < channels; c += lane_count) {
        const int n = std::min(lane_count, channels - c);
        float_lanes m = float_lanes::load(mean + c, n);
        m.divide(static_cast<float>(pixels));
        m.store(mean + c, n);
    }
    impl::sum_pixels<2>(
        pixels, channels,
        [&](float_lanes* sum, std::size_t at, int c, auto n) __attribute__((always_inline)) {
            const float_lanes d = impl::difference(impl::load_lanes(x + at, n), impl::load_lanes(mean + c, n));
            sum[0].add(d);
            sum[1].add_product(d, d);
        },
        [&](const float_lanes* sum, int c, auto n) __attribute__((always_inline)) {
            impl::store_lanes(sum[0], rest + c, n);
            impl::store_lanes(sum[1], squares + c, n);
        });
}

/// What a norm does to each channel: (x - mean) * factor + shift.
struct norm_lines {
    const float* mean = nullptr;
    const float* factor = nullptr;
    const float* shift = nullptr;
};

/// The norm, a residual's add where it is not null, and the activation, with the NaN policy of a convolution's store.
/// A difference, a fused multiply-add, a sum, each rounded.
inline void normalise(const float* x, const float* residual, float* to, int pixels, int channels, const norm_lines& by, const activation_spec& act) {
    const float_activation other{act};
    const bool relu = act.kind == activation::relu || act.kind == activation::clipped_relu, usual = relu || act.kind == activation::none;
    const float limit = act.kind == activation::clipped_relu ? static_cast<float>(act.limit) : std::numeric_limits<float>::infinity();
    const auto all = [&](auto adds, auto plain) __attribute__((always_inline)) {
        impl::by_pixels(pixels, channels, [&](std::size_t i, int c, auto n) __attribute__((always_inline)) {
            const float_lanes d = impl::difference(impl::load_lanes(x + i, n), impl::load_lanes(by.mean + c, n));
            float_lanes v = impl::multiplied_and_added(d, impl::load_lanes(by.factor + c, n), impl::load_lanes(by.shift + c, n));
            if constexpr (adds()) v.add(impl::load_lanes(residual + i, n));
            if constexpr (plain()) {
                v.settle(relu, limit);
            } else {
                v.apply(other);
                v.make_canonical();
            }
            impl::store_lanes(v, to + i, n);
        });
    };
    if (residual != nullptr) usual ? all(std::true_type{}, std::true_type{}) : all(std::true_type{}, std::false_type{});
    else usual ? all(std::false_type{}, std::true_type{}) : all(std::false_type{}, std::false_type{});
}

/// Of each channel the sum of the gradients, and of their products with x - mean.
inline void norm_sums(const float* gradient, const float* x, int pixels, int channels, const float* mean, float* sums, float* products) {
    impl::sum_pixels<2>(
        pixels, channels,
        [&](float_lanes* sum, std::size_t at, int c, auto n) __attribute__((always_inline)) {
            const float_lanes g = impl::load_lanes(gradient + at, n);
            sum[0].add(g);
            sum[1].add_product(impl::difference(impl::load_lanes(x + at, n), impl::load_lanes(mean + c, n)), g);
        },
        [&](const float_lanes* sum, int c, auto n) __attribute__((always_inline)) {
            impl::store_lanes(sum[0], sums + c, n);
            impl::store_lanes(sum[1], products + c, n);
        });
}

/// The gradient to a norm's input, of statistics that depend on it (Ioffe and Szegedy 2015): (gradient - mean_gradient -
/// (x - mean) * slope) * factor, where `mean_gradient` is norm_sums()' sum over all pixels of the batch divided by their
/// number, and `slope` its sum of products divided by the number and the variance.
struct norm_gradient_lines {
    const float* mean = nullptr;
    const float* mean_gradient = nullptr;
    const float* minus_slope = nullptr;
    const float* factor = nullptr;
};

/// `to` may be `gradient`.
inline void norm_gradient(const float* gradient, const float* x, float* to, int pixels, int channels, const norm_gradient_lines& by) {
    impl::by_pixels(pixels, channels, [&](std::size_t i, int c, auto n) __attribute__((always_inline)) {
        const float_lanes d = impl::difference(impl::load_lanes(x + i, n), impl::load_lanes(by.mean + c, n));
        const float_lanes g = impl::difference(impl::load_lanes(gradient + i, n), impl::load_lanes(by.mean_gradient + c, n));
        impl::store_lanes(impl::product(impl::multiplied_and_added(d, impl::load_lanes(by.minus_slope + c, n), g), impl::load_lanes(by.factor + c, n)), to + i, n);
    });
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
