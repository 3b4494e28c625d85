// SPDX-License-Identifier: MIT
// The beginning of a vector of bytes, for instruction sets that cannot load a part of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace redoubt::kernel::inline v1 {

/// The first `count` bytes from p on, then zeros; reads no further.
template <std::size_t Size>
struct first_bytes {
    std::uint8_t byte[Size] = {};

    first_bytes(const std::uint8_t* p, int count) { std::memcpy(byte, p, static_cast<std::size_t>(count)); }
};

}  // namespace redoubt::kernel::inline v1
