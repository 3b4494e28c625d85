// SPDX-License-Identifier: MIT
// Scores of a network's output channels, and of single weights where asked for: the larger, the more a fault there is expected to do.
#pragma once

#include <redoubt/base/result.hpp>
#include <redoubt/kernel/crc32c.hpp>
#include <redoubt/nn/convert.hpp>
#include <redoubt/nn/permute.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace redoubt::analyze::inline v1 {

/// One convolution or linear layer as rankings and plans name it.
struct layer_identity {
    std::string name;
    int out = 0;                    ///< output channels
    int rows = 0, columns = 0;      ///< of the kernel
    int in = 0;                     ///< input channels that one output channel reads
    bool is_linear = false;
    bool operator==(const layer_identity&) const = default;

    std::size_t channels() const { return static_cast<std::size_t>(out); }
    std::size_t fan_in() const { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns) * static_cast<std::size_t>(in); }
};

/// Which network, and with which parameters.
struct network_identity {
    std::vector<layer_identity> layers;  ///< by slot
    std::uint32_t weights = 0;           ///< CRC-32C of all weights in logical order ([out][row][column][in]) and biases as floats, layer by layer
    bool operator==(const network_identity&) const = default;
};

/// Scores of one layer.
struct layer_scores {
    std::vector<double> channels;
    std::vector<double> weights;    ///< in logical order, or empty
    std::vector<double> low, high;  ///< of the channels' intervals, or empty
    bool operator==(const layer_scores&) const = default;
};

/// Scores by one formula.
struct ranking {
    std::string formula;              ///< its name, as the function that made it says
    network_identity of;
    std::vector<layer_scores> layers; ///< by slot
    bool per_fault = false;           ///< a score is of one fault in the channel: what the channel contributes is that times its weights
    std::uint64_t images = 0;         ///< that the scores are from
    std::uint64_t left_out = 0;       ///< images that were not taken: their margin is too small, or an output is not finite
    bool operator==(const ranking&) const = default;
};

/// What is wrong with a network beside another: the first difference, empty where there is none. Weights are compared where `by_weights`.
inline std::optional<error> difference(const network_identity& came, const network_identity& needed, bool by_weights = true) {
    const auto text = [](const layer_identity& l) {
        error e;
        e << l.name << " " << l.out << "x" << l.in << "x" << l.rows << "x" << l.columns << (l.is_linear ? " (linear)" : "");
        return e;
    };
    if (came.layers.size() != needed.layers.size()) return error{"it is of another network: one of "} << came.layers.size() << " layers, this one has " << needed.layers.size();
    for (std::size_t i = 0; i < came.layers.size(); ++i)
        if (came.layers[i] != needed.layers[i])
            return error{"it is of another network: layer "} << i << " is " << text(came.layers[i]).text() << ", here it is " << text(needed.layers[i]).text();
    if (by_weights && came.weights != needed.weights) return error{"it is of the same layers with other weights: their checksums differ"};
    return {};
}

/// What a channel contributes to what faults in a layer or a network do, at one probability a bit.
inline double contribution(const ranking& r, int slot, std::size_t channel) {
    const auto s = static_cast<std::size_t>(slot);
    return r.layers[s].channels[channel] * (r.per_fault ? static_cast<double>(r.of.layers[s].fan_in()) : 1.0);
}

/// Whether a ranking is whole: layers of 1 to 65535 channels, scores for every channel, all finite, none below 0. The error says where.
inline result<void> check(const ranking& r) {
    if (r.layers.size() != r.of.layers.size()) return error{"the ranking has scores of "} << r.layers.size() << " layers, its network has " << r.of.layers.size();
    for (std::size_t s = 0; s < r.layers.size(); ++s) {
        const layer_identity& layer = r.of.layers[s];
        const layer_scores& scores = r.layers[s];
        if (layer.out < 1 || layer.out > 65535 || layer.fan_in() < 1) return error{"the ranking's layer "} << layer.name << " has " << layer.out << " channels of " << layer.fan_in() << " weights: a layer has 1 to 65535, and some";
        const auto sound = [&](const std::vector<double>& v, std::size_t needed, bool may_be_empty, std::string_view what) -> std::optional<error> {
            if (v.size() != needed && !(may_be_empty && v.empty())) return error{"the ranking has "} << v.size() << " " << what << " of " << layer.name << ", needed " << needed;
            for (std::size_t i = 0; i < v.size(); ++i)
                if (v[i] < 0.0) return error{"the ranking's "} << what << " of " << layer.name << ": number " << i << " is below 0";
                else if (!std::isfinite(v[i])) return error{"the ranking's "} << what << " of " << layer.name << ": number " << i << " is " << (std::isnan(v[i]) ? "NaN" : "infinite");
            return {};
        };
        if (auto wrong = sound(scores.channels, layer.channels(), false, "scores")) return *wrong;
        if (auto wrong = sound(scores.weights, layer.channels() * layer.fan_in(), true, "scores of weights")) return *wrong;
        if (auto wrong = sound(scores.low, layer.channels(), true, "lower ends")) return *wrong;
        if (auto wrong = sound(scores.high, layer.channels(), true, "upper ends")) return *wrong;
    }
    return {};
}

/// Channels of a layer by falling score, equal ones by their number. A NaN is an error.
inline result<std::vector<std::uint16_t>> order_of(const ranking& r, int slot) {
    REDOUBT_EXPECTS(slot >= 0 && static_cast<std::size_t>(slot) < r.layers.size());
    const std::vector<double>& scores = r.layers[static_cast<std::size_t>(slot)].channels;
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (std::isnan(scores[i])) return error{"the score of channel "} << i << " of " << r.of.layers[static_cast<std::size_t>(slot)].name << " is NaN: it has no place in an order";
    std::vector<std::uint16_t> order(scores.size());
    order_by_score(scores, order);
    return order;
}

/// Shares of the whole that the first 1, 2, ..., n scores of an order have; all 0 where the whole is. Scores are not negative.
inline std::vector<double> cumulative(std::span<const double> scores, std::span<const std::uint16_t> order) {
    std::vector<double> shares;
    double sum = 0.0;
    for (const std::uint16_t c : order) shares.push_back(sum += scores[c]);
    for (double& s : shares) s = sum > 0.0 ? s / sum : 0.0;
    return shares;
}

/// Ranks from 1, the smallest value first; equal values have the mean of theirs. No NaN.
inline std::vector<double> mean_ranks(std::span<const double> values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    for (std::size_t i = 0, j = 0; i < order.size(); i = j) {
        while (j < order.size() && !(values[order[i]] < values[order[j]])) ++j;
        for (std::size_t k = i; k < j; ++k) ranks[order[k]] = 0.5 * (static_cast<double>(i + 1) + static_cast<double>(j));
    }
    return ranks;
}

/// Spearman's rank correlation, Pearson's of mean_ranks(): Spearman, American Journal of Psychology 15 (1904) 72. Nothing where all values of a side are
/// equal, or there is none. No NaN.
inline std::optional<double> spearman(std::span<const double> a, std::span<const double> b) {
    REDOUBT_EXPECTS(a.size() == b.size());
    const std::vector<double> x = mean_ranks(a), y = mean_ranks(b);
    const double mean = 0.5 * (static_cast<double>(a.size()) + 1.0);
    double xx = 0.0, yy = 0.0, xy = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xx = std::fma(x[i] - mean, x[i] - mean, xx);
        yy = std::fma(y[i] - mean, y[i] - mean, yy);
        xy = std::fma(x[i] - mean, y[i] - mean, xy);
    }
    if (xx == 0.0 || yy == 0.0) return {};
    return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

/// How far two rankings agree, over the channels of a layer or of all.
struct agreement {
    std::optional<double> correlation;  ///< spearman()
    double shared = 0.0;                ///< of the first channels of one order, the share that is among the first of the other
};

/// Agreement of two rankings of one network, layer by layer; `ratio` of the channels of a layer, at least one, are the first ones. Errors: rankings of
/// different networks, or not whole.
inline result<std::vector<agreement>> compare(const ranking& a, const ranking& b, double ratio = 0.15) {
    if (auto wrong = difference(b.of, a.of)) return error{"the rankings cannot be compared: "} << wrong->text();
    for (const ranking* r : {&a, &b})
        if (auto whole = check(*r); !whole) return whole.reason();
    if (!(ratio > 0.0 && ratio <= 1.0)) return error{"the share of channels that come first must be above 0 and at most 1"};
    std::vector<agreement> all;
    for (std::size_t s = 0; s < a.layers.size(); ++s) {
        const auto &x = a.layers[s].channels, &y = b.layers[s].channels;
        const auto first = std::max<std::size_t>(1, static_cast<std::size_t>(ratio * static_cast<double>(x.size())));
        const auto p = order_of(a, static_cast<int>(s)), q = order_of(b, static_cast<int>(s));
        std::size_t shared = 0;
        for (std::size_t i = 0; i < first; ++i)
            shared += std::find(q->begin(), q->begin() + static_cast<std::ptrdiff_t>(first), (*p)[i]) != q->begin() + static_cast<std::ptrdiff_t>(first) ? 1u : 0u;
        all.push_back({spearman(x, y), static_cast<double>(shared) / static_cast<double>(first)});
    }
    return all;
}

/// The mean of the layers' correlations, each by its number of channels: what one number says of rankings by which channels are chosen within layers.
/// Layers without a correlation are left out; nothing where there is none.
inline std::optional<double> mean_correlation(const network_identity& of, std::span<const agreement> layers) {
    double sum = 0.0, channels = 0.0;
    for (std::size_t s = 0; s < layers.size(); ++s) {
        if (!layers[s].correlation) continue;
        sum = std::fma(*layers[s].correlation, static_cast<double>(of.layers[s].out), sum);
        channels += static_cast<double>(of.layers[s].out);
    }
    if (channels == 0.0) return {};
    return sum / channels;
}

}  // namespace redoubt::analyze::inline v1

namespace redoubt::analyze::inline REDOUBT_ABI {

/// The layers of a network without protections.
template <network_type Net>
    requires(std::same_as<Net, without_protection<Net>>)
std::vector<layer_identity> layers_of() {
    std::vector<layer_identity> layers;
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const slot& info = Net::table.slots[static_cast<std::size_t>(s)];
        const auto& g = info.geometry;
        layers.push_back({std::string{info.name.view()}, g.out.channels, g.kernel.h, g.kernel.w, g.group_in(), info.is_linear});
    }
    return layers;
}

/// The identity of a network without protections; of int8 the codes are taken.
template <network_type Net>
    requires(std::same_as<Net, without_protection<Net>> && !is_fast<typename Net::number_type>)
network_identity identity_of(const parameters<Net>& weights) {
    network_identity id{layers_of<Net>(), 0};
    std::vector<float> words;
    std::vector<std::uint32_t> sums;
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const auto& g = Net::table.slots[static_cast<std::size_t>(s)].geometry;
        words.clear();
        for (std::size_t i = 0; i < g.weights(); ++i) words.push_back(logical_weight(weights, s, i));
        for (std::size_t o = 0; o < static_cast<std::size_t>(g.out.channels); ++o) words.push_back(static_cast<float>(weights.biases(s)[o]));
        const auto raw = std::as_bytes(std::span{words});
        sums.push_back(kernel::crc32c(raw.data(), raw.size()));
    }
    const auto raw = std::as_bytes(std::span{sums});
    id.weights = kernel::crc32c(raw.data(), raw.size());
    return id;
}

/// An empty ranking of a network: no scores yet.
template <network_type Net>
ranking ranking_of(const parameters<Net>& weights, std::string formula) {
    ranking r;
    r.formula = std::move(formula);
    r.of = identity_of<Net>(weights);
    for (const layer_identity& layer : r.of.layers) r.layers.push_back({std::vector<double>(layer.channels()), {}, {}, {}});
    return r;
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
