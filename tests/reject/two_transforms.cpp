// SPDX-License-Identifier: MIT
// Two protections that both want to change the weights of one layer.
// expect: redoubt: a layer's weights can be transformed by one protection only
// expect: two_transforms
// expect: at_layer<1>
// control: -DREJECT_FIXED
#include <redoubt/harden/clip.hpp>
#include <redoubt/nn/run.hpp>

#ifdef REJECT_FIXED
using inner = redoubt::linear<10>;
#else
using inner = redoubt::clip_weights<redoubt::linear<10>>;
#endif
using net = redoubt::network<redoubt::image<1, 4, 4>, redoubt::float32, redoubt::relu, redoubt::clip_weights<inner>>;
static_assert(redoubt::workspace_bytes<net> > 0);
