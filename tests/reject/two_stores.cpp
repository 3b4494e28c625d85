// SPDX-License-Identifier: MIT
// Two protections that both want to keep the parameters of one layer.
// expect: redoubt: a layer's parameters can be kept by one protection only
// expect: two_stores
// expect: at_layer<1>
// control: -DREJECT_FIXED
#include <redoubt/harden/stores.hpp>
#include <redoubt/nn/run.hpp>

#ifdef REJECT_FIXED
using inner = redoubt::linear<10>;
#else
using inner = redoubt::tmr_parameters<redoubt::linear<10>>;
#endif
using net = redoubt::network<redoubt::image<1, 4, 4>, redoubt::float32, redoubt::relu, redoubt::crc<inner>>;
static_assert(redoubt::workspace_bytes<net> > 0);
