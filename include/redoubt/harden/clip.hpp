// SPDX-License-Identifier: MIT
// Weights held within their layer's largest magnitude: the simplest protection of parameters, and the rival of all others.
#pragma once

#include <redoubt/kernel/clip.hpp>
#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/parameters.hpp>
#include <redoubt/nn/status.hpp>

#include <algorithm>
#include <cstdint>
#include <span>

namespace redoubt::inline v1 {

/// Weights beyond the largest magnitude that their layer had without faults are read as that magnitude with their sign, NaN as 0; each
/// counts as out of range at every read (of a batch, for each image). Biases are not looked at. encode() takes the magnitude from the weights and keeps it,
/// unprotected, in the parameters. Without faults nothing changes, bit for bit. Memory: 4 bytes a layer, and scratch for two blocks of 16 channels, of linear layers up to eight within 64 KiB.
/// Cost: one pass over the weights, which are then read where they lie.
template <class... Layers>
struct clip_weights : protection<Layers...> {
    struct transform {
        static constexpr std::uint64_t layout_id = 1;

        /// The bound of a layer with these weights; int8: of codes.
        template <class Bound, class Word>
        static Bound limit_of(std::span<const Word> words) {
            const float most = kernel::number_in(kernel::largest_magnitude(words.data(), words.size()));
            return static_cast<Bound>(most < 0.0f ? -most : most);
        }
        template <class Word, class Bound>
        static bool unchanged(std::span<const Word> words, Bound limit) {
            return kernel::all_within(words.data(), words.size(), word_for<Word>(limit));
        }
        template <class Word, class Out, class Bound>
        static void apply(std::span<const Word> words, Out* to, Bound limit, fault_counters& count) {
            count.out_of_range += kernel::clip_magnitude(words.data(), words.size(), word_for<Word>(limit), to);
        }

    private:
        /// A stored word with the bound's magnitude: the negative one, since codes have one more on that side. A struck bound may be
        /// anything, which is defined too.
        template <class Word, class Bound>
        static Word word_for(Bound limit) {
            if constexpr (std::is_integral_v<Word>) return static_cast<Word>(-std::clamp<Bound>(limit, -127, 128));
            else return static_cast<Word>(-limit);
        }
    };
};

}  // namespace redoubt::inline v1
