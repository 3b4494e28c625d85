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
    call.activate_by(act);
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

namespace impl {

/// Real pixels to stored words, a loop that compilers turn into vectors. int8: NaN to 0, saturated, rounded to nearest
/// even by a sum so large that its last bit is the unit, which leaves the code in its low byte.
template <number N>
void store_pixels(const float* pixels, typename N::activation* out, int count, [[maybe_unused]] float scale) {
    if constexpr (N::is_integer) {
        constexpr float rounder = 12582912.0f;  // 1.5 * 2^23
        for (int i = 0; i < count; ++i) {
            float v = pixels[i] * scale;
            v = v == v ? v : 0.0f;
            v = v < -128.0f ? -128.0f : v;
            v = v > 127.0f ? 127.0f : v;
            out[i] = static_cast<std::uint8_t>(to_word(v + rounder) ^ 128u);
        }
    } else {
        using lanes = typename lane_arithmetic<N>::lanes;
        for (int i = 0; i < count; i += lane_count) {
            const int here = std::min(count - i, lane_count);
            lanes v = lanes::load(pixels + i, here);
            v.make_canonical();
            v.store(out + i, here);
        }
    }
}

}  // namespace impl

/// Real pixels to stored words, from [row][column][channel] or (planar) [channel][row][column] order. int8 rounds to
/// nearest even at scale 2^frac and saturates: the only floating point of an int8 network before its logits.
template <number N>
void read_image(shape extents, bool planar, const float* image, typename N::activation* out, int frac) {
    const float scale = scaled(1.0f, std::clamp(frac, -126, 127));
    const int pixels = extents.height * extents.width;
    if (!planar || extents.channels == 1) return impl::store_pixels<N>(image, out, pixels * extents.channels, scale);
    constexpr int block = 4 * lane_count;
    typename N::activation words[block];
    for (int first = 0; first < pixels; first += block) {
        const int here = std::min(pixels - first, block);
        for (int c = 0; c < extents.channels; ++c) {
            impl::store_pixels<N>(image + c * pixels + first, words, here, scale);
            typename N::activation* to = out + first * extents.channels + c;
            for (int i = 0; i < here; ++i) to[i * extents.channels] = words[i];
        }
    }
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
