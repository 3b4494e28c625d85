// SPDX-License-Identifier: MIT
// The brain float as a storage type: the upper half of a binary32. Arithmetic is done in binary32, rounding to nearest
// even at each store.
#pragma once

#include <redoubt/number/fields.hpp>
#include <redoubt/number/nan.hpp>

namespace redoubt::inline v1 {

/// Sixteen stored bits: a sign, 8 exponent and 7 fraction bits. Conversions are exact or rounded to nearest even;
/// overflow gives infinity; every NaN becomes 0x7fc0 (or the one binary32 NaN the other way); denormals are kept.
class brain {
public:
    constexpr brain() = default;
    constexpr explicit brain(float value) : bits_{round(to_word(value))} {}
    static constexpr brain from_bits(std::uint16_t bits) {
        brain b;
        b.bits_ = bits;
        return b;
    }
    constexpr std::uint16_t bits() const { return bits_; }
    constexpr explicit operator float() const { return canonical(from_word<float>(std::uint32_t{bits_} << 16)); }

private:
    static constexpr std::uint16_t round(std::uint32_t f) {
        if ((f & 0x7fffffffu) > 0x7f800000u) return 0x7fc0u;
        // just below half a unit, and one more where the kept part is odd: a tie carries to the even neighbour
        return static_cast<std::uint16_t>((f + 0x7fffu + ((f >> 16) & 1u)) >> 16);
    }

    std::uint16_t bits_ = 0;
};

template <>
inline constexpr bit_fields fields_of<brain> = {16, 7, 8};

}  // namespace redoubt::inline v1
