// SPDX-License-Identifier: MIT
// Fault spaces: every bit that a kind of fault can strike, numbered through, so that sites are drawn in proportion.
#pragma once

#include <redoubt/fault/draw.hpp>
#include <redoubt/nn/parameters.hpp>

#include <cstdint>
#include <limits>

namespace redoubt::fault::inline v1 {

/// Which part of a fault space draws come from: extra copies and replicas have draws of their own, so that the sites
/// which a protected network shares with the unprotected one meet the same faults.
enum class space : std::uint32_t {
    weights = 0x100,      ///< + copy
    codes = 0x180,        ///< checksums
    features = 0x200,     ///< + replica
    activations = 0x300,  ///< + replica
};

/// A part by its number.
constexpr std::uint32_t part_of(space s, int number) { return static_cast<std::uint32_t>(s) + static_cast<std::uint32_t>(number); }

/// Which bits of a word may be struck: [first, first + count).
struct bit_range {
    int first = 0;
    int count = 0;
};

/// The bits of a class in words with these fields; count 0 where the words have no such class.
constexpr bit_range range_of(const bit_fields& fields, bit_class c) {
    return {first_bit(fields, c), bits_of_class(fields, c)};
}

/// What to strike. Rate or count: `rate` is the probability of each bit; `count`, where not 0, asks for exactly that many
/// distinct bits instead.
struct fault_spec {
    double rate = 0.0;
    std::uint64_t count = 0;
    bit_class bits = bit_class::any;
    int position = -1;     ///< a single bit instead of a class, where not -1
    int only_slot = -1;    ///< a single layer, where not -1 (by slot)

    constexpr bit_range bits_in(const bit_fields& fields) const {
        if (position >= 0) return {position, position < fields.bits ? 1 : 0};
        return range_of(fields, bits);
    }
    constexpr bool takes(int slot) const { return only_slot < 0 || only_slot == slot; }
};

/// One flipped bit of the parameters, with the stored word before and after: the record of the fault, and its undo.
struct weight_fault {
    std::int32_t copy = 0;    ///< 0 the primary, 1.. further copies, -1 code bits
    std::int32_t slot = 0;
    std::uint64_t word = 0;   ///< logical weight index ([out][row][col][in]); byte of the code for copy -1
    std::int32_t bit = 0;
    std::uint32_t before = 0;
    std::uint32_t after = 0;
};

}  // namespace redoubt::fault::inline v1
