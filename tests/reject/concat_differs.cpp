// SPDX-License-Identifier: MIT
// A concat of which one branch halves the image.
// expect: redoubt: the branches of a concat have different heights or widths
// expect: concat_differs
// expect: at_layer<2>
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
    redoubt::concat<redoubt::branch<redoubt::conv2d<redoubt::conv_spec{.out = 4, .kernel = 1}>>,
                    redoubt::branch<redoubt::max_pool<3, stride, 1>>>, redoubt::relu>;
static_assert(redoubt::workspace_bytes<net> > 0);
