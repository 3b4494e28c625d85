// SPDX-License-Identifier: MIT
// What a fault does to the words it strikes: a flipped bit, several, a stuck one, another value.
#pragma once

#include <redoubt/fault/draw.hpp>
#include <redoubt/number/fields.hpp>
#include <redoubt/number/fixed.hpp>
#include <redoubt/number/number.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace redoubt::fault::inline v1 {

/// What happens to the struck bits or word.
enum class effect : std::uint8_t {
    flip,          ///< bits are inverted
    stuck_at_0,    ///< bits are 0, whatever was there
    stuck_at_1,    ///< bits are 1
    zero,          ///< the word is the number 0
    random_word,   ///< the word's bits are uniform
    not_a_number,  ///< the word is NaN; floats only
    out_of_range,  ///< the value lies beyond the largest magnitude seen without faults, up to 600 times it: CLASSES' class
                   ///< (arXiv 2206.02051; D4De/classes). int8: a code beyond it, the lowest where there is none
    bit_bias,      ///< features: +-2^i units are added, i uniform in 0..7 and the sign at random: MiBB of FTT-NAS
                   ///< (arXiv 2003.10375). The rate is p_m, per multiply-add: a feature of M of them is struck with
                   ///< probability 1 - (1 - p_m)^M, exactly (the authors' code has 1 / floor(1 / p)). int8: the unit is a
                   ///< code, saturating at the frozen scale; floats: 2^-7 of the largest magnitude rounded up to 2^k
    stuck_cell,    ///< weights: adSAF of FTT-NAS: with probability 0.837 the weight is 0, else
                   ///< the layer's largest magnitude with the weight's sign
    stuck_cell_pair,  ///< the same after the authors' code: a crossbar for each sign, struck on its own at the rate; a cell
                      ///< stuck at 0 clears a weight of its sign, one stuck at 1 adds the largest magnitude, saturating
    struck_operator,  ///< features, stored activations: many outputs of one step, in patterns measured on hardware: spatial.hpp
};

/// How the bits of one fault lie.
enum class pattern : std::uint8_t {
    single,     ///< one bit
    adjacent,   ///< neighbours within one word; every place in the word is equally likely
    scattered,  ///< distinct random bits of one word; with one bit, iBF of FTT-NAS in its authors' form
    burst,      ///< neighbours in the order of the fault space, on over the ends of words
};

/// A fault model. The rate of a draw is per place: per bit for single bits and bursts, per place in the word for adjacent
/// ones, per word for scattered bits and for effects on whole words.
struct fault_model {
    effect does = effect::flip;
    pattern lies = pattern::single;
    int bits = 1;

    constexpr bool takes_words() const { return does >= effect::zero; }
    /// Whether a place alone says what is struck, without further random numbers.
    constexpr bool is_plain() const { return !takes_words() && lies != pattern::scattered; }
    constexpr bool operator==(const fault_model&) const = default;

    /// Places in a word of which `count` bits may be struck; 0 where the model does not fit.
    constexpr int places_in(int count) const {
        if (count <= 0) return 0;
        if (does == effect::stuck_cell_pair) return 2;
        if (takes_words()) return 1;
        switch (lies) {
            case pattern::adjacent: return count >= bits ? count - bits + 1 : 0;
            case pattern::scattered: return count >= bits ? 1 : 0;
            default: return count;
        }
    }
};

/// Spellings of the command line; `bits` follows a colon: adjacent:2, stuck_at_1, burst:8.
inline constexpr std::array<std::string_view, 11> effect_names{
    "flip", "stuck_at_0", "stuck_at_1", "zero", "random_word", "nan", "out_of_range", "mibb", "adsaf", "adsaf_pair",
    "classes"};
inline constexpr std::array<std::string_view, 4> pattern_names{"single", "adjacent", "scattered", "burst"};

/// What becomes of one struck word, besides bits: additions that saturate.
struct struck_word {
    word_change change{};
    std::int16_t add = 0;      ///< units added to a feature first
    std::int8_t push = 0;      ///< weights: +1 or -1 adds the limit, saturating at it; 2 goes to the limit of its sign
    std::int8_t only_sign = 0; ///< weights: strikes positive (1) or negative (-1) ones alone

    constexpr bool operator==(const struck_word&) const = default;
};

}  // namespace redoubt::fault::inline v1

namespace redoubt::fault::inline REDOUBT_ABI {

/// A generator for what is random about one fault of a draw, besides its place.
inline random_stream details_of(const draw_key& key, std::uint64_t place) {
    draw_key own = key;
    own.space ^= 0x80000000u;  // no space has this bit
    const philox_counter h = detail::draw_words{own}.hash();
    return {(std::uint64_t{h[1]} << 32) | h[0],
            {h[2], h[3], static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(place >> 32)}};
}

/// The smallest k with |v| <= 2^k; -126 for 0, 128 past the largest.
inline int exponent_up(float v) {
    const std::uint32_t word = to_word(v) & 0x7fffffffu;
    const int exponent = static_cast<int>(word >> 23) - 127;
    return std::clamp((word & 0x7fffffu) == 0 ? exponent : exponent + 1, -126, 128);
}

/// The probability that any of n independent events of probability p happens: 1 - (1 - p)^n, also for small p.
inline double any_of_rate(double p, int n) {
    if (p >= 1.0) return 1.0;
    // 1 - e^x by its series where x is small
    const double rest = 1.0 - p;
    const double x = static_cast<double>(n) * (rest == 1.0 ? -p : natural_log(rest) * (p / (1.0 - rest)));
    if (x < -0.1) return 1.0 - exponential(x);
    double term = -x, sum = -x;
    for (double i = 2.0; i < 16.0; i += 1.0) {
        term = term * (x / i);
        sum = sum + term;
    }
    return sum;
}

/// A whole number as a T, whatever T is made of.
template <class T>
constexpr T number_as(int v) {
    if constexpr (std::is_integral_v<T>) return static_cast<T>(v);
    else return static_cast<T>(static_cast<float>(v));
}
/// A stored weight or output as a real number; a code for int8.
template <class Word>
constexpr float real_of(Word word) {
    if constexpr (requires { widened(word); }) return static_cast<float>(widened(word));
    else return static_cast<float>(word);
}

/// A change of neighbouring bits from bit `from` on.
constexpr word_change change_bits(effect does, int from, int length) {
    const auto mask = static_cast<std::uint32_t>(((std::uint64_t{1} << length) - 1u) << from);
    if (does == effect::flip) return {0xffffffffu, mask};
    return {~mask, does == effect::stuck_at_1 ? mask : 0u};
}

/// The change that a fault of this model makes at place `at` of a word of type T, of which bits [first, first + count)
/// may be struck; of a burst, the first bit. `limit` is the largest magnitude without faults (of int8 the
/// code's; `offset` is what is added to a code when it is stored).
template <class T>
struck_word strike_word(const fault_model& model, int first, int count, int at, float limit, random_stream random,
                        int offset = 0) {
    struck_word struck;
    const auto whole = [&](word_of<T> word) { struck.change = {0, word}; };
    switch (model.does) {
        case effect::zero: whole(to_word(number_as<T>(offset))); break;
        case effect::random_word: whole(static_cast<word_of<T>>(random())); break;
        case effect::not_a_number:
            if constexpr (!std::is_integral_v<T>) whole(to_word(static_cast<T>(from_word<float>(canonical_nan_word))));
            break;
        case effect::out_of_range:
            if constexpr (std::is_integral_v<T> && sizeof(T) > 1) {
                const double v = static_cast<double>(limit) * std::fma(random.unit(), 598.0, 2.0);
                const double within = std::min(v, 2147483647.0);
                whole(to_word(static_cast<T>(random.below(2) != 0 ? -within : within)));
            } else if constexpr (std::is_integral_v<T>) {
                const int most = std::clamp(static_cast<int>(limit), 0, 128);
                const int below = 128 - most, above = 127 - most;  // codes past the limit on either side
                int code = -128;
                if (below + std::max(above, 0) > 0) {
                    const int pick = static_cast<int>(random.below(static_cast<std::uint64_t>(below + std::max(above, 0))));
                    code = pick < below ? -128 + pick : most + 1 + (pick - below);
                }
                whole(to_word(static_cast<T>(code + offset)));
            } else {
                const float factor = static_cast<float>(std::fma(random.unit(), 598.0, 2.0));
                const float v = (random.below(2) != 0 ? -limit : limit) * factor;
                whole(to_word(static_cast<T>(v)));
            }
            break;
        case effect::bit_bias: {
            const int bit = static_cast<int>(random.below(8));
            struck.add = static_cast<std::int16_t>(random.below(2) != 0 ? -(1 << bit) : 1 << bit);
            break;
        }
        case effect::stuck_cell:
            if (random.unit() <= 0.837) whole(to_word(number_as<T>(0)));
            else struck.push = 2;
            break;
        case effect::stuck_cell_pair:
            // place 0 is the cell of the positive array, 1 of the negative one
            if (random.unit() <= 0.837) {
                whole(to_word(number_as<T>(0)));
                struck.only_sign = at == 0 ? 1 : -1;
            } else {
                struck.push = at == 0 ? 1 : -1;
            }
            break;
        default:
            if (model.lies == pattern::scattered) {
                std::uint32_t mask = 0;
                for (int n = 0; n < model.bits; ++n) {  // the n-th of the bits still free
                    int skip = static_cast<int>(random.below(static_cast<std::uint64_t>(count - n)));
                    int bit = first;
                    while (((mask >> bit) & 1u) != 0 || skip-- > 0) ++bit;
                    mask |= 1u << bit;
                }
                if (model.does == effect::flip) struck.change = {0xffffffffu, mask};
                else struck.change = {~mask, model.does == effect::stuck_at_1 ? mask : 0u};
            } else {
                struck.change = change_bits(model.does, first + at, model.lies == pattern::adjacent ? model.bits : 1);
            }
    }
    return struck;
}

namespace impl {

/// A word pushed by a stuck cell: to the limit of its sign (2), or by the limit, saturating at it.
template <class Word>
Word pushed(Word word, int push, float limit) {
    const float v = real_of(word);
    const float by = push == 2 ? (v > 0 ? limit : v < 0 ? -limit : 0.0f) : (push > 0 ? limit : -limit);
    const float reached = std::clamp(v + by, -limit, limit);
    if constexpr (std::is_integral_v<Word>) return static_cast<Word>(std::min(reached, 127.0f));  // of codes -128 has no opposite
    else return static_cast<Word>(reached);
}

}  // namespace impl

/// What a stored weight is after such a fault; `limit` is the layer's largest magnitude (of codes) without faults.
template <class Word>
Word struck_weight(Word word, const struck_word& does, float limit) {
    const float v = real_of(word);
    if (does.only_sign != 0 && !(does.only_sign > 0 ? v > 0.0f : v < 0.0f)) return word;
    return does.push != 0 ? impl::pushed(word, does.push, limit) : changed(word, does.change);
}

}  // namespace redoubt::fault::inline REDOUBT_ABI
