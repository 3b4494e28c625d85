// SPDX-License-Identifier: MIT
// IEEE 754 binary16 as a storage type: arithmetic is done in binary32, rounding to nearest even at each store.
#pragma once

#include <redoubt/number/fields.hpp>
#include <redoubt/number/nan.hpp>

namespace redoubt::inline v1 {

/// Sixteen stored bits. Conversions are exact or rounded to nearest even; overflow gives infinity; every NaN becomes
/// 0x7e00 (or the one binary32 NaN the other way); denormals are kept.
class half {
public:
    constexpr half() = default;
    constexpr explicit half(float value) : bits_{round(to_word(value))} {}
    static constexpr half from_bits(std::uint16_t bits) {
        half h;
        h.bits_ = bits;
        return h;
    }
    constexpr std::uint16_t bits() const { return bits_; }
    constexpr explicit operator float() const { return from_word<float>(widen(bits_)); }

private:
    static constexpr std::uint16_t round(std::uint32_t f) {
        const std::uint32_t sign = (f >> 16) & 0x8000u;
        const std::uint32_t magnitude = f & 0x7fffffffu;
        if (magnitude > 0x7f800000u) return 0x7e00u;
        if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // 65520 and above
        if (magnitude < 0x33000001u) return static_cast<std::uint16_t>(sign);             // 2^-25 ties to zero
        const int exponent = static_cast<int>(magnitude >> 23);
        // below 2^-14 the result is denormal: its unit is 2^-24, so more of the fraction is cut
        const int cut = exponent < 113 ? 126 - exponent : 13;
        const std::uint32_t significand = exponent < 113 ? ((magnitude & 0x7fffffu) | 0x800000u) : magnitude - 0x38000000u;
        const std::uint32_t kept = significand >> cut;
        const std::uint32_t rest = significand & ((1u << cut) - 1u);
        const std::uint32_t tie = 1u << (cut - 1);
        const std::uint32_t up = rest > tie || (rest == tie && (kept & 1u) != 0) ? 1u : 0u;
        return static_cast<std::uint16_t>(sign | (kept + up));
    }
    static constexpr std::uint32_t widen(std::uint16_t h) {
        const std::uint32_t sign = (std::uint32_t{h} & 0x8000u) << 16;
        const std::uint32_t exponent = (h >> 10) & 31u;
        const std::uint32_t fraction = h & 0x3ffu;
        if (exponent == 31) return fraction != 0 ? canonical_nan_word : sign | 0x7f800000u;
        if (exponent != 0) return sign | ((exponent + 112u) << 23) | (fraction << 13);
        if (fraction == 0) return sign;
        const int shift = std::countl_zero(fraction) - 21;  // brings the leading one to bit 10
        return sign | (static_cast<std::uint32_t>(113 - shift) << 23) | (((fraction << shift) & 0x3ffu) << 13);
    }

    std::uint16_t bits_ = 0;
};

template <>
inline constexpr bit_fields fields_of<half> = {16, 10, 5};

}  // namespace redoubt::inline v1
