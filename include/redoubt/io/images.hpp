// SPDX-License-Identifier: MIT
// Labelled images of eight bits a channel, and the step from pixels to network input.
#pragma once

#include <redoubt/base/contract.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace redoubt::io::inline v1 {

/// Images of one size with their labels; pixels are [image][row][column][channel].
struct image_set {
    std::string name;
    int channels = 0;
    int height = 0;
    int width = 0;
    std::vector<std::uint8_t> pixels;
    std::vector<int> labels;
    int classes = 0;

    /// Number of images.
    std::size_t size() const { return labels.size(); }

    /// Pixels of one image.
    std::size_t image_size() const {
        return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
    }

    /// The pixels of image i, [row][column][channel].
    std::span<const std::uint8_t> image(std::size_t i) const {
        REDOUBT_EXPECTS(i < size());
        return {pixels.data() + i * image_size(), image_size()};
    }
};

}  // namespace redoubt::io::inline v1
