// SPDX-License-Identifier: MIT
// Range restriction of stored words.
#pragma once

#include <redoubt/base/mutant.hpp>
#include <redoubt/number/number.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace redoubt::kernel::inline v1 {

/// What becomes of a word outside its bounds. NaN becomes zero in both.
enum class out_of_range { zero, clamp };

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Replaces the words outside [low, high] and counts them. Bounds are values for floats and codes for integers.
template <class Word, class Bound>
std::uint32_t restrict_range(Word* words, std::size_t count, Bound low, Bound high, out_of_range action) {
    if constexpr (planted == mutant::no_bound) return 0;
    const bool zero = action == out_of_range::zero;
    std::uint32_t outside = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const Bound v = widened(words[i]);
        // written so that NaN fails, without a branch: the loop vectorises
        const bool inside = v >= low && v <= high;
        outside += inside ? 0u : 1u;
        Bound kept = v < low ? low : high;
        if (zero || !(v == v)) kept = Bound{};
        kept = inside ? v : kept;
        if constexpr (std::is_same_v<Word, std::uint8_t>) words[i] = static_cast<std::uint8_t>(kept + 128);
        else if constexpr (std::is_class_v<Word>) { if (!inside) words[i] = Word{kept}; }
        else words[i] = kept;
    }
    return outside;
}

/// The same with an upper bound for each word, `high[i]`; all that is outside becomes zero.
template <class Word, class Bound, class Highs>
std::uint32_t restrict_each(Word* words, std::size_t count, Bound low, Highs high) {
    if constexpr (planted == mutant::no_bound) return 0;
    Word zero{};
    if constexpr (std::is_same_v<Word, std::uint8_t>) zero = 128;  // codes of activations are stored plus that
    std::uint32_t outside = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const Bound v = widened(words[i]), most = high[i];
        const bool inside = v >= low && v <= most;  // not so for NaN
        outside += inside ? 0u : 1u;
        words[i] = inside ? words[i] : zero;
    }
    return outside;
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
