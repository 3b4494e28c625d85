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

/// Whether padding counts in the divisor of an average.
enum class count_padding { no, yes };

/// A convolution's extents. A linear layer is the convolution whose kernel is its whole input.
///
/// Groups divide the channels evenly: output channel o reads the input channels of group o / (out.channels / groups)
/// only. Output (row, column) reads pixel (row * stride + r * dilation - pad) at kernel row r, columns likewise; what
/// falls outside the image is padding. How much follows the last row and column is decided by `out`.
struct conv_geometry {
    shape in;
    shape out;
    hw kernel{1};
    hw stride{1};
    hw pad{0};       ///< rows above and columns left of the image
    hw dilation{1};
    int groups = 1;

    /// Channels of one group.
    constexpr int group_in() const { return in.channels / groups; }
    constexpr int group_out() const { return out.channels / groups; }
    /// One filter a channel: laid out and computed without the loop over input channels.
    constexpr bool is_depthwise() const { return groups > 1 && groups == in.channels && groups == out.channels; }

    /// Blocks of 16 output channels. Each group fills blocks of its own, but for a depthwise convolution, where 16
    /// channels share one.
    constexpr int blocks() const {
        return is_depthwise() ? blocks_of(out.channels) : groups * blocks_of(group_out());
    }
    constexpr int blocks_a_group() const { return is_depthwise() ? blocks() : blocks_of(group_out()); }
    constexpr int block_of(int channel) const {
        if (groups == 1 || is_depthwise()) return channel / lane_count;
        return channel / group_out() * blocks_a_group() + channel % group_out() / lane_count;
    }
    constexpr int lane_of(int channel) const {
        return (groups == 1 || is_depthwise() ? channel : channel % group_out()) % lane_count;
    }
    /// First output channel of a block, and how many of its lanes are channels.
    constexpr int first_channel(int block) const {
        if (groups == 1 || is_depthwise()) return block * lane_count;
        return block / blocks_a_group() * group_out() + block % blocks_a_group() * lane_count;
    }
    constexpr int channels_in(int block) const {
        const int first = first_channel(block);
        const int end = is_depthwise() ? out.channels : (first / group_out() + 1) * group_out();
        return end - first < lane_count ? end - first : lane_count;
    }
    /// First input channel that an output channel reads.
    constexpr int first_input(int channel) const { return channel / group_out() * group_in(); }

    /// Weights of one output channel.
    constexpr int fan_in() const { return kernel.h * kernel.w * group_in(); }
    /// Logical weights, padding lanes not counted.
    constexpr std::size_t weights() const {
        return static_cast<std::size_t>(out.channels) * static_cast<std::size_t>(fan_in());
    }
    /// The image row that kernel row r of an output row reads, and the same of columns; outside the image: padding.
    constexpr int row_at(int row, int r) const { return row * stride.h - pad.h + r * dilation.h; }
    constexpr int column_at(int column, int c) const { return column * stride.w - pad.w + c * dilation.w; }
    /// Kernel rows of an output row, and kernel columns of an output column, that read inside the image.
    constexpr int rows_inside(int row) const {
        int rows = 0;
        for (int r = 0; r < kernel.h; ++r) rows += inside(row_at(row, r), in.height);
        return rows;
    }
    constexpr int columns_inside(int column) const {
        int columns = 0;
        for (int c = 0; c < kernel.w; ++c) columns += inside(column_at(column, c), in.width);
        return columns;
    }
    /// Multiply-adds of one output pixel and channel that fall inside the image.
    constexpr int taps_at(int row, int column) const { return rows_inside(row) * columns_inside(column) * group_in(); }
    /// Multiply-adds of the whole convolution, padding not counted.
    constexpr long long executed_macs() const {
        long long rows = 0, columns = 0;
        for (int o = 0; o < out.height; ++o) rows += rows_inside(o);
        for (int o = 0; o < out.width; ++o) columns += columns_inside(o);
        return rows * columns * group_in() * out.channels;
    }
    /// Multiply-adds of the whole convolution with padding counted, as most publications count.
    constexpr long long nominal_macs() const {
        return static_cast<long long>(out.size()) * fan_in();
    }

private:
    static constexpr int blocks_of(int channels) { return (channels + lane_count - 1) / lane_count; }
    static constexpr int inside(int at, int extent) { return at >= 0 && at < extent ? 1 : 0; }
};

/// Channels, rounded up to whole blocks, of which `wanted` of a layer's can be computed more than once; 0 where there is no whole block.
constexpr int duplicated_channels(int wanted, int channels) {
    const int up = (wanted + lane_count - 1) / lane_count * lane_count, most = channels / lane_count * lane_count;
    return up < most ? up : most;
}

/// The stored channel that a channel of the geometry makes, with `folded` channels that are further copies, of layers that have `copies` of each.
constexpr int folded_channel(int channel, int folded, int copies = 2) {
    if (channel >= folded / (copies - 1) * copies) return channel - folded;
    return channel / (copies * lane_count) * lane_count + channel % lane_count;
}

/// The first channel of the geometry that makes a stored channel.
constexpr int first_copy(int stored, int folded, int copies = 2) {
    if (stored >= folded / (copies - 1)) return stored + folded;
    return stored / lane_count * (copies * lane_count) + stored % lane_count;
}

/// Input channels that one step of the kernel takes at once: four bytes of an int8 dot product, else one.
template <class Weight>
inline constexpr int input_group = 1;
template <>
inline constexpr int input_group<std::int8_t> = 4;

/// `[block][row][col][in/group][16][group]`: where weights lie on every SIMD instruction set, blocks as conv_geometry
/// counts them and `in` the channels of one group. A depthwise convolution has `[block][row][col][16]`. Lanes and
/// channels past the logical ones hold zero; they are no fault sites.
struct wide_layout {
    int group = 1;

    /// Groups of input channels at one tap.
    constexpr int groups(const conv_geometry& g) const {
        return g.is_depthwise() ? 1 : (g.group_in() + group - 1) / group;
    }
    /// Words of one tap of a block.
    constexpr int tap_size(const conv_geometry& g) const {
        return g.is_depthwise() ? lane_count : groups(g) * group * lane_count;
    }
    /// Words of one block of 16 output channels.
    constexpr std::size_t block_size(const conv_geometry& g) const {
        return static_cast<std::size_t>(g.kernel.h * g.kernel.w) * static_cast<std::size_t>(tap_size(g));
    }
    constexpr std::size_t size(const conv_geometry& g) const {
        return block_size(g) * static_cast<std::size_t>(g.blocks());
    }
    /// `in` counts within the group.
    constexpr std::size_t index(const conv_geometry& g, int out, int row, int column, int in) const {
        const auto tap = static_cast<std::size_t>(row * g.kernel.w + column) * static_cast<std::size_t>(tap_size(g));
        const std::size_t start = static_cast<std::size_t>(g.block_of(out)) * block_size(g) + tap;
        if (g.is_depthwise()) return start + static_cast<std::size_t>(g.lane_of(out));
        return start + static_cast<std::size_t>((in / group * lane_count + g.lane_of(out)) * group + in % group);
    }
    /// From the logical index ([out][row][col][in], the order of fault sites) to the place.
    constexpr std::size_t index_of_logical(const conv_geometry& g, std::size_t logical) const {
        const auto fan = static_cast<std::size_t>(g.fan_in());
        const int out = static_cast<int>(logical / fan), rest = static_cast<int>(logical % fan);
        const int in = rest % g.group_in(), tap = rest / g.group_in();
        return index(g, out, tap / g.kernel.w, tap % g.kernel.w, in);
    }
};

/// The wide layout of a number's weights.
template <number N>
inline constexpr wide_layout layout_of{input_group<typename N::kernel_weight>};

}  // namespace redoubt::kernel::inline v1
