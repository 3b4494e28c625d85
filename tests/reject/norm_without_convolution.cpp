// SPDX-License-Identifier: MIT
// A batch_norm that follows an activation has nothing to be folded into.
// expect: redoubt: batch_norm must directly follow a convolution or linear layer
// expect: norm_without_convolution
// expect: at_layer<2>
// expect: came<8, 8, 8>
// control: -DREJECT_FIXED
#include <redoubt/nn/run.hpp>

template <class... Between>
using around = redoubt::network<redoubt::image<3, 8, 8>, redoubt::float32,
    redoubt::conv2d<redoubt::conv_spec{.out = 8, .pad = 1}>, Between..., redoubt::batch_norm>;
#ifdef REJECT_FIXED
using net = around<>;
#else
using net = around<redoubt::relu>;
#endif
static_assert(redoubt::workspace_bytes<net> > 0);
