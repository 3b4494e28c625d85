// SPDX-License-Identifier: MIT
// A smaller network: the channels that matter least are taken out, and what is left is another type. 11_prune FOLDER writes the plan there, as JSON and as a header that makes that type.
#include <redoubt/analyze/pruning_file.hpp>
#include <redoubt/analyze/weight_scores.hpp>
#include <redoubt/redoubt.hpp>

#include <array>
#include <cstdio>
#include <memory>

namespace rd = redoubt;

using net = rd::network<rd::image<1, 8, 8>, rd::float32, rd::named<"first", rd::conv2d<rd::conv_spec{.out = 32, .kernel = 3, .pad = 1}>>, rd::relu,
                        rd::residual<rd::named<"inner", rd::conv2d<rd::conv_spec{.out = 48, .kernel = 3, .pad = 1}>>, rd::relu, rd::named<"outer", rd::conv2d<rd::conv_spec{.out = 32, .kernel = 1}>>>,
                        rd::relu, rd::global_avg_pool, rd::named<"answer", rd::linear<3>>>;

static int failed(const rd::error& why) { return std::puts(why.c_str()), 1; }

int main(int argc, char** argv) {
    rd::random_stream draw{5, {}};
    const auto weights = std::make_unique<rd::parameters<net>>();
    for (int s = 0; s < net::table.slot_count; ++s)
        for (float& w : weights->weights(s)) w = static_cast<float>(draw.unit()) - 0.5f;

    // half of the channels go, what stays is whole blocks of 16, which is what kernels compute at once
    const auto ranking = rd::analyze::filter_norms<net>(*weights);
    const auto plan = rd::analyze::plan_pruning<net>(ranking, {.ratio = 0.5, .block = 16});
    if (!plan) return failed(plan.reason());
    for (std::size_t s = 0; s < plan->channels.size(); ++s) std::printf("%-6s %2d of %2d channels\n", plan->of.layers[s].name.c_str(), plan->channels[s], plan->of.layers[s].out);
    std::printf("multiply-adds: %.0f%% of what there were\n", 100.0 * static_cast<double>(plan->left) / static_cast<double>(plan->multiply_adds));

    // the smaller network's type; a program that includes the plan's header has it from there
    using lean = rd::pruned<net, std::array{16, 32, 16, 3}>;
    const auto small = rd::analyze::pruned_parameters<net, lean>(*weights, *plan);
    if (!small) return failed(small.reason());
    // without compiling it: the whole network with these channels set to zero answers alike
    const auto zeroed = rd::analyze::masked<net>(*weights, *plan);
    if (!zeroed) return failed(zeroed.reason());

    float image[64];
    for (float& pixel : image) pixel = static_cast<float>(draw.unit());
    static rd::workspace<net> whole_scratch;
    static rd::workspace<lean> lean_scratch;
    rd::state<net> whole_state;
    rd::state<lean> lean_state;
    const auto a = rd::infer<net>(**zeroed, whole_state, image, whole_scratch);
    const auto b = rd::infer<lean>(**small, lean_state, image, lean_scratch);
    std::printf("both answer the same: %s\n", a.logits == b.logits ? "yes" : "no");

    const auto all = rd::analyze::plan_pruning<net>(ranking, {.ratio = 1.0});
    if (!all) std::puts(all.reason().c_str());
    if (argc < 2) return 0;
    const std::string folder = argv[1];
    if (const auto written = rd::analyze::write_plan(folder + "/plan.json", *plan); !written) return failed(written.reason());
    if (const auto written = rd::analyze::write_plan_header(folder + "/plan.hpp", *plan, "lean"); !written) return failed(written.reason());
}
