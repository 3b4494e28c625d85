// SPDX-License-Identifier: MIT
// Weights stored as they were trained, with their norm's scale beside them.
#pragma once

#include <redoubt/harden/rule.hpp>
#include <redoubt/nn/status.hpp>

#include <cstdint>
#include <span>

namespace redoubt::inline v1 {

/// A batch norm's scale / sqrt(variance + epsilon) is not folded into the weights but kept as a factor of each channel beside the biases, and multiplied in as they are
/// read: stored words are those that were trained, which matters where their format is coarse. io::load() fills both from a checkpoint with norms; factors are 1 where the
/// norm is folded already. Integers have norms folded as ever. Answers differ from those of folded weights by the rounding of the products. Memory: one bias
/// more for each channel. Cost: one multiplication for each weight at every read, through scratch. No Winograd.
template <class... Layers>
struct norm_apart : protection<Layers...> {
    struct transform {
        static constexpr bool keeps_gain = true;
        static constexpr std::uint64_t layout_id = 4;

        template <class Word, class Bound>
        static bool unchanged(std::span<const Word>, Bound) { return true; }
        template <class Word, class Out, class Bound>
        static void apply(std::span<const Word> words, Out* to, Bound, fault_counters&) {
            for (std::size_t i = 0; i < words.size(); ++i) to[i] = static_cast<Out>(words[i]);
        }
    };
};

/// A network without protections that keeps all its norms apart: what a checkpoint is loaded into on its way to layers that keep them.
template <network_type Net>
using with_norms_apart = harden<without_protection<Net>, protect<is_weighted, norm_apart>>;

}  // namespace redoubt::inline v1
