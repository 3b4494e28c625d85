// SPDX-License-Identifier: MIT
// A factor for each output channel, taken into its weights as they are read.
#pragma once

#include <redoubt/kernel/geometry.hpp>
#include <redoubt/kernel/lanes_float.hpp>

#include <cstddef>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// v times by, where a product of -0 becomes 0.
inline float_lanes scaled_lanes(const float_lanes& v, const float_lanes& by) {
    float_lanes product = float_lanes::filled(0.0f);
    product.add_product(by, v);
    return product;
}

/// Weights of a block's 16 output channels, [rows][16] as float layouts have them, times a factor for each; one rounding to Word. `from` may be `to`.
template <class Word>
void multiply_channels(const Word* from, Word* to, std::size_t rows, const float (&factors)[lane_count]) {
    const float_lanes by = float_lanes::load(&factors[0]);
    for (std::size_t i = 0; i < rows * lane_count; i += lane_count) scaled_lanes(float_lanes::load(from + i), by).store(to + i);
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
