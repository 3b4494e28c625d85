// SPDX-License-Identifier: MIT
// Weights stored as large as their format allows: Fuengfusin and Tamukoh, "Weight scaling" (arXiv 2411.18993), with powers of two.
#pragma once

#include <redoubt/kernel/clip.hpp>
#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/status.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>

namespace redoubt::inline v1 {

/// Weights are stored times 2^k, k the largest for which the layer's largest magnitude stays finite, and read times 2^-k. A flip can then
/// make none larger than twice that magnitude: infinity is read as the format's largest number times 2^-k, NaN as 0; both count as out of range. The paper leaves the
/// factor open. store_for_transforms() scales, once. Without faults nothing changes, bit for bit. Biases are
/// not scaled. int8 is refused: its weights have a scale of their own already. Memory: 4 bytes a layer. Cost: one multiplication for each weight at
/// every read, through scratch. No Winograd.
template <class... Layers>
struct scale : protection<Layers...> {
    struct transform {
        static constexpr bool recodes = true;
        static constexpr std::uint64_t layout_id = 2;

        template <class Word, class Out, class Bound>
        static void apply(std::span<const Word> words, Out* to, Bound factor, fault_counters& count) {
            static_assert(!std::is_integral_v<Word>, "redoubt: scale does not take int8, whose weights have a scale of their own");
            std::uint32_t odd = 0;
            // in two steps, since 2^-k may be below the normal numbers, which are slow
            const float most = largest<Word>(), first = 0x1p-64f, second = factor * 0x1p64f;
            for (std::size_t i = 0; i < words.size(); ++i) {
                const float v = static_cast<float>(words[i]);
                const float held = v > most ? most : v < -most ? -most : v;
                odd += v > most || v < -most || !(v == v) ? 1u : 0u;
                to[i] = static_cast<Out>(v == v ? held * first * second : 0.0f);
            }
            count.out_of_range += odd;
        }
        template <class Word, class Bound>
        static void invert(std::span<Word> words, Bound& factor, int) {
            const float magnitude = kernel::number_in(kernel::largest_magnitude(words.data(), words.size()));
            const float size = magnitude < 0.0f ? -magnitude : magnitude;
            int k = 0;
            while (size > 0.0f && k < 149 && scaled(size, k + 1) <= most_positive<Word>()) ++k;
            for (Word& w : words) w = static_cast<Word>(scaled(static_cast<float>(w), k));
            factor = static_cast<Bound>(scaled(1.0f, -k));
        }

    private:
        template <class Word>
        static constexpr float most_positive() {
            if constexpr (requires { Word{}.code(); }) return static_cast<float>(Word::from_code(127));
            else return largest<Word>();
        }
        template <class Word>
        static constexpr float largest() {
            if constexpr (requires { Word{}.code(); }) return -static_cast<float>(Word::from_code(-128));  // no code is outside
            else return static_cast<float>(from_word<Word>(static_cast<word_of<Word>>(to_word(static_cast<Word>(std::numeric_limits<float>::infinity())) - 1)));
        }
    };
};

}  // namespace redoubt::inline v1
