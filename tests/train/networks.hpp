// SPDX-License-Identifier: MIT
// Small networks that have every kind of step between them, and batches for them.
#pragma once

#include <redoubt/redoubt.hpp>
#include <redoubt/train/trainer.hpp>

#include <vector>

namespace train_tests {

using namespace redoubt;

template <int Out, int Kernel = 3, int Stride = 1>
using conv = conv2d<conv_spec{.out = Out, .kernel = Kernel, .stride = Stride, .pad = Kernel / 2}>;

/// No norm: biases, pools with overlap and padding, linear layers, leaky and clipped activations.
using plain = network<image<2, 9, 10>, float32, conv<5>, leaky_relu<1, 8>, max_pool<3, 2, 1>, conv2d<conv_spec{.out = 6, .kernel = {2, 3}, .dilation = {2, 1}}>,
                      clipped_relu<6>, avg_pool<2, 1>, flatten, linear<9>, clip<-1, 2>, linear<4>>;
/// Norms, residuals with and without shortcuts, every second pixel, groups, depthwise.
using residuals = network<image<3, 8, 8>, float32, conv<16>, batch_norm, relu, residual<conv<16>, batch_norm, relu, conv<16>, batch_norm>, relu,
                          residual<shortcut<subsample<20, 2>>, conv<20, 3, 2>, batch_norm, relu, conv<20>, batch_norm>, relu,
                          residual<shortcut<conv<32, 1, 2>, batch_norm>, conv2d<conv_spec{.out = 20, .kernel = 3, .stride = 2, .pad = 1, .groups = 20}>, batch_norm,
                                   clipped_relu<6>, conv<32, 1>, batch_norm>,
                          conv2d<conv_spec{.out = 8, .kernel = 3, .pad = 1, .groups = 2}>, batch_norm, hard_swish, global_avg_pool, linear<5>, softmax>;
/// Concats, standalone adds and activations, a residual's input that is read by several, hard_swish without a norm.
using branches = network<image<3, 6, 6>, float32, conv<4>, hard_swish, concat<branch<conv<3, 1>, batch_norm, relu>, branch<>, branch<max_pool<3, 1, 1>, conv<2>>>,
                         leaky_relu<1, 4>, residual<residual<conv<9>, batch_norm>, relu, max_pool<3, 1, 1>>, hard_swish, avg_pool<2, 2, 1, count_padding::no>, linear<3>>;

struct batch {
    std::vector<float> pixels;
    std::vector<int> labels;
};

template <network_type Net>
batch drawn_batch(std::size_t images, std::uint64_t seed) {
    random_stream random{seed, {1}};
    batch b;
    for (std::size_t i = 0; i < images * static_cast<std::size_t>(Net::input_shape.size()); ++i) b.pixels.push_back(static_cast<float>(random.unit() * 4.0 - 2.0));
    for (std::size_t i = 0; i < images; ++i) b.labels.push_back(static_cast<int>(random.below(static_cast<std::uint64_t>(Net::outputs))));
    return b;
}

/// Moves every parameter off its start, so that scales are not 1 and shifts not 0.
inline void disturb(std::span<float> parameters, std::uint64_t seed) {
    random_stream random{seed, {2}};
    for (float& p : parameters)
        if (p != 0.0f) p += static_cast<float>(0.4 * (random.unit() - 0.5));
}

/// The slope of f() with respect to a number that it reads.
template <class F>
double central_difference(double& at, double h, F&& f) {
    const double old = at;
    at = old + h;
    const double up = f();
    at = old - h;
    const double down = f();
    at = old;
    return (up - down) / (2.0 * h);
}

}  // namespace train_tests
