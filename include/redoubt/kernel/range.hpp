// SPDX-License-Identifier: MIT
// Range restriction of stored words.
#pragma once

#include <redoubt/base/bits.hpp>
#include <redoubt/base/config.hpp>
#include <redoubt/base/mutant.hpp>
#include <redoubt/number/number.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace redoubt::kernel::inline v1 {

/// What becomes of a word outside its bounds. NaN becomes zero in both.
enum class out_of_range { zero, clamp };

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

/// Words that are looked at before any is written.
inline constexpr std::size_t range_piece = 1024;

/// Whether all words, at most range_piece, lie within [low, high], by reading them once as whole numbers: of floats the words themselves are in the order of their values, from 0 on, or with the
/// magnitude's bits of negative ones turned. False for NaN; it may be so for -0 where low is 0.
template <class Word, class Bound>
bool all_within(const Word* words, std::size_t count, Bound low, Bound high) {
    using bits = word_of<Word>;
    using key = std::make_signed_t<bits>;
    if constexpr (std::is_same_v<Word, std::uint8_t>) {  // a code and 128
        if (low > 127 || high < -128 || low > high) return false;
        const auto first = static_cast<bits>((low < -128 ? -128 : low) + 128), last = static_cast<bits>((high > 127 ? 127 : high) + 128);
        bits outside = 0;
        for (std::size_t i = 0; i < count; ++i) outside = static_cast<bits>(outside | (words[i] < first) | (words[i] > last));
        return outside == 0;
    } else if constexpr (std::is_integral_v<Word>) {
        bits outside = 0;
        for (std::size_t i = 0; i < count; ++i) outside |= static_cast<bits>(words[i] < low) | static_cast<bits>(words[i] > high);
        return outside == 0;
    } else {
        const auto in_order = [](bits w) { return static_cast<key>(w ^ static_cast<bits>(static_cast<bits>(static_cast<key>(w) >> (bits_in<Word> - 1)) >> 1)); };
        // the largest word that is not above the bound, the smallest not below
        const auto held = [&](Bound bound, bool from_below) {
            const auto near = static_cast<Word>(bound);
            const key k = in_order(to_word(near));
            if (from_below && widened(near) > bound) return static_cast<key>(k - 1);
            if (!from_below && widened(near) < bound) return static_cast<key>(k + 1);
            return k;
        };
        if (!(low <= high)) return false;
        const key top = held(high, true);
        // words of a class are copied for vector registers: compilers know loops over whole numbers only
        constexpr bool copies = std::is_class_v<Word> && REDOUBT_LEVEL_NUMBER > 0;
        bits copy[copies ? range_piece : 1];
        if constexpr (copies) std::memcpy(copy, words, count * sizeof(bits));
        const auto word = [&](std::size_t i) {
            if constexpr (copies) return copy[i];
            else return to_word(words[i]);
        };
        if (low == 0) {
            bits most = 0;
            for (std::size_t i = 0; i < count; ++i) most = word(i) > most ? word(i) : most;
            return static_cast<key>(most) >= 0 && static_cast<key>(most) <= top;
        }
        const key bottom = held(low, false);
        key most = std::numeric_limits<key>::min(), least = std::numeric_limits<key>::max();
        for (std::size_t i = 0; i < count; ++i) {
            const key k = in_order(word(i));
            most = k > most ? k : most;
            least = k < least ? k : least;
        }
        return count == 0 || (least >= bottom && most <= top);
    }
}

}  // namespace impl

/// restrict_range() of a piece, word by word.
template <class Word, class Bound>
std::uint32_t restrict_words(Word* words, std::size_t count, Bound low, Bound high, out_of_range action) {
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

/// Replaces the words outside [low, high] and counts them. Bounds are values for floats and codes for integers. Words are read; a piece of them is written
/// only if one in it lies outside.
template <class Word, class Bound>
std::uint32_t restrict_range(Word* words, std::size_t count, Bound low, Bound high, out_of_range action) {
    if constexpr (planted == mutant::no_bound) return 0;
    std::uint32_t outside = 0;
    for (std::size_t i = 0; i < count; i += impl::range_piece) {
        const std::size_t here = count - i < impl::range_piece ? count - i : impl::range_piece;
        if (!impl::all_within(words + i, here, low, high)) outside += restrict_words(words + i, here, low, high, action);
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
