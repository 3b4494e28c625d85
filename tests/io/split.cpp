// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <redoubt/io/split.hpp>

#include <algorithm>

using namespace redoubt;

TEST_CASE("a set is split into images that are drawn by the seed, each in one part, in order", "[io]") {
    io::image_set all{"numbers", 1, 1, 1, {}, {}, 10};
    for (int i = 0; i < 100; ++i) {
        all.pixels.push_back(static_cast<std::uint8_t>(i));
        all.labels.push_back(i % 10);
    }
    const auto [most, some] = io::split(all, 30, 4);
    CHECK(most.size() == 70);
    CHECK(some.size() == 30);
    CHECK((some.name == "numbers" && some.classes == 10 && some.image_size() == 1));
    std::vector<std::uint8_t> joined = most.pixels;
    joined.insert(joined.end(), some.pixels.begin(), some.pixels.end());
    std::ranges::sort(joined);
    CHECK(joined == all.pixels);
    CHECK(std::ranges::is_sorted(most.pixels));
    CHECK(std::ranges::is_sorted(some.pixels));
    for (std::size_t i = 0; i < some.size(); ++i) CHECK(some.labels[i] == some.pixels[i] % 10);
    CHECK(io::split(all, 30, 4).second.pixels == some.pixels);
    CHECK(io::split(all, 30, 5).second.pixels != some.pixels);
    CHECK(io::split(all, 0, 4).second.size() == 0);
    CHECK(io::split(all, 1000, 4).first.size() == 0);
    // every image is as likely as another
    std::vector<int> drawn(100);
    for (std::uint64_t seed = 0; seed < 2000; ++seed)
        for (const std::uint8_t p : io::split(all, 30, seed).second.pixels) ++drawn[p];
    CHECK(*std::ranges::min_element(drawn) > 600 - 110);
    CHECK(*std::ranges::max_element(drawn) < 600 + 110);
}
