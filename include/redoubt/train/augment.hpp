// SPDX-License-Identifier: MIT
// From stored pixels to what a network is trained on: crop, flip, normalisation, cutout.
#pragma once

#include <redoubt/base/philox.hpp>
#include <redoubt/io/images.hpp>
#include <redoubt/io/normalisation.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace redoubt::train::inline v1 {

/// What is done to each image of a training set. Draws depend on the run's seed, the epoch and the image's number only.
struct augmentation {
    int crop_pad = 0;     ///< so many black pixels on each side, of which a window of the old size is taken
    bool flip = false;    ///< left to right, half of the images
    int cutout = 0;       ///< a square of this side set to the mean, its centre anywhere in the image (DeVries and Taylor 2017)
    io::normalisation normalise{};
};

}  // namespace redoubt::train::inline v1

namespace redoubt::train::inline REDOUBT_ABI {

/// The bits that normalise() gives each value of eight bits, [channel][256].
class pixel_table {
public:
    pixel_table(const io::normalisation& by, int channels) : values_(static_cast<std::size_t>(channels) * 256) {
        std::vector<std::uint8_t> pixels(static_cast<std::size_t>(channels));
        std::vector<float> out(pixels.size());
        for (std::size_t v = 0; v < 256; ++v) {
            std::fill(pixels.begin(), pixels.end(), static_cast<std::uint8_t>(v));
            io::normalise(pixels, channels, by, out);
            for (std::size_t c = 0; c < out.size(); ++c) values_[c * 256 + v] = out[c];
        }
    }
    float operator()(int channel, std::uint8_t v) const { return values_[static_cast<std::size_t>(channel) * 256 + v]; }

private:
    std::vector<float> values_;
};

/// One image of a set, [row][column][channel], as epoch `epoch` of a run with `seed` sees it.
inline void augment(const io::image_set& set, std::size_t image, const augmentation& by, const pixel_table& table, std::uint64_t seed,
                    std::uint64_t epoch, float* to) {
    random_stream random{seed, {static_cast<std::uint32_t>(image), static_cast<std::uint32_t>(image >> 32), static_cast<std::uint32_t>(epoch), 0x41554731u}};
    const auto below = [&](int bound) { return static_cast<int>(random.below(static_cast<std::uint64_t>(bound))); };
    // every draw is made, so that one option does not move the others
    const int down = below(2 * by.crop_pad + 1) - by.crop_pad, right = below(2 * by.crop_pad + 1) - by.crop_pad;
    const bool turned = below(2) == 1 && by.flip;
    const int hole_row = below(set.height), hole_column = below(set.width);
    const std::span<const std::uint8_t> pixels = set.image(image);
    const auto inside = [&](int at, int centre) { return at >= centre - by.cutout / 2 && at < centre - by.cutout / 2 + by.cutout; };
    for (int row = 0; row < set.height; ++row)
        for (int column = 0; column < set.width; ++column) {
            const int y = row + down, x = (turned ? set.width - 1 - column : column) + right;
            const bool black = y < 0 || y >= set.height || x < 0 || x >= set.width, hole = inside(row, hole_row) && inside(column, hole_column);
            for (int c = 0; c < set.channels; ++c) {
                const auto at = static_cast<std::size_t>((y * set.width + x) * set.channels + c);
                *to++ = hole ? 0.0f : table(c, black ? std::uint8_t{0} : pixels[at]);
            }
        }
}

/// The order in which an epoch visits `count` images.
inline std::vector<std::uint32_t> shuffled(std::size_t count, std::uint64_t seed, std::uint64_t epoch) {
    std::vector<std::uint32_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = static_cast<std::uint32_t>(i);
    random_stream random{seed, {static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(epoch >> 32), 0, 0x53485546u}};
    for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    return order;
}

}  // namespace redoubt::train::inline REDOUBT_ABI
