// SPDX-License-Identifier: MIT
// Whether images are those that a network takes.
#pragma once

#include <redoubt/base/result.hpp>
#include <redoubt/io/images.hpp>
#include <redoubt/tensor/shape.hpp>

#include <string_view>

namespace redoubt::app::inline REDOUBT_ABI {

/// The error names the images' place, both sizes, or both numbers of classes.
inline result<void> check_images(const io::image_set& set, std::string_view from, std::string_view model, shape input, int classes) {
    if (!(shape{set.channels, set.height, set.width} == input))
        return error{from} << ": images are " << set.channels << "x" << set.height << "x" << set.width << ", " << model << " takes " << input.channels << "x" << input.height << "x"
                           << input.width;
    if (set.classes > classes) return error{from} << ": has " << set.classes << " classes, " << model << " only " << classes;
    return {};
}

}  // namespace redoubt::app::inline REDOUBT_ABI
