// SPDX-License-Identifier: MIT
// Diversity for a layer that is computed once.
// expect: diverse<...> moves the channels of replicas to other lanes
// expect: nothing_to_diversify
// control: -DREJECT_FIXED
#include <redoubt/harden/diverse.hpp>
#include <redoubt/harden/replicate.hpp>
#include <redoubt/nn/run.hpp>

#ifdef REJECT_FIXED
using inner = redoubt::dmr<redoubt::linear<10>>;
#else
using inner = redoubt::linear<10>;
#endif
using net = redoubt::network<redoubt::image<1, 4, 4>, redoubt::float32, redoubt::tmr<redoubt::linear<20>>, redoubt::diverse<inner>>;
static_assert(redoubt::workspace_bytes<net> > 0);
