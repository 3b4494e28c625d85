// SPDX-License-Identifier: MIT
// Counts of channels for fewer layers than there are.
// expect: redoubt: a pruned network needs a count for each layer with parameters, from 1 to as many channels as there are
// control: -DREJECT_FIXED
#include <redoubt/redoubt.hpp>

#include <array>

using net = redoubt::network<redoubt::image<1, 8, 8>, redoubt::float32, redoubt::conv2d<redoubt::conv_spec{.out = 8, .pad = 1}>, redoubt::relu, redoubt::linear<3>>;
#ifdef REJECT_FIXED
constexpr std::array<int, 2> counts{4, 3};
#else
constexpr std::array<int, 1> counts{4};
#endif
static_assert(redoubt::workspace_bytes<redoubt::pruned<net, counts>> > 0);
