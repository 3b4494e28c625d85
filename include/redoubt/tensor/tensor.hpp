// SPDX-License-Identifier: MIT
// A tensor that owns its elements, sized at compile time.
#pragma once

#include <redoubt/tensor/view.hpp>

#include <array>

namespace redoubt::inline v1 {

/// The alignment of every block the library lays out: one cache line, one AVX-512 register.
inline constexpr std::size_t block_alignment = 64;

/// Bytes rounded up to whole aligned blocks.
constexpr std::size_t aligned_up(std::size_t bytes) {
    return (bytes + block_alignment - 1) / block_alignment * block_alignment;
}

/// Elements of a static shape in aligned storage; trivially copyable where T is. Large ones belong in static or
/// allocated storage, not on the stack.
template <class T, int Channels, int Height, int Width>
struct tensor {
    static constexpr shape extents{Channels, Height, Width};
    alignas(block_alignment) std::array<T, static_cast<std::size_t>(extents.size())> elements{};

    constexpr tensor_view<T> view() { return {elements.data(), extents}; }
    constexpr tensor_view<const T> view() const { return {elements.data(), extents}; }
};

}  // namespace redoubt::inline v1
