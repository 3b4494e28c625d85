// SPDX-License-Identifier: MIT
// Two protections that both want to check what one layer computes.
// expect: redoubt: a layer's computation can be checked by one protection only
// expect: two_checkers
// expect: at_layer<1>
// control: -DREJECT_FIXED
#include <redoubt/harden/abft.hpp>
#include <redoubt/nn/run.hpp>

#ifdef REJECT_FIXED
using inner = redoubt::linear<10>;
#else
using inner = redoubt::abft<redoubt::linear<10>>;
#endif
using net = redoubt::network<redoubt::image<1, 4, 4>, redoubt::float32, redoubt::relu, redoubt::abft<inner>>;
static_assert(redoubt::workspace_bytes<net> > 0);
