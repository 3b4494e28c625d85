// SPDX-License-Identifier: MIT
// Where a step's weights come from: straight from the parameters, or through a block of scratch that a store has
// fetched and checked, or that a storage format has been decoded into.
#pragma once

#include <redoubt/base/barrier.hpp>
#include <redoubt/nn/plan.hpp>
#include <redoubt/nn/status.hpp>

#include <cstring>

namespace redoubt::inline v1 {

/// Weights that kernels can read, of the output blocks [begin, end).
template <number N>
struct weight_block {
    const typename N::kernel_weight* weights = nullptr;
    const typename N::bias* bias = nullptr;
    int begin = 0;
    int end = 0;
    std::span<typename N::kernel_weight> scratch{};  ///< the same weights where they were fetched or decoded
};

}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

/// Source of one slot of a network.
template <network_type Net, int Slot>
struct weight_source {
    using N = typename Net::number_type;
    using stored_weight = typename N::weight;
    using kernel_weight = typename N::kernel_weight;
    static constexpr slot info = Net::table.slots[static_cast<std::size_t>(Slot)];
    /// Whether kernels read a copy in the workspace instead of the parameters.
    static constexpr bool fetches = info.store >= 0 || decodes_weights<N>;

    /// Calls body(weight_block) for all output blocks in turn; a windowed space may leave out those outside its window.
    template <class Space, class Body>
    static void for_each_block(const parameters<Net>& from, Space& space, fault_counters& count, Body&& body) {
        int from_block = 0, blocks = info.geometry.blocks();
        if constexpr (requires { space.window.block_begin; }) {
            from_block = space.window.block_begin;
            blocks = std::min(blocks, space.window.block_end);
        }
        weight_block<N> block;
        if constexpr (!fetches) {
            constexpr std::size_t words = kernel::layout_of<N>.block_size(info.geometry);
            block.weights = from.weights(Slot).data() + static_cast<std::size_t>(from_block) * words;
            block.bias = from.biases(Slot).data();
            block.begin = from_block;
            block.end = blocks;
            body(block);
        } else {
            constexpr detail::tile_place tile = detail::tile_of<N>(info);
            constexpr int group = detail::blocks_at_once<N>(info.geometry);
            constexpr std::size_t words = kernel::layout_of<N>.block_size(info.geometry);
            std::byte* const scratch = space.scratch();
            block.bias = from.biases(Slot).data();
            if constexpr (info.store >= 0) {
                fetch(from, 0, from.biases(Slot).size_bytes(), scratch, count);
                block.bias = reinterpret_cast<const typename N::bias*>(scratch);
            }
            for (int b = from_block; b < blocks; b += group) {
                const auto n = static_cast<std::size_t>(std::min(group, blocks - b)) * words;
                const auto first = static_cast<std::size_t>(b) * words;
                const stored_weight* stored_words = from.weights(Slot).data() + first;
                if constexpr (info.store >= 0) {
                    constexpr std::size_t origin = parameters<Net>::place(Slot).weights - parameters<Net>::place(Slot).primary;
                    fetch(from, origin + first * sizeof(stored_weight), n * sizeof(stored_weight),
                          scratch + tile.fetched, count);
                    stored_words = reinterpret_cast<const stored_weight*>(scratch + tile.fetched);
                }
                if constexpr (decodes_weights<N>) {
                    auto* to = reinterpret_cast<kernel_weight*>(scratch + tile.decoded);
                    for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<kernel_weight>(stored_words[i]);
                    block.weights = to;
                    block.scratch = {to, n};
                } else {
                    block.weights = stored_words;
                    block.scratch = {reinterpret_cast<kernel_weight*>(scratch + tile.fetched), n};
                }
                block.begin = b;
                block.end = b + static_cast<int>(n / words);
                body(block);
            }
        }
    }

private:
    static void fetch(const parameters<Net>& from, std::size_t first, std::size_t bytes, std::byte* to,
                      fault_counters& count)
        requires(info.store >= 0)
    {
        using store = typename type_at<typename Net::wrappers, info.store>::store;
        store::fetch(from.primary(Slot), from.extra(Slot), first, bytes, to, count);
    }
};

}  // namespace redoubt::inline REDOUBT_ABI
