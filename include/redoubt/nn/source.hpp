// SPDX-License-Identifier: MIT
// Where a step's weights come from: straight from the parameters, which a store may have checked before; or, where it found
// something wrong or a storage format must be decoded, through a block of scratch.
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
    std::span<typename N::kernel_weight> scratch{};  ///< the same weights where they were fetched or decoded, else empty
};

}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

/// Source of one slot of a network.
template <network_type Net, int Slot>
struct weight_source {
    using N = typename Net::number_type;
    using stored_word = typename N::weight;
    using kernel_weight = typename N::kernel_weight;
    static constexpr slot info = Net::table.slots[static_cast<std::size_t>(Slot)];
    /// Whether kernels may read a copy in the workspace instead of the parameters.
    static constexpr bool fetches = info.store >= 0 || decodes_weights<N>;

    /// Calls body(weight_block) for all output blocks in turn; a windowed space may leave out those outside its window.
    template <class Space, class Body>
    static void for_each_block(const parameters<Net>& from, Space& space, fault_counters& count, Body&& body) {
        int from_block = 0, blocks = info.geometry.blocks();
        if constexpr (requires { space.window.block_begin; }) {
            from_block = space.window.block_begin;
            blocks = std::min(blocks, space.window.block_end);
        }
        constexpr std::size_t words = kernel::layout_of<N>.block_size(info.geometry);
        weight_block<N> block;
        if constexpr (!fetches) {
            block.weights = from.weights(Slot).data() + static_cast<std::size_t>(from_block) * words;
            block.bias = from.biases(Slot).data();
            block.begin = from_block;
            block.end = blocks;
            body(block);
        } else {
            const auto give = [&](int b, int n, const stored_word* at, bool in_scratch) {
                block.begin = b;
                block.end = b + n;
                const std::size_t count_of_words = static_cast<std::size_t>(n) * words;
                if constexpr (decodes_weights<N>) {
                    auto* to = reinterpret_cast<kernel_weight*>(space.scratch() + tile.decoded);
                    for (std::size_t i = 0; i < count_of_words; ++i) to[i] = static_cast<kernel_weight>(at[i]);
                    block.weights = to;
                    block.scratch = {to, count_of_words};
                } else {
                    block.weights = at;
                    block.scratch = {};
                    if (in_scratch) block.scratch = {reinterpret_cast<kernel_weight*>(space.scratch() + tile.fetched), count_of_words};
                }
                body(block);
            };
            block.bias = from.biases(Slot).data();
            if constexpr (info.store >= 0) {
                if (!sound(from, 0, from.biases(Slot).size_bytes())) {
                    fetch(from, 0, from.biases(Slot).size_bytes(), space.scratch(), count);
                    block.bias = reinterpret_cast<const typename N::bias*>(space.scratch());
                }
            }
            for (int b = from_block; b < blocks; b += at_once) {
                const int n = std::min(at_once, blocks - b);
                const stored_word* stored = from.weights(Slot).data() + static_cast<std::size_t>(b) * words;
                if constexpr (info.store < 0) {
                    give(b, n, stored, false);
                } else {
                    constexpr std::size_t origin = parameters<Net>::place(Slot).weights - parameters<Net>::place(Slot).primary;
                    const auto place = [&](int of) { return origin + static_cast<std::size_t>(of) * words * sizeof(stored_word); };
                    if (sound(from, place(b), place(b + n) - place(b))) {
                        give(b, n, stored, false);
                        continue;
                    }
                    for (int c = b; c < b + n; c += in_scratch) {
                        const int m = std::min(in_scratch, b + n - c);
                        fetch(from, place(c), place(c + m) - place(c), space.scratch() + tile.fetched, count);
                        give(c, m, reinterpret_cast<const stored_word*>(space.scratch() + tile.fetched), true);
                    }
                }
            }
        }
    }

private:
    static constexpr detail::tile_place tile = detail::tile_of<N>(info);
    /// Output blocks that scratch has room for, and those that are checked, decoded or handed out at once.
    static constexpr int in_scratch = detail::blocks_at_once<N>(info.geometry);
    static constexpr int at_once = info.store < 0 || decodes_weights<N> ? in_scratch : detail::blocks_in_place<N>(info.geometry);

    /// Whether bytes of the primary may be read where they lie. Stores that cannot tell have them fetched.
    static bool sound(const parameters<Net>& from, std::size_t first, std::size_t bytes)
        requires(info.store >= 0)
    {
        using store = typename type_at<typename Net::wrappers, info.store>::store;
        if constexpr (requires { store::sound(from.primary(Slot), from.extra(Slot), first, bytes); })
            return store::sound(from.primary(Slot), from.extra(Slot), first, bytes);
        else return false;
    }
    static void fetch(const parameters<Net>& from, std::size_t first, std::size_t bytes, std::byte* to,
                      fault_counters& count)
        requires(info.store >= 0)
    {
        using store = typename type_at<typename Net::wrappers, info.store>::store;
        store::fetch(from.primary(Slot), from.extra(Slot), first, bytes, to, count);
    }
};

}  // namespace redoubt::inline REDOUBT_ABI
