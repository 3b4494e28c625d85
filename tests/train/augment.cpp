// SPDX-License-Identifier: MIT
// Augmentation: what it does to an image, and on what its draws depend.
#include <redoubt/train/augment.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <set>
#include <vector>

using namespace redoubt;

namespace {

io::image_set numbered(int channels) {
    io::image_set set{"numbers", channels, 6, 5, {}, {0, 1}, 2};
    for (int i = 0; i < 2 * 30 * channels; ++i) set.pixels.push_back(static_cast<std::uint8_t>(i % 250 + 1));
    return set;
}

std::vector<float> augmented(const io::image_set& set, std::size_t image, const train::augmentation& by, std::uint64_t seed, std::uint64_t epoch) {
    std::vector<float> to(set.image_size());
    train::augment(set, image, by, train::pixel_table{by.normalise, set.channels}, seed, epoch, to.data());
    return to;
}

}  // namespace

TEST_CASE("without options an image is normalised as for inference") {
    const io::image_set set = numbered(3);
    train::augmentation by;
    by.normalise = {{0.1f, 0.2f, 0.3f}, {0.5f, 0.6f, 0.7f}};
    std::vector<float> expected(set.image_size());
    io::normalise(set.image(1), 3, by.normalise, expected);
    CHECK(augmented(set, 1, by, 4, 9) == expected);
}

TEST_CASE("crops, flips and holes are those of the description, and all of them occur") {
    const io::image_set set = numbered(1);
    const train::augmentation by{.crop_pad = 2, .flip = true, .cutout = 0, .normalise = {}};
    std::set<std::vector<float>> seen;
    for (std::uint64_t epoch = 0; epoch < 400; ++epoch) {
        const auto got = augmented(set, 0, by, 1, epoch);
        bool found = false;
        for (int down = -2; down <= 2; ++down)
            for (int right = -2; right <= 2; ++right)
                for (const bool turned : {false, true}) {
                    std::vector<float> expected;
                    for (int row = 0; row < 6; ++row)
                        for (int column = 0; column < 5; ++column) {
                            const int y = row + down, x = (turned ? 4 - column : column) + right;
                            const bool inside = y >= 0 && y < 6 && x >= 0 && x < 5;
                            expected.push_back(inside ? static_cast<float>(set.pixels[static_cast<std::size_t>(y * 5 + x)]) / 255.0f : 0.0f);
                        }
                    found = found || expected == got;
                }
        CHECK(found);
        seen.insert(got);
    }
    CHECK(seen.size() == 50);

    const train::augmentation holes{.cutout = 3};
    for (std::uint64_t epoch = 0; epoch < 50; ++epoch) {
        const auto zeros = std::ranges::count(augmented(set, 0, holes, 1, epoch), 0.0f);
        CHECK((zeros >= 4 && zeros <= 9));
    }
}

TEST_CASE("draws depend on seed, epoch and image alone") {
    const io::image_set set = numbered(1);
    const train::augmentation by{.crop_pad = 2, .flip = true};
    CHECK(augmented(set, 1, by, 1, 5) == augmented(set, 1, by, 1, 5));
    int changed = 0;
    for (std::uint64_t e = 0; e < 20; ++e) {
        changed += augmented(set, 1, by, 1, e) != augmented(set, 1, by, 2, e) ? 1 : 0;
        changed += augmented(set, 1, by, 1, e) != augmented(set, 1, by, 1, e + 1) ? 1 : 0;
    }
    CHECK(changed > 30);
}

TEST_CASE("an epoch's order is a permutation of its own") {
    auto a = train::shuffled(1000, 1, 0);
    const auto b = train::shuffled(1000, 1, 1);
    CHECK(a == train::shuffled(1000, 1, 0));
    CHECK(a != b);
    std::ranges::sort(a);
    bool whole = true;
    for (std::uint32_t i = 0; i < 1000; ++i) whole = whole && a[i] == i;
    CHECK(whole);
}
