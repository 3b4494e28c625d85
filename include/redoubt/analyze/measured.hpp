// SPDX-License-Identifier: MIT
// How often single flips in a channel's or a layer's weights change the answer, measured.
#pragma once

#include <redoubt/analyze/ranking.hpp>
#include <redoubt/campaign/cone.hpp>
#include <redoubt/campaign/images.hpp>
#include <redoubt/campaign/parallel.hpp>
#include <redoubt/campaign/planning.hpp>
#include <redoubt/campaign/subject.hpp>
#include <redoubt/campaign/trial_interval.hpp>
#include <redoubt/fault/weights.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace redoubt::analyze::inline v1 {

/// How many faults are injected, and which.
struct injection_spec {
    double margin = 0.01;             ///< of the failure rate that sample_size() plans for, at a rate of one half
    double confidence = 0.95;         ///< of the plan and of the intervals
    std::uint64_t most_faults = 2000; ///< in one channel or layer
    std::uint64_t seed = 1;
    unsigned threads = 1;             ///< results do not depend on it
};

/// The failure rate of single flips somewhere: the share of all pairs of a fault and an image in which the predicted class changes.
struct injected_rate {
    double sdc1 = 0.0;
    campaign::interval bounds{};   ///< about these images; where every place was struck once, the rate itself
    std::uint64_t faults = 0;
    std::uint64_t places = 0;
};

}  // namespace redoubt::analyze::inline v1

namespace redoubt::analyze::inline REDOUBT_ABI {

namespace impl {

/// Logical weights [first, first + count) of a slot.
struct weight_range {
    int slot = 0;
    std::uint64_t first = 0, count = 0;
};

/// `count` of `places` numbers, none twice, all where there are not more.
inline std::vector<std::uint64_t> drawn_places(const fault::draw_key& key, std::uint64_t places, std::uint64_t count) {
    std::vector<std::uint64_t> all(static_cast<std::size_t>(std::min(count, places)));
    fault::draw_exactly(key, places, all);
    return all;
}

/// Strikes each range; every fault meets every image. Chunks of faults share an image's trace while it is in the cache, and only what a fault reaches is computed.
template <network_type Net>
std::vector<injected_rate> inject(const parameters<Net>& weights, const campaign::prepared_images& images, const injection_spec& spec, std::span<const weight_range> ranges) {
    static_assert(std::same_as<Net, without_protection<Net>> && !is_fast<typename Net::number_type>,
                  "redoubt: channels are measured in the network without protections that is not fast");
    static_assert(campaign::writes_once<Net>);
    REDOUBT_EXPECTS(images.size() > 0 && images.image_size == static_cast<std::size_t>(Net::input_shape.size()));
    REDOUBT_EXPECTS(spec.most_faults > 0 && spec.threads > 0);
    constexpr auto bits = static_cast<std::uint64_t>(fault::impl::part_fields<Net>(fault::primary_weights).bits);
    std::vector<fault::weight_fault> faults;
    std::vector<injected_rate> rates;
    for (const weight_range& r : ranges) {
        injected_rate rate;
        rate.places = r.count * bits;
        const double planned = campaign::sample_size({spec.margin, spec.confidence, static_cast<double>(rate.places), 0.5});
        rate.faults = std::min({rate.places, spec.most_faults, static_cast<std::uint64_t>(planned)});
        // a channel and the layer that it is all of are drawn apart
        const fault::draw_key key{spec.seed, r.first << 32 | r.count, 0x4348464au, static_cast<std::uint32_t>(r.slot)};
        for (const std::uint64_t place : drawn_places(key, rate.places, rate.faults)) {
            fault::weight_fault f;
            f.copy = fault::primary_weights;
            f.slot = r.slot;
            f.word = r.first + place / bits;
            f.bit = static_cast<std::int32_t>(place % bits);
            f.does.change.flip = std::uint32_t{1} << (place % bits);
            faults.push_back(f);
        }
        rates.push_back(rate);
    }
    std::vector<std::uint32_t> changed(faults.size());
    struct worker {
        std::unique_ptr<parameters<Net>> own;
        std::unique_ptr<campaign::overlay<Net>> over = std::make_unique<campaign::overlay<Net>>();
    };
    constexpr std::size_t together = 32;
    const std::size_t at_once = std::max<std::size_t>(1, campaign::trace_budget / campaign::trace_bytes<Net>);
    for (std::size_t first = 0; first < images.size(); first += at_once) {
        std::vector<campaign::trace<Net>> traces(std::min(at_once, images.size() - first));
        campaign::parallel_for(traces.size(), spec.threads, [] { return std::make_unique<campaign::overlay<Net>>(); },
                               [&](auto& space, std::size_t i) { traces[i] = campaign::record_trace<Net>(weights, images.image(first + i), *space); });
        const auto make_worker = [&] { return worker{std::make_unique<parameters<Net>>(weights)}; };
        campaign::parallel_for((faults.size() + together - 1) / together, spec.threads, make_worker, [&](worker& w, std::size_t chunk) {
            for (const campaign::trace<Net>& trace : traces)
                for (std::size_t n = chunk * together; n < std::min(faults.size(), (chunk + 1) * together); ++n) {
                    fault::weight_fault f = faults[n];
                    campaign::strike<Net> where;
                    campaign::mark<Net>(where, f);
                    fault::apply<Net>(*w.own, f);
                    changed[n] += campaign::infer_struck<Net>(*w.own, trace, where, *w.over).top1() != trace.golden.top1() ? 1u : 0u;
                    fault::undo<Net>(*w.own, f);
                }
        });
    }
    std::size_t at = 0;
    for (injected_rate& rate : rates) {
        std::vector<double> counts(changed.begin() + static_cast<std::ptrdiff_t>(at), changed.begin() + static_cast<std::ptrdiff_t>(at + rate.faults));
        at += rate.faults;
        double sum = 0.0;
        for (const double c : counts) sum += c;
        const auto pairs = static_cast<double>(images.size());
        rate.sdc1 = sum / pairs / static_cast<double>(rate.faults);
        rate.bounds = rate.faults == rate.places ? campaign::interval{rate.sdc1, rate.sdc1} : campaign::trial_interval(counts, pairs, spec.confidence);
    }
    return rates;
}

}  // namespace impl

/// "measured": the SDC-1 rate of single bit flips in the weights of each output channel, over `images`, with intervals; the bias is not struck. Public code for
/// arXiv 2405.10658 ("channel-FI") injects n = N / (1 + e^2 (N - 1) / (z^2 p (1 - p))) faults with e = 0.01, p = 1/2, N the bits of the channel's weights and
/// 2000 at most, and scores by accuracy; drawn here are as many, rounded up, with z of the confidence asked for, without repetition, every place once where there are no more, and scored are changed
/// answers, which need no labels.
///
/// Any number, no protections. Draws depend on the seed and the channel alone. Cost: for each fault and image the part of an inference that the fault reaches;
/// intervals take n^2 divisions a channel.
template <network_type Net>
ranking measured_channels(const parameters<Net>& weights, const campaign::prepared_images& images, const injection_spec& spec = {}) {
    std::vector<impl::weight_range> ranges;
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const auto& g = Net::table.slots[static_cast<std::size_t>(s)].geometry;
        const auto fan_in = static_cast<std::uint64_t>(g.fan_in());
        for (std::uint64_t o = 0; o < static_cast<std::uint64_t>(g.out.channels); ++o) ranges.push_back({s, o * fan_in, fan_in});
    }
    const std::vector<injected_rate> rates = impl::inject<Net>(weights, images, spec, ranges);
    ranking r = ranking_of<Net>(weights, "measured");
    r.per_fault = true;
    r.images = images.size();
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        layer_scores& to = r.layers[static_cast<std::size_t>(ranges[i].slot)];
        to.channels[static_cast<std::size_t>(ranges[i].first / ranges[i].count)] = rates[i].sdc1;
        to.low.push_back(rates[i].bounds.low);
        to.high.push_back(rates[i].bounds.high);
    }
    return r;
}

/// The same of whole layers, by slot: the failure rate of a flip somewhere in the layer's weights.
template <network_type Net>
std::vector<injected_rate> measured_layers(const parameters<Net>& weights, const campaign::prepared_images& images, const injection_spec& spec = {}) {
    std::vector<impl::weight_range> ranges;
    for (int s = 0; s < Net::table.slot_count; ++s) ranges.push_back({s, 0, Net::table.slots[static_cast<std::size_t>(s)].geometry.weights()});
    return impl::inject<Net>(weights, images, spec, ranges);
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
