// SPDX-License-Identifier: MIT
// Fault spaces: every bit that a kind of fault can strike, numbered through, so that sites are drawn in proportion.
#pragma once

#include <redoubt/base/philox.hpp>
#include <redoubt/fault/model.hpp>
#include <redoubt/nn/parameters.hpp>

#include <cstdint>
#include <limits>
#include <span>

namespace redoubt::fault::inline v1 {

/// Which part of a fault space draws come from: extra copies and replicas have draws of their own, so that the sites
/// which a protected network shares with the unprotected one meet the same faults.
enum class space : std::uint32_t {
    weights = 0x100,      ///< + copy
    codes = 0x180,        ///< checksums
    biases = 0x190,
    scales = 0x1a0,
    bounds = 0x1b0,
    features = 0x200,     ///< + replica
    activations = 0x300,  ///< + replica
    accumulators = 0x400, ///< + replica
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

/// Which of the parameters are struck: weights in every copy and their checksums; or biases (the primary's), the scales of
/// int8, or the bounds of range restrictions.
enum class target : std::uint8_t { weights, biases, scales, bounds };

/// What to strike. Rate or count: `rate` is the probability of each place of the model (of each bit, for single flips);
/// `count`, where not 0, asks for exactly that many distinct places instead.
struct fault_spec {
    target strikes = target::weights;
    fault_model model{};
    double rate = 0.0;
    std::uint64_t count = 0;
    bit_class bits = bit_class::any;
    int position = -1;     ///< a single bit instead of a class, where not -1
    int only_slot = -1;    ///< a single layer, where not -1 (by slot)
    bool lasts = false;    ///< faults of inferences: the same ones for every image of a trial, as a stuck unit has them

    constexpr bit_range bits_in(const bit_fields& fields) const {
        if (position >= 0) return {position, position < fields.bits ? 1 : 0};
        return range_of(fields, bits);
    }
    constexpr bool takes(int slot) const { return only_slot < 0 || only_slot == slot; }
    /// Places of the model in one word.
    constexpr int places_in(const bit_fields& fields) const { return model.places_in(bits_in(fields).count); }
};

/// Where a stored word of the parameters lies, as the copy of a weight_fault.
enum part : std::int32_t {
    primary_weights = 0,  ///< 1 and more are further copies
    code_bytes = -1,
    primary_biases = -2,
    scale_words = -3,
    bound_words = -4,
};

/// One struck word of the parameters, with what it held before and after: the record of the fault, and its undo.
struct weight_fault {
    std::int32_t copy = 0;    ///< a part
    std::int32_t slot = 0;    ///< scales and bounds of outputs: 0
    std::uint64_t word = 0;   ///< logical weight index ([out][row][col][in]); byte of the code; output channel of a bias; number
                              ///< of the scale or bound
    std::int32_t bit = 0;     ///< lowest struck bit
    struck_word does{};
    float limit = 0.0f;       ///< for what saturates
    std::uint32_t before = 0;
    std::uint32_t after = 0;
};

/// The strata of a spec, layer by layer: one for each place in a word, as large as the layer has words.
struct strata {
    std::span<const std::uint64_t> words;  ///< of each layer that the spec takes; none is empty
    int per_word = 0;                      ///< places in a word

    constexpr std::uint64_t count() const { return words.size() * places(); }
    constexpr std::uint64_t size(std::uint64_t number) const { return words[static_cast<std::size_t>(number / places())]; }
    /// Places of all.
    constexpr std::uint64_t total() const {
        std::uint64_t sum = 0;
        for (const std::uint64_t w : words) sum += w;
        return sum * places();
    }
    /// The stratum that a trial strikes. The first trials meet each once, in order; those after them fall in proportion to sizes: by van
    /// der Corput's sequence over the fault space, of which every 2^k trials in a row meet each 2^-k once.
    constexpr std::uint64_t of_trial(std::uint64_t trial) const {
        if (trial < count()) return trial;
        std::uint64_t at = redoubt::detail::multiply(mirrored(trial - count()), total()).high;
        std::uint64_t first = 0;
        for (const std::uint64_t w : words) {
            if (at < w * places()) return first + at / w;
            at -= w * places();
            first += places();
        }
        return count() - 1;
    }

private:
    constexpr std::uint64_t places() const { return static_cast<std::uint64_t>(per_word); }
    /// A count as a binary fraction of 64 digits, the lowest digit first.
    static constexpr std::uint64_t mirrored(std::uint64_t v) {
        std::uint64_t to = 0;
        for (int bit = 0; bit < 64; ++bit, v >>= 1) to = (to << 1) | (v & 1u);
        return to;
    }
};

}  // namespace redoubt::fault::inline v1
