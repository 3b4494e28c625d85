// SPDX-License-Identifier: MIT
// Values seen as words of bits: the form in which faults strike and voters vote.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace redoubt::inline v1 {

namespace detail {
template <int Bytes> struct word;
template <> struct word<1> { using type = std::uint8_t; };
template <> struct word<2> { using type = std::uint16_t; };
template <> struct word<4> { using type = std::uint32_t; };
template <> struct word<8> { using type = std::uint64_t; };
}  // namespace detail

/// The unsigned integer of T's size.
template <class T>
using word_of = typename detail::word<static_cast<int>(sizeof(T))>::type;

/// Number of bits in a stored T.
template <class T>
inline constexpr int bits_in = static_cast<int>(8 * sizeof(T));

/// The bits of a value.
template <class T>
constexpr word_of<T> to_word(T value) { return std::bit_cast<word_of<T>>(value); }

/// The value with those bits.
template <class T>
constexpr T from_word(word_of<T> word) { return std::bit_cast<T>(word); }

/// The value with every bit of `mask` flipped. Flipping twice restores it.
template <class T>
constexpr T flip(T value, word_of<T> mask) {
    return from_word<T>(static_cast<word_of<T>>(to_word(value) ^ mask));
}

/// A word with one bit set; bit 0 is the least significant.
template <class T>
constexpr word_of<T> bit_mask(int bit) { return static_cast<word_of<T>>(word_of<T>{1} << bit); }

/// What becomes of a struck word: the bits of `keep` stay, then those of `flip` are flipped. A flip keeps all; bits
/// stuck at 0 are not kept; stuck at 1, not kept and flipped; a whole new value keeps none.
struct word_change {
    std::uint32_t keep = 0xffffffffu;
    std::uint32_t flip = 0;

    constexpr bool operator==(const word_change&) const = default;
};

/// The value after that change.
template <class T>
constexpr T changed(T value, const word_change& by) {
    return from_word<T>(static_cast<word_of<T>>((to_word(value) & static_cast<word_of<T>>(by.keep)) ^
                                                static_cast<word_of<T>>(by.flip)));
}

/// Bitwise majority of three words: each bit is the one that at least two of them have.
template <class Word>
    requires std::is_unsigned_v<Word>
constexpr Word majority(Word a, Word b, Word c) {
    return static_cast<Word>((a & b) | (c & static_cast<Word>(a | b)));
}

}  // namespace redoubt::inline v1
