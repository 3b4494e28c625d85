// SPDX-License-Identifier: MIT
// How many images of a set a network answers rightly.
#pragma once

#include <redoubt/io/images.hpp>
#include <redoubt/io/normalisation.hpp>
#include <redoubt/nn/run.hpp>
#include <redoubt/train/team.hpp>

#include <atomic>
#include <memory>
#include <vector>

namespace redoubt::train::inline REDOUBT_ABI {

/// The number of images whose largest output is that of their label. Images are normalised as given, not augmented; spread over the team. Labels that are
/// no class count as wrong. Precondition: images of the network's input size.
template <network_type Net>
std::size_t right_answers(const redoubt::parameters<Net>& weights, const io::image_set& set, const io::normalisation& by, team& threads) {
    REDOUBT_EXPECTS(set.image_size() == static_cast<std::size_t>(Net::input_shape.size()));
    struct worker {
        std::unique_ptr<workspace<Net>> space = std::make_unique<workspace<Net>>();
        state<Net> own{};
        std::vector<float> pixels, planes;
    };
    std::vector<worker> workers(threads.size());
    std::atomic<std::size_t> right{0};
    constexpr std::size_t piece = 64;
    threads.run((set.size() + piece - 1) / piece, [&](std::size_t who, std::size_t p) {
        worker& w = workers[who];
        w.pixels.resize(set.image_size());
        w.planes.resize(set.image_size());
        std::size_t mine = 0;
        for (std::size_t i = p * piece; i < std::min(set.size(), (p + 1) * piece); ++i) {
            io::normalise(set.image(i), set.channels, by, w.pixels);
            std::span<const float> image{w.pixels};
            if constexpr (Net::input::planar) {
                const auto channels = static_cast<std::size_t>(set.channels), pixels = set.image_size() / channels;
                for (std::size_t at = 0; at < w.pixels.size(); ++at) w.planes[at % channels * pixels + at / channels] = w.pixels[at];
                image = w.planes;
            }
            mine += infer<Net>(weights, w.own, image, *w.space).top1() == set.labels[i] ? std::size_t{1} : std::size_t{0};
        }
        right += mine;
    });
    return right;
}

}  // namespace redoubt::train::inline REDOUBT_ABI
