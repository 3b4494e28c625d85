// SPDX-License-Identifier: MIT
// Parts of a set of images.
#pragma once

#include <redoubt/base/philox.hpp>
#include <redoubt/io/images.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace redoubt::io::inline REDOUBT_ABI {

/// Two parts of a set, the second of `count` drawn images, for validation; both keep the set's order. Which images are drawn depends on the seed and the set's size alone.
inline std::pair<image_set, image_set> split(const image_set& all, std::size_t count, std::uint64_t seed) {
    std::vector<std::uint32_t> order(all.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
    random_stream random{seed, {0, 0, 0, 0x53504c54u}};
    count = std::min(count, order.size());
    for (std::size_t i = 0; i < count; ++i) std::swap(order[i], order[i + random.below(order.size() - i)]);
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
