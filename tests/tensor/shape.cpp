// SPDX-License-Identifier: MIT
#include <redoubt/tensor/shape.hpp>

#include "support/catch.hpp"

#include <vector>

using namespace redoubt;

static_assert(shape{3, 4, 5}.size() == 60);
static_assert(shape{}.size() == 0);
static_assert(shape{10, 1, 1} == static_shape<10, 1, 1>::value);
static_assert(shape{1, 2, 3} != shape{3, 2, 1});

TEST_CASE("indices run over channels fastest, then columns, then rows, each met once", "[tensor][shape]") {
    const shape s{3, 4, 5};
    int expected = 0;
    for (int row = 0; row < s.height; ++row)
        for (int column = 0; column < s.width; ++column)
            for (int channel = 0; channel < s.channels; ++channel) CHECK(s.index(row, column, channel) == expected++);
    CHECK(expected == s.size());
}
