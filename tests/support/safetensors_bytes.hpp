// SPDX-License-Identifier: MIT
// Safetensors files assembled by hand, right or wrong.
#pragma once

#include "support/temp_folder.hpp"

#include <cstdint>
#include <string_view>

namespace support {

/// The 8 bytes of a header length.
inline bytes length_field(std::uint64_t length) {
    bytes field;
    for (int shift = 0; shift < 64; shift += 8) field.push_back(static_cast<std::byte>((length >> shift) & 255));
    return field;
}

/// A file with that header text and so many bytes of data: 0, 1, 2, ...
inline bytes safetensors_bytes(std::string_view header, std::size_t data_bytes) {
    bytes data(data_bytes);
    for (std::size_t i = 0; i < data_bytes; ++i) data[i] = static_cast<std::byte>(i & 255);
    return length_field(header.size()) + bytes_of(header) + data;
}

}  // namespace support
