// SPDX-License-Identifier: MIT
// A hardened network, calibrated in float32 and run in int8 under faults, all in static storage: what a device would ship.
#include <redoubt/redoubt.hpp>

namespace {

namespace rd = redoubt;

using net = rd::network<rd::image<1, 8, 8>, rd::float32,
    rd::conv2d<rd::conv_spec{.out = 4, .kernel = 3, .pad = 1}>, rd::batch_norm, rd::relu,
    rd::residual<rd::range<rd::conv2d<rd::conv_spec{.out = 4, .kernel = 3, .pad = 1}>>>, rd::relu,
    rd::max_pool<2>, rd::tmr<rd::crc<rd::linear<6>>>, rd::relu, rd::dmr<rd::tmr_parameters<rd::linear<3>>>, rd::softmax>;

/// Fills a network with something, infers once and scrubs.
template <class Net>
float once() {
    static rd::parameters<net> real{};
    static rd::parameters<Net> weights{};
    static rd::state<Net> state{};
    static rd::workspace<net> real_scratch{};
    static rd::workspace<Net> scratch{};
    static rd::calibration<net> seen{};
    std::array<float, 64> image{};
    rd::random_stream draw{1, {}};
    for (int s = 0; s < net::table.slot_count; ++s)
        for (float& w : real.weights(s)) w = static_cast<float>(draw.unit()) - 0.5f;
    for (float& p : image) p = static_cast<float>(draw.unit());
    rd::observe<net>(real, image, real_scratch, seen);
    rd::convert<net, Net>(real, seen, weights);
    rd::encode<Net>(weights);
    static std::array<rd::fault::inference_fault, 64> faults;
    static std::array<rd::kernel::output_fault, 64> in_order;
    static std::array<std::uint64_t, 1> chosen;
    rd::fault::bit_flips policy{faults, in_order};
    rd::fault::draw_inference<Net>(1, 0, 0, {.rate = 1e-4}, rd::fault::inference_space::features, chosen, policy);
    const auto struck = rd::infer<Net>(weights, state, image, scratch, policy);
    const auto answer = rd::infer<Net>(weights, state, image, scratch);
    rd::scrub<Net>(weights, state);
    return answer.logits[0] + struck.logits[1];
}

}  // namespace

int main() {
    const float sum = once<rd::with_number<net, rd::int8>>();
    return sum == sum ? 0 : 1;
}
