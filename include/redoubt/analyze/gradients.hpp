// SPDX-License-Identifier: MIT
// Sums over images of gradients of a network as it is deployed, and scores made of them.
#pragma once

#include <redoubt/analyze/ranking.hpp>
#include <redoubt/campaign/parallel.hpp>
#include <redoubt/train/deployed.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace redoubt::analyze::inline REDOUBT_ABI {

using train::deployed_network;
using train::gradient_pass;

namespace impl {

/// Sums over images whose bits do not depend on the number of threads: images are taken in runs of eight, each added up by one thread, and runs are joined in
/// their order. body(pass, image, sums) adds one image. Memory: a Sums and a pass a thread. `zero` is an empty Sums; Sums has add(const Sums&) and clear().
template <class Sums, class Body>
Sums sum_over_images(const deployed_network& net, std::size_t images, unsigned threads, const Sums& zero, Body&& body) {
    constexpr std::size_t together = 8;
    struct worker {
        gradient_pass pass;
        Sums sums;
    };
    Sums all = zero;
    std::atomic<std::size_t> joined{0};
    campaign::parallel_for((images + together - 1) / together, threads, [&] { return worker{gradient_pass{net}, zero}; }, [&](worker& w, std::size_t run) {
        w.sums.clear();
        const auto in_turn = [&](auto&& act) {
            // earlier runs are in other threads' hands, so this ends
            for (std::size_t done; (done = joined.load()) != run;) joined.wait(done);
            act();
            joined.store(run + 1);
            joined.notify_all();
        };
        try {
            for (std::size_t i = run * together; i < std::min(images, (run + 1) * together); ++i) body(w.pass, i, w.sums);
        } catch (...) {
            in_turn([] {});  // others wait for this run
            throw;
        }
        in_turn([&] { all.add(w.sums); });
    });
    return all;
}

/// Scores of channels, in whole blocks of sixteen a slot, and of weights in the parameters' layout where they are asked for.
struct score_sums {
    std::vector<std::vector<double>> channels;  ///< of slots
    std::vector<double> weights;
    std::uint64_t taken = 0, left_out = 0;

    score_sums(const deployed_network& net, bool each_weight) : weights(each_weight ? net.layout().words : 0) {
        for (const train::slot_range& r : net.layout().slots) channels.emplace_back(r.channels);
    }
    void clear() {
        for (auto& c : channels) std::fill(c.begin(), c.end(), 0.0);
        std::fill(weights.begin(), weights.end(), 0.0);
        taken = left_out = 0;
    }
    void add(const score_sums& o) {
        for (std::size_t s = 0; s < channels.size(); ++s)
            for (std::size_t c = 0; c < channels[s].size(); ++c) channels[s][c] += o.channels[s][c];
        for (std::size_t w = 0; w < weights.size(); ++w) weights[w] += o.weights[w];
        taken += o.taken;
        left_out += o.left_out;
    }
    /// Adds factor * term(word) of each weight's word to its score and its channel's.
    template <class Term>
    void add_terms(const deployed_network& net, double factor, Term&& term) {
        for (std::size_t s = 0; s < channels.size(); ++s) {
            const train::slot_range& r = net.layout().slots[s];
            const std::size_t blocks = r.channels / kernel::lane_count, size = r.weight_words / blocks;
            for (std::size_t b = 0; b < blocks; ++b) {
                double sums[kernel::lane_count] = {};
                for (std::size_t w = r.weights + b * size; w < r.weights + (b + 1) * size; w += kernel::lane_count)
                    for (std::size_t l = 0; l < kernel::lane_count; ++l) {
                        const double t = term(w + l);
                        sums[l] += t;
                        if (!weights.empty()) weights[w + l] = std::fma(factor, t, weights[w + l]);
                    }
                for (std::size_t l = 0; l < kernel::lane_count; ++l) channels[s][b * kernel::lane_count + l] = std::fma(factor, sums[l], channels[s][b * kernel::lane_count + l]);
            }
        }
    }
    /// Into a ranking, each score times what its channel's factor says.
    template <class Factor>
    void put(const deployed_network& net, ranking& to, Factor&& factor) const {
        to.images = taken;
        to.left_out = left_out;
        for (std::size_t s = 0; s < channels.size(); ++s) {
            const kernel::conv_geometry& g = net.plan().slots[s].geometry;
            for (int o = 0; o < g.out.channels; ++o)
                to.layers[s].channels[static_cast<std::size_t>(o)] = factor(s, o) * channels[s][static_cast<std::size_t>(g.block_of(o) * kernel::lane_count + g.lane_of(o))];
            if (weights.empty()) continue;
            to.layers[s].weights.resize(g.weights());
            for (std::size_t w = 0; w < g.weights(); ++w)
                to.layers[s].weights[w] = factor(s, static_cast<int>(w / static_cast<std::size_t>(g.fan_in()))) *
                                          weights[net.layout().slots[s].weights + kernel::wide_layout{}.index_of_logical(g, w)];
        }
    }
};

}  // namespace impl

}  // namespace redoubt::analyze::inline REDOUBT_ABI
