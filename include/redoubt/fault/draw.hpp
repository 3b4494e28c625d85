// SPDX-License-Identifier: MIT
// Which bits of a fault space are struck: at a rate, or exactly so many. A draw is a function of its key alone, so that
// threads, order, ranks and vector width cannot change it; it takes no heap.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/fault/levels.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace redoubt::fault::inline v1 {

/// Rates up to this one are drawn by levels, higher ones bit by bit. Faults are nested in the rate within each regime
/// (the faults at a lower rate are among those at a higher one, under the same key), not across.
inline constexpr double sparse_limit = 0x1p-7;

}  // namespace redoubt::fault::inline v1

namespace redoubt::fault::inline REDOUBT_ABI {

/// The faults of one rate in (0, sparse_limit] in bits [first, last), by merging the levels; what draw_bits calls.
template <class Sink>
void draw_sparse(const draw_key& key, double rate, std::uint64_t first, std::uint64_t last, Sink&& sink) {
    const level_faults faults{key, rate, first, last};
    // Walkers that stand on a fault, the nearest first. Each level has half the faults of the one before it, so after
    // a step the front walker seldom moves far back.
    std::array<detail::level_walker, detail::last_level - detail::first_level + 1> queue;
    std::size_t size = 0;
    for (int k = detail::last_level; k >= faults.thinned(); --k) {
        detail::level_walker w = faults.walker(k);
        if (!faults.advance(w)) continue;
        std::size_t at = size++;
        for (; at > 0 && queue[at - 1].place > w.place; --at) queue[at] = queue[at - 1];
        queue[at] = w;
    }
    while (size > 0) {
        detail::level_walker w = queue[0];
        const std::uint64_t struck = w.place;
        sink(struck);
        // Levels are drawn without regard to each other: two may have struck the same bit, which is one fault.
        do {
            const bool more = faults.advance(w);
            std::size_t at = 1;
            for (; at < size && (!more || queue[at].place < w.place); ++at) queue[at - 1] = queue[at];
            if (more) queue[at - 1] = w;
            else --size;
            w = queue[0];
        } while (size > 0 && w.place == struck);
    }
}

/// Which of the 64 bits of word `word` of a space, among those of `open`, are struck at a rate in (sparse_limit, 1) with these
/// binary digits.
///
/// Each bit has a uniform number, of which a random word holds one binary digit for 64 bits at once; a bit is struck
/// when its number is below the rate. Digits are compared from the highest until every bit is decided, some eight
/// words; the rate's digits end after at most 60, so the comparison is exact.
constexpr std::uint64_t struck_mask(const detail::draw_words& words, std::uint64_t digits, std::uint64_t word, std::uint64_t open) {
    std::uint64_t struck = 0;
    for (std::uint32_t index = 0; open != 0 && digits != 0; ++index) {
        const auto planes = words.at(detail::dense_level, word, index);
        for (const std::uint64_t plane : {planes.first, planes.second}) {
            const bool digit = (digits >> 63) != 0;
            if (digit) struck |= open & ~plane;
            open &= digit ? plane : ~plane;
            digits <<= 1;
        }
    }
    return struck;
}

/// The faults of one rate in (sparse_limit, 1) in bits [first, last), word by word; what draw_bits calls.
template <class Sink>
void draw_dense(const draw_key& key, double rate, std::uint64_t first, std::uint64_t last, Sink&& sink) {
    const detail::draw_words words{key};
    const auto digits = static_cast<std::uint64_t>(rate * 0x1p64);
    for (std::uint64_t word = first / 64; word * 64 < last; ++word) {
        std::uint64_t open = ~std::uint64_t{0};
        if (word == first / 64) open &= ~std::uint64_t{0} << first % 64;
        if (word == last / 64) open &= ~(~std::uint64_t{0} << last % 64);
        for (std::uint64_t struck = struck_mask(words, digits, word, open); struck != 0; struck &= struck - 1) {
            sink(word * 64 + static_cast<std::uint64_t>(std::countr_zero(struck)));
        }
    }
}

/// Strikes each bit of [first, last) independently with probability `rate`: calls sink(index) with the struck ones in
/// increasing order, each once. They are exactly those that a draw over a larger range finds here, so that a space can
/// be drawn in parts. Rate 0 strikes nothing, 1 and more everything; negative or NaN breaks a precondition, as does
/// `last` past 2^62. Cost: a Philox call for each level (some 30), and one with a logarithm for each fault; past
/// sparse_limit some four calls for each 64 bits. Deterministic; no heap.
template <class Sink>
void draw_bits(const draw_key& key, double rate, std::uint64_t first, std::uint64_t last, Sink&& sink) {
    REDOUBT_EXPECTS(rate >= 0.0);
    REDOUBT_EXPECTS(first <= last && last <= std::uint64_t{1} << 62);
    if (rate == 0.0 || first == last) return;
    if (rate >= 1.0) {
        for (std::uint64_t bit = first; bit < last; ++bit) sink(bit);
    } else if (rate <= sparse_limit) {
        draw_sparse(key, rate, first, last, sink);
    } else {
        draw_dense(key, rate, first, last, sink);
    }
}

/// The same for bits [0, bits).
template <class Sink>
void draw_bits(const draw_key& key, double rate, std::uint64_t bits, Sink&& sink) {
    draw_bits(key, rate, 0, bits, sink);
}

/// Fills `out` with distinct bits below `bits`, ascending; every set of out.size() bits is equally likely. More bits
/// than there are break a precondition. Up to an eighth of the space the sets are nested: under one key, n bits are
/// among n + 1. Cost: n log n up to that, then one random number for each bit of the space. Deterministic; no heap.
inline void draw_exactly(const draw_key& key, std::uint64_t bits, std::span<std::uint64_t> out) {
    const std::uint64_t count = out.size();
    REDOUBT_EXPECTS(count <= bits);
    const philox_counter h = detail::draw_words{key}.hash();
    random_stream random{(std::uint64_t{h[1]} << 32) | h[0], {h[2], h[3], 0, 0}};

    if (count <= bits / 8) {
        // The first n distinct numbers of one stream; whatever is missing after removing repetitions is drawn anew.
        auto end = out.begin();
        while (end != out.end()) {
            for (; end != out.end(); ++end) *end = random.below(bits);
            std::sort(out.begin(), end);
            end = std::unique(out.begin(), end);
        }
        return;
    }
    // Each bit in turn, with the probability that it is one of those still wanted among those still to come.
    std::uint64_t wanted = count;
    for (std::uint64_t bit = 0; wanted > 0; ++bit) {
        if (random.below(bits - bit) < wanted) out[static_cast<std::size_t>(count - wanted--)] = bit;
    }
}

}  // namespace redoubt::fault::inline REDOUBT_ABI
