// SPDX-License-Identifier: MIT
// The IDX format of MNIST and Fashion-MNIST (http://yann.lecun.com/exdb/mnist/), plain or gzipped.
#pragma once

#include <redoubt/base/result.hpp>
#include <redoubt/io/gzip.hpp>
#include <redoubt/io/images.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt::io::inline REDOUBT_ABI {

namespace impl {

inline constexpr std::uint32_t idx_images_magic = 0x00000803;
inline constexpr std::uint32_t idx_labels_magic = 0x00000801;

inline std::uint32_t big_endian(std::span<const std::byte> bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = (value << 8) | std::to_integer<std::uint32_t>(bytes[at + i]);
    return value;
}

inline std::string hexadecimal(std::uint32_t value) {
    std::string text = "0x";
    for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[(value >> shift) & 15];
    return text;
}

/// The file is long enough for its header and begins with `magic`.
inline result<void> check_idx_start(std::span<const std::byte> bytes, const std::string& path, std::uint32_t magic,
                                    std::size_t header_bytes) {
    const std::string_view kind = magic == idx_images_magic ? "images" : "labels";
    if (bytes.size() < header_bytes)
        return error{path} << ": is truncated, it has " << bytes.size() << " bytes and the header of IDX " << kind
                           << " has " << header_bytes;
    const std::uint32_t found = big_endian(bytes, 0);
    if (found == magic) return {};
    const std::string_view other = magic == idx_images_magic ? "labels" : "images";
    if (found == idx_images_magic || found == idx_labels_magic)
        return error{path} << ": holds IDX " << other << ", not " << kind;
    return error{path} << ": is not a file of IDX " << kind << ", it begins with " << hexadecimal(found)
                       << " instead of " << hexadecimal(magic);
}

inline result<void> check_idx_size(const std::string& path, std::uint64_t found, std::uint64_t needed,
                                   std::uint32_t count) {
    if (found == needed) return {};
    return error{path} << (found < needed ? ": is truncated, " : ": is too long, ") << count << " entries take "
                       << needed << " bytes and it has " << found;
}

/// What an IDX image file holds, checked; the pixels follow the header.
struct idx_images {
    static constexpr std::size_t header_bytes = 16;
    static constexpr std::uint32_t most_extent = 65'535;
    std::vector<std::byte> bytes;
    std::uint32_t count, rows, columns;
};

inline result<idx_images> read_idx_images(const std::string& path, std::size_t limit) {
    result<std::vector<std::byte>> bytes = read_maybe_gzip(path, limit);
    if (!bytes) return bytes.reason();
    const result<void> start = check_idx_start(*bytes, path, idx_images_magic, idx_images::header_bytes);
    if (!start) return start.reason();
    const std::uint32_t count = big_endian(*bytes, 4), rows = big_endian(*bytes, 8), columns = big_endian(*bytes, 12);
    if (count == 0) return error{path} << ": holds no images";
    if (rows == 0 || columns == 0 || rows > idx_images::most_extent || columns > idx_images::most_extent)
        return error{path} << ": images of " << rows << " x " << columns << " pixels are not taken";
    const std::uint64_t needed = idx_images::header_bytes + std::uint64_t{rows} * columns * count;
    const result<void> size = check_idx_size(path, bytes->size(), needed, count);
    if (!size) return size.reason();
    return idx_images{std::move(*bytes), count, rows, columns};
}

inline result<std::vector<int>> read_idx_labels(const std::string& path, std::size_t limit) {
    constexpr std::size_t header_bytes = 8;
    const result<std::vector<std::byte>> bytes = read_maybe_gzip(path, limit);
    if (!bytes) return bytes.reason();
    const result<void> start = check_idx_start(*bytes, path, idx_labels_magic, header_bytes);
    if (!start) return start.reason();
    const std::uint32_t count = big_endian(*bytes, 4);
    const result<void> size = check_idx_size(path, bytes->size(), header_bytes + std::uint64_t{count}, count);
    if (!size) return size.reason();
    std::vector<int> labels(count);
    std::transform(bytes->begin() + header_bytes, bytes->end(), labels.begin(), std::to_integer<int>);
    return labels;
}

}  // namespace impl

/// The images and labels of two IDX files, one channel. The number of classes is the largest label plus one. Errors
/// name the file: not of the format, truncated, too long, no images, or counts that differ.
inline result<image_set> read_idx(const std::string& images_path, const std::string& labels_path,
                                  std::size_t limit = default_read_limit) {
    const result<impl::idx_images> images = impl::read_idx_images(images_path, limit);
    if (!images) return images.reason();
    result<std::vector<int>> labels = impl::read_idx_labels(labels_path, limit);
    if (!labels) return labels.reason();
    if (labels->size() != images->count)
        return error{labels_path} << ": holds " << labels->size() << " labels for the " << images->count
                                  << " images of " << images_path;

    image_set set;
    set.name = images_path;
    set.channels = 1;
    set.height = static_cast<int>(images->rows);
    set.width = static_cast<int>(images->columns);
    const auto pixels = std::span{images->bytes}.subspan(impl::idx_images::header_bytes);
    set.pixels.resize(pixels.size());
    std::transform(pixels.begin(), pixels.end(), set.pixels.begin(), std::to_integer<std::uint8_t>);
    set.labels = std::move(*labels);
    set.classes = *std::max_element(set.labels.begin(), set.labels.end()) + 1;
    return set;
}

}  // namespace redoubt::io::inline REDOUBT_ABI
