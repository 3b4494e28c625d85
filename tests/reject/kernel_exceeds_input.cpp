// SPDX-License-Identifier: MIT
// A 5x5 kernel on what two pools left of an 8x8 image.
// expect: redoubt: the kernel is larger than its padded input
// expect: kernel_exceeds_input
// expect: at_layer<2>
// expect: came<1, 2, 2>
// expect: needed<1, 5, 5>
// control: -DREJECT_FIXED
#include <redoubt/nn/run.hpp>

#ifdef REJECT_FIXED
constexpr int kernel = 1;
#else
constexpr int kernel = 5;
#endif

using net = redoubt::network<redoubt::image<1, 8, 8>, redoubt::float32, redoubt::max_pool<2>, redoubt::max_pool<2>,
    redoubt::conv2d<redoubt::conv_spec{.out = 4, .kernel = kernel}>>;
static_assert(redoubt::workspace_bytes<net> > 0);
