// SPDX-License-Identifier: MIT
// A rule for a layer by a name that lacks the position of the container around it.
// expect: redoubt: no layer of the network has that name; in an unnamed container its position comes first, as in 3.body
// control: -DREJECT_FIXED
#include <redoubt/harden/rule.hpp>
#include <redoubt/harden/stores.hpp>

#ifdef REJECT_FIXED
#define LAYER "1.body"
#else
#define LAYER "body"
#endif
using conv = redoubt::conv2d<redoubt::conv_spec{.out = 4, .pad = 1}>;
using net = redoubt::network<redoubt::image<4, 6, 6>, redoubt::float32, conv, redoubt::residual<redoubt::named<"body", conv>>, redoubt::linear<10>>;
using hard = redoubt::harden<net, redoubt::protect_named<LAYER, redoubt::crc>>;
static_assert(hard::table.slots[1].store >= 0);
