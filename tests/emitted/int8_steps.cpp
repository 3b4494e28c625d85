// SPDX-License-Identifier: MIT
// All steps of a network after its input: in int8 there must be no floating-point arithmetic in this file's code.
#include <redoubt/model/lenet.hpp>
#include <redoubt/nn/run.hpp>

#ifndef NUMBER
#define NUMBER int8
#endif

using namespace redoubt;
using net = network<image<1, 12, 12>, NUMBER,
    conv2d<conv_spec{.out = 4, .pad = 1}>, clipped_relu<6>,
    residual<conv2d<conv_spec{.out = 4, .pad = 1}>, relu, conv2d<conv_spec{.out = 4, .pad = 1}>>, relu, max_pool<2>,
    residual<shortcut<subsample<8, 2>>, conv2d<conv_spec{.out = 8, .stride = 2, .pad = 1}>>, relu, global_avg_pool,
    linear<10>>;

void steps_after_input(const parameters<net>& weights, workspace<net>& space, status<net>& report) {
    no_faults none;
    const impl::runner<net, no_faults> steps{weights, nullptr, space, report, none};
    [&]<int... I>(std::integer_sequence<int, I...>) {
        (steps.template run<I + 1>(), ...);
    }(std::make_integer_sequence<int, net::table.step_count - 1>{});
}
