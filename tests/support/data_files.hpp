// SPDX-License-Identifier: MIT
// Small image files in the formats of the public data sets.
#pragma once

#include "support/temp_folder.hpp"

#include <cstdint>
#include <initializer_list>

namespace support {

inline bytes big_endian(std::initializer_list<std::uint32_t> words) {
    bytes all;
    for (std::uint32_t word : words)
        for (int shift = 24; shift >= 0; shift -= 8) all.push_back(static_cast<std::byte>((word >> shift) & 255));
    return all;
}

/// An IDX file of images whose pixels are 0, 1, 2, ...
inline bytes idx_images(std::uint32_t count, std::uint32_t rows, std::uint32_t columns) {
    bytes all = big_endian({0x803, count, rows, columns});
    for (std::uint32_t i = 0; i < count * rows * columns; ++i) all.push_back(static_cast<std::byte>(i & 255));
    return all;
}

inline bytes idx_labels(std::initializer_list<int> labels) {
    return big_endian({0x801, static_cast<std::uint32_t>(labels.size())}) + bytes_of(labels);
}

/// One CIFAR record: the labels, then three planes that begin with those values and count up.
inline bytes cifar_record(std::initializer_list<int> labels, std::initializer_list<int> planes = {0, 100, 200}) {
    bytes all = bytes_of(labels);
    for (int first : planes)
        for (int i = 0; i < 1024; ++i) all.push_back(static_cast<std::byte>((first + i) & 255));
    return all;
}

}  // namespace support
