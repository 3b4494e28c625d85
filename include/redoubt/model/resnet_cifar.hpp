// SPDX-License-Identifier: MIT
// The residual networks for small images of He, Zhang, Ren, Sun, "Deep residual learning" (CVPR 2016), section 4.2.
#pragma once

#include <redoubt/model/basic_block.hpp>
#include <redoubt/nn/network.hpp>

namespace redoubt::model::inline v1 {

/// One block a stage: 16, 32 and 64 channels; 78 thousand parameters.
template <class Image, number Number = float32, int Classes = 10, shortcut_kind Kind = shortcut_kind::subsampled>
using resnet8 = network<Image, Number,
    named<"conv1", conv2d<conv_spec{.out = 16, .kernel = 3, .pad = 1}>>, named<"bn1", batch_norm>, relu,
    basic_block_t<"layer1.0", 16, 16, 1, Kind>,
    basic_block_t<"layer2.0", 16, 32, 2, Kind>,
    basic_block_t<"layer3.0", 32, 64, 2, Kind>,
    global_avg_pool, named<"linear", linear<Classes>>>;

/// Three blocks a stage: 0.27 million parameters.
template <class Image, number Number = float32, int Classes = 10, shortcut_kind Kind = shortcut_kind::subsampled>
using resnet20 = network<Image, Number,
    named<"conv1", conv2d<conv_spec{.out = 16, .kernel = 3, .pad = 1}>>, named<"bn1", batch_norm>, relu,
    basic_block_t<"layer1.0", 16, 16, 1, Kind>, basic_block_t<"layer1.1", 16, 16, 1, Kind>, basic_block_t<"layer1.2", 16, 16, 1, Kind>,
    basic_block_t<"layer2.0", 16, 32, 2, Kind>, basic_block_t<"layer2.1", 32, 32, 1, Kind>, basic_block_t<"layer2.2", 32, 32, 1, Kind>,
    basic_block_t<"layer3.0", 32, 64, 2, Kind>, basic_block_t<"layer3.1", 64, 64, 1, Kind>, basic_block_t<"layer3.2", 64, 64, 1, Kind>,
    global_avg_pool, named<"linear", linear<Classes>>>;

}  // namespace redoubt::model::inline v1
