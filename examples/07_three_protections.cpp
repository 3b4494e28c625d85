// SPDX-License-Identifier: MIT
// Three protections around one convolution, each for faults that the others do not see: a code for weights in memory, checksums for
// arithmetic, bounds for what gets past both. A watch stops the inference where one of them gives up.
#include <redoubt/redoubt.hpp>

#include <array>
#include <cstdio>
#include <span>

namespace rd = redoubt;

template <class... Layers>
using guarded = rd::range<rd::abft<rd::secded<Layers...>>>;

using net = rd::network<rd::image<1, 8, 8>, rd::float32,
    guarded<rd::conv2d<rd::conv_spec{.out = 16, .kernel = 3, .pad = 1}>>, rd::relu, rd::global_avg_pool, rd::linear<3>>;
using plain = rd::without_protection<net>;

/// Stops as soon as a step has found something that it could not put right.
struct cautious {
    static constexpr int recomputations = 1;
    rd::decision operator()(int, const rd::fault_counters& count) const {
        return count.uncorrected != 0 ? rd::decision::recompute : rd::decision::go_on;
    }
};

static rd::parameters<net> weights{};
static rd::parameters<plain> bare{};
static rd::workspace<net> scratch;
static rd::workspace<plain> bare_scratch;
static rd::state<net> state;
static float image[64];

static void infer(const char* what, rd::fault::bit_flips& faults) {
    const cautious watch;
    const auto answer = rd::infer<net>(weights, state, image, scratch, faults, watch);
    const auto count = answer.status.total();
    std::printf("%-28s class %2d, corrected %u, uncorrected %u, out of range %u%s\n", what, answer.top1(), count.corrected, count.uncorrected,
                count.out_of_range, answer.stopped_at >= 0 ? ", stopped" : "");
}

int main() {
    rd::random_stream draw{5, {}};
    for (int s = 0; s < plain::table.slot_count; ++s)
        for (float& w : bare.weights(s)) w = static_cast<float>(draw.unit()) - 0.5f;
    for (float& pixel : image) pixel = static_cast<float>(draw.unit());

    // bounds from an image without faults, then code bits
    rd::calibration<plain> seen;
    rd::observe<plain>(bare, image, bare_scratch, seen);
    rd::convert<plain, net>(bare, seen, weights);
    rd::set_bounds<plain, net>(seen, weights);
    rd::encode<net>(weights);

    std::array<rd::fault::inference_fault, 1> room;
    std::array<rd::kernel::output_fault, 1> in_order;
    rd::fault::bit_flips faults{room, in_order};
    infer("nothing wrong", faults);

    float& weight = weights.weight_at(0, 5, 1, 1, 0);
    weight = rd::flip(weight, rd::bit_mask<float>(30));
    infer("a weight's exponent", faults);

    rd::fault::inference_fault fault;
    fault.step = rd::step_named<net>("0");
    fault.where.output = 321;
    fault.where.mask = rd::bit_mask<float>(30);
    faults.add(fault);
    faults.sort();
    infer("and one in a register", faults);

    faults.clear();
    float& other = weights.weight_at(0, 5, 1, 2, 0);  // in one codeword with the first: see docs/protections.md
    other = rd::flip(other, rd::bit_mask<float>(30));
    infer("two weights of a codeword", faults);
}
