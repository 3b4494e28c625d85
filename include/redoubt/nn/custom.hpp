// SPDX-License-Identifier: MIT
// What a layer of the user's own sees of the number it runs in.
#pragma once

#include <redoubt/nn/layers.hpp>
#include <redoubt/number/number.hpp>
#include <redoubt/tensor/view.hpp>

namespace redoubt::inline REDOUBT_ABI {

/// Reads and writes stored words as real values, whatever the number: `numeric.value(word)`, `numeric.word(value)`.
template <number N>
struct numeric {
    using word_type = typename N::activation;
    std::int32_t in_frac = 0;   ///< int8: scale of the input
    std::int32_t out_frac = 0;  ///< int8: scale of the output

    float value(word_type word) const {
        if constexpr (N::is_integer) return scaled(static_cast<float>(widened(word)), -in_frac);
        else return widened(word);
    }
    /// Rounds to nearest even; saturates for int8; NaN is made canonical (0 for int8).
    word_type word(float value) const {
        if constexpr (N::is_integer)
            return static_cast<word_type>(round_saturate(scaled(value, out_frac), -128, 127) + 128);
        else return static_cast<word_type>(canonical(value));
    }
};

/// Calls `Layer::run(in, out, numeric)`.
template <custom_layer Layer, number N>
void run_custom(tensor_view<const typename N::activation> in, tensor_view<typename N::activation> out,
                std::int32_t in_frac, std::int32_t out_frac) {
    Layer::run(in, out, numeric<N>{in_frac, out_frac});
}

}  // namespace redoubt::inline REDOUBT_ABI
