// SPDX-License-Identifier: MIT
// Duplicated channels of a layer with less than a block of them.
// expect: redoubt: channels are duplicated by whole blocks of 16, of which this layer has none
// expect: too_few_to_duplicate
// expect: at_layer<1>
// control: -DREJECT_FIXED
#include <redoubt/harden/duplicate.hpp>
#include <redoubt/nn/run.hpp>

#ifdef REJECT_FIXED
using inner = redoubt::conv2d<redoubt::conv_spec{.out = 16}>;
#else
using inner = redoubt::conv2d<redoubt::conv_spec{.out = 15}>;
#endif
using net = redoubt::network<redoubt::image<4, 4, 4>, redoubt::float32, redoubt::relu, redoubt::duplicate<4, inner>>;
static_assert(redoubt::workspace_bytes<net> > 0);
