// SPDX-License-Identifier: MIT
// Probabilities cannot be fed to further layers.
// expect: redoubt: softmax must be the last layer
// expect: softmax_not_last
// expect: at_layer<0>
// expect: came<1, 4, 4>
// control: -DREJECT_FIXED
#include <redoubt/nn/run.hpp>

#ifdef REJECT_FIXED
using net = redoubt::network<redoubt::image<1, 4, 4>, redoubt::float32, redoubt::linear<10>, redoubt::softmax>;
#else
using net = redoubt::network<redoubt::image<1, 4, 4>, redoubt::float32, redoubt::softmax, redoubt::linear<10>>;
#endif
static_assert(redoubt::workspace_bytes<net> > 0);
