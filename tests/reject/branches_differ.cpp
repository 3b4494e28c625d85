// SPDX-License-Identifier: MIT
// A residual whose layers halve the image while its shortcut does not.
// expect: redoubt: the two branches of a residual have different shapes
// expect: branches_differ
// expect: at_layer<1>
// expect: came<8, 4, 4>
// expect: needed<8, 8, 8>
// control: -DREJECT_FIXED
#include <redoubt/nn/run.hpp>

#ifdef REJECT_FIXED
constexpr int stride = 1;
#else
constexpr int stride = 2;
#endif

using net = redoubt::network<redoubt::image<1, 8, 8>, redoubt::float32,
    redoubt::conv2d<redoubt::conv_spec{.out = 8, .pad = 1}>,
    redoubt::residual<redoubt::conv2d<redoubt::conv_spec{.out = 8, .stride = stride, .pad = 1}>>, redoubt::relu>;
static_assert(redoubt::workspace_bytes<net> > 0);
