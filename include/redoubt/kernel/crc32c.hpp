// SPDX-License-Identifier: MIT
// CRC-32C (Castagnoli), reflected polynomial 0x82F63B78, as in RFC 3720: check value of "123456789" is E3069283.
#pragma once

#include <redoubt/base/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if REDOUBT_LEVEL_NUMBER >= 2 && defined(__SSE4_2__) && defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace redoubt::kernel::inline v1 {

namespace detail {
constexpr std::array<std::uint32_t, 256> crc32c_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t c = i;
        for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1u) != 0 ? 0x82F63B78u : 0u);
        table[i] = c;
    }
    return table;
}
inline constexpr auto crc32c_bytes = crc32c_table();
}  // namespace detail

/// The reference: one table look-up a byte.
constexpr std::uint32_t crc32c_reference(const std::byte* data, std::size_t size) {
    std::uint32_t crc = 0xffffffffu;
    for (std::size_t i = 0; i < size; ++i)
        crc = (crc >> 8) ^ detail::crc32c_bytes[(crc ^ static_cast<std::uint32_t>(data[i])) & 0xffu];
    return ~crc;
}

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

/// The checksum of `size` bytes; eight at a time where the instruction set has it.
inline std::uint32_t crc32c(const std::byte* data, std::size_t size) {
#if REDOUBT_LEVEL_NUMBER >= 2 && defined(__SSE4_2__) && defined(__x86_64__)
    std::uint64_t crc = 0xffffffffu;
    std::size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, data + i, 8);
        crc = _mm_crc32_u64(crc, word);
    }
    auto rest = static_cast<std::uint32_t>(crc);
    for (; i < size; ++i) rest = _mm_crc32_u8(rest, static_cast<std::uint8_t>(data[i]));
    return ~rest;
#else
    return crc32c_reference(data, size);
#endif
}

/// The checksums of four neighbouring blocks of `size` bytes each, a multiple of 8: a step of one takes three cycles, and four
/// go side by side.
inline std::array<std::uint32_t, 4> crc32c_of_four(const std::byte* data, std::size_t size) {
#if REDOUBT_LEVEL_NUMBER >= 2 && defined(__SSE4_2__) && defined(__x86_64__)
    std::array<std::uint64_t, 4> crc;
    crc.fill(0xffffffffu);
    for (std::size_t i = 0; i < size; i += 8)
        for (std::size_t block = 0; block < 4; ++block) {
            std::uint64_t word;
            std::memcpy(&word, data + block * size + i, 8);
            crc[block] = _mm_crc32_u64(crc[block], word);
        }
    return {~static_cast<std::uint32_t>(crc[0]), ~static_cast<std::uint32_t>(crc[1]), ~static_cast<std::uint32_t>(crc[2]),
            ~static_cast<std::uint32_t>(crc[3])};
#else
    return {crc32c(data, size), crc32c(data + size, size), crc32c(data + 2 * size, size), crc32c(data + 3 * size, size)};
#endif
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
