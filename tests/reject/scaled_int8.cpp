// SPDX-License-Identifier: MIT
// Scaled weights of a number that has scales of its own.
// expect: redoubt: scale does not take int8, whose weights have a scale of their own
// control: -DREJECT_FIXED
#include <redoubt/redoubt.hpp>

#ifdef REJECT_FIXED
using number = redoubt::float16;
#else
using number = redoubt::int8;
#endif
using net = redoubt::network<redoubt::image<1, 4, 4>, number, redoubt::scale<redoubt::linear<10>>>;

float first_of(const redoubt::parameters<net>& weights, redoubt::workspace<net>& space, redoubt::state<net>& state) {
    const float image[16] = {};
    return redoubt::infer<net>(weights, state, image, space).logits[0];
}
