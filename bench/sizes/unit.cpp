// SPDX-License-Identifier: MIT
// What a device links for one network under one protection: an inference from parameters that are only read. bench/size_table.py gives NUMBER
// and the RULES that harden the network, each after a comma.
#include <redoubt/redoubt.hpp>

#include <array>

namespace {

namespace rd = redoubt;

using plain = rd::network<rd::image<1, 28, 28>, rd::NUMBER, rd::conv2d<rd::conv_spec{.out = 16, .kernel = 3, .pad = 1}>, rd::relu, rd::max_pool<2>,
                          rd::conv2d<rd::conv_spec{.out = 32, .kernel = 3, .pad = 1}>, rd::relu, rd::max_pool<2>, rd::linear<10>>;

/// Channels of each layer that duplicates take: the linear one has less than a block of 16.
constexpr std::array<int, 3> all_blocks{16, 32, 0};

template <class Net, class... Rules> struct under { using type = rd::harden<Net, Rules...>; };
using net = typename under<plain RULES>::type;

}  // namespace

/// The only root of the link: a linker that removes what is not reached keeps what the inference needs.
extern "C" int redoubt_entry(const rd::parameters<net>& weights, rd::state<net>& memory, const float* image, rd::workspace<net>& space) {
    const auto answer = rd::infer<net>(weights, memory, {image, 784}, space);
    return answer.status.trustworthy() ? answer.top1() : -1;
}

/// Their sizes are read from the object's symbols; nothing reaches them, so they are in no linked code.
extern "C" {
char redoubt_parameters[rd::parameter_bytes<net>];
char redoubt_workspace[rd::workspace_bytes<net>];
}
