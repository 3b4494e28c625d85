// SPDX-License-Identifier: MIT
#include <redoubt/io/images.hpp>

#include "support/catch.hpp"

TEST_CASE("an image is its span of the pixels", "[io]") {
    redoubt::io::image_set set{"two", 3, 1, 2, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {4, 0}, 5};
    CHECK(set.size() == 2);
    REQUIRE(set.image(1).size() == 6);
    CHECK(set.image(1)[0] == 6);
    CHECK(&set.image(1)[5] == &set.pixels.back());
}
