// SPDX-License-Identifier: MIT
// The binary formats of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html), plain or gzipped.
#pragma once

#include <redoubt/base/result.hpp>
#include <redoubt/io/gzip.hpp>
#include <redoubt/io/images.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::io::inline REDOUBT_ABI {

namespace impl {

/// One record: `label_bytes` labels, each below its entry of `classes`, then three planes of 32 x 32 pixels.
struct cifar_form {
    std::string_view name;
    std::size_t label_bytes;
    int classes[2];
    std::size_t label_at;
};

inline constexpr std::size_t cifar_channels = 3, cifar_side = 32, cifar_plane = cifar_side * cifar_side;
inline constexpr std::size_t cifar_pixels = cifar_channels * cifar_plane;

/// Appends one record to the set; planes become interleaved channels.
inline result<void> take_cifar_record(std::span<const std::byte> record, const cifar_form& form, image_set& set) {
    for (std::size_t i = 0; i < form.label_bytes; ++i)
        if (const int label = std::to_integer<int>(record[i]); label >= form.classes[i])
            return error{"label "} << label << " of " << form.name << " is not below " << form.classes[i];
    set.labels.push_back(std::to_integer<int>(record[form.label_at]));
    const std::span<const std::byte> planes = record.subspan(form.label_bytes);
    for (std::size_t i = 0; i < cifar_plane; ++i)
        for (std::size_t c = 0; c < cifar_channels; ++c)
            set.pixels.push_back(std::to_integer<std::uint8_t>(planes[c * cifar_plane + i]));
    return {};
}

inline result<image_set> read_cifar(std::span<const std::string> paths, const cifar_form& form, std::size_t limit) {
    if (paths.empty()) return error{"no file of "} << form.name << " was named";
    image_set set;
    set.name = paths.front();
    set.channels = static_cast<int>(cifar_channels);
    set.height = set.width = static_cast<int>(cifar_side);
    set.classes = form.classes[form.label_at];
    const std::size_t record_bytes = form.label_bytes + cifar_pixels;
    for (const std::string& path : paths) {
        const result<std::vector<std::byte>> bytes = read_maybe_gzip(path, limit);
        if (!bytes) return bytes.reason();
        if (bytes->empty()) return error{path} << ": is empty";
        if (bytes->size() % record_bytes != 0)
            return error{path} << ": has " << bytes->size() << " bytes, not a multiple of the " << record_bytes
                               << " that a record of " << form.name << " has; is it truncated?";
        const std::size_t records = bytes->size() / record_bytes;
        set.pixels.reserve(set.pixels.size() + records * cifar_pixels);
        for (std::size_t i = 0; i < records; ++i) {
            const auto record = std::span{*bytes}.subspan(i * record_bytes, record_bytes);
            if (const result<void> taken = take_cifar_record(record, form, set); !taken)
                return error{path} << ": record " << i << ": " << taken.reason().text();
        }
    }
    return set;
}

}  // namespace impl

/// The images of CIFAR-10 files, one after the other, 32 x 32 x 3. Errors name the file: not a whole number of records,
/// or a record (counted from 0) whose label is out of range.
inline result<image_set> read_cifar10(std::span<const std::string> paths, std::size_t limit = default_read_limit) {
    return impl::read_cifar(paths, {"CIFAR-10", 1, {10, 0}, 0}, limit);
}

/// The same for CIFAR-100: the fine label of 100 classes, or the coarse one of 20.
inline result<image_set> read_cifar100(std::span<const std::string> paths, bool fine = true,
                                       std::size_t limit = default_read_limit) {
    return impl::read_cifar(paths, {"CIFAR-100", 2, {20, 100}, fine ? std::size_t{1} : std::size_t{0}}, limit);
}

}  // namespace redoubt::io::inline REDOUBT_ABI
