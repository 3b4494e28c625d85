// SPDX-License-Identifier: MIT
// A convolution and a linear layer of 16 channels under each protection, in one network: all that a device calls, in static storage.
#pragma once

#include <redoubt/redoubt.hpp>

namespace freestanding {

namespace rd = redoubt;

template <class... Layers> using duplicate = rd::duplicate<16, Layers...>;
template <class... Layers> using duplicate_minimum = rd::duplicate_minimum<16, Layers...>;
template <class... Layers> using triplicate = rd::triplicate<16, Layers...>;
template <class... Layers> using diverse_dmr = rd::diverse<rd::dmr<Layers...>>;
template <class... Layers> using kept_range = rd::tmr_bounds<rd::range<Layers...>>;

/// What this file's caller wants to have instantiated.
template <template <class...> class... Protections>
struct list {};

template <rd::number N, class List> struct chained;
template <rd::number N, template <class...> class... P>
struct chained<N, list<P...>> {
    using type = rd::network<rd::image<1, 4, 4>, N, P<rd::conv2d<rd::conv_spec{.out = 16, .kernel = 3, .pad = 1}>>..., rd::relu,
                             P<rd::linear<16>>..., rd::linear<3>>;
};

/// Goes on with whatever a step found.
struct patient_watch {
    static constexpr int recomputations = 1;
    rd::decision operator()(int, const rd::fault_counters&) const { return rd::decision::go_on; }
};

/// Fills, calibrates, encodes, infers, watches and repairs. True where no protection saw a fault that is not there, and where the
/// class is the unprotected network's.
template <rd::number N, class List>
bool works() {
    using net = typename chained<N, List>::type;
    using plain = rd::without_protection<net>;
    using real = rd::with_number<plain, rd::float32>;
    static rd::parameters<real> trained{};
    static rd::parameters<plain> bare{};
    static rd::parameters<net> weights{};
    static rd::workspace<real> real_space{};
    static rd::workspace<plain> bare_space{};
    static rd::workspace<net> space{};
    static rd::calibration<real> seen{};
    static rd::calibration<plain> own{};
    static rd::channel_ranges<plain> channels{};
    static rd::neuron_ranges<plain> neurons{};
    static rd::state<plain> bare_memory{};
    static rd::state<net> memory{};

    rd::random_stream draw{1, {}};
    std::array<std::array<float, 16>, 4> images{};
    for (auto& pixels : images)
        for (float& p : pixels) p = static_cast<float>(draw.unit());
    const auto& image = images[0];
    for (int s = 0; s < real::table.slot_count; ++s)
        for (float& w : trained.weights(s)) w = (static_cast<float>(draw.unit()) - 0.5f) * 0.5f;
    for (const auto& pixels : images) rd::observe<real>(trained, pixels, real_space, seen);
    rd::convert<real, plain>(trained, seen, bare);
    for (const auto& pixels : images) {
        rd::observe<plain>(bare, pixels, bare_space, own);
        rd::observe_channels<plain>(bare, pixels, bare_space, channels);
        rd::observe_neurons<plain>(bare, pixels, bare_space, neurons);
    }
    // functions of weights have an inverse that rounds: what the others see is not quite what was observed
    for (auto& unit : own.units) {
        const double slack = unit.high - unit.low;
        unit.low -= slack;
        unit.high += slack;
    }

    rd::convert<real, net>(trained, seen, weights);
    rd::set_bounds<plain, net>(own, weights);
    rd::set_neuron_bounds<plain, net>(neurons, weights, 1.0f);
    rd::set_intervals<plain, net>(channels, weights, 1.0f);
    rd::store_for_transforms<net>(weights);
    rd::encode<net>(weights);

    const rd::parameters<net>& rom = weights;
    const auto expected = rd::infer<plain>(bare, bare_memory, image, bare_space);
    const auto answer = rd::infer<net>(rom, memory, image, space);
    rd::no_faults none;
    patient_watch watch;
    const auto watched = rd::infer<net>(rom, memory, image, space, none, watch);
    const bool sound = rd::scrub<net>(weights, memory) == rd::fault_counters{};
    bool active = false;  // a network of which nothing is left but zeros has a class too
    for (const float logit : answer.logits) active = active || logit != 0.0f;
    return active && sound && rd::scrub_next<net>(weights, memory) == rd::fault_counters{} && answer.status.trustworthy() &&
           watched.status.trustworthy() && answer.top1() == expected.top1() && watched.top1() == expected.top1();
}

}  // namespace freestanding
