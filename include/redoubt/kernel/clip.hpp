// SPDX-License-Identifier: MIT
// Stored words held within a magnitude.
#pragma once

#include <redoubt/base/mutant.hpp>
#include <redoubt/number/number.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace redoubt::kernel::inline v1 {

/// A word's magnitude as an unsigned number in the same order: the bits of a float without its sign, so that Inf and NaN are past
/// all numbers; the absolute code of integers and Q formats.
template <class Word>
constexpr auto magnitude_word(Word w) {
    if constexpr (requires { w.code(); }) {
        return magnitude_word(w.code());
    } else if constexpr (std::is_integral_v<Word>) {
        return static_cast<std::make_unsigned_t<Word>>(w < 0 ? -w : w);
    } else {
        constexpr auto sign = static_cast<word_of<Word>>(word_of<Word>{1} << (bits_in<Word> - 1));
        return static_cast<word_of<Word>>(to_word(w) & static_cast<word_of<Word>>(~sign));
    }
}

/// A word as a float; of integers the code.
template <class Word>
constexpr float number_in(Word w) { return static_cast<float>(w); }

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

/// The largest magnitude of some words; 0 of none.
template <class Word>
Word largest_magnitude(const Word* words, std::size_t count) {
    Word most{};
    for (std::size_t i = 0; i < count; ++i)
        if (magnitude_word(words[i]) > magnitude_word(most)) most = words[i];
    return most;
}

/// Whether no word's magnitude is past that of `limit`. One pass without branches: it vectorises.
template <class Word>
bool all_within(const Word* words, std::size_t count, Word limit) {
    if constexpr (planted == mutant::no_bound) return true;
    const auto most = magnitude_word(limit);
    constexpr std::size_t some = 1024;  // then a look, so that little is read in vain
    while (count > 0) {
        const std::size_t n = count < some ? count : some;
        std::remove_const_t<decltype(most)> seen = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const auto m = magnitude_word(words[i]);
            seen = m > seen ? m : seen;
        }
        if (seen > most) return false;
        words += n;
        count -= n;
    }
    return true;
}

/// Copies words, those past `limit` as the number of that magnitude with their sign, NaN as 0; returns how many these were.
template <class Word, class Out>
std::uint32_t clip_magnitude(const Word* words, std::size_t count, Word limit, Out* to) {
    const auto most = magnitude_word(limit);
    std::uint32_t outside = 0;
    for (std::size_t i = 0; i < count; ++i) {
        to[i] = static_cast<Out>(words[i]);
        if (magnitude_word(words[i]) <= most) continue;
        ++outside;
        const float value = number_in(words[i]), bound = number_in(limit) <= 0.0f ? 0.0f - number_in(limit) : number_in(limit);
        const float kept = is_nan(value) ? 0.0f : value < 0.0f ? -bound : bound;
        if constexpr (std::is_integral_v<Out>) to[i] = static_cast<Out>(kept > 127.0f ? 127.0f : kept);
        else to[i] = static_cast<Out>(kept);
    }
    return outside;
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
