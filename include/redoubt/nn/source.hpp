// SPDX-License-Identifier: MIT
// Where a step's weights come from: straight from the parameters, which a store may have checked before; or, where it found
// something wrong, or where words must be decoded or transformed, through a block of scratch.
#pragma once

#include <redoubt/base/barrier.hpp>
#include <redoubt/kernel/gain.hpp>
#include <redoubt/nn/plan.hpp>
#include <redoubt/nn/status.hpp>

#include <algorithm>
#include <concepts>
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

namespace impl {
/// What a kernel reads of some stored words, for a transform with or without a use for the scale.
template <class Transform, class Word, class Out, class Bound>
void read_through(std::span<const Word> words, Out* to, Bound limit, fault_counters& count, int frac) {
    if constexpr (requires { Transform::apply(words, to, limit, count, frac); }) Transform::apply(words, to, limit, count, frac);
    else Transform::apply(words, to, limit, count);
}
/// One of them. Transforms that read several words as one say how many: `together`.
template <class Out, class Transform, class Word, class Bound>
Out read_one(std::span<const Word> words, std::size_t at, Bound limit, int frac) {
    constexpr std::size_t some = [] {
        if constexpr (requires { Transform::together; }) return Transform::together;
        else return std::size_t{1};
    }();
    Out read[some];
    fault_counters count;
    read_through<Transform>(words.subspan(at / some * some, some), read, limit, count, frac);
    return read[at % some];
}
}  // namespace impl

/// Source of one slot of a network.
template <network_type Net, int Slot>
struct weight_source {
    using N = typename Net::number_type;
    using stored_word = typename N::weight;
    using kernel_weight = typename N::kernel_weight;
    static constexpr slot info = Net::table.slots[static_cast<std::size_t>(Slot)];
    static constexpr bool changes = detail::changes_weights<N>(info), gains = detail::has_gains<N>(info);
    /// Whether kernels may read a copy in the workspace instead of the parameters.
    static constexpr bool fetches = info.checked_on_read || changes;

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
            const auto give = [&](int b, int n, const kernel_weight* at, bool in_scratch) {
                block.begin = b;
                block.end = b + n;
                block.weights = at;
                block.scratch = {};
                if (in_scratch) block.scratch = {const_cast<kernel_weight*>(at), static_cast<std::size_t>(n) * words};
                body(block);
            };
            constexpr std::size_t origin = parameters<Net>::place(Slot).weights - parameters<Net>::place(Slot).primary;
            const auto place = [&](int of) { return origin + static_cast<std::size_t>(of) * words * sizeof(stored_word); };
            block.bias = from.biases(Slot).data();
            const typename N::bias* factors = from.gains(Slot).data();
            constexpr std::size_t channel_bytes = gains ? origin : static_cast<std::size_t>(info.geometry.blocks()) * kernel::lane_count * sizeof(typename N::bias);
            if (!sound(from, 0, channel_bytes)) {
                fetch(from, 0, channel_bytes, space.scratch(), count);
                block.bias = reinterpret_cast<const typename N::bias*>(space.scratch());
                factors = reinterpret_cast<const typename N::bias*>(space.scratch() + (parameters<Net>::place(Slot).gains - parameters<Net>::place(Slot).primary));
            }
            for (int b = from_block; b < blocks; b += at_once) {
                const int n = std::min(at_once, blocks - b);
                const std::span<const stored_word> stored{from.weights(Slot).data() + static_cast<std::size_t>(b) * words,
                                                          static_cast<std::size_t>(n) * words};
                const bool good = sound(from, place(b), place(b + n) - place(b));
                if constexpr (reads_in_place)
                    if (good && unchanged(from, stored)) {
                        give(b, n, stored.data(), false);
                        continue;
                    }
                for (int c = b; c < b + n; c += in_scratch) {
                    const int m = std::min(in_scratch, b + n - c);
                    std::span<const stored_word> some = stored.subspan(static_cast<std::size_t>(c - b) * words, static_cast<std::size_t>(m) * words);
                    if (!good) {
                        fetch(from, place(c), place(c + m) - place(c), space.scratch() + tile.fetched, count);
                        some = {reinterpret_cast<const stored_word*>(space.scratch() + tile.fetched), some.size()};
                    }
                    if constexpr (changes) {
                        auto* const to = reinterpret_cast<kernel_weight*>(space.scratch() + tile.decoded);
                        if constexpr (gains) change_and_multiply(from, some, to, factors, c, count);
                        else change(from, some, to, count);
                        give(c, m, to, true);
                    } else {
                        give(c, m, some.data(), true);
                    }
                }
            }
        }
    }

private:
    static constexpr detail::tile_place tile = detail::tile_of<N>(info);
    template <int Wrapper> struct wrapper_of { using type = type_at<typename Net::wrappers, Wrapper>; };
    template <int Wrapper>
        requires(Wrapper < 0)
    struct wrapper_of<Wrapper> { using type = void; };
    using keeper = typename wrapper_of<info.store>::type;
    using changer = typename wrapper_of<info.transform>::type;
    /// Whether stored words can be what a kernel reads: not where they must be decoded, or are always transformed.
    static constexpr bool reads_in_place = [] {
        if constexpr (decodes_weights<N> || gains) return false;
        else if constexpr (info.transform >= 0) return requires(std::span<const stored_word> w, bound_of<N> limit) { changer::transform::unchanged(w, limit); };
        else return true;
    }();
    /// Output blocks that scratch has room for, and those that are checked, changed or handed out at once.
    static constexpr int in_scratch = detail::blocks_at_once<N>(info);
    static constexpr int at_once = reads_in_place ? detail::blocks_in_place<N>(info) : in_scratch;

    /// Whether bytes of the primary may be read where they lie. Stores that cannot tell have them fetched.
    static bool sound(const parameters<Net>& from, std::size_t first, std::size_t bytes) {
        if constexpr (!info.checked_on_read || planted == mutant::no_comparison) return true;
        else if constexpr (requires { keeper::store::sound(from.primary(Slot), from.extra(Slot), first, bytes); })
            return keeper::store::sound(from.primary(Slot), from.extra(Slot), first, bytes);
        else return false;
    }
    static void fetch(const parameters<Net>& from, std::size_t first, std::size_t bytes, std::byte* to, fault_counters& count) {
        if constexpr (info.checked_on_read) keeper::store::fetch(from.primary(Slot), from.extra(Slot), first, bytes, to, count);
    }
    /// Whether the transform leaves these words as they are.
    static bool unchanged(const parameters<Net>& from, std::span<const stored_word> words) {
        if constexpr (info.transform < 0) return true;
        else return changer::transform::unchanged(words, from.weight_limit(Slot));
    }
    /// Whole blocks from `b` on, piece by piece, so that what looks at words twice finds them in the first cache.
    static void change_and_multiply(const parameters<Net>& from, std::span<const stored_word> words, kernel_weight* to, const typename N::bias* factors, int b,
                                    fault_counters& count) {
        constexpr std::size_t size = kernel::layout_of<N>.block_size(info.geometry), piece = 64 * kernel::lane_count;
        using transform = typename changer::transform;
        constexpr bool may_stay = std::same_as<stored_word, kernel_weight> &&
                                  requires { transform::unchanged(words, from.weight_limit(Slot)); };
        using channel_factors = float[kernel::lane_count];
        constexpr bool in_one_pass = requires(const channel_factors& f) { transform::apply_scaled(words, to, f, count); };
        // what makes a table of all words makes it once
        if constexpr (!may_stay && !in_one_pass) change(from, words, to, count);
        for (std::size_t first = 0; first < words.size(); first += size, ++b) {
            channel_factors by = {};
            for (int lane = 0; lane < info.geometry.channels_in(b); ++lane) by[lane] = static_cast<float>(factors[info.geometry.first_channel(b) + lane]);
            for (std::size_t at = first; at < first + size; at += piece) {
                const auto some = words.subspan(at, std::min(piece, first + size - at));
                const kernel_weight* changed = to + at;
                if constexpr (in_one_pass) {
                    transform::apply_scaled(some, to + at, by, count);
                    continue;
                } else if constexpr (may_stay) {
                    if (transform::unchanged(some, from.weight_limit(Slot))) changed = some.data();
                    else change(from, some, to + at, count);
                }
                kernel::multiply_channels(changed, to + at, some.size() / kernel::lane_count, by);
            }
        }
    }
    static void change(const parameters<Net>& from, std::span<const stored_word> words, kernel_weight* to, fault_counters& count) {
        if constexpr (info.transform >= 0)
            impl::read_through<typename changer::transform>(words, to, from.weight_limit(Slot), count, N::is_integer ? from.weight_frac(Slot) : 0);
        else
            for (std::size_t i = 0; i < words.size(); ++i) to[i] = static_cast<kernel_weight>(words[i]);
    }
};

}  // namespace redoubt::inline REDOUBT_ABI
