// SPDX-License-Identifier: MIT
// Parts of a set of images.
#pragma once

#include <redoubt/base/philox.hpp>
#include <redoubt/io/images.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace redoubt::io::inline REDOUBT_ABI {

/// The numbers below `size`, the first `count` of them drawn, none twice.
inline std::vector<std::size_t> drawn_first(std::size_t size, std::size_t count, random_stream& random) {
    std::vector<std::size_t> order(size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = 0; i < std::min(count, size); ++i) std::swap(order[i], order[i + random.below(size - i)]);
    return order;
}

/// Two parts of a set, the second of `count` drawn images, for validation; both keep the set's order. Which images are drawn depends on the seed and the set's size alone.
inline std::pair<image_set, image_set> split(const image_set& all, std::size_t count, std::uint64_t seed) {
    random_stream random{seed, {0, 0, 0, 0x53504c54u}};
    count = std::min(count, all.size());
    const auto order = drawn_first(all.size(), count, random);
    std::vector<bool> is_second(all.size(), false);
    for (std::size_t i = 0; i < count; ++i) is_second[order[i]] = true;
    std::pair<image_set, image_set> parts;
    for (image_set* part : {&parts.first, &parts.second}) {
        part->name = all.name;
        part->channels = all.channels;
        part->height = all.height;
        part->width = all.width;
        part->classes = all.classes;
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        image_set& part = is_second[i] ? parts.second : parts.first;
        const auto pixels = all.image(i);
        part.pixels.insert(part.pixels.end(), pixels.begin(), pixels.end());
        part.labels.push_back(all.labels[i]);
    }
    return parts;
}

}  // namespace redoubt::io::inline REDOUBT_ABI
