// SPDX-License-Identifier: MIT
#include <redoubt/number/number.hpp>
#include <redoubt/tensor/tensor.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <type_traits>

using namespace redoubt;

static_assert(std::is_trivially_copyable_v<tensor<float, 3, 5, 7>>);
static_assert(std::is_trivially_copyable_v<tensor<half, 1, 1, 1>>);
static_assert(alignof(tensor<std::uint8_t, 1, 1, 1>) == block_alignment);
static_assert(sizeof(tensor<float, 3, 5, 7>) == aligned_up(3 * 5 * 7 * sizeof(float)));
static_assert(aligned_up(0) == 0 && aligned_up(1) == 64 && aligned_up(64) == 64 && aligned_up(65) == 128);

namespace {

constexpr float sum_of_elements() {
    tensor<float, 2, 2, 2> t;
    for (float v = 1.0f; float& e : t.elements) e = v++;
    float sum = 0.0f;
    for (int row = 0; row < 2; ++row)
        for (int column = 0; column < 2; ++column)
            for (int c = 0; c < 2; ++c) sum += t.view()(row, column, c);
    return sum;
}
static_assert(sum_of_elements() == 36.0f, "tensors work in constant evaluation");

}  // namespace

TEST_CASE("a tensor starts at zero, aligned, and its views share its elements", "[tensor]") {
    static tensor<float, 3, 4, 5> t;
    CHECK(reinterpret_cast<std::uintptr_t>(t.elements.data()) % block_alignment == 0);
    for (float v : t.elements) CHECK(to_word(v) == 0);
    t.view()(3, 4, 2) = 1.5f;
    CHECK(t.elements.back() == 1.5f);
    const auto& fixed_tensor = t;
    CHECK(fixed_tensor.view()(3, 4, 2) == 1.5f);
    static_assert(std::is_same_v<decltype(fixed_tensor.view()), tensor_view<const float>>);

    static tensor<std::uint8_t, 1, 1, 3> bytes[2];
    for (const auto& one : bytes) CHECK(reinterpret_cast<std::uintptr_t>(&one) % block_alignment == 0);
}
