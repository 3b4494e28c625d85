// SPDX-License-Identifier: MIT
// Which channels matter: a network's filters ranked by what a change of their weights does to the margin between answers, and by their length alone.
#include <redoubt/analyze/ranking_file.hpp>
#include <redoubt/analyze/vulnerability.hpp>
#include <redoubt/analyze/weight_scores.hpp>
#include <redoubt/train/deploy.hpp>

#include <cstdio>
#include <filesystem>

namespace rd = redoubt;

using net = rd::network<rd::image<1, 10, 10>, rd::float32, rd::named<"first", rd::conv2d<rd::conv_spec{.out = 16, .kernel = 3, .pad = 1}>>, rd::relu, rd::max_pool<2>,
                        rd::named<"second", rd::conv2d<rd::conv_spec{.out = 16, .kernel = 3}>>, rd::relu, rd::global_avg_pool, rd::named<"answer", rd::linear<4>>>;

/// Bars, upright or lying, thick or thin, somewhere, under noise.
static rd::io::image_set draw_bars(std::size_t count, std::uint64_t seed) {
    rd::io::image_set set{"bars", 1, 10, 10, {}, {}, 4};
    rd::random_stream draw{seed, {}};
    for (std::size_t i = 0; i < count; ++i) {
        const int label = static_cast<int>(draw.below(4)), first = static_cast<int>(draw.below(7)), width = label < 2 ? 1 : 3;
        for (int row = 0; row < 10; ++row)
            for (int column = 0; column < 10; ++column) {
                const int along = label % 2 == 0 ? row : column;
                set.pixels.push_back(static_cast<std::uint8_t>((along >= first && along < first + width ? 120 : 60) + static_cast<int>(draw.below(80))));
            }
        set.labels.push_back(label);
    }
    return set;
}

static const char* yes_or_no(bool b) { return b ? "yes" : "no"; }

int main() {
    rd::train::recipe recipe;
    recipe.epochs = 3;
    recipe.batch = 25;
    recipe.schedule = {.kind = rd::train::schedule_kind::one_cycle, .rate = 0.1};
    recipe.augment.normalise = {{0.4f}, {0.15f}};
    rd::train::trainer<net> trainer{recipe};
    for (std::uint64_t epoch = 0; epoch < recipe.epochs; ++epoch)
        if (const auto report = trainer.epoch(draw_bars(1500, 1)); !report) return std::puts(report.reason().c_str()), 1;
    const auto weights = rd::train::deploy<net>(trainer);

    // images that no result is taken from later: the ranking chooses what is protected
    const auto images = rd::campaign::prepare(draw_bars(200, 2), recipe.augment.normalise, 200);
    const rd::analyze::ranking vulnerable = rd::analyze::parameter_vulnerability<net>(*weights, images, {.threads = 2});
    const rd::analyze::ranking longest = rd::analyze::filter_norms<net>(*weights);

    const auto order = rd::analyze::order_of(vulnerable, 1);
    if (!order) return std::puts(order.reason().c_str()), 1;
    const auto shares = rd::analyze::cumulative(vulnerable.layers[1].channels, *order);
    std::printf("half of the channels of '%s' have three quarters of its vulnerability: %s\n", vulnerable.of.layers[1].name.c_str(), yes_or_no(shares[7] > 0.75));

    const auto both = rd::analyze::compare(vulnerable, longest);
    if (!both) return std::puts(both.reason().c_str()), 1;
    const auto correlation = rd::analyze::mean_correlation(vulnerable.of, *both);
    std::printf("lengths say the same: %s, something like it: %s\n", yes_or_no(*correlation > 0.99), yes_or_no(*correlation > 0.0));

    // rankings are kept in files, which know their network
    const std::string path = (std::filesystem::temp_directory_path() / "redoubt-09-rank.json").string();
    if (const auto written = rd::analyze::write_ranking(path, vulnerable); !written) return std::puts(written.reason().c_str()), 1;
    const auto back = rd::analyze::read_ranking(path);
    std::filesystem::remove(path);
    if (!back) return std::puts(back.reason().c_str()), 1;
    std::printf("read back the same: %s\n", yes_or_no(*back == vulnerable));
    weights->weight_at(0, 0, 1, 1, 0) += 1.0f;
    if (const auto wrong = rd::analyze::difference(back->of, rd::analyze::identity_of<net>(*weights))) std::printf("with another weight: %s\n", wrong->c_str());
}
