// SPDX-License-Identifier: MIT
// From a ranking to a hardened network: the channels that matter most are computed twice. 10_harden FOLDER writes the plan there, as JSON and as a header that a device compiles.
#include <redoubt/analyze/hardening_file.hpp>
#include <redoubt/analyze/vulnerability.hpp>
#include <redoubt/redoubt.hpp>

#include <cstdio>
#include <memory>

namespace rd = redoubt;

using net = rd::network<rd::image<1, 8, 8>, rd::float32, rd::named<"first", rd::conv2d<rd::conv_spec{.out = 32, .kernel = 3, .pad = 1}>>, rd::relu,
                        rd::residual<rd::named<"second", rd::conv2d<rd::conv_spec{.out = 32, .kernel = 3, .pad = 1}>>>, rd::relu, rd::global_avg_pool,
                        rd::named<"answer", rd::linear<3>>>;

static int failed(const rd::error& why) { return std::puts(why.c_str()), 1; }

int main(int argc, char** argv) {
    rd::random_stream draw{5, {}};
    const auto weights = std::make_unique<rd::parameters<net>>();
    for (int s = 0; s < net::table.slot_count; ++s)
        for (float& w : weights->weights(s)) w = static_cast<float>(draw.unit()) - 0.5f;
    rd::campaign::prepared_images images{64, {}, {}};
    for (int i = 0; i < 20; ++i) {
        for (int pixel = 0; pixel < 64; ++pixel) images.pixels.push_back(static_cast<float>(draw.unit()));
        images.labels.push_back(i % 3);
    }

    // a quarter of the channels; neurons of the last layer are always taken
    const auto ranking = rd::analyze::parameter_vulnerability<net>(*weights, images, {.target = rd::analyze::margin_to::prediction});
    const auto plan = rd::analyze::plan_hardening<net>(ranking, {.ratio = 0.25});
    if (!plan) return failed(plan.reason());
    for (std::size_t s = 0; s < plan->layers.size(); ++s) {
        const auto& layer = plan->layers[s];
        std::printf("%-6s %2d of %2d channels twice%s, more than half of its vulnerability: %s\n", plan->of.layers[s].name.c_str(), layer.duplicated, plan->of.layers[s].out,
                    layer.tripled ? ", all of it three times" : "", layer.covered > 0.5 ? "yes" : "no");
    }
    std::printf("multiply-adds: %.0f%% more\n", 100.0 * static_cast<double>(plan->added) / static_cast<double>(plan->multiply_adds));

    // the channels come first, the same everywhere that an addition ties them together
    const auto ordered = rd::analyze::reordered<net>(*weights, *plan);
    if (!ordered) return failed(ordered.reason());
    weights->biases(0)[0] = 1.0f;
    if (const auto other = rd::analyze::reordered<net>(*weights, *plan); !other) std::puts(other.reason().c_str());
    if (argc < 2) return 0;
    const std::string folder = argv[1];
    if (const auto written = rd::analyze::write_plan(folder + "/plan.json", *plan); !written) return failed(written.reason());
    if (const auto written = rd::analyze::write_plan_header(folder + "/plan.hpp", *plan, "guarded"); !written) return failed(written.reason());
}
