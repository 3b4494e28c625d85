// SPDX-License-Identifier: MIT
// A fault model of one's own, a memory bit stuck at one, beside built-in ones: random bit flips in registers, cells of the weights' memory that are stuck. Any inference takes a
// policy; weights are struck before it.
#include <redoubt/redoubt.hpp>

#include <array>
#include <cstdio>
#include <span>

namespace rd = redoubt;

/// One bit of every word that one step stores is stuck at one.
struct stuck_at_one {
    static constexpr bool active = true;
    int step;
    int bit;

    rd::kernel::no_hook hook(rd::site_path) const { return {}; }  // registers are left alone
    template <rd::site S, class Word>
    void touch(std::span<Word> words, rd::site_path at) const {
        if (S != rd::site::stored_activation || at.step != step) return;
        for (Word& word : words)
            word = rd::from_word<Word>(static_cast<rd::word_of<Word>>(rd::to_word(word) | rd::bit_mask<Word>(bit)));
    }
};

using net = rd::network<rd::image<1, 8, 8>, rd::float32,
    rd::named<"conv", rd::conv2d<rd::conv_spec{.out = 4, .kernel = 3}>>, rd::relu, rd::max_pool<2>,
    rd::named<"head", rd::linear<3>>>;
using tripled = rd::harden<net, rd::protect<rd::is_weighted, rd::tmr>>;
constexpr int conv = rd::step_named<net>("conv");  // the first replica's, where there are several

/// Weights, some of whose cells are stuck at zero or at their layer's largest magnitude (adSAF), and the places that were struck.
template <class Net>
static int stick_cells(rd::parameters<Net>& weights, double rate) {
    int struck = 0;
    const auto limits = rd::fault::limits_of<Net>(weights);  // of weights without faults; without limits the largest magnitude would be 0
    rd::fault::fault_spec cells;
    cells.model.does = rd::fault::effect::stuck_cell;
    cells.rate = rate;
    rd::fault::draw_weights<Net>(1, 0, cells, {}, [&](rd::fault::weight_fault f) { rd::fault::apply<Net>(weights, f), ++struck; }, &limits);
    return struck;
}

/// How many of 100 answers change under the policies that `make_policy(image number)` gives.
template <class Net, class MakePolicy>
static int changed(MakePolicy make_policy) {
    static rd::parameters<Net> weights{};
    static rd::workspace<Net> scratch;
    rd::state<Net> state;
    rd::random_stream draw{3, {}};
    for (int s = 0; s < Net::table.slot_count; ++s)
        for (float& w : weights.weights(s)) w = static_cast<float>(draw.unit()) - 0.5f;
    int count = 0;
    for (std::uint32_t i = 0; i < 100; ++i) {
        std::array<float, 64> image{};
        for (int n = 0; n < 6; ++n) image[draw.below(64)] = 1.0f;
        const int golden = rd::infer<Net>(weights, state, image, scratch).top1();
        auto policy = make_policy(i);
        count += rd::infer<Net>(weights, state, image, scratch, policy).top1() != golden ? 1 : 0;
    }
    return count;
}

/// Each bit of every feature flips with this probability, in each replica on its own.
template <class Net>
static rd::fault::bit_flips random_flips(std::uint32_t image, double rate) {
    static std::array<rd::fault::inference_fault, 512> faults;
    static std::array<rd::kernel::output_fault, 512> in_order;
    rd::fault::bit_flips policy{faults, in_order};
    constexpr auto features = rd::fault::inference_space::features;
    rd::fault::draw_inference<Net>(1, 0, image, {.rate = rate}, features, {}, policy);  // seed 1, trial 0
    return policy;
}

int main() {
    const auto stuck = [](std::uint32_t) { return stuck_at_one{conv, 31}; };
    std::printf("stuck sign bit: %d of 100 answers change, with tmr %d\n", changed<net>(stuck), changed<tripled>(stuck));
    std::printf("flips at 1e-3: %d, with tmr %d\n",
                changed<net>([](std::uint32_t i) { return random_flips<net>(i, 1e-3); }),
                changed<tripled>([](std::uint32_t i) { return random_flips<tripled>(i, 1e-3); }));
    static rd::parameters<net> weights{};
    for (int s = 0; s < net::table.slot_count; ++s)
        for (float& w : weights.weights(s)) w = 0.5f;
    const int struck = stick_cells<net>(weights, 0.2);
    std::size_t all = 0, zeros = 0;
    for (int s = 0; s < net::table.slot_count; ++s) {
        all += net::table.slots[static_cast<std::size_t>(s)].geometry.weights();
        for (const float w : weights.weights(s)) zeros += w == 0.0f ? 1u : 0u;
    }
    std::printf("stuck cells: %d of %zu weights, %zu of them at 0\n", struck, all, zeros);
}
