// SPDX-License-Identifier: MIT
// Networks with drawn weights, images to show them, and comparisons of answers on bits.
#pragma once

#include <redoubt/redoubt.hpp>

#include "support/kernels.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace support {

/// Numbers of either sign, a function of the seed.
class drawn_numbers {
public:
    explicit drawn_numbers(std::uint64_t seed) : stream_{seed, {11, 12, 13, 14}} {}
    float operator()(float magnitude) { return (2.0f * static_cast<float>(stream_.unit()) - 1.0f) * magnitude; }

private:
    redoubt::random_stream stream_;
};

/// Images of Net's input shape with pixels in [-1, 1).
template <redoubt::network_type Net>
std::vector<std::vector<float>> drawn_images(int count, std::uint64_t seed = 1) {
    drawn_numbers number{seed};
    std::vector<std::vector<float>> all(static_cast<std::size_t>(count));
    for (auto& image : all) {
        image.resize(static_cast<std::size_t>(Net::input_shape.size()));
        for (float& pixel : image) pixel = number(1.0f);
    }
    return all;
}

/// One layer's weights in logical order, and its biases.
struct drawn_layer {
    std::vector<float> weights;
    std::vector<float> biases;
};

/// A layer for every slot; activations keep their size from one to the next, about.
template <redoubt::network_type Net>
std::vector<drawn_layer> drawn_layers(std::uint64_t seed = 7) {
    drawn_numbers number{seed};
    std::vector<drawn_layer> layers;
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const auto& g = Net::table.slots[static_cast<std::size_t>(s)].geometry;
        float magnitude = 2.0f;
        while (magnitude * magnitude * static_cast<float>(g.fan_in()) > 6.0f) magnitude *= 0.5f;
        drawn_layer layer;
        for (std::size_t i = 0; i < g.weights(); ++i) layer.weights.push_back(number(magnitude));
        for (int i = 0; i < g.out.channels; ++i) layer.biases.push_back(number(0.25f));
        layers.push_back(std::move(layer));
    }
    return layers;
}

/// A float32 network with these layers.
template <redoubt::network_type Net>
std::unique_ptr<redoubt::parameters<Net>> network_of(const std::vector<drawn_layer>& layers) {
    using number = typename Net::number_type;
    auto p = std::make_unique<redoubt::parameters<Net>>();
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const auto& g = Net::table.slots[static_cast<std::size_t>(s)].geometry;
        const drawn_layer& layer = layers[static_cast<std::size_t>(s)];
        for (std::size_t i = 0; i < layer.weights.size(); ++i)
            p->weights(s)[redoubt::kernel::layout_of<number>.index_of_logical(g, i)] = layer.weights[i];
        for (std::size_t o = 0; o < layer.biases.size(); ++o) p->biases(s)[o] = layer.biases[o];
    }
    return p;
}
template <redoubt::network_type Net>
std::unique_ptr<redoubt::parameters<Net>> drawn_network(std::uint64_t seed = 7) {
    return network_of<Net>(drawn_layers<Net>(seed));
}

/// What a network makes of these images.
template <redoubt::network_type Net>
redoubt::calibration<Net> seen_on(const redoubt::parameters<Net>& weights,
                                  const std::vector<std::vector<float>>& images) {
    const auto space = std::make_unique<redoubt::workspace<Net>>();
    redoubt::calibration<Net> seen;
    for (const auto& image : images) redoubt::observe<Net>(weights, image, *space, seen);
    return seen;
}

/// The parameters of To, a network of the same layers as the float32 Net: converted with scales from these images,
/// bounds (as To's own number has them on these images) and code bits computed.
template <redoubt::network_type To, redoubt::network_type Net>
std::unique_ptr<redoubt::parameters<To>> converted(const redoubt::parameters<Net>& weights,
                                                   const std::vector<std::vector<float>>& images) {
    const auto seen = seen_on<Net>(weights, images);
    auto to = std::make_unique<redoubt::parameters<To>>();
    redoubt::convert<Net, To>(weights, seen, *to);
    using plain = redoubt::without_protection<To>;
    const auto bare = std::make_unique<redoubt::parameters<plain>>();
    redoubt::convert<Net, plain>(weights, seen, *bare);
    redoubt::set_bounds<plain, To>(seen_on<plain>(*bare, images), *to);
    redoubt::encode<To>(*to);
    return to;
}
template <redoubt::network_type To>
std::unique_ptr<redoubt::parameters<To>> drawn_and_converted(std::uint64_t seed = 7, int images = 4) {
    using base = redoubt::with_number<redoubt::without_protection<To>, redoubt::float32>;
    return converted<To, base>(*drawn_network<base>(seed), drawn_images<base>(images));
}

/// One inference in scratch of its own.
template <redoubt::network_type Net>
redoubt::answer<Net> answer_of(const redoubt::parameters<Net>& weights, std::span<const float> image) {
    const auto space = std::make_unique<redoubt::workspace<Net>>();
    redoubt::state<Net> memory;
    return redoubt::infer<Net>(weights, memory, image, *space);
}
template <redoubt::network_type Net, class Policy>
redoubt::answer<Net> answer_of(const redoubt::parameters<Net>& weights, std::span<const float> image, Policy& policy) {
    const auto space = std::make_unique<redoubt::workspace<Net>>();
    redoubt::state<Net> memory;
    return redoubt::infer<Net, Policy>(weights, memory, image, *space, policy);
}

/// The logits as words, so that NaN equals itself and -0 is not +0.
template <redoubt::network_type Net>
std::vector<std::uint32_t> words_of(const redoubt::answer<Net>& answer) {
    std::vector<std::uint32_t> words;
    for (float v : answer.logits) words.push_back(redoubt::to_word(v));
    return words;
}

/// A policy of faults with storage of its own.
struct fault_list {
    std::vector<redoubt::fault::inference_fault> faults;
    std::vector<redoubt::kernel::output_fault> in_order;
    redoubt::fault::bit_flips policy;

    explicit fault_list(std::size_t capacity) : faults(capacity), in_order(capacity), policy{faults, in_order} {}
    fault_list(const fault_list&) = delete;
    fault_list& operator=(const fault_list&) = delete;
};

/// A fault in the word that a step computes, in a register or (in_memory) where it lies in the workspace.
inline redoubt::fault::inference_fault fault_at(int step, std::uint32_t output, std::uint32_t mask, bool in_memory) {
    redoubt::fault::inference_fault f;
    f.step = step;
    f.in_memory = in_memory;
    f.where.output = output;
    f.where.mask = mask;
    return f;
}

/// The first step that fits.
template <redoubt::network_type Net, class Fits>
constexpr int find_step(Fits&& fits) {
    for (int i = 0; i < Net::table.step_count; ++i)
        if (fits(Net::table.steps[static_cast<std::size_t>(i)])) return i;
    return -1;
}

}  // namespace support
