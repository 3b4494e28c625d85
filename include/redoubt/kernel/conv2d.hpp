// SPDX-License-Identifier: MIT
// Convolution and linear layers: the choice of tile, and the loops over tiles.
#pragma once

#include <redoubt/kernel/direct.hpp>
#include <redoubt/kernel/reference.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Registers decide the tile: pixels of a row times blocks of sixteen channels.
struct tile_plan {
    int pixels;
    int blocks;
};

/// The largest tile of this instruction set.
inline constexpr tile_plan largest_tile =
    level >= instruction_level::v4 ? tile_plan{14, 2} : level == instruction_level::v3 ? tile_plan{6, 1} : tile_plan{4, 1};

/// Whether there is a tile of `pixels` pixels of a row and `blocks` blocks. Fewer sizes compile faster; these leave few
/// registers empty at the widths that networks have.
constexpr bool tile_exists(int pixels, int blocks) {
    if (pixels > largest_tile.pixels || blocks > largest_tile.blocks) return false;
    if (largest_tile.pixels < 14) return pixels == largest_tile.pixels || pixels == 4 || pixels == 2 || pixels == 1;
    switch (pixels) {
        case 14: case 8: case 4: case 1: return true;
        case 7: return blocks > 1;
        default: return false;
    }
}

/// How many pixels the next tile takes of `left`: the even share of the fewest tiles, rounded down to one there is a
/// kernel for.
constexpr int next_tile(int left, int blocks) {
    const int tiles = (left + largest_tile.pixels - 1) / largest_tile.pixels;
    for (int size = (left + tiles - 1) / tiles; size > 1; --size)
        if (tile_exists(size, blocks)) return size;
    return 1;
}

namespace impl {

/// All pixels of the blocks [block, block + NB).
template <number N, int NB, bool Depthwise, class Hook>
void conv_blocks(const conv_call<N>& call, int block, const Hook& hook) {
    const shape& out = call.geometry.out;
    const auto tile = [&]<int Rows, int Columns>(std::integral_constant<int, Rows>, std::integral_constant<int, Columns>,
                                                 int row, int column) {
        direct_tile<N, tile_shape<Rows, Columns, NB>, Depthwise, Hook>{call, hook}(row, column, block);
    };
    constexpr std::integral_constant<int, 1> one;
    int row = 0;
    if constexpr (tile_exists(14, NB) && NB > 1 && !Depthwise) {
        // two rows of seven fill the registers that one would leave half empty
        if (out.width == 7)
            for (; row + 2 <= out.height; row += 2)
                tile(std::integral_constant<int, 2>{}, std::integral_constant<int, 7>{}, row, 0);
    }
    for (; row < out.height; ++row) {
        for (int column = 0; column < out.width;) {
            const int pixels = next_tile(out.width - column, NB);
            // the sizes that exist, from the largest down
            unrolled<largest_tile.pixels>([&](auto i) {
                constexpr int size = largest_tile.pixels - i();
                if constexpr (tile_exists(size, NB)) {
                    if (pixels == size) tile(one, std::integral_constant<int, size>{}, row, column);
                }
            });
            column += pixels;
        }
    }
}

/// The blocks [begin, end) of one group.
template <number N, class Hook>
void conv_group(const conv_call<N>& call, int begin, int end, const Hook& hook) {
    const shape& out = call.geometry.out;
    int block = begin;
    if (out.height * out.width == 1) {
        // one pixel has too few chains for the pipeline: take more blocks
        constexpr int wide = level >= instruction_level::v4 ? 8 : 4;
        for (; block + wide <= end; block += wide)
            direct_tile<N, tile_shape<1, 1, wide>, false, Hook>{call, hook}(0, 0, block);
    }
    for (; block + largest_tile.blocks <= end; block += largest_tile.blocks)
        conv_blocks<N, largest_tile.blocks, false>(call, block, hook);
    if constexpr (largest_tile.blocks > 1)
        for (; block < end; ++block) conv_blocks<N, 1, false>(call, block, hook);
}

}  // namespace impl

/// conv2d() of a depthwise convolution.
template <number N, class Hook = no_hook>
void depthwise_conv2d(const conv_call<N>& call, const Hook& hook = {}) {
    int block = call.block_begin;
    for (; block + largest_tile.blocks <= call.block_end; block += largest_tile.blocks)
        impl::conv_blocks<N, largest_tile.blocks, true>(call, block, hook);
    if constexpr (largest_tile.blocks > 1)
        for (; block < call.block_end; ++block) impl::conv_blocks<N, 1, true>(call, block, hook);
}

/// conv2d() of any other.
template <number N, class Hook = no_hook>
void dense_conv2d(const conv_call<N>& call, const Hook& hook = {}) {
    const conv_geometry& g = call.geometry;
    conv_call<N> flat = call;
    if (g.kernel == hw{1} && g.stride == hw{1} && g.pad == hw{0} && g.in.height * g.in.width == g.out.height * g.out.width) {
        // every pixel by itself: one long row has no remainders
        flat.geometry.in = {g.in.channels, 1, g.in.height * g.in.width};
        flat.geometry.out = {g.out.channels, 1, g.out.height * g.out.width};
    }
    for (int block = call.block_begin; block < call.block_end;) {
        const int end = std::min(call.block_end, (block / g.blocks_a_group() + 1) * g.blocks_a_group());
        impl::conv_group(flat, block, end, hook);
        block = end;
    }
}

/// A convolution or linear layer with bias, residual add and activation fused. Same bits as conv2d_reference on every
/// instruction set. Faults of the hook strike as in the scalar chain. Where the geometry is known at compile time,
/// calling one of the two above directly saves compiling the other.
template <number N, class Hook = no_hook>
void conv2d(const conv_call<N>& call, const Hook& hook = {}) {
    if (call.geometry.is_depthwise()) depthwise_conv2d(call, hook);
    else dense_conv2d(call, hook);
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
