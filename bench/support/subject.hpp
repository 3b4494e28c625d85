// SPDX-License-Identifier: MIT
// A network of ours with drawn weights, ready to infer.
#pragma once

#include <redoubt/redoubt.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <memory>
#include <vector>

namespace bench {

using namespace redoubt;

/// Weights that keep activations' size from layer to layer, a function of the network alone.
template <network_type Net>
    requires(std::same_as<typename Net::number_type, float32>)
std::unique_ptr<parameters<Net>> drawn_parameters() {
    auto p = std::make_unique<parameters<Net>>();
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.slot < 0) continue;
        random_stream random{1, {static_cast<std::uint32_t>(s.slot)}};
        const auto& g = Net::table.slots[static_cast<std::size_t>(s.slot)].geometry;
        const auto words = p->weights(s.slot);
        const double gain = s.act == kernel::activation::none ? 3.0 : 6.0;
        const double most = std::sqrt(gain / g.fan_in()) * (s.residual >= 0 ? 0.5 : 1.0);
        for (std::size_t w = 0; w < g.weights(); ++w)
            words[kernel::layout_of<float32>.index_of_logical(g, w)] = static_cast<float>((2.0 * random.unit() - 1.0) * most);
        for (float& b : p->biases(s.slot).first(static_cast<std::size_t>(g.out.channels)))
            b = static_cast<float>(0.1 * (random.unit() - 0.5));
    }
    return p;
}

/// Pixels in [0, 1), so that oneDNN's int8 chain can read them as u8.
template <network_type Net>
std::vector<float> drawn_image(std::uint32_t number = 0) {
    random_stream random{2, {number}};
    std::vector<float> pixels(static_cast<std::size_t>(Net::input_shape.size()));
    for (float& p : pixels) p = static_cast<float>(random.unit());
    return pixels;
}

/// What a network makes of the image that is inferred.
template <network_type Net>
calibration<Net> seen_by(const redoubt::parameters<Net>& weights) {
    calibration<Net> seen;
    const auto space = std::make_unique<workspace<Net>>();
    observe<Net>(weights, drawn_image<Net>(), *space, seen);
    return seen;
}

/// The same weights in any number and under any protection: scales and bounds from the image that is inferred, codes computed.
template <network_type Net>
std::unique_ptr<redoubt::parameters<Net>> converted_parameters() {
    using plain = without_protection<Net>;
    using base = with_number<plain, float32>;
    auto floats = drawn_parameters<base>();
    if constexpr (std::same_as<Net, base>) {
        return floats;
    } else {
        const auto seen = seen_by<base>(*floats);
        auto p = std::make_unique<redoubt::parameters<Net>>();
        convert<base, Net>(*floats, seen, *p);
        if constexpr (!std::same_as<Net, plain>) {
            const auto bare = std::make_unique<redoubt::parameters<plain>>();
            convert<base, plain>(*floats, seen, *bare);
            set_bounds<plain, Net>(seen_by<plain>(*bare), *p);
            if constexpr (has_neuron_bounds<Net>) {
                const auto neurons = std::make_unique<neuron_ranges<plain>>();
                const auto space = std::make_unique<workspace<plain>>();
                observe_neurons<plain>(*bare, drawn_image<plain>(), *space, *neurons);
                set_neuron_bounds<plain, Net>(*neurons, *p);
            }
            if constexpr (has_intervals<Net>) {
                channel_ranges<plain> channels;
                const auto space = std::make_unique<workspace<plain>>();
                observe_channels<plain>(*bare, drawn_image<plain>(), *space, channels);
                set_intervals<plain, Net>(channels, *p);
            }
            store_for_transforms<Net>(*p);
            encode<Net>(*p);
        }
        return p;
    }
}

/// Everything one inference needs.
template <network_type Net>
class subject {
public:
    const answer<Net>& infer() {
        answer_ = redoubt::infer<Net>(*parameters_, state_, image_, *space_);
        return answer_;
    }
    /// A pass over all parameters.
    fault_counters scrub() { return redoubt::scrub<Net>(*parameters_, state_); }
    /// The steps from `First` once more, of an inference whose first steps no later one has overwritten.
    template <int First>
    void rerun() {
        no_faults none;
        run<Net>(*parameters_, {}, *space_, answer_.status, none, First, Net::table.step_count);
    }
    std::span<const float> image() const { return image_; }
    const redoubt::parameters<Net>& parameters() const { return *parameters_; }

private:
    std::unique_ptr<redoubt::parameters<Net>> parameters_ = converted_parameters<Net>();
    std::unique_ptr<workspace<Net>> space_ = std::make_unique<workspace<Net>>();
    std::vector<float> image_ = drawn_image<Net>();
    state<Net> state_;
    answer<Net> answer_;
};

/// Multiply-adds of an inference, padding not counted.
template <network_type Net>
double executed_macs() {
    long long macs = 0;
    for (const step& s : Net::table.steps)
        if (s.kind == op::convolution) macs += s.geometry.executed_macs();
    return static_cast<double>(macs);
}

/// Bytes of logical weights and biases.
template <network_type Net>
double least_weights() {
    using N = typename Net::number_type;
    std::size_t bytes = 0;
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const auto& g = Net::table.slots[static_cast<std::size_t>(s)].geometry;
        bytes += g.weights() * sizeof(typename N::weight) + static_cast<std::size_t>(g.out.channels) * sizeof(typename N::bias);
    }
    return static_cast<double>(bytes);
}

/// Bytes of the values alive at once in the step that needs most.
template <network_type Net>
double least_space() {
    constexpr const auto& plan = workspace_plan_of<Net>;
    std::size_t most = 0;
    for (int i = 0; i < Net::table.step_count; ++i) {
        std::size_t alive = 0;
        for (std::size_t v = 0; v < plan.values; ++v)
            if (plan.born[v] <= i && i <= plan.dies[v])
                alive += static_cast<std::size_t>(Net::table.values[v].extents.size()) *
                         word_bytes<typename Net::number_type>(Net::table.values[v].words);
        most = std::max(most, alive);
    }
    return static_cast<double>(most);
}

}  // namespace bench
