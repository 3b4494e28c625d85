// SPDX-License-Identifier: MIT
// Training: a network learns on the machine, then answers from parameters that a device would hold.
#include <redoubt/redoubt.hpp>
#include <redoubt/train/deploy.hpp>

#include <cstdio>
#include <memory>

namespace rd = redoubt;

template <int Out, int Stride>
using block = rd::sequence<rd::conv2d<rd::conv_spec{.out = Out, .kernel = 3, .stride = Stride, .pad = 1}>, rd::batch_norm, rd::relu>;
using net = rd::network<rd::image<1, 12, 12>, rd::float32, block<8, 1>, rd::residual<block<8, 1>, block<8, 1>>, block<16, 2>, rd::global_avg_pool,
                        rd::linear<4>>;

/// Bars, upright or lying, thick or thin, somewhere, under noise.
static rd::io::image_set draw_bars(std::size_t count, std::uint64_t seed) {
    rd::io::image_set set{"bars", 1, 12, 12, {}, {}, 4};
    rd::random_stream draw{seed, {}};
    for (std::size_t i = 0; i < count; ++i) {
        const int label = static_cast<int>(draw.below(4)), first = static_cast<int>(draw.below(9)), width = label < 2 ? 1 : 3;
        for (int row = 0; row < 12; ++row)
            for (int column = 0; column < 12; ++column) {
                const int along = label % 2 == 0 ? row : column;
                const bool on = along >= first && along < first + width;
                set.pixels.push_back(static_cast<std::uint8_t>((on ? 120 : 60) + static_cast<int>(draw.below(80))));
            }
        set.labels.push_back(label);
    }
    return set;
}

template <class Net>
static int right_answers(const rd::parameters<Net>& weights, const rd::io::image_set& set, const rd::io::normalisation& by) {
    static rd::workspace<Net> scratch;
    rd::state<Net> state;
    std::vector<float> pixels(set.image_size());
    int right = 0;
    for (std::size_t i = 0; i < set.size(); ++i) {
        rd::io::normalise(set.image(i), set.channels, by, pixels);
        right += rd::infer<Net>(weights, state, pixels, scratch).top1() == set.labels[i] ? 1 : 0;
    }
    return right;
}

int main() {
    const rd::io::image_set lessons = draw_bars(2000, 1), exam = draw_bars(500, 2);
    rd::train::recipe recipe;
    recipe.epochs = 4;
    recipe.batch = 50;
    recipe.optimiser = {.kind = rd::train::optimiser_kind::sgd, .momentum = 0.9, .nesterov = true, .decay = 1e-4};
    recipe.schedule = {.kind = rd::train::schedule_kind::one_cycle, .rate = 0.2};
    recipe.label_smoothing = 0.05;
    recipe.augment = {.crop_pad = 1, .flip = true, .normalise = {{0.4f}, {0.15f}}};
    recipe.threads = 2;  // the same weights to the bit with any number

    rd::train::trainer<net> trainer{recipe};
    double first = 0.0, last = 0.0;
    for (std::uint64_t epoch = 0; epoch < recipe.epochs; ++epoch) {
        const auto report = trainer.epoch(lessons);
        if (!report) return std::puts(report.reason().c_str()), 1;
        (epoch == 0 ? first : last) = report->loss;
    }
    std::printf("loss halved in %d epochs: %s\n", static_cast<int>(trainer.epochs_done()), last < 0.5 * first ? "yes" : "no");

    // the same layers, guarded and in half precision: norms are folded, copies filled in
    using guarded = rd::with_number<rd::harden<net, rd::protect<rd::is_conv, rd::tmr_parameters>>, rd::float16>;
    const auto plain = rd::train::deploy<net>(trainer);
    const auto copies = rd::train::deploy<guarded>(trainer);
    const int right = right_answers<net>(*plain, exam, recipe.augment.normalise), same = right_answers<guarded>(*copies, exam, recipe.augment.normalise);
    std::printf("of 500 new images right: most of them %s, in half precision nearly as many %s\n", right > 475 ? "yes" : "no", same > right - 3 ? "yes" : "no");
}
