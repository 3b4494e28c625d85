// SPDX-License-Identifier: MIT
// A factor for each output channel, taken into its weights as they are read.
#pragma once

#include <redoubt/kernel/geometry.hpp>
#include <redoubt/kernel/lanes_float.hpp>

#include <cstddef>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Multiplies weights of a block's 16 output channels, [rows][16] as float layouts have them, by a factor for each; one rounding to Word. A product of -0 becomes 0.
template <class Word>
void multiply_channels(Word* words, std::size_t rows, const float (&factors)[lane_count]) {
    const float_lanes by = float_lanes::load(&factors[0]);
    for (std::size_t r = 0; r < rows; ++r) {
        float_lanes product = float_lanes::filled(0.0f);
        product.add_product(by, float_lanes::load(words + r * lane_count));
        product.store(words + r * lane_count);
    }
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
