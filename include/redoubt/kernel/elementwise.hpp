// SPDX-License-Identifier: MIT
// Element by element: a residual add or an activation that found no convolution to join, and reading images.
#pragma once

#include <redoubt/kernel/lanes_int8.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// in + residual (where there is one), then the activation, rounding and NaN policy of a convolution's store.
template <number N>
void add_and_activate(const typename N::activation* in, const typename N::activation* residual,
                      typename N::activation* out, int count, const activation_spec& act, int8_scales scales) {
    using lanes = typename lane_arithmetic<N>::lanes;
    conv_call<N> call;
    call.act = act.kind;
    call.limit = act.limit;
    call.lower = act.lower;
    call.slope = act.slope;
    call.residual = residual;
    call.out = out;
    if constexpr (N::is_integer) {
        // both sides at the finest of the scales, the output's among them: shifts go right only, and this is exact in
        // 32 bits for any sane scales
        call.scales = scales;
        call.scales.input = std::max({scales.input, scales.residual, scales.output});
        call.scales.weight = 0;
        const auto finer = static_cast<std::int64_t>(call.scales.input) - scales.input;
        const int up = static_cast<int>(std::clamp<std::int64_t>(finer, 0, 23));
        const typename lane_arithmetic<N>::finisher finish{call};
        for (int i = 0; i < count; i += lane_count) {
            const int here = std::min(count - i, lane_count);
            lanes codes = lanes::load_codes(in + i, here);
            codes.shift_left(up);
            finish(codes, i, here);
        }
    } else {
        const typename lane_arithmetic<N>::finisher finish{call};
        for (int i = 0; i < count; i += lane_count) {
            const int here = std::min(count - i, lane_count);
            finish(lanes::load(in + i, here), i, here);
        }
    }
}

/// Real pixels to stored words, from [row][column][channel] or (planar) [channel][row][column] order. int8 rounds to
/// nearest even at scale 2^frac and saturates: the only floating point of an int8 network before its logits.
template <number N>
void read_image(shape extents, bool planar, const float* image, typename N::activation* out, int frac) {
    for (int row = 0; row < extents.height; ++row) {
        for (int column = 0; column < extents.width; ++column) {
            for (int c = 0; c < extents.channels; ++c) {
                const int from = planar ? (c * extents.height + row) * extents.width + column
                                        : extents.index(row, column, c);
                const float v = image[from];
                auto& to = out[extents.index(row, column, c)];
                if constexpr (N::is_integer)
                    to = static_cast<std::uint8_t>(round_saturate(scaled(v, std::clamp(frac, -126, 127)), -128, 127) + 128);
                else to = static_cast<typename N::activation>(canonical(v));
            }
        }
    }
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
