// SPDX-License-Identifier: MIT
// Sixteen float accumulators, the vector of the wide layout, in the form of this instruction level, and what a direct
// kernel does with them.
#pragma once

#include <redoubt/kernel/call.hpp>

#include <limits>

#if REDOUBT_LEVEL_NUMBER > 0
#include <redoubt/kernel/lanes_float_simd.hpp>
#else
#include <redoubt/kernel/lanes_float_scalar.hpp>
#endif

// Called, a finisher costs g++ the registers of the tile: AVX2 loses up to half of its speed. With four vectors to sixteen
// lanes the copies are long and gain nothing, and in scalar code size counts.
#if REDOUBT_LEVEL_NUMBER >= 3
#define REDOUBT_FINISHER [[gnu::always_inline]]
#else
#define REDOUBT_FINISHER
#endif

namespace redoubt::kernel::inline REDOUBT_ABI {

/// How a direct kernel computes with a float number.
template <number N>
struct lane_arithmetic {
    using lanes = float_lanes;
    using operand = float;  ///< what the inner loop reads of an input
    using stored = typename N::activation;
    using weight = typename N::kernel_weight;
    static constexpr int group = 1;
    static constexpr bool padding_counts = false;
    /// Inputs are converted tile by tile where they are stored as another type.
    static constexpr bool converts_input = !std::same_as<typename N::activation, float>;

    static lanes load_bias(const typename N::bias* p) { return lanes::load(p); }
    static lanes load_weights(const weight* p) { return lanes::load(p); }
    static void step(lanes& sum, const operand* input, const lanes& weights) { sum.add_product(*input, weights); }

    // a depthwise convolution's: sixteen channels of one pixel, and the weights of one tap
    static lanes load_channels(const stored* p) { return lanes::load(p); }
    static lanes load_channels(const stored* p, int count) { return lanes::load(p, count); }
    static lanes load_channel_weights(const weight* p) { return lanes::load(p); }
    static void step_channels(lanes& sum, const lanes& in, const lanes& weights) { sum.add_product(in, weights); }

    /// Residual add, activation, canonical NaN and rounding.
    class finisher {
    public:
        explicit finisher(const conv_call<N>& call)
            : residual_{call.residual}, to_{call.logits != nullptr ? call.logits : call.out},
              relu_{call.act == activation::relu || call.act == activation::clipped_relu},
              usual_{relu_ || call.act == activation::none},
              limit_{call.act == activation::clipped_relu ? static_cast<float>(call.limit)
                                                          : std::numeric_limits<float>::infinity()},
              activation_{call.nonlinearity()} {}

        /// Whether plain() will do for whole vectors: no activation but ReLU, clipped or not.
        bool is_plain() const { return usual_; }
        bool adds() const { return residual_ != nullptr; }
        template <bool Adds>
        REDOUBT_FINISHER void plain(lanes sum, int index) const {
            if constexpr (Adds) sum.add(lanes::load(residual_ + index));
            sum.settle(relu_, limit_);
            sum.store(to_ + index);
        }

        /// `count` channels at output `index`.
        REDOUBT_FINISHER void operator()(lanes sum, int index, int count) const {
            if (count != lane_count || !usual_) return unusual(sum, index, count);
            if (residual_ != nullptr) sum.add(lanes::load(residual_ + index));
            sum.settle(relu_, limit_);
            sum.store(to_ + index);
        }

    private:
        using word = typename N::activation;

        /// Less than a vector, or another activation: out of line, so that the usual path stays small.
        [[gnu::noinline, gnu::cold]] void unusual(lanes sum, int index, int count) const {
            if (residual_ != nullptr) sum.add(lanes::load(residual_ + index, count));
            sum.apply(activation_);
            sum.make_canonical();
            sum.store(to_ + index, count);
        }

        const word* residual_;
        word* to_;
        bool relu_, usual_;
        float limit_;
        float_activation activation_;
    };
    static void spill(const lanes& sum, float* to) { sum.store(to); }
    static lanes fill(const float* from) { return lanes::load(from); }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI
