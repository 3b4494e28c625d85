// SPDX-License-Identifier: MIT
// Extents of an activation tensor. The layout is always [row][column][channel], unpadded.
#pragma once

#include <cstddef>

namespace redoubt::inline v1 {

/// Channels, rows and columns; a vector is channels x 1 x 1.
struct shape {
    int channels = 0;
    int height = 0;
    int width = 0;

    constexpr int size() const { return channels * height * width; }
    constexpr int index(int row, int column, int channel) const { return (row * width + column) * channels + channel; }
    constexpr bool operator==(const shape&) const = default;
};

/// A shape as a type.
template <int Channels, int Height, int Width>
struct static_shape {
    static constexpr shape value{Channels, Height, Width};
};

/// Something with a vertical and a horizontal extent: `3` is 3 x 3, `{1, 7}` one row of seven columns.
struct hw {
    int h = 0;
    int w = 0;

    constexpr hw() = default;
    constexpr hw(int both) : h{both}, w{both} {}
    constexpr hw(int vertical, int horizontal) : h{vertical}, w{horizontal} {}
    constexpr bool operator==(const hw&) const = default;
};

}  // namespace redoubt::inline v1
