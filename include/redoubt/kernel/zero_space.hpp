// SPDX-License-Identifier: MIT
// A code in the spare bits of eight small int8 weights: Guan, Ning, Lin, Shen, Zhou, Lim, "In-place zero-space memory protection for CNN" (NeurIPS 2019).
#pragma once

#include <redoubt/base/config.hpp>
#include <redoubt/base/mutant.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace redoubt::kernel::inline v1 {

/// Of eight weights the first seven lie in [-64, 63], so that their bits 6 and 7 are equal: bit 6 then carries one of seven check bits of Hsiao's (64, 57)
/// code over the other 57 bits. Every column of the code has odd weight: one flipped bit has an odd syndrome, two an even one.
struct zero_space_code {
    static constexpr int checks = 7;
    static constexpr std::uint64_t spare = 0x0040404040404040u;  ///< bit 6 of the first seven bytes

    std::array<std::uint8_t, 64> column{};         ///< of each bit
    std::array<std::uint64_t, checks> rows{};      ///< bits that a check covers, its own included
    std::array<std::uint8_t, 128> bit_of{};        ///< the bit with that column

    constexpr zero_space_code() {
        int next = 0;
        for (int bit = 0; bit < 64; ++bit) {
            int c = 0;
            if (((spare >> bit) & 1u) != 0) {
                c = 1 << (bit / 8);
            } else {
                do ++next; while (std::popcount(static_cast<unsigned>(next)) % 2 == 0 || std::popcount(static_cast<unsigned>(next)) == 1);
                c = next;
            }
            column[static_cast<std::size_t>(bit)] = static_cast<std::uint8_t>(c);
            bit_of[static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(bit);
            for (int r = 0; r < checks; ++r)
                if (((c >> r) & 1) != 0) rows[static_cast<std::size_t>(r)] |= std::uint64_t{1} << bit;
        }
    }
    constexpr unsigned syndrome(std::uint64_t word) const {
        unsigned s = 0;
        for (unsigned r = 0; r < checks; ++r) s |= (static_cast<unsigned>(std::popcount(word & rows[r])) & 1u) << r;
        return s;
    }
    /// The word with its check bits.
    constexpr std::uint64_t encoded(std::uint64_t word) const {
        const unsigned s = syndrome(word & ~spare);
        std::uint64_t bits = 0;
        for (unsigned r = 0; r < checks; ++r) bits |= static_cast<std::uint64_t>((s >> r) & 1u) << (8 * r + 6);
        return (word & ~spare) | bits;
    }
    /// The weights of a word without faults.
    static constexpr std::uint64_t weights_of(std::uint64_t word) { return (word & ~spare) | ((word >> 1) & spare); }
};
inline constexpr zero_space_code zero_space_bits{};

/// What zero_space_read saw, in words of eight weights.
struct zero_space_tally {
    std::uint32_t corrected = 0;
    std::uint32_t uncorrected = 0;
};

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

static_assert(std::endian::native == std::endian::little, "redoubt: eight weights are one word, the first its lowest byte");

/// Writes the weights of coded words, `count` a multiple of 8: one flipped bit of eight bytes is corrected, two are found and left.
inline zero_space_tally zero_space_read(const std::int8_t* from, std::size_t count, std::int8_t* to) {
    constexpr const zero_space_code& code = zero_space_bits;
    constexpr std::size_t some = 32;
    zero_space_tally tally;
    for (std::size_t at = 0; at < count; at += 8 * some) {
        const std::size_t words = (count - at) / 8 < some ? (count - at) / 8 : some;
        std::uint64_t word[some];
        std::memcpy(word, from + at, words * 8);
        std::uint64_t odd = 0;
        for (std::size_t i = 0; i < words; ++i)
            for (const std::uint64_t row : code.rows) odd |= static_cast<std::uint64_t>(std::popcount(word[i] & row));
        if constexpr (planted == mutant::no_code) odd = 0;
        if ((odd & 1u) != 0)
            for (std::size_t i = 0; i < words; ++i) {
                const unsigned s = code.syndrome(word[i]);
                if (s == 0) continue;
                const bool single = std::popcount(s) % 2 != 0;
                if (single) word[i] ^= std::uint64_t{1} << code.bit_of[s];
                ++(single ? tally.corrected : tally.uncorrected);
            }
        for (std::size_t i = 0; i < words; ++i) word[i] = zero_space_code::weights_of(word[i]);
        std::memcpy(to + at, word, words * 8);
    }
    return tally;
}

/// Puts check bits into weights, `count` a multiple of 8, of which seven in eight are first held within [-64, 63]; how many that changed.
inline std::size_t zero_space_write(std::int8_t* weights, std::size_t count) {
    std::size_t changed = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (i % 8 == 7) continue;
        const std::int8_t held = weights[i] > 63 ? std::int8_t{63} : weights[i] < -64 ? std::int8_t{-64} : weights[i];
        changed += held != weights[i] ? 1u : 0u;
        weights[i] = held;
    }
    for (std::size_t i = 0; i < count; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, weights + i, 8);
        word = zero_space_bits.encoded(word);
        std::memcpy(weights + i, &word, 8);
    }
    return changed;
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
