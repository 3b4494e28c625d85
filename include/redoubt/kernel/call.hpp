// SPDX-License-Identifier: MIT
// What a convolution or linear kernel is asked to do, and how an accumulator becomes a stored word.
#pragma once

#include <redoubt/kernel/activation.hpp>
#include <redoubt/kernel/geometry.hpp>

#include <algorithm>
#include <cstdint>

namespace redoubt::kernel::inline v1 {

/// Power-of-two scales of an int8 step: a value is code / 2^frac. All are data, frozen at calibration.
struct int8_scales {
    std::int32_t input = 0;
    std::int32_t weight = 0;
    std::int32_t output = 0;
    std::int32_t residual = 0;
};

/// One call of a convolution kernel over the output blocks [block_begin, block_end).
/// int8 reads up to three bytes past the last input pixel (they meet zero weights): the buffer must have them.
template <number N>
struct conv_call {
    conv_geometry geometry;
    const typename N::activation* in = nullptr;
    const typename N::kernel_weight* weights = nullptr;  ///< wide layout, starting at block_begin
    const typename N::bias* bias = nullptr;              ///< of channel 0, padded to whole blocks
    const typename N::activation* residual = nullptr;    ///< added before the activation; of the output's shape, or null
    typename N::activation* out = nullptr;
    typename N::logit* logits = nullptr;                 ///< when not null, stored there instead of in `out`
    activation act = activation::none;
    std::int32_t limit = 0;                              ///< of clipped_relu and clip, a whole number
    std::int32_t lower = 0;                              ///< of clip, a whole number
    fraction slope{};                                    ///< of leaky_relu
    int8_scales scales{};                                ///< int8 only
    int block_begin = 0;
    int block_end = 0;
    /// Channels of the geometry that are computed for comparison and not stored (kernel/duplicate.hpp).
    int folded = 0;
    const typename N::accumulator* low = nullptr;   ///< of each stored channel, padded to whole blocks; a correction's intervals
    const typename N::accumulator* high = nullptr;

    /// Channels of a stored pixel.
    constexpr int stored_channels() const { return geometry.out.channels - folded; }

    constexpr activation_spec nonlinearity() const { return {act, limit, lower, slope}; }
    constexpr void activate_by(const activation_spec& by) {
        act = by.kind;
        limit = by.limit;
        lower = by.lower;
        slope = by.slope;
    }
};

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Shifts of an int8 step, whatever its stored scales hold: out of range ones are clamped, never undefined.
struct int8_shifts {
    int output;    ///< right, rounding to nearest even
    int residual;  ///< left where positive, right where negative
    std::int32_t low, high;  ///< codes to which the activation and the output's word clamp

    template <number N>
    explicit int8_shifts(const conv_call<N>& call) {
        const auto wide = static_cast<std::int64_t>(call.scales.input) + call.scales.weight;
        output = static_cast<int>(std::clamp<std::int64_t>(wide - call.scales.output, 0, 31));
        residual = static_cast<int>(std::clamp<std::int64_t>(wide - call.scales.residual, -31, 31));
        low = call.act == activation::none || !is_clamp(call.act) ? -128 : 0;
        if (call.act == activation::clip) low = code_of(call.lower, call.scales.output);
        const bool limited = call.act == activation::clipped_relu || call.act == activation::clip;
        high = limited ? code_of(call.limit, call.scales.output) : 127;
    }
    /// A whole number as a code of scale 2^frac, saturating.
    static std::int32_t code_of(std::int32_t whole, std::int32_t frac) {
        if (frac < 0)
            return std::clamp<std::int32_t>(shift_right_round(whole, static_cast<int>(-std::max<std::int32_t>(frac, -31))), -128, 127);
        return std::clamp<std::int32_t>(std::clamp<std::int32_t>(whole, -128, 127) * (1 << std::min<std::int32_t>(frac, 8)), -128, 127);
    }
    std::int32_t align_residual(std::int32_t code) const {
        if (residual < 0) return shift_right_round(code, -residual);
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(code) << residual);
    }
};

/// What becomes of a feature: `add` units of 2^unit are added (int8: codes), then bits change.
struct feature_change {
    word_change bits{};
    std::int16_t add = 0;
    std::int16_t unit = 0;
};

/// The accumulator of one output turned into the *feature* word and back, as a fault in it sees it.
template <number N>
typename N::accumulator struck_feature(const conv_call<N>& call, typename N::accumulator value, const feature_change& by) {
    if constexpr (N::is_integer) {
        if (call.logits != nullptr) return changed(value, by.bits);
        const int8_shifts shifts{call};
        const std::int32_t code = std::clamp<std::int32_t>(shift_right_round(value, shifts.output), -128, 127);
        const std::int32_t biased = std::clamp<std::int32_t>(code + by.add, -128, 127);
        const auto word = changed(static_cast<std::uint8_t>(biased + 128), by.bits);
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(word - 128) << shifts.output);
    } else {
        using stored_word = typename N::activation;
        if (by.add != 0) value = value + scaled(static_cast<float>(by.add), by.unit);
        const auto word = static_cast<stored_word>(canonical(value));
        return widened(changed(word, by.bits));
    }
}

/// Residual add, activation and rounding of one output: the scalar form of every kernel's store.
template <number N>
void finish(const conv_call<N>& call, typename N::accumulator value, int index) {
    const auto at = static_cast<std::size_t>(index);
    if constexpr (N::is_integer) {
        const int8_shifts shifts{call};
        std::uint32_t sum = static_cast<std::uint32_t>(value);
        if (call.residual != nullptr)
            sum += static_cast<std::uint32_t>(shifts.align_residual(widened(call.residual[at])));
        if (call.logits != nullptr) {
            call.logits[at] = static_cast<std::int32_t>(sum);
            return;
        }
        int_lane code{shift_right_round(static_cast<std::int32_t>(sum), shifts.output)};
        bend(code, call.nonlinearity(), call.scales.output);
        call.out[at] = static_cast<std::uint8_t>(std::clamp<std::int32_t>(code.part, shifts.low, shifts.high) + 128);
    } else {
        float v = value;
        if (call.residual != nullptr) v = v + widened(call.residual[at]);
        v = float_activation{call.nonlinearity()}(v);
        const auto word = static_cast<typename N::activation>(canonical(v));
        (call.logits != nullptr ? call.logits : call.out)[at] = word;
    }
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
