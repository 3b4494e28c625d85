// SPDX-License-Identifier: MIT
// Rankings from the weights alone.
#pragma once

#include <redoubt/analyze/ranking.hpp>
#include <redoubt/base/philox.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace redoubt::analyze::inline REDOUBT_ABI {

/// "l2-norm": the length of each filter, the root of the sum of its weights' squares, in double; of a single weight its magnitude. The bias is not among them. Li, Kadav,
/// Durdanovic, Samet, Graf, "Pruning filters for efficient convnets" (ICLR 2017) has sums of magnitudes; public code for 2405.10658 has this. Weights are the
/// stored ones, norms folded.
template <network_type Net>
ranking filter_norms(const parameters<Net>& weights, bool each_weight = false) {
    ranking r = ranking_of<Net>(weights, "l2-norm");
    for (int s = 0; s < Net::table.slot_count; ++s) {
        layer_scores& to = r.layers[static_cast<std::size_t>(s)];
        add_filter_norms<Net>(weights, s, to.channels);
        for (double& v : to.channels) v = std::sqrt(v);
        for (std::size_t i = 0; each_weight && i < Net::table.slots[static_cast<std::size_t>(s)].geometry.weights(); ++i)
            to.weights.push_back(std::abs(static_cast<double>(logical_weight(weights, s, i))));
    }
    return r;
}

/// "random": scores from a seed, a baseline for rankings that say something.
template <network_type Net>
ranking random_scores(const parameters<Net>& weights, std::uint64_t seed) {
    ranking r = ranking_of<Net>(weights, "random");
    random_stream draw{seed, {0, 0, 0, 0x52414e4bu}};
    for (layer_scores& layer : r.layers)
        for (double& score : layer.channels) score = draw.unit();
    return r;
}

/// "salience": importance carried from the answer back along magnitudes of weights. Of each output of the network 1; what a layer reads has, of each channel,
/// the sum over output channels of their importance times the filter's magnitudes over that channel (of a linear layer over that channel's pixels); pools,
/// activations and norms pass it on, a residual add to both sides, and what several layers read has the sum. A layer's scores are those of its output channels
/// before its activation. As in public code for 2405.10658, where it is only for layers in a row: additions are ours. Weights are the stored ones, norms
/// folded. No image, no layer of the user's own. Double; cost: a look at each weight.
template <network_type Net>
ranking salience(const parameters<Net>& weights) {
    static_assert(std::none_of(Net::table.steps.begin(), Net::table.steps.begin() + Net::table.step_count, [](const step& s) { return s.kind == op::custom; }),
                  "redoubt: a layer of the user's own has no magnitudes that importance could be carried along");
    constexpr const auto& t = Net::table;
    ranking r = ranking_of<Net>(weights, "salience");
    std::vector<std::vector<double>> of(static_cast<std::size_t>(t.value_count));
    const auto channels_of = [&](int v) -> std::vector<double>& {
        auto& s = of[static_cast<std::size_t>(v)];
        if (s.empty()) s.assign(static_cast<std::size_t>(t.values[static_cast<std::size_t>(v)].extents.channels), 0.0);
        return s;
    };
    std::fill(channels_of(t.output).begin(), channels_of(t.output).end(), 1.0);
    for (int i = t.step_count - 1; i >= 0; --i) {
        const step& s = t.steps[static_cast<std::size_t>(i)];
        if (s.kind == op::input) continue;
        const std::vector<double> own = channels_of(s.out);
        if (s.residual >= 0)
            for (std::size_t c = 0; c < own.size(); ++c) channels_of(s.residual)[c] += own[c];
        if (s.kind == op::convolution) {
            const auto& g = s.geometry;
            r.layers[static_cast<std::size_t>(s.slot)].channels = own;
            std::vector<double>& in = channels_of(s.in);
            for (std::size_t w = 0; w < g.weights(); ++w) {
                const int o = static_cast<int>(w / static_cast<std::size_t>(g.fan_in())), c = static_cast<int>(w % static_cast<std::size_t>(g.group_in()));
                double& to = in[static_cast<std::size_t>(g.first_input(o) + c)];
                to = std::fma(own[static_cast<std::size_t>(o)], std::abs(static_cast<double>(logical_weight(weights, s.slot, w))), to);
            }
        } else if (s.kind == op::concat) {
            std::size_t channel = 0;
            for (const int v : s.parts) {
                if (v < 0) continue;
                for (double& c : channels_of(v)) c += own[channel++];
            }
        } else {
            std::vector<double>& in = channels_of(s.in);
            const std::size_t before = s.kind == op::subsample ? (own.size() - in.size()) / 2 : 0;  // channels of zeros
            for (std::size_t c = 0; c < in.size(); ++c) in[c] += own[before + c];
        }
    }
    return r;
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
