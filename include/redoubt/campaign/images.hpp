// SPDX-License-Identifier: MIT
// Images ready for inference: normalised reals with their labels.
#pragma once

#include <redoubt/io/images.hpp>
#include <redoubt/io/normalisation.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace redoubt::campaign::inline v1 {

/// Reals in [image][row][column][channel] order.
struct prepared_images {
    std::size_t image_size = 0;
    std::vector<float> pixels;
    std::vector<int> labels;

    std::size_t size() const { return labels.size(); }
    std::span<const float> image(std::size_t i) const { return {pixels.data() + i * image_size, image_size}; }
};

}  // namespace redoubt::campaign::inline v1

namespace redoubt::campaign::inline REDOUBT_ABI {

/// The first `count` images of a set (all, where it has fewer), normalised.
inline prepared_images prepare(const io::image_set& set, const io::normalisation& by, std::size_t count) {
    prepared_images out;
    const std::size_t n = std::min(count, set.size());
    out.image_size = set.image_size();
    out.pixels.resize(n * out.image_size);
    out.labels.assign(set.labels.begin(), set.labels.begin() + static_cast<std::ptrdiff_t>(n));
    for (std::size_t i = 0; i < n; ++i)
        io::normalise(set.image(i), set.channels, by, std::span{out.pixels}.subspan(i * out.image_size, out.image_size));
    return out;
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
