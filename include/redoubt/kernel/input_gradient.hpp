// SPDX-License-Identifier: MIT
// The gradient of a convolution to its inputs: the convolution kernels themselves, over weights with their channels
// exchanged and their taps turned by half a turn; with a stride, once for each remainder of the input's rows and columns.
#pragma once

#include <redoubt/kernel/conv2d.hpp>

#include <cstddef>
#include <numeric>

namespace redoubt::kernel::inline v1 {

/// The inputs whose rows and columns leave the remainder `at` by the stride, as outputs of a convolution of stride 1 over
/// the gradients of g's outputs.
struct turned_phase {
    hw at;                     ///< the first of its rows and columns
    conv_geometry geometry{};  ///< `kernel` may be 0: no tap reaches these inputs
    hw first_tap{0};           ///< of g: the lowest kernel row and column that reach them
    hw tap_step{1};            ///< of g: from there to the next

    constexpr turned_phase(const conv_geometry& g, hw phase) : at{phase} {
        const axis rows{g.in.height, phase.h, g.kernel.h, g.stride.h, g.pad.h, g.dilation.h};
        const axis columns{g.in.width, phase.w, g.kernel.w, g.stride.w, g.pad.w, g.dilation.w};
        geometry = {.in = g.out, .out = {g.in.channels, rows.extent, columns.extent}, .kernel = {rows.taps, columns.taps}, .stride = 1,
                    .pad = {rows.pad, columns.pad}, .dilation = {rows.dilation, columns.dilation}, .groups = g.groups};
        first_tap = {rows.first, columns.first};
        tap_step = {rows.step, columns.step};
    }
    constexpr bool is_empty() const { return geometry.out.height == 0 || geometry.out.width == 0; }
    constexpr bool is_reached() const { return geometry.kernel.h > 0 && geometry.kernel.w > 0; }
    /// Words of its turned weights.
    constexpr std::size_t weights() const { return is_reached() && !is_empty() ? wide_layout{}.size(geometry) : 0; }

private:
    struct axis {
        int extent = 0, taps = 0, first = 0, step = 1, dilation = 1, pad = 0;

        constexpr axis(int size, int phase, int kernel, int stride, int padding, int spread) {
            extent = phase < size ? (size - phase + stride - 1) / stride : 0;
            const int common = std::gcd(stride, spread);
            step = stride / common;
            dilation = spread / common;
            while (first < kernel && first < step && (phase + padding - first * spread) % stride != 0) ++first;
            if (first == kernel || first == step) return;
            taps = (kernel - 1 - first) / step + 1;
            pad = (taps - 1) * dilation - (phase + padding - first * spread) / stride;
        }
    };
};

/// Words that turn_weights() writes.
constexpr std::size_t turned_words(const conv_geometry& g) {
    std::size_t words = 0;
    for (int h = 0; h < g.stride.h; ++h)
        for (int w = 0; w < g.stride.w; ++w) words += turned_phase{g, {h, w}}.weights();
    return words;
}

/// Words of scratch that input_gradient() needs for one image: outputs of a phase, where there are several.
constexpr std::size_t input_gradient_scratch(const conv_geometry& g) {
    if (g.stride == hw{1}) return 0;
    return static_cast<std::size_t>(turned_phase{g, {0, 0}}.geometry.out.size());
}

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Weights in the wide layout for input_gradient(): every phase one after the other, padding lanes zero.
inline void turn_weights(const conv_geometry& g, const float* weights, float* to) {
    constexpr wide_layout layout{};
    std::fill_n(to, turned_words(g), 0.0f);
    for (int h = 0; h < g.stride.h; ++h)
        for (int w = 0; w < g.stride.w; ++w) {
            const turned_phase phase{g, {h, w}};
            if (phase.weights() == 0) continue;
            const conv_geometry& t = phase.geometry;
            for (int r = 0; r < t.kernel.h; ++r)
                for (int c = 0; c < t.kernel.w; ++c) {
                    const int row = phase.first_tap.h + (t.kernel.h - 1 - r) * phase.tap_step.h;
                    const int column = phase.first_tap.w + (t.kernel.w - 1 - c) * phase.tap_step.w;
                    for (int o = 0; o < g.out.channels; ++o) {
                        const int group = o / g.group_out(), first = group * g.group_in();
                        const float* const from = weights + layout.index(g, o, row, column, 0);
                        if (g.is_depthwise()) {
                            to[layout.index(t, o, r, c, 0)] = *from;
                            continue;
                        }
                        // blocks of a group lie one after the other: an input channel's place follows from its number alone
                        float* const into = to + layout.index(t, first, r, c, o % g.group_out());
                        const std::size_t block = layout.block_size(t);
                        for (int i = 0; i < g.group_in(); ++i)
                            into[static_cast<std::size_t>(i / lane_count) * block + static_cast<std::size_t>(i % lane_count)] = from[i * lane_count];
                    }
                }
            to += phase.weights();
        }
}

/// input_gradient_reference() of one image to the bit, over turned weights. `zeros` holds as many zeros as the input
/// channels of all blocks; `scratch` what input_gradient_scratch() says. `added` may be null, and may not be `to`.
inline void input_gradient(const conv_geometry& g, const float* gradient, const float* turned, const float* zeros, const float* added,
                           float* scratch, float* to) {
    conv_call<float32> call;
    call.in = gradient;
    call.bias = zeros;
    const bool whole = g.stride == hw{1};
    for (int h = 0; h < g.stride.h; ++h)
        for (int w = 0; w < g.stride.w; ++w) {
            const turned_phase phase{g, {h, w}};
            if (phase.is_empty()) continue;
            call.geometry = phase.geometry;
            const shape& out = phase.geometry.out;
            call.out = whole ? to : scratch;
            if (phase.is_reached()) {
                call.weights = turned;
                call.residual = whole ? added : nullptr;
                call.block_end = phase.geometry.blocks();
                conv2d<float32>(call);
                turned += phase.weights();
            } else {
                std::fill_n(call.out, out.size(), 0.0f);
            }
            if (whole) return;
            for (int row = 0; row < out.height; ++row)
                for (int column = 0; column < out.width; ++column) {
                    const auto at = g.in.index(h + row * g.stride.h, w + column * g.stride.w, 0);
                    const float* from = scratch + out.index(row, column, 0);
                    for (int c = 0; c < out.channels; c += lane_count) {
                        const int count = std::min(lane_count, out.channels - c);
                        auto v = float_lanes::load(from + c, count);
                        if (added != nullptr) v.add(float_lanes::load(added + at + c, count));
                        v.make_canonical();
                        v.store(to + at + c, count);
                    }
                }
        }
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
