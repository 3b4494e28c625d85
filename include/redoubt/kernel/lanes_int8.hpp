// SPDX-License-Identifier: MIT
// Sixteen 32-bit accumulators of an int8 dot product, in the form of this instruction level. All wrap, all give the same
// bits.
#pragma once

#include <redoubt/kernel/lanes_float.hpp>

#include <cstring>

#if REDOUBT_LEVEL_NUMBER >= 5
#include <redoubt/kernel/lanes_int8_avx512.hpp>
#elif REDOUBT_LEVEL_NUMBER >= 3
#include <redoubt/kernel/lanes_int8_avx2.hpp>
#elif REDOUBT_LEVEL_NUMBER == 2
#include <redoubt/kernel/lanes_int8_sse2.hpp>
#elif REDOUBT_LEVEL_NUMBER == 1
#include <redoubt/kernel/lanes_int8_neon64.hpp>
#else
#include <redoubt/kernel/lanes_int8_scalar.hpp>
#endif

namespace redoubt::kernel::inline REDOUBT_ABI {

/// How a direct kernel computes with int8.
template <>
struct lane_arithmetic<int8> {
    using lanes = int_lanes;
    using operand = std::uint8_t;
    using stored = std::uint8_t;
    using weight = std::int8_t;
    static constexpr int group = 4;
    static constexpr bool padding_counts = true;
    static constexpr bool converts_input = false;
    /// Four stored zeros.
    static constexpr operand padding[4] = {128, 128, 128, 128};

    static lanes load_bias(const std::int32_t* p) { return lanes::load(p); }
    static lanes::weights load_weights(const weight* p) { return lanes::load_weights(p); }
    static void step(lanes& sum, const operand* input, const lanes::weights& weights) {
        std::int32_t quad;
        std::memcpy(&quad, input, 4);
        sum.add_products(quad, weights);
    }

    // a depthwise convolution's: sixteen channels of one pixel, and the weights of one tap
    static lanes load_channels(const stored* p) { return lanes::widen(p); }
    static lanes load_channels(const stored* p, int count) { return lanes::widen(p, count); }
    static lanes padding_channels() { return lanes::filled(128); }
    static lanes load_channel_weights(const weight* p) { return lanes::widen(p); }
    static void step_channels(lanes& sum, const lanes& in, const lanes& weights) { sum.add_product(in, weights); }

    /// Residual add, activation, rounding and narrowing. Reads the call once: its stores are of bytes, which might be
    /// the call's own as far as the compiler knows.
    class finisher {
    public:
        explicit finisher(const conv_call<int8>& call) : finisher{call, int8_shifts{call}} {}

        /// Whether plain() will do for whole vectors: no logits, an activation that clamps.
        bool is_plain() const { return usual_ && right_.may_cut(); }
        bool adds() const { return residual_ != nullptr; }
        template <bool Adds>
        REDOUBT_FINISHER void plain(lanes sum, int index) const {
            if constexpr (Adds) add_residual(sum, index, lane_count);
            sum.shift_right_cut(right_);
            sum.clamp(low_, high_);
            sum.store_codes(out_ + index);
        }

        /// `count` channels at output `index`.
        REDOUBT_FINISHER void operator()(lanes sum, int index, int count) const {
            if (!usual_) return unusual(sum, index, count);
            if (residual_ != nullptr) add_residual(sum, index, count);
            sum.shift_right(right_);
            sum.clamp(low_, high_);
            sum.store_codes(out_ + index, count);
        }

    private:
        void add_residual(lanes& sum, int index, int count) const {
            lanes codes = lanes::load_codes(residual_ + index, count);
            if (residual_left_ > 0) codes.shift_left(residual_left_);
            else codes.shift_right(residual_right_);
            sum.add(codes);
        }
        /// Logits, or an activation that is more than a clamp: out of line, so that the usual path stays small.
        [[gnu::noinline, gnu::cold]] void unusual(lanes sum, int index, int count) const {
            if (residual_ != nullptr) add_residual(sum, index, count);
            if (logits_ != nullptr) {
                sum.store(logits_ + index, count);
                return;
            }
            sum.shift_right(right_);
            bend(sum, activation_, frac_);
            sum.clamp(low_, high_);
            sum.store_codes(out_ + index, count);
        }
        finisher(const conv_call<int8>& call, const int8_shifts& shifts)
            : residual_{call.residual}, out_{call.out}, logits_{call.logits}, right_{shifts.output},
              residual_right_{std::max(-shifts.residual, 0)}, residual_left_{shifts.residual},
              low_{shifts.low}, high_{shifts.high}, usual_{call.logits == nullptr && is_clamp(call.act)},
              frac_{call.scales.output}, activation_{call.nonlinearity()} {}

        const std::uint8_t* residual_;
        std::uint8_t* out_;
        std::int32_t* logits_;
        rounding_shift right_, residual_right_;
        int residual_left_;
        std::int32_t low_, high_;
        bool usual_;
        std::int32_t frac_;
        activation_spec activation_;
    };
    static void spill(const lanes& sum, std::int32_t* to) { sum.store(to); }
    static lanes fill(const std::int32_t* from) { return lanes::load(from); }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI
