// SPDX-License-Identifier: MIT
// Saturating functions of stored words: one form for a float and for many side by side, the same bits in both.
#pragma once

#include <redoubt/kernel/activation.hpp>
#include <redoubt/kernel/byte_table.hpp>
#include <redoubt/kernel/gain.hpp>
#include <redoubt/kernel/lanes_float.hpp>
#include <redoubt/kernel/multiply_add.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace redoubt::kernel::inline v1 {

/// Odd functions with slope 1 at 0 and bounded values: tanh (1), arctan (pi / 2), softsign x / (1 + |x|) (1), and x held within 1.
enum class saturation { tanh, arctan, softsign, hardtanh };

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

template <class V>
V fused(const V& a, const V& b, const V& sum) {
    if constexpr (std::is_same_v<V, float>) {
        return multiply_add(a, b, sum);
    } else {
#if REDOUBT_LEVEL_NUMBER > 0
        return float_register::multiply_add(a, b, sum);
#endif
    }
}
/// c[0] + c[1] t + ... by Horner's scheme.
template <class V, std::size_t Count>
V polynomial(const V& t, const float (&c)[Count]) {
    V sum(c[Count - 1]);
    for (std::size_t i = Count - 1; i-- > 0;) sum = fused(sum, t, V(c[i]));
    return sum;
}

// Quotients of polynomials in x^2, fitted to the relative error on [0, 9.02] (tanh) and [0, 1] (arctan), 2.1e-8 of it, coefficients then rounded.
inline constexpr float tanh_above[] = {1.0f, 0.13379718363285065f, 0.003494035918265581f, 2.0583500372595154e-05f, 1.3319095160113648e-08f};
inline constexpr float tanh_below[] = {1.0f, 0.4671303331851959f, 0.025871077552437782f, 0.000328309484757483f, 7.762029667901515e-07f};
inline constexpr float arctan_above[] = {1.0f, 0.8983959555625916f, 0.13761267066001892f};
inline constexpr float arctan_below[] = {1.0f, 1.2317272424697876f, 0.3482217490673065f, 0.012377745471894741f};

/// Of a magnitude, not NaN.
template <saturation F, class V>
V saturated_magnitude(const V& x) {
    const V one(1.0f);
    if constexpr (F == saturation::hardtanh) {
        return select(x > one, one, x);
    } else if constexpr (F == saturation::softsign) {
        // where 1 is lost in the sum, or the quotient would be of infinities, it is 1
        const V most(0x1p25f), held = select(x > most, most, x);
        return select(x > most, one, held / (one + held));
    } else if constexpr (F == saturation::tanh) {
        const V most(9.02f), held = select(x > most, most, x), t = held * held;
        const V value = held * (polynomial(t, tanh_above) / polynomial(t, tanh_below));
        return select(value > one, one, value);
    } else {
        const V inner = select(x > one, one / x, x), t = inner * inner;
        const V quotient = polynomial(t, arctan_above) / polynomial(t, arctan_below);
        return select(x > one, fused(V(0.0f) - inner, quotient, V(1.57079637f)), inner * quotient);
    }
}

}  // namespace impl

/// F(x / bound) * bound, within 3 units in the last place for F itself; NaN becomes 0.
template <saturation F, class V>
V saturated(const V& x, float bound = 1.0f, float inverse = 1.0f) {
    const V zero(0.0f), number = select(x == x, x, zero);
    const V size = select(number < zero, zero - number, number);
    V value = impl::saturated_magnitude<F>(bound == 1.0f ? size : size * V(inverse));
    if (bound != 1.0f) value = value * V(bound);
    return select(number < zero, zero - value, value);
}

/// Words of sixteen bits and more that are NaN or infinite.
template <class Word>
std::uint32_t count_infinite(const Word* words, std::size_t count) {
    constexpr auto infinite = to_word(static_cast<Word>(std::numeric_limits<float>::infinity()));
    constexpr auto sign = static_cast<word_of<Word>>(word_of<Word>{1} << (bits_in<Word> - 1));
    std::uint32_t odd = 0;
    for (std::size_t i = 0; i < count; ++i) odd += (to_word(words[i]) & static_cast<word_of<Word>>(~sign)) >= infinite ? 1u : 0u;
    return odd;
}

template <saturation F>
float_lanes saturated_lanes(float_lanes v, float bound, float inverse) {
    v.apply([&](const auto& x) { return saturated<F>(x, bound, inverse); });
    return v;
}

/// saturate() of a block's weights and multiply_channels() of what it makes, in one pass; the same bits.
template <saturation F>
std::uint32_t saturate_and_multiply(const float* words, std::size_t rows, float* to, float bound, const float (&factors)[lane_count]) {
    const float inverse = 1.0f / bound;
    const float_lanes by = float_lanes::load(&factors[0]);
    for (std::size_t i = 0; i < rows * lane_count; i += lane_count)
        scaled_lanes(saturated_lanes<F>(float_lanes::load(words + i), bound, inverse), by).store(to + i);
    return count_infinite(words, rows * lane_count);
}

/// Words through F. Returns how many were NaN or infinite. Words of eight bits go through a table of all codes; integers are codes / 2^frac and
/// are rounded to nearest even.
template <saturation F, class Word, class Out>
std::uint32_t saturate(const Word* words, std::size_t count, Out* to, float bound, int frac) {
    const float inverse = 1.0f / bound;
    const auto through = [&](const auto* from, std::size_t n, auto* result) {
        const auto bend = [&](const float_lanes& v) { return saturated_lanes<F>(v, bound, inverse); };
        const std::size_t whole = n / lane_count * lane_count;
        for (std::size_t i = 0; i < whole; i += lane_count) bend(float_lanes::load(from + i)).store(result + i);
        if (const int left = static_cast<int>(n - whole); left > 0) bend(float_lanes::load(from + whole, left)).store(result + whole, left);
    };
    if constexpr (sizeof(Word) == 1) {
        float value[256];
        for (int c = 0; c < 256; ++c) {
            if constexpr (std::is_integral_v<Word>) value[c] = scaled(static_cast<float>(static_cast<std::int8_t>(c)), -frac);
            else value[c] = static_cast<float>(Word::from_code(static_cast<std::int8_t>(c)));
        }
        through(value, 256, value);
        if constexpr (std::is_integral_v<Out>) {
            byte_table table;
            for (int c = 0; c < 256; ++c) table.of[static_cast<std::size_t>(c)] = to_word(static_cast<Out>(round_saturate(scaled(value[c], frac), -128, 127)));
            look_up(table, reinterpret_cast<const std::uint8_t*>(words), count, reinterpret_cast<std::uint8_t*>(to));
        } else {
            for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<Out>(value[to_word(words[i])]);
        }
        return 0;
    } else {
        through(words, count, to);
        return count_infinite(words, count);
    }
}

/// The smallest float that F takes to `value` or past it; of values beyond F's range the smallest that it takes to its bound.
template <saturation F>
float unsaturated(float value, float bound = 1.0f) {
    const float inverse = 1.0f / bound, most = saturated<F>(std::numeric_limits<float>::max(), bound, inverse);
    const float size = std::min(value < 0.0f ? -value : value, most);
    std::uint32_t low = 0, high = to_word(std::numeric_limits<float>::max());  // magnitudes are in the order of their words
    while (low < high) {
        const std::uint32_t middle = low + (high - low) / 2;
        if (saturated<F>(from_word<float>(middle), bound, inverse) >= size) high = middle;
        else low = middle + 1;
    }
    return value < 0.0f ? -from_word<float>(low) : from_word<float>(low);
}

/// By what a channel is multiplied so that its largest magnitude lies within `most`: 1 where it does, or where it is no number; else what brings it to nine tenths, where a function
/// of weights still has a slope.
inline float fitting_factor(float largest, float most) { return largest > most && largest - largest == 0.0f ? 0.9f * most / largest : 1.0f; }

}  // namespace redoubt::kernel::inline REDOUBT_ABI
