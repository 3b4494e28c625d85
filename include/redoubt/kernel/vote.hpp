// SPDX-License-Identifier: MIT
// Votes and comparisons on bits: NaN agrees with itself, and -0 is not +0.
#pragma once

#include <redoubt/base/bits.hpp>
#include <redoubt/base/config.hpp>
#include <redoubt/base/mutant.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace redoubt::kernel::inline v1 {

/// What a vote saw, in words.
struct vote_tally {
    std::uint32_t different = 0;    ///< words in which not all copies agree
    std::uint32_t no_majority = 0;  ///< of those, words in which no two copies agree
};

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Words in which a and b differ.
template <class T>
std::uint32_t count_different(const T* a, const T* b, std::size_t count) {
    if constexpr (planted == mutant::no_comparison) return 0;
    if (std::memcmp(a, b, count * sizeof(T)) == 0) return 0;
    std::uint32_t n = 0;
    for (std::size_t i = 0; i < count; ++i) n += to_word(a[i]) != to_word(b[i]) ? 1u : 0u;
    return n;
}

/// out[i] = bitwise majority of a[i], b[i], c[i]; `out` may be one of them.
template <class T>
vote_tally vote_words(const T* a, const T* b, const T* c, T* out, std::size_t count) {
    vote_tally tally;
    for (std::size_t i = 0; i < count; ++i) {
        const auto x = to_word(a[i]), y = to_word(b[i]), z = to_word(c[i]);
        tally.different += x != y || x != z ? 1u : 0u;
        tally.no_majority += x != y && x != z && y != z ? 1u : 0u;
        if constexpr (planted == mutant::no_vote) out[i] = a[i];
        else out[i] = from_word<T>(majority(x, y, z));
    }
    return tally;
}

/// Into `a`, of four words of which the first two were compared: the word that any two agree on, else the bitwise majority of the first three. Counts only where the first two differ.
template <class T>
vote_tally vote_any_two(T* a, const T* b, const T* c, const T* d, std::size_t count) {
    vote_tally tally;
    for (std::size_t i = 0; i < count; ++i) {
        const auto w = to_word(a[i]), x = to_word(b[i]), y = to_word(c[i]), z = to_word(d[i]);
        if (w == x) continue;
        ++tally.different;
        const bool first = w == y || w == z, second = x == y || x == z;
        if constexpr (planted == mutant::no_vote) continue;
        if (first && !second) continue;
        if (second && !first) a[i] = b[i];
        else if (y == z) a[i] = c[i];
        else {
            // none agree, or two pairs do
            ++tally.no_majority;
            a[i] = from_word<T>(majority(w, x, y));
        }
    }
    return tally;
}

/// Words of which there are three copies, each read as the bitwise majority.
template <class T>
struct voted_words {
    const T* a;
    const T* b;
    const T* c;

    T operator[](std::size_t i) const {
        if constexpr (planted == mutant::no_vote) return a[i];
        else return from_word<T>(majority(to_word(a[i]), to_word(b[i]), to_word(c[i])));
    }
    /// What a vote on the first `count` words sees.
    vote_tally tally(std::size_t count) const {
        vote_tally seen;
        for (std::size_t i = 0; i < count; ++i) {
            const auto x = to_word(a[i]), y = to_word(b[i]), z = to_word(c[i]);
            seen.different += x != y || x != z ? 1u : 0u;
            seen.no_majority += x != y && x != z && y != z ? 1u : 0u;
        }
        return seen;
    }
};
template <class T> voted_words(const T*, const T*, const T*) -> voted_words<T>;

}  // namespace redoubt::kernel::inline REDOUBT_ABI
