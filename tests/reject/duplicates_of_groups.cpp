// SPDX-License-Identifier: MIT
// Duplicated channels of a convolution with groups.
// expect: redoubt: channels of a convolution with groups cannot be duplicated
// expect: duplicates_of_groups
// expect: at_layer<1>
// control: -DREJECT_FIXED
#include <redoubt/harden/duplicate.hpp>
#include <redoubt/nn/run.hpp>

#ifdef REJECT_FIXED
using inner = redoubt::conv2d<redoubt::conv_spec{.out = 32}>;
#else
using inner = redoubt::conv2d<redoubt::conv_spec{.out = 32, .groups = 2}>;
#endif
using net = redoubt::network<redoubt::image<4, 4, 4>, redoubt::float32, redoubt::relu, redoubt::duplicate<4, inner>>;
static_assert(redoubt::workspace_bytes<net> > 0);
