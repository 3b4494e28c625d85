// SPDX-License-Identifier: MIT
// Where sign, exponent and fraction lie in a stored word: the classes of bits that faults are asked for by.
#pragma once

#include <redoubt/base/bits.hpp>

#include <cstdint>
#include <string_view>

namespace redoubt::inline v1 {

/// Bit positions of a stored word, counted from bit 0 (the least significant).
struct bit_fields {
    int bits;      ///< of the whole word
    int fraction;  ///< bits 0 .. fraction-1; for integers all below the sign
    int exponent;  ///< the next ones; 0 for integers and fixed point
    // the sign is the topmost bit, always one

    constexpr bool is_sign(int bit) const { return bit == bits - 1; }
    constexpr bool is_exponent(int bit) const { return bit >= fraction && bit < fraction + exponent; }
    constexpr bool is_fraction(int bit) const { return bit < fraction; }
};

/// Fields of a stored type; specialised beside each type.
template <class T>
inline constexpr bit_fields fields_of = {bits_in<T>, bits_in<T> - 1, 0};
template <>
inline constexpr bit_fields fields_of<float> = {32, 23, 8};

/// A class of bits, as faults are asked for.
enum class bit_class { any, sign, exponent, fraction };

/// Name of a class, as the command line spells it.
constexpr std::string_view name_of(bit_class c) {
    switch (c) {
        case bit_class::sign: return "sign";
        case bit_class::exponent: return "exponent";
        case bit_class::fraction: return "fraction";
        default: return "any";
    }
}

/// How many bits of a word belong to a class; they are contiguous and start at first_bit().
constexpr int bits_of_class(const bit_fields& f, bit_class c) {
    switch (c) {
        case bit_class::sign: return 1;
        case bit_class::exponent: return f.exponent;
        case bit_class::fraction: return f.fraction;
        default: return f.bits;
    }
}

/// Lowest bit of a class.
constexpr int first_bit(const bit_fields& f, bit_class c) {
    switch (c) {
        case bit_class::sign: return f.bits - 1;
        case bit_class::exponent: return f.fraction;
        default: return 0;
    }
}

}  // namespace redoubt::inline v1
