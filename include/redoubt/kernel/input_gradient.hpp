// SPDX-License-Identifier: MIT
// The gradient of a convolution to its inputs: the convolution kernels themselves, over weights with their channels
// exchanged and their taps turned by half a turn; with a stride, once for each remainder of the input's rows and columns.
#pragma once

#include <redoubt/kernel/narrow.hpp>

#include <cstddef>

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
                trained_conv2d(call);
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
