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
    level >= instruction_level::v4                                                   ? tile_plan{14, 2}
    : level == instruction_level::v3 || level == instruction_level::neon64 ? tile_plan{6, 1}
    : level == instruction_level::v2                                       ? tile_plan{2, 1}
                                                                           : tile_plan{4, 1};

/// How many pixels the next tile takes of `left`: the even share of the fewest tiles, rounded to one there is a kernel for.
constexpr int next_tile(int left) {
    if (left >= 2 * largest_tile.pixels || left == largest_tile.pixels) return largest_tile.pixels;
    const int share = left > largest_tile.pixels ? (left + 1) / 2 : left;
    for (int size : {14, 8, 7, 6, 4, 2}) {
        const bool exists = largest_tile.pixels >= 14 ? size != 6 : size <= largest_tile.pixels;
        if (exists && size <= share) return size;
    }
    return 1;
}

namespace impl {

template <number N, int NB, class Hook>
void conv_row(const conv_call<N>& call, int row, int block, const Hook& hook) {
    const int width = call.geometry.out.width;
    for (int column = 0; column < width;) {
        const int pixels = next_tile(width - column);
        switch (pixels) {
            case 14: if constexpr (largest_tile.pixels >= 14) direct_tile<N, 14, NB, Hook>{call, hook}(row, column, block); break;
            case 8: if constexpr (largest_tile.pixels >= 8) direct_tile<N, 8, NB, Hook>{call, hook}(row, column, block); break;
            case 7: if constexpr (largest_tile.pixels >= 7) direct_tile<N, 7, NB, Hook>{call, hook}(row, column, block); break;
            case 6: if constexpr (largest_tile.pixels < 14) direct_tile<N, 6, NB, Hook>{call, hook}(row, column, block); break;
            case 4: direct_tile<N, 4, NB, Hook>{call, hook}(row, column, block); break;
            case 2: direct_tile<N, 2, NB, Hook>{call, hook}(row, column, block); break;
            default: direct_tile<N, 1, NB, Hook>{call, hook}(row, column, block); break;
        }
        column += pixels;
    }
}

}  // namespace impl

/// A convolution or linear layer with bias, residual add and activation fused. Same bits as conv2d_reference of the
/// same level. Faults of the hook strike as in the scalar chain.
template <number N, class Hook = no_hook>
void conv2d(const conv_call<N>& call, const Hook& hook = {}) {
    const shape& out = call.geometry.out;
    int block = call.block_begin;
    if (out.height * out.width == 1) {
        // one pixel has too few chains for the pipeline: take more blocks
        constexpr int wide = level >= instruction_level::v4 ? 8 : 4;
        for (; block + wide <= call.block_end; block += wide) direct_tile<N, 1, wide, Hook>{call, hook}(0, 0, block);
    }
    for (; block + largest_tile.blocks <= call.block_end; block += largest_tile.blocks)
        for (int row = 0; row < out.height; ++row) impl::conv_row<N, largest_tile.blocks>(call, row, block, hook);
    for (; block < call.block_end; ++block)
        for (int row = 0; row < out.height; ++row) impl::conv_row<N, 1>(call, row, block, hook);
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
