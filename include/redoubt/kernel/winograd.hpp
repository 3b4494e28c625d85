// SPDX-License-Identifier: MIT
// 3x3 convolutions by Winograd's minimal filtering: fewer multiplications, another rounding.
#pragma once

#include <redoubt/kernel/conv2d.hpp>
#include <redoubt/kernel/winograd_plan.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

/// One row of a constant matrix times vectors: the terms with a factor 0 are not there, 1 and -1 take no product.
template <const auto& Matrix, std::size_t Row, class At>
[[gnu::always_inline]] inline float_lanes combined(At&& at) {
    constexpr auto& row = Matrix[Row];
    constexpr int first = [] {
        int i = 0;
        while (row[static_cast<std::size_t>(i)] != 1.0) ++i;  // every row has one
        return i;
    }();
    float_lanes sum = at(first);
    unrolled<static_cast<int>(row.size())>([&](auto i) __attribute__((always_inline)) {
        constexpr double factor = row[static_cast<std::size_t>(i())];
        if constexpr (i() == first || factor == 0.0) return;
        else if constexpr (factor == 1.0) sum.add(at(i()));
        else sum.add_product(static_cast<float>(factor), at(i()));
    });
    return sum;
}

template <number N, int Tile>
class winograd_kernel {
    using matrices = detail::winograd_matrices<Tile>;
    static constexpr int span = Tile + 2, points = span * span;
    static constexpr auto size = static_cast<std::size_t>(span), edge = static_cast<std::size_t>(Tile);

    const conv_call<N>& call;
    const winograd_plan plan;
    float* const inputs;
    float* const products;

public:
    winograd_kernel(const conv_call<N>& c, const winograd_plan& p, float* scratch)
        : call{c}, plan{p}, inputs{scratch}, products{scratch + p.points() * p.together * p.channels} {}

    void operator()() const {
        const int tiles = plan.rows * plan.columns;
        for (int first = 0; first < tiles; first += plan.together) {
            const int count = std::min(plan.together, tiles - first);
            for (int t = 0; t < count; ++t) transform_input(first + t, t);
            for (int block = 0; block < plan.blocks; block += 2) {
                multiply(block, count);
                const int last = std::min(block + 2, call.geometry.blocks());
                for (int t = 0; t < count; ++t)
                    for (int b = block; b < last; ++b) transform_output(first + t, t, b, b - block);
            }
        }
    }

private:
    /// [point][tile][channel]
    void transform_input(int tile, int t) const {
        const conv_geometry& g = call.geometry;
        const int y0 = tile / plan.columns * Tile - g.pad.h, x0 = tile % plan.columns * Tile - g.pad.w;
        const bool inside = y0 >= 0 && x0 >= 0 && y0 + span <= g.in.height && x0 + span <= g.in.width;
        const std::ptrdiff_t point = static_cast<std::ptrdiff_t>(plan.together) * plan.channels;
        for (int channel = 0; channel < plan.channels; channel += lane_count) {
            const int count = std::min(lane_count, g.in.channels - channel);
            float_lanes half_way[size][size];
            const auto load = [&](int r, int c) __attribute__((always_inline)) {
                const int y = y0 + r, x = x0 + c;
                if (!inside && (y < 0 || x < 0 || y >= g.in.height || x >= g.in.width)) return float_lanes::filled(0.0f);
                const auto* from = call.in + g.in.index(y, x, channel);
                return count == lane_count ? float_lanes::load(from) : float_lanes::load(from, count);
            };
            unrolled<span>([&](auto c) __attribute__((always_inline)) {
                float_lanes column[size];
                unrolled<span>([&](auto r) __attribute__((always_inline)) { column[r()] = load(r(), c()); });
                unrolled<span>([&](auto r) __attribute__((always_inline)) {
                    half_way[r()][c()] =
                        combined<matrices::inputs, static_cast<std::size_t>(r())>([&](int i) { return column[i]; });
                });
            });
            float* to = inputs + static_cast<std::ptrdiff_t>(t) * plan.channels + channel;
            unrolled<span>([&](auto r) __attribute__((always_inline)) {
                unrolled<span>([&](auto c) __attribute__((always_inline)) {
                    combined<matrices::inputs, static_cast<std::size_t>(c())>([&](int i) { return half_way[r()][i]; })
                        .store(to + (r() * span + c()) * point);
                });
            });
        }
    }

    /// For each point a product of matrices: tiles x in, in x 32 output channels.
    void multiply(int block, int count) const {
        const int tiles = tile_for(count, largest_tile.blocks);
        unrolled<16>([&](auto i) {
            if constexpr (tile_exists(i() + 1, largest_tile.blocks))
                if (tiles == i() + 1) multiply_by<i() + 1>(block, count);
        });
    }
    template <int Tiles>
    void multiply_by(int block, int count) const {
        using T = tile_shape<1, Tiles, largest_tile.blocks>;
        using A = lane_arithmetic<N>;
        const std::ptrdiff_t point = static_cast<std::ptrdiff_t>(plan.channels) * lane_count;
        for (int p = 0; p < points; ++p) {
            for (int b = 0; b < 2; b += largest_tile.blocks) {
                const float* weights = call.weights + (static_cast<std::ptrdiff_t>(block + b) * points + p) * point;
                for (int from = 0; from < count; from += Tiles) {
                    const int t = std::min(from, count - Tiles);
                    register_tile<float_lanes, T> sum;
                    unrolled<T::pixels>([&](auto i) __attribute__((always_inline)) {
                        unrolled<T::blocks>(
                            [&](auto n) __attribute__((always_inline)) { sum[i()][n()] = float_lanes::filled(0.0f); });
                    });
                    const float* in = inputs + (static_cast<std::ptrdiff_t>(p) * plan.together + t) * plan.channels;
                    accumulate<A, T, T::mask(1u, 0, Tiles)>(sum, pixel_grid<float>{in, plan.channels, 0}, weights,
                                                            points * point, plan.channels, 1);
                    float* to = products + (static_cast<std::ptrdiff_t>(p) * plan.together + t) * 2 * lane_count + b * lane_count;
                    unrolled<T::pixels>([&](auto i) __attribute__((always_inline)) {
                        unrolled<T::blocks>([&](auto n) __attribute__((always_inline)) {
                            sum[i()][n()].store(to + (2 * i() + n()) * lane_count);
                        });
                    });
                }
            }
        }
    }

    void transform_output(int tile, int t, int block, int lane) const {
        const conv_geometry& g = call.geometry;
        const float* from = products + (static_cast<std::ptrdiff_t>(t) * 2 + lane) * lane_count;
        const std::ptrdiff_t point = static_cast<std::ptrdiff_t>(plan.together) * 2 * lane_count;
        float_lanes half_way[edge][size];
        unrolled<span>([&](auto c) __attribute__((always_inline)) {
            float_lanes column[size];
            unrolled<span>([&](auto r) __attribute__((always_inline)) {
                column[r()] = float_lanes::load(from + (r() * span + c()) * point);
            });
            unrolled<Tile>([&](auto r) __attribute__((always_inline)) {
                half_way[r()][c()] =
                    combined<matrices::outputs, static_cast<std::size_t>(r())>([&](int i) { return column[i]; });
            });
        });
        float_lanes done[edge][edge];
        const float_lanes bias = float_lanes::load(call.bias + block * lane_count);
        unrolled<Tile>([&](auto r) __attribute__((always_inline)) {
            unrolled<Tile>([&](auto c) __attribute__((always_inline)) {
                done[r()][c()] = combined<matrices::outputs, static_cast<std::size_t>(c())>([&](int i) { return half_way[r()][i]; });
                done[r()][c()].add(bias);
            });
        });
        const typename lane_arithmetic<N>::finisher finish{call};
        const int y0 = tile / plan.columns * Tile, x0 = tile % plan.columns * Tile, count = g.channels_in(block);
        const int height = std::min(Tile, g.out.height - y0), width = std::min(Tile, g.out.width - x0);
        for (int r = 0; r < height; ++r)
            for (int c = 0; c < width; ++c) finish(done[r][c], g.out.index(y0 + r, x0 + c, block * lane_count), count);
    }
};

}  // namespace impl

/// A 3x3 convolution whose `call.weights` are transform_weights()'s, block_begin 0 and block_end all blocks. `scratch`
/// holds plan.scratch() floats, aligned. Not the canonical arithmetic: errors relative to the largest output are a few
/// 1e-6, a NaN or Inf spreads over the tile it is read by, and there is no hook. The same bits on every instruction set
/// with fused multiply-add.
template <number N>
    requires std::same_as<typename N::activation, float>
void winograd_conv2d(const conv_call<N>& call, winograd kind, float* scratch) {
    const winograd_plan plan{call.geometry, kind};
    if (kind == winograd::f2x2) impl::winograd_kernel<N, 2>{call, plan, scratch}();
    else impl::winograd_kernel<N, 4>{call, plan, scratch}();
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
