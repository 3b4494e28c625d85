// SPDX-License-Identifier: MIT
// Checksums as files and messages spell them.
#pragma once

#include <redoubt/kernel/crc32c.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace redoubt::io::inline REDOUBT_ABI {

/// Eight hexadecimal digits.
inline std::string hex_of(std::uint32_t word) {
    std::string text(8, '0');
    for (std::size_t i = 8; i-- > 0; word >>= 4) text[i] = "0123456789abcdef"[word & 15u];
    return text;
}

/// The CRC-32C of some bytes, in eight hexadecimal digits.
inline std::string checksum_text(std::span<const std::byte> bytes) { return hex_of(kernel::crc32c(bytes.data(), bytes.size())); }

}  // namespace redoubt::io::inline REDOUBT_ABI
