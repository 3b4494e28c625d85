// SPDX-License-Identifier: MIT
// LeNet-5 with ReLU and max pooling.
#pragma once

#include <redoubt/nn/network.hpp>

namespace redoubt::model::inline v1 {

/// Convolutions of 6 and 16 channels, 5x5, pooled 2x2 each; linear layers of 120, 84 and Classes.
template <class Image, number Number = float32, int Classes = 10>
using lenet5 = network<Image, Number,
    named<"conv1", conv2d<conv_spec{.out = 6, .kernel = 5, .pad = 2}>>, relu, max_pool<2>,
    named<"conv2", conv2d<conv_spec{.out = 16, .kernel = 5}>>, relu, max_pool<2>,
    named<"fc1", linear<120>>, relu,
    named<"fc2", linear<84>>, relu,
    named<"fc3", linear<Classes>>>;

}  // namespace redoubt::model::inline v1
