// SPDX-License-Identifier: MIT
// Extents of a convolution, and where each weight lies in the `wide` layout.
#pragma once

#include <redoubt/base/config.hpp>
#include <redoubt/number/number.hpp>
#include <redoubt/tensor/shape.hpp>

#include <cstddef>

namespace redoubt::kernel::inline v1 {

/// Output channels that share one vector of weights.
inline constexpr int lane_count = 16;

/// A convolution's extents. A linear layer is the convolution whose kernel is its whole input.
struct conv_geometry {
    shape in;
    shape out;
    int kernel_h = 1;
    int kernel_w = 1;
    int stride = 1;
    int pad = 0;

    constexpr int blocks() const { return (out.channels + lane_count - 1) / lane_count; }
    /// Weights of one output channel.
    constexpr int fan_in() const { return kernel_h * kernel_w * in.channels; }
    /// Logical weights, padding lanes not counted.
    constexpr std::size_t weights() const {
        return static_cast<std::size_t>(out.channels) * static_cast<std::size_t>(fan_in());
    }
    /// Multiply-adds of one output pixel and channel that fall inside the image.
    constexpr int taps_at(int row, int column) const {
        int rows = 0, columns = 0;
        for (int r = 0; r < kernel_h; ++r) rows += inside(row * stride - pad + r, in.height);
        for (int c = 0; c < kernel_w; ++c) columns += inside(column * stride - pad + c, in.width);
        return rows * columns * in.channels;
    }
    /// Multiply-adds of the whole convolution, padding not counted.
    constexpr long long executed_macs() const {
        long long rows = 0, columns = 0;
        for (int o = 0; o < out.height; ++o)
            for (int r = 0; r < kernel_h; ++r) rows += inside(o * stride - pad + r, in.height);
        for (int o = 0; o < out.width; ++o)
            for (int c = 0; c < kernel_w; ++c) columns += inside(o * stride - pad + c, in.width);
        return rows * columns * in.channels * out.channels;
    }

private:
    static constexpr int inside(int at, int extent) { return at >= 0 && at < extent ? 1 : 0; }
};

/// Input channels that one step of the kernel takes at once: four bytes of an int8 dot product, else one.
template <class Weight>
inline constexpr int input_group = 1;
template <>
inline constexpr int input_group<std::int8_t> = 4;

/// `[out/16][row][col][in/group][16][group]`: where weights lie on every SIMD instruction set. Lanes and channels past
/// the logical ones hold zero; they are no fault sites.
struct wide_layout {
    int group = 1;

    constexpr int groups(const conv_geometry& g) const { return (g.in.channels + group - 1) / group; }
    /// Words of one block of 16 output channels.
    constexpr std::size_t block_size(const conv_geometry& g) const {
        return static_cast<std::size_t>(g.kernel_h * g.kernel_w * groups(g) * group * lane_count);
    }
    constexpr std::size_t size(const conv_geometry& g) const {
        return block_size(g) * static_cast<std::size_t>(g.blocks());
    }
    constexpr std::size_t index(const conv_geometry& g, int out, int row, int column, int in) const {
        const int place = ((out / lane_count * g.kernel_h + row) * g.kernel_w + column) * groups(g) + in / group;
        return static_cast<std::size_t>((place * lane_count + out % lane_count) * group + in % group);
    }
    /// From the logical index ([out][row][col][in], the order of fault sites) to the place.
    constexpr std::size_t index_of_logical(const conv_geometry& g, std::size_t logical) const {
        const int fan = g.fan_in();
        const int out = static_cast<int>(logical / static_cast<std::size_t>(fan));
        const int rest = static_cast<int>(logical % static_cast<std::size_t>(fan));
        const int in = rest % g.in.channels, tap = rest / g.in.channels;
        return index(g, out, tap / g.kernel_w, tap % g.kernel_w, in);
    }
};

/// The wide layout of a number's weights.
template <number N>
inline constexpr wide_layout layout_of{input_group<typename N::kernel_weight>};

}  // namespace redoubt::kernel::inline v1
