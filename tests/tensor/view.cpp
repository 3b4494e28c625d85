// SPDX-License-Identifier: MIT
#include <redoubt/tensor/view.hpp>

#include "support/catch.hpp"

#include <array>
#include <type_traits>

using namespace redoubt;

static_assert(std::is_trivially_copyable_v<tensor_view<float>>);
static_assert(std::is_convertible_v<tensor_view<float>, tensor_view<const float>>);
static_assert(!std::is_convertible_v<tensor_view<const float>, tensor_view<float>>);
static_assert(!std::is_convertible_v<tensor_view<double>, tensor_view<const float>>);

TEST_CASE("a view reads and writes the elements of its owner", "[tensor][view]") {
    std::array<int, 24> owner{};
    const tensor_view<int> view{owner.data(), {2, 3, 4}};
    CHECK(view.size() == 24);
    CHECK(view.data() == owner.data());
    view(2, 3, 1) = 7;
    view(0, 1, 0) = 5;
    CHECK(owner[23] == 7);
    CHECK(owner[2] == 5);

    const tensor_view<const int> reader = view;
    CHECK(reader(2, 3, 1) == 7);
    CHECK(reader.extents() == shape{2, 3, 4});
    CHECK(reader.elements().size() == 24);
    CHECK(&reader.elements()[2] == &owner[2]);
}
