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

/// How many pixels the next tile takes of `left`: the even share of the fewest tiles, rounded down to one there is a
/// kernel for.
constexpr int next_tile(int left) {
    const int tiles = (left + largest_tile.pixels - 1) / largest_tile.pixels;
    const int share = (left + tiles - 1) / tiles;
    for (int size : {14, 8, 7, 6, 4, 2}) {
        const bool exists = largest_tile.pixels >= 14 ? size != 6 : size <= largest_tile.pixels;
        if (exists && size <= share) return size;
    }
    return 1;
}

namespace impl {

/// All pixels of the blocks [block, block + NB).
template <number N, int NB, bool Depthwise, class Hook>
void conv_blocks(const conv_call<N>& call, int block, const Hook& hook) {
    const shape& out = call.geometry.out;
    const auto tile = [&]<int Rows, int Columns>(int row, int column) {
        direct_tile<N, tile_shape<Rows, Columns, NB>, Depthwise, Hook>{call, hook}(row, column, block);
    };
    int row = 0;
    if constexpr (largest_tile.pixels >= 14) {
        // two rows of seven fill the registers that one would leave half empty
        if (out.width == 7)
            for (; row + 2 <= out.height; row += 2) tile.template operator()<2, 7>(row, 0);
    }
    for (; row < out.height; ++row) {
        for (int column = 0; column < out.width;) {
            const int pixels = next_tile(out.width - column);
            switch (pixels) {
                case 14: if constexpr (largest_tile.pixels >= 14) tile.template operator()<1, 14>(row, column); break;
                case 8: if constexpr (largest_tile.pixels >= 8) tile.template operator()<1, 8>(row, column); break;
                case 7: if constexpr (largest_tile.pixels >= 7) tile.template operator()<1, 7>(row, column); break;
                case 6: if constexpr (largest_tile.pixels < 14) tile.template operator()<1, 6>(row, column); break;
                case 4: tile.template operator()<1, 4>(row, column); break;
                case 2: tile.template operator()<1, 2>(row, column); break;
                default: tile.template operator()<1, 1>(row, column); break;
            }
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
    for (; block < end; ++block) conv_blocks<N, 1, false>(call, block, hook);
}

}  // namespace impl

/// A convolution or linear layer with bias, residual add and activation fused. Same bits as conv2d_reference on every
/// instruction set. Faults of the hook strike as in the scalar chain.
template <number N, class Hook = no_hook>
void conv2d(const conv_call<N>& call, const Hook& hook = {}) {
    const conv_geometry& g = call.geometry;
    if (g.is_depthwise()) {
        int block = call.block_begin;
        for (; block + largest_tile.blocks <= call.block_end; block += largest_tile.blocks)
            impl::conv_blocks<N, largest_tile.blocks, true>(call, block, hook);
        for (; block < call.block_end; ++block) impl::conv_blocks<N, 1, true>(call, block, hook);
        return;
    }
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

}  // namespace redoubt::kernel::inline REDOUBT_ABI
