// SPDX-License-Identifier: MIT
// A network of one's own: described once, bound to eight-bit integers, hardened by a rule, and both forms struck by the
// same bit flips.
#include <redoubt/redoubt.hpp>

#include <array>
#include <cstdio>

namespace rd = redoubt;

using net = rd::network<rd::image<1, 12, 12>, rd::float32,
    rd::named<"stem", rd::conv2d<rd::conv_spec{.out = 8, .kernel = 3, .pad = 1}>>, rd::relu, rd::max_pool<2>,
    rd::residual<rd::named<"body", rd::conv2d<rd::conv_spec{.out = 8, .kernel = 3, .pad = 1}>>>, rd::relu,
    rd::named<"head", rd::linear<4>>>;
using small = rd::with_number<net, rd::int8>;
using hard = rd::harden<small, rd::protect<rd::is_weighted, rd::tmr_parameters>>;

static_assert(rd::workspace_bytes<net> < 8 * 1024);
static_assert(rd::workspace_bytes<small> < 2 * 1024);

using picture = std::array<float, 144>;

/// A bright square somewhere.
static picture draw_picture(rd::random_stream& draw) {
    const auto top = draw.below(8), left = draw.below(8);
    picture pixels{};
    for (std::size_t i = 0; i < 16; ++i) pixels[(top + i / 4) * 12 + left + i % 4] = static_cast<float>(draw.unit());
    return pixels;
}

template <class Net>
static int classify(const rd::parameters<Net>& weights, const picture& pixels) {
    static rd::workspace<Net> scratch;
    rd::state<Net> state;
    return rd::infer<Net>(weights, state, pixels, scratch).top1();
}

/// Flips each stored bit of every copy with probability 1/500.
template <class Net>
static void strike(rd::parameters<Net>& weights) {
    const auto flip = [&](rd::fault::weight_fault f) { rd::fault::apply<Net>(weights, f); };
    rd::fault::draw_weights<Net>(1, 0, {.rate = 0.002}, {}, flip);  // seed 1, trial 0
}

static rd::parameters<net> trained{};
static rd::parameters<small> in_small;
static rd::parameters<hard> in_hard;

int main() {
    rd::random_stream draw{7, {}};
    for (int s = 0; s < net::table.slot_count; ++s)  // stands for training
        for (float& w : trained.weights(s)) w = static_cast<float>(draw.unit()) - 0.5f;

    static rd::workspace<net> scratch;
    rd::calibration<net> seen;  // int8's scales come from training images
    for (int i = 0; i < 50; ++i) rd::observe<net>(trained, draw_picture(draw), scratch, seen);
    rd::convert<net>(trained, seen, in_small);
    rd::convert<net>(trained, seen, in_hard);
    rd::encode<hard>(in_hard);  // fills in the copies

    std::array<picture, 100> pictures;
    for (picture& p : pictures) p = draw_picture(draw);
    const auto agreeing = [&](const auto& one, const auto& other) {
        int n = 0;
        for (const picture& p : pictures) n += classify(one, p) == classify(other, p) ? 1 : 0;
        return n;
    };
    std::printf("of 100 answers: int8 as fp32 %d, hardened as int8 %d\n", agreeing(in_small, trained),
                agreeing(in_hard, in_small));
    static rd::parameters<small> clean = in_small;
    strike(in_small);
    strike(in_hard);
    std::printf("struck: int8 keeps %d, hardened keeps %d\n", agreeing(in_small, clean), agreeing(in_hard, clean));
    std::printf("bytes: fp32 %zu, int8 %zu, hardened %zu\n", sizeof trained, sizeof in_small, sizeof in_hard);
}
