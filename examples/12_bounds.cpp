// SPDX-License-Identifier: MIT
// Bounds: a network of bytes whose neurons are each held below a bound, from what they were seen to do and from training with the weights left alone.
#include <redoubt/redoubt.hpp>
#include <redoubt/train/bounds.hpp>
#include <redoubt/train/deploy.hpp>

#include <cstdio>
#include <memory>
#include <vector>

namespace rd = redoubt;

using net = rd::network<rd::image<1, 12, 12>, rd::float32, rd::conv2d<rd::conv_spec{.out = 8, .kernel = 3, .pad = 1}>, rd::batch_norm, rd::relu, rd::max_pool<2>,
                        rd::conv2d<rd::conv_spec{.out = 16, .kernel = 3, .pad = 1}>, rd::batch_norm, rd::relu, rd::global_avg_pool, rd::linear<2>>;
using small = rd::with_number<net, rd::int8>;
using guarded = rd::harden<net, rd::protect_hidden<rd::range_neurons>>;
using small_guarded = rd::with_number<guarded, rd::int8>;

/// Upright and lying bars under noise.
static rd::io::image_set draw_bars(std::size_t count, std::uint64_t seed) {
    rd::io::image_set set{"bars", 1, 12, 12, {}, {}, 2};
    rd::random_stream draw{seed, {}};
    for (std::size_t i = 0; i < count; ++i) {
        const int label = static_cast<int>(draw.below(2)), first = static_cast<int>(draw.below(10));
        for (int row = 0; row < 12; ++row)
            for (int column = 0; column < 12; ++column) {
                const int along = label == 0 ? row : column;
                set.pixels.push_back(static_cast<std::uint8_t>((along / 2 == first / 2 ? 120 : 60) + static_cast<int>(draw.below(80))));
            }
        set.labels.push_back(label);
    }
    return set;
}

int main() {
    const rd::io::image_set lessons = draw_bars(1000, 1), exam = draw_bars(200, 2);
    rd::train::recipe recipe;
    recipe.epochs = 3;
    recipe.batch = 50;
    recipe.schedule.rate = 0.05;
    recipe.augment.normalise = {{0.4f}, {0.15f}};
    rd::train::trainer<net> trainer{recipe};
    for (std::uint64_t epoch = 0; epoch < recipe.epochs; ++epoch)
        if (const auto report = trainer.epoch(lessons); !report) return std::puts(report.reason().c_str()), 1;
    const auto weights = rd::train::deploy<net>(trainer);

    // what outputs were on training images: in floats for int8's scales and where training of bounds begins, in bytes for the bounds of bytes
    const auto space = std::make_unique<rd::workspace<net>>();
    const auto small_space = std::make_unique<rd::workspace<small>>();
    const auto bytes = std::make_unique<rd::parameters<small>>();
    rd::calibration<net> values;
    rd::calibration<small> codes;
    rd::neuron_ranges<net> neurons;
    rd::neuron_ranges<small> small_neurons;
    std::vector<float> pixels(lessons.image_size());
    const auto each_of = [&](const rd::io::image_set& set, std::size_t count, auto&& body) {
        for (std::size_t i = 0; i < count; ++i) {
            rd::io::normalise(set.image(i), set.channels, recipe.augment.normalise, pixels);
            body(i);
        }
    };
    each_of(lessons, 100, [&](std::size_t) {
        rd::observe<net>(*weights, pixels, *space, values);
        rd::observe_neurons<net>(*weights, pixels, *space, neurons);
    });
    rd::convert<net, small>(*weights, values, *bytes);
    each_of(lessons, 100, [&](std::size_t) {
        rd::observe<small>(*bytes, pixels, *small_space, codes);
        rd::observe_neurons<small>(*bytes, pixels, *small_space, small_neurons);
    });

    const auto held = std::make_unique<rd::parameters<small_guarded>>();
    rd::convert<net, small_guarded>(*weights, values, *held);
    rd::set_bounds<small, small_guarded>(codes, *held);
    rd::set_neuron_bounds<small, small_guarded>(small_neurons, *held);
    const auto right = [&] {
        static rd::workspace<small_guarded> scratch;
        rd::state<small_guarded> state;
        int count = 0;
        each_of(exam, exam.size(), [&](std::size_t i) { count += rd::infer<small_guarded>(*held, state, pixels, scratch).top1() == exam.labels[i] ? 1 : 0; });
        return count;
    };
    const int calibrated = right();

    // Adam moves the bounds, decay pulls them down
    rd::train::recipe bounds;
    bounds.epochs = 3;
    bounds.batch = 50;
    bounds.optimiser = {.kind = rd::train::optimiser_kind::adam, .decay = 1e-5};
    bounds.schedule = {.kind = rd::train::schedule_kind::cosine, .rate = 0.02};
    bounds.augment.normalise = recipe.augment.normalise;
    rd::train::bound_trainer<guarded> learner{*weights, neurons, bounds};
    double before = 0.0, after = 0.0;
    for (const float high : learner.high()) before += static_cast<double>(high);
    for (std::uint64_t epoch = 0; epoch < bounds.epochs; ++epoch)
        if (const auto report = learner.epoch(lessons); !report) return std::puts(report.reason().c_str()), 1;
    for (const float high : learner.high()) after += static_cast<double>(high);
    learner.put(*held);  // after set_bounds() and set_neuron_bounds()
    const int trained = right();

    std::printf("bounds fell: %s\n", after < 0.98 * before ? "yes" : "no");
    std::printf("of 200 new images right: most with calibrated bounds %s, nearly as many with trained ones %s\n", calibrated > 190 ? "yes" : "no", trained > calibrated - 6 ? "yes" : "no");
}
