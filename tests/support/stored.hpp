// SPDX-License-Identifier: MIT
// A small network of which a convolution and a linear layer are kept by a store, and one layer is not.
#pragma once

#include "support/nets.hpp"

namespace support {

using namespace redoubt;

template <int Out>
using conv = conv2d<conv_spec{.out = Out, .pad = 1}>;
template <number N, template <class...> class Protection>
using net_of = network<image<2, 6, 5>, N, Protection<conv<18>, relu>, max_pool<2>, Protection<linear<20>>, relu, linear<4>>;

}  // namespace support
