// SPDX-License-Identifier: MIT
// Winograd's minimal filtering for 3x3 convolutions: the choice, the sizes, the matrices and the weights. Lavin and Gray,
// "Fast algorithms for convolutional neural networks" (CVPR 2016).
#pragma once

#include <redoubt/kernel/geometry.hpp>

#include <array>

namespace redoubt::kernel::inline v1 {

/// Which transform a convolution takes: none, or output tiles of 2x2 or 4x4 pixels.
enum class winograd { none = 0, f2x2 = 2, f4x4 = 4 };

/// The choice, from extents alone, so that it is the same on every instruction set: 3x3, stride 1, at least 64 channels on
/// both sides. 4x4 tiles do the least work but keep four times the weights: images of fewer than 64 pixels, where reading
/// those costs more than computing, take 2x2.
constexpr winograd winograd_for(const conv_geometry& g) {
    const bool fits = g.kernel == hw{3} && g.stride == hw{1} && g.dilation == hw{1} && g.groups == 1 &&
                      g.in.channels >= 64 && g.out.channels >= 64 && g.out.height * g.out.width >= 16;
    if (!fits) return winograd::none;
    return g.out.height * g.out.width < 64 ? winograd::f2x2 : winograd::f4x4;
}

/// The choice for a number: canonical ones take none.
template <number N>
constexpr winograd winograd_of(const conv_geometry& g) {
    return is_fast<N> ? winograd_for(g) : winograd::none;
}

/// Sizes of one convolution.
struct winograd_plan {
    int tile;      ///< output pixels of a tile, each way
    int span;      ///< input pixels of a tile: tile + 2
    int rows;      ///< tiles below each other
    int columns;   ///< tiles side by side
    int channels;  ///< input channels, padded to whole vectors
    int blocks;    ///< of sixteen output channels, padded to pairs
    int together;  ///< tiles that are transformed at once

    constexpr winograd_plan(const conv_geometry& g, winograd kind)
        : tile{static_cast<int>(kind)}, span{tile + 2}, rows{(g.out.height + tile - 1) / tile},
          columns{(g.out.width + tile - 1) / tile}, channels{(g.in.channels + lane_count - 1) / lane_count * lane_count},
          blocks{(g.blocks() + 1) / 2 * 2}, together{rows * columns} {
        // what is transformed at once should stay in the second cache, 640 KiB of it
        const int most = 640 * 1024 / (span * span * channels * 4);
        if (together > most) together = most < 14 ? most : most / 14 * 14;
        if (together < 1) together = 1;
    }
    constexpr int points() const { return span * span; }
    /// Floats of the transformed weights: [block][point][in][16].
    constexpr std::size_t weights() const {
        return static_cast<std::size_t>(blocks) * static_cast<std::size_t>(points() * channels * lane_count);
    }
    /// Floats of scratch: transformed inputs [point][tile][in], then products [point][tile][32].
    constexpr std::size_t scratch() const {
        return static_cast<std::size_t>(points() * together) * static_cast<std::size_t>(channels + 2 * lane_count);
    }
};

namespace detail {

template <std::size_t Rows, std::size_t Columns>
using winograd_matrix = std::array<std::array<double, Columns>, Rows>;

/// The matrices of F(Tile x Tile, 3x3): inputs, weights, outputs.
template <int Tile> struct winograd_matrices;
template <>
struct winograd_matrices<2> {
    static constexpr winograd_matrix<4, 4> inputs{{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}}};
    static constexpr winograd_matrix<4, 3> weights{{{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}}};
    static constexpr winograd_matrix<2, 4> outputs{{{1, 1, 1, 0}, {0, 1, -1, -1}}};
};
template <>
struct winograd_matrices<4> {
    static constexpr winograd_matrix<6, 6> inputs{{{4, 0, -5, 0, 1, 0}, {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                                                   {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}}};
    static constexpr winograd_matrix<6, 3> weights{{{1.0 / 4, 0, 0}, {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                                    {-1.0 / 6, 1.0 / 6, -1.0 / 6}, {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                                    {1.0 / 24, -1.0 / 12, 1.0 / 6}, {0, 0, 1}}};
    static constexpr winograd_matrix<4, 6> outputs{{{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0},
                                                    {0, 1, -1, 8, -8, 1}}};
};

/// One filter in double, rounded once.
template <int Tile, class Weight, class Store>
constexpr void transform_filter(Weight&& weight, Store&& store) {
    constexpr auto& g = winograd_matrices<Tile>::weights;
    constexpr int span = Tile + 2;
    for (int r = 0; r < span; ++r)
        for (int c = 0; c < span; ++c) {
            double sum = 0.0;
            for (int i = 0; i < 3; ++i)
                for (int j = 0; j < 3; ++j)
                    sum = __builtin_fma(g[static_cast<std::size_t>(r)][static_cast<std::size_t>(i)] *
                                            g[static_cast<std::size_t>(c)][static_cast<std::size_t>(j)],
                                        weight(i, j), sum);
            store(r * span + c, static_cast<float>(sum));
        }
}

}  // namespace detail

/// Transformed weights of a whole convolution, from `weight(out, row, column, in)`; `to` holds plan.weights() floats,
/// which must be zero where there are no channels.
template <class Weight>
void transform_weights(const conv_geometry& g, const winograd_plan& plan, Weight&& weight, float* to) {
    for (int o = 0; o < g.out.channels; ++o)
        for (int i = 0; i < g.in.channels; ++i) {
            const auto one = [&](int r, int c) { return static_cast<double>(weight(o, r, c, i)); };
            const auto store = [&](int point, float v) {
                const auto place = static_cast<std::size_t>((o / lane_count * plan.points() + point) * plan.channels + i);
                to[place * lane_count + static_cast<std::size_t>(o % lane_count)] = v;
            };
            if (plan.tile == 2) detail::transform_filter<2>(one, store);
            else detail::transform_filter<4>(one, store);
        }
}

}  // namespace redoubt::kernel::inline v1
