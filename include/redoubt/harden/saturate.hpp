// SPDX-License-Identifier: MIT
// Saturating functions of weights, applied as they are read: Fuengfusin and Tamukoh, "Saturating activation functions on weights" (arXiv 2411.19027).
#pragma once

#include <redoubt/kernel/clip.hpp>
#include <redoubt/kernel/saturate.hpp>
#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/status.hpp>

#include <cstdint>
#include <limits>
#include <span>

namespace redoubt::inline v1 {

using kernel::saturation;

/// Kernels read F of each stored weight, so that no flip makes one larger than F's bound; NaN is read as 0. Biases are not transformed. With a bound
/// Numerator / Denominator it is bound * F(w / bound); of tanh a parametric form of what the paper calls a modified one, whose formula we
/// have not seen.
///
/// The network is one that was trained with F, or store_for_transforms() turns plain weights into those that F takes back to them; magnitudes past
/// F's range become the smallest number that F takes to its bound. A norm's scale is not folded into such weights: it is kept as a factor of each channel beside the biases,
/// and multiplied in after F, so that words are those that were trained (integers: folded, since their scales are powers of two); a channel of plain weights that reaches past F's
/// range is divided by what brings it to nine tenths of that, its factor multiplied, and nothing is lost. NaN and infinite
/// words (hardtanh: all beyond its bound) count as out of range at every read. Cost: F of every weight at every read, through scratch; words of eight bits by table. No
/// Winograd.
template <saturation F, int Numerator, int Denominator, class... Layers>
struct basic_saf : protection<Layers...> {
    template <class... New> using around = basic_saf<F, Numerator, Denominator, New...>;

    static_assert(Numerator > 0 && Denominator > 0, "redoubt: the bound of a saturating function is positive");
    struct transform {
        static constexpr bool keeps_gain = true;
        static constexpr std::uint64_t layout_id =
            16 + static_cast<std::uint64_t>(F) + (static_cast<std::uint64_t>(Numerator) << 8) + (static_cast<std::uint64_t>(Denominator) << 36);
        static constexpr float bound = static_cast<float>(Numerator) / static_cast<float>(Denominator);
        static constexpr bool clamps = F == saturation::hardtanh;
        /// The largest magnitude that kernels can read.
        static float most() { return kernel::saturated<F>(std::numeric_limits<float>::max(), bound, 1.0f / bound); }

        /// A clamp leaves most words as they are.
        template <class Word, class Bound>
            requires(clamps && !std::is_integral_v<Word>)
        static bool unchanged(std::span<const Word> words, Bound) {
            return kernel::all_within(words.data(), words.size(), static_cast<Word>(-bound));
        }
        template <class Word, class Out, class Bound>
        static void apply(std::span<const Word> words, Out* to, Bound, fault_counters& count, int frac) {
            if constexpr (clamps && !std::is_integral_v<Word>)
                count.out_of_range += kernel::clip_magnitude(words.data(), words.size(), static_cast<Word>(-bound), to);
            else count.out_of_range += kernel::saturate<F>(words.data(), words.size(), to, bound, frac);
        }
        /// A block of 16 channels at once with the factors that its weights are multiplied by.
        static void apply_scaled(std::span<const float> words, float* to, const float (&factors)[kernel::lane_count], fault_counters& count)
            requires(!clamps)
        {
            count.out_of_range += kernel::saturate_and_multiply<F>(words.data(), words.size() / kernel::lane_count, to, bound, factors);
        }
        template <class Word, class Bound>
        static void invert(std::span<Word> words, Bound&, int frac) {
            for (Word& w : words) {
                if constexpr (std::is_integral_v<Word>) {
                    const float v = kernel::unsaturated<F>(scaled(static_cast<float>(w), -frac), bound);
                    w = static_cast<Word>(round_saturate(scaled(v, frac), -127, 127));
                } else {
                    const float v = kernel::unsaturated<F>(static_cast<float>(w), bound);
                    w = static_cast<Word>(v);
                    // a format that cannot hold it takes its largest number
                    const float back = static_cast<float>(w);
                    if (!(back - back == 0.0f)) w = from_word<Word>(static_cast<word_of<Word>>(to_word(w) - 1));
                }
            }
        }
    };
};

/// tanh of each weight.
template <class... Layers>
struct saf : basic_saf<saturation::tanh, 1, 1, Layers...> {};

}  // namespace redoubt::inline v1
