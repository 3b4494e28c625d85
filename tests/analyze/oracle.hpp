// SPDX-License-Identifier: MIT
// Gradients of logits in double, by the definitions, and images with labels.
#pragma once

#include <redoubt/analyze/vulnerability.hpp>
#include <redoubt/train/reference.hpp>

#include "support/nets.hpp"
#include "train/networks.hpp"

#include <vector>

namespace analyze_tests {

using namespace redoubt;

template <network_type Net>
campaign::prepared_images drawn_prepared(std::size_t count, std::uint64_t seed) {
    campaign::prepared_images all;
    all.image_size = static_cast<std::size_t>(Net::input_shape.size());
    random_stream labels{seed, {77}};
    for (const auto& pixels : support::drawn_images<Net>(static_cast<int>(count), seed)) {
        all.pixels.insert(all.pixels.end(), pixels.begin(), pixels.end());
        all.labels.push_back(static_cast<int>(labels.below(static_cast<std::uint64_t>(Net::outputs))));
    }
    return all;
}

/// The deployed network in double; parameters lie as in analyze::deployed_network.
struct logit_oracle {
    analyze::deployed_network net;
    train::reference_step<double> exact;

    template <network_type Net>
    explicit logit_oracle(const parameters<Net>& weights, const Net* = nullptr) : net{analyze::deployed_network::of<Net>(weights)}, exact{net.plan()} {
        std::copy(net.parameters().begin(), net.parameters().end(), exact.parameters.begin());
    }
    std::vector<double> logits(std::span<const float> image) {
        const std::vector<double> pixels(image.begin(), image.end());
        exact.forward(pixels, std::vector<int>{0});
        return exact.logits();
    }
    /// Of sum of seed times logits, in the parameters' layout.
    const std::vector<double>& gradient(std::span<const float> image, std::span<const double> seed) {
        const std::vector<double> pixels(image.begin(), image.end());
        exact.run_seeded(pixels, 1, seed);
        return exact.gradients;
    }
    std::size_t place(std::size_t slot, std::size_t logical) const {
        return net.layout().slots[slot].weights + kernel::wide_layout{}.index_of_logical(net.plan().slots[slot].geometry, logical);
    }
    std::size_t weights_of(std::size_t slot) const { return net.plan().slots[slot].geometry.weights(); }
    std::size_t fan_in(std::size_t slot) const { return static_cast<std::size_t>(net.plan().slots[slot].geometry.fan_in()); }
    std::size_t slots() const { return net.plan().slots.size(); }
};

/// The largest difference of two layers' scores over the largest score, over all layers.
inline double apart(const std::vector<std::vector<double>>& exact, const analyze::ranking& r, bool of_weights) {
    double worst = 0.0;
    for (std::size_t s = 0; s < exact.size(); ++s) {
        const auto& got = of_weights ? r.layers[s].weights : r.layers[s].channels;
        if (got.size() != exact[s].size()) return 1e300;
        double most = 0.0, off = 0.0;
        for (std::size_t i = 0; i < got.size(); ++i) {
            most = std::max(most, std::abs(exact[s][i]));
            off = std::max(off, std::abs(exact[s][i] - got[i]));
        }
        if (most > 0.0) worst = std::max(worst, off / most);
    }
    return worst;
}

}  // namespace analyze_tests
