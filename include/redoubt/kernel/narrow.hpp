// SPDX-License-Identifier: MIT
// Convolutions of three columns with at most sixteen output channels, where direct tiles wait for their inputs: each input here is read once for the three
// columns. Their chains go by kernel row, input channel, kernel column, which is not the canonical order: for training only.
#pragma once

#include <redoubt/kernel/conv2d.hpp>
#include <redoubt/kernel/read_ahead.hpp>
#include <redoubt/kernel/turned.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

/// `Pixels` outputs of a row. Before and After: whether the row goes on there.
template <int Pixels, bool Before, bool After>
void narrow_tile(const conv_call<float32>& call, int row, int column) {
    using A = lane_arithmetic<float32>;
    const conv_geometry& g = call.geometry;
    const std::ptrdiff_t channels = g.in.channels, tap = channels * lane_count;
    float_lanes sum[static_cast<std::size_t>(Pixels)];
    const float_lanes bias = A::load_bias(call.bias);
    unrolled<Pixels>([&](auto p) __attribute__((always_inline)) { sum[p()] = bias; });
    for (int r = 0; r < g.kernel.h; ++r) {
        const int y = g.row_at(row, r);
        if (y < 0 || y >= g.in.height) continue;
        const float* const first = call.in + g.in.index(y, column, 0);
        pixel_cursor<float, tile_shape<1, Pixels, 1>> pixels{{first, channels, 0}};
        const float *before = first - channels, *after = first + Pixels * channels, *w = call.weights + 3 * r * tap;
        for (std::ptrdiff_t i = 0; i < channels; ++i, w += lane_count) {
            pixels.hide();
            const float_lanes left = float_lanes::load(w), middle = float_lanes::load(w + tap), right = float_lanes::load(w + 2 * tap);
            if constexpr (Before) sum[0].add_product(before[i], left);
            unrolled<Pixels>([&](auto p) __attribute__((always_inline)) {
                const float* from = pixels.template at<p()>();
                // compilers would read all inputs first, for which there are no registers: these wait for earlier sums
                if constexpr (p() >= 4 && level >= instruction_level::v4) sum[p() - 4].precede(from);
                const float x = *from;
                if constexpr (p() + 1 < Pixels) sum[p() + 1].add_product(x, left);
                sum[p()].add_product(x, middle);
                if constexpr (p() > 0) sum[p() - 1].add_product(x, right);
            });
            if constexpr (After) sum[Pixels - 1].add_product(after[i], right);
            pixels.advance(sizeof(float));
        }
    }
    const A::finisher finish{call};
    unrolled<Pixels>([&](auto p) __attribute__((always_inline)) { finish(sum[p()], g.out.index(row, column + p(), 0), g.out.channels); });
}

template <int Pixels>
void narrow_rows(const conv_call<float32>& call, read_ahead* ahead) {
    const shape& out = call.geometry.out;
    for (int row = 0; row < out.height; ++row) {
        if (ahead != nullptr) {
            ahead->next();
            ahead->some();
        }
        for (int from = 0; from < out.width; from += Pixels) {
            const int column = std::min(from, out.width - Pixels);
            const bool before = column > 0, after = column + Pixels < out.width;
            if (before && after) narrow_tile<Pixels, true, true>(call, row, column);
            else if (before) narrow_tile<Pixels, true, false>(call, row, column);
            else if (after) narrow_tile<Pixels, false, true>(call, row, column);
            else narrow_tile<Pixels, false, false>(call, row, column);
        }
    }
}

}  // namespace impl

/// The convolution, with bias, residual add and activation as conv2d() has them. Precondition: is_narrow(). The residual may not be the output.
inline void narrow_conv2d(const conv_call<float32>& call, read_ahead* ahead = nullptr) {
    if constexpr (level >= instruction_level::v4) {
        if (call.geometry.out.width >= 16) return impl::narrow_rows<16>(call, ahead);
        if (call.geometry.out.width >= 8) return impl::narrow_rows<8>(call, ahead);
    }
    impl::narrow_rows<4>(call, ahead);
}

/// The convolution of a training step: the narrow form, which can read ahead, where it fits.
inline void trained_conv2d(const conv_call<float32>& call, read_ahead* ahead = nullptr) {
    if (is_narrow(call.geometry)) narrow_conv2d(call, ahead);
    else conv2d<float32>(call);
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
