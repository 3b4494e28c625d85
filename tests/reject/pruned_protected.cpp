// SPDX-License-Identifier: MIT
// Channels taken from a network that is protected already.
// expect: redoubt: prune a network before it is protected
// control: -DREJECT_FIXED
#include <redoubt/redoubt.hpp>

#include <array>

using net = redoubt::network<redoubt::image<1, 8, 8>, redoubt::float32, redoubt::conv2d<redoubt::conv_spec{.out = 8, .pad = 1}>, redoubt::relu, redoubt::linear<3>>;
constexpr std::array<int, 2> counts{4, 3};
#ifdef REJECT_FIXED
using guarded = redoubt::harden<redoubt::pruned<net, counts>, redoubt::protect<redoubt::is_weighted, redoubt::secded>>;
#else
using guarded = redoubt::pruned<redoubt::harden<net, redoubt::protect<redoubt::is_weighted, redoubt::secded>>, counts>;
#endif
static_assert(redoubt::workspace_bytes<guarded> > 0);
