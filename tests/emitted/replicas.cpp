// SPDX-License-Identifier: MIT
// Replicas of a small network whose every size the compiler knows: all of them must still be computed.
#include <redoubt/harden/replicate.hpp>
#include <redoubt/nn/run.hpp>

#ifndef PROTECTION
#define PROTECTION tmr
#endif

// The kernel out of sight: each replica is then one visible call.
namespace redoubt::kernel::inline REDOUBT_ABI {
extern template void dense_conv2d<float32, no_hook>(const conv_call<float32>&, const no_hook&);
extern template void depthwise_conv2d<float32, no_hook>(const conv_call<float32>&, const no_hook&);
}

using namespace redoubt;
using net = network<image<1, 4, 4>, float32, PROTECTION<linear<300>>>;

void protected_steps(const parameters<net>& weights, workspace<net>& space, status<net>& report) {
    no_faults none;
    run<net>(weights, {}, space, report, none, 1, net::table.step_count);
}
