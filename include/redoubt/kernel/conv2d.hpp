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

/// Whether there is a tile of `pixels` pixels of a row and `blocks` blocks. Fewer sizes compile faster.
constexpr bool tile_exists(int pixels, int blocks) {
    if (largest_tile.pixels < 14)
        return blocks == 1 && pixels <= largest_tile.pixels && (pixels == 6 || pixels == 4 || pixels == 2 || pixels == 1);
    if (blocks == 3) return pixels == 8 || pixels == 4 || pixels == 1;
    if (blocks == 1) return pixels == 16 || pixels == 8 || pixels == 4 || pixels == 1;
    return pixels == 14 || pixels == 8 || pixels == 7 || pixels == 4 || pixels == 1;
}

/// Pixels of a tile in a row of `width`: the size that covers the row with the least work, an overlap of the last two
/// tiles and something for each tile counted. Outputs under an overlap are computed twice, to the same bits.
constexpr int tile_for(int width, int blocks) {
    int best = 1, least = width * 5;
    for (int size = 16; size > 1; --size) {
        if (!tile_exists(size, blocks) || size > width) continue;
        const int work = (width + size - 1) / size * (size + 4);
        if (work < least) {
            least = work;
            best = size;
        }
    }
    return best;
}

namespace impl {

/// All pixels of the blocks [block, block + NB).
template <number N, int NB, bool Depthwise, class Hook>
void conv_blocks(const conv_call<N>& call, const direct_setup<N>& setup, int block, const Hook& hook) {
    const shape& out = call.geometry.out;
    int row = 0;
    if constexpr (tile_exists(14, NB) && !Depthwise) {
        // two rows of seven fill the registers that one would leave half empty
        if (out.width == 7) {
            const direct_tile<N, tile_shape<2, 7, NB>, Depthwise, Hook> tile{call, setup, hook, block};
            for (; row + 2 <= out.height; row += 2) tile(row, 0);
        }
    }
    const int pixels = tile_for(out.width, NB);
    unrolled<16>([&](auto i) {
        constexpr int size = i() + 1;
        if constexpr (tile_exists(size, NB)) {
            if (pixels != size) return;
            const direct_tile<N, tile_shape<1, size, NB>, Depthwise, Hook> tile{call, setup, hook, block};
            const auto last = out.width - size;
            const auto at = [&](int y, int column) {
                const int from = std::min(column, last);
                tile(y, from, column - from);
            };
            if constexpr (Depthwise && !Hook::sums) {
                // downwards: the rows that tiles share stay in the first cache
                for (int column = 0; column < out.width; column += size)
                    for (int y = 0; y < out.height; ++y) at(y, column);
            } else {
                for (; row < out.height; ++row)
                    for (int column = 0; column < out.width; column += size) at(row, column);
            }
        }
    });
}

/// The blocks [begin, end) of one group.
template <number N, class Hook>
void conv_group(const conv_call<N>& call, const direct_setup<N>& setup, int begin, int end, const Hook& hook) {
    const shape& out = call.geometry.out;
    int block = begin;
    if (out.height * out.width == 1) {
        // one pixel has too few chains for the pipeline: take more blocks
        constexpr int wide = level >= instruction_level::v4 ? 8 : 4;
        for (; block + wide <= end; block += wide)
            direct_tile<N, tile_shape<1, 1, wide>, false, Hook>{call, setup, hook, block}(0, 0);
    }
    for (; block + largest_tile.blocks <= end; block += largest_tile.blocks)
        conv_blocks<N, largest_tile.blocks, false>(call, setup, block, hook);
    if constexpr (largest_tile.blocks > 1)
        for (; block < end; ++block) conv_blocks<N, 1, false>(call, setup, block, hook);
}

}  // namespace impl

/// conv2d() of a depthwise convolution.
template <number N, class Hook = no_hook>
void depthwise_conv2d(const conv_call<N>& call, const Hook& hook = {}) {
    const direct_setup<N> setup{call.geometry};
    int block = call.block_begin;
    for (; block + largest_tile.blocks <= call.block_end; block += largest_tile.blocks)
        impl::conv_blocks<N, largest_tile.blocks, true>(call, setup, block, hook);
    if constexpr (largest_tile.blocks > 1)
        for (; block < call.block_end; ++block) impl::conv_blocks<N, 1, true>(call, setup, block, hook);
}

/// The same call as one long row, which has no remainders, where every pixel is by itself.
template <number N>
conv_call<N> flattened(const conv_call<N>& call) {
    const conv_geometry& g = call.geometry;
    conv_call<N> flat = call;
    if (g.kernel == hw{1} && g.stride == hw{1} && g.pad == hw{0} && g.in.height * g.in.width == g.out.height * g.out.width) {
        flat.geometry.in = {g.in.channels, 1, g.in.height * g.in.width};
        flat.geometry.out = {g.out.channels, 1, g.out.height * g.out.width};
    }
    return flat;
}

/// conv2d() of any other.
template <number N, class Hook = no_hook>
void dense_conv2d(const conv_call<N>& call, const Hook& hook = {}) {
    const conv_geometry& g = call.geometry;
    const conv_call<N> flat = flattened(call);
    const direct_setup<N> setup{flat.geometry};
    for (int block = call.block_begin; block < call.block_end;) {
        const int end = std::min(call.block_end, (block / g.blocks_a_group() + 1) * g.blocks_a_group());
        impl::conv_group(flat, setup, block, end, hook);
        block = end;
    }
}

/// A convolution or linear layer with bias, residual add and activation fused. Same bits as conv2d_reference of the
/// same level. Faults of the hook strike as in the scalar chain. Where the geometry is known at compile time,
/// calling one of the two above directly saves compiling the other.
template <number N, class Hook = no_hook>
void conv2d(const conv_call<N>& call, const Hook& hook = {}) {
    if (call.geometry.is_depthwise()) depthwise_conv2d(call, hook);
    else dense_conv2d(call, hook);
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
