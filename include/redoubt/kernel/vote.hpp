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

/// Into `a`, where it differs from `b`: the word that two of these and one or two `spares` agree on; where none do, or two pairs do, the bitwise majority of the first three. Counts those words only.
template <class T, class... Spares>
vote_tally vote_where_different(T* a, const T* b, std::size_t count, const T* third, const Spares*... spares) {
    static_assert(sizeof...(Spares) <= 1);
    vote_tally tally;
    for (std::size_t i = 0; i < count; ++i) {
        const auto x = to_word(a[i]), y = to_word(b[i]), z = to_word(third[i]);
        if (x == y) continue;
        ++tally.different;
        if constexpr (planted == mutant::no_vote) continue;
        const bool first = x == z || ((x == to_word(spares[i])) || ...), second = y == z || ((y == to_word(spares[i])) || ...);
        if (first && !second) continue;
        if (second && !first) {
            a[i] = b[i];
        } else if (((z == to_word(spares[i])) || ...)) {
            a[i] = third[i];
        } else {
            ++tally.no_majority;
            a[i] = from_word<T>(majority(x, y, z));
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
