// SPDX-License-Identifier: MIT
// The residual networks for photographs of He, Zhang, Ren, Sun, "Deep residual learning" (CVPR 2016), section 3.3.
#pragma once

#include <redoubt/model/basic_block.hpp>
#include <redoubt/model/form.hpp>
#include <redoubt/nn/network.hpp>

namespace redoubt::model::inline v1 {

/// Two basic blocks, named as in torchvision.
template <fixed_string First, fixed_string Second, int In, int Out, int Stride>
using resnet_stage = sequence<basic_block_t<First, In, Out, Stride, shortcut_kind::projected, "downsample">,
                              basic_block_t<Second, Out, Out, 1>>;

/// A 7x7 convolution and a pool, both of stride 2; a 3x3 convolution for thumbnails.
template <form Form>
using resnet_stem = by_form<Form,
    sequence<named<"conv1", conv2d<conv_spec{.out = 64, .kernel = 7, .stride = 2, .pad = 3}>>, named<"bn1", batch_norm>, relu,
             max_pool<3, 2, 1>>,
    sequence<named<"conv1", conv2d<conv_spec{.out = 64, .kernel = 3, .pad = 1}>>, named<"bn1", batch_norm>, relu>>;

/// ResNet-18, named as in torchvision: 11.7 million parameters for 1000 classes, 1.8 G multiply-adds at 224x224.
template <class Image, number Number = float32, int Classes = 1000, form Form = form_for<Image>>
using resnet18 = network<Image, Number, resnet_stem<Form>,
    resnet_stage<"layer1.0", "layer1.1", 64, 64, 1>,
    resnet_stage<"layer2.0", "layer2.1", 64, 128, 2>,
    resnet_stage<"layer3.0", "layer3.1", 128, 256, 2>,
    resnet_stage<"layer4.0", "layer4.1", 256, 512, 2>,
    global_avg_pool, named<"fc", linear<Classes>>>;

}  // namespace redoubt::model::inline v1
