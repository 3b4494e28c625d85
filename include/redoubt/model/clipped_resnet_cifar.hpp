// SPDX-License-Identifier: MIT
// Residual networks for small images whose norms follow a clip instead of preceding it: Cavagnero, Dos Santos, Ciccone, Averta, Tommasi, Rech, "Fault-aware design and training to
// enhance DNNs reliability with zero-overhead" (arXiv 2205.14420).
#pragma once

#include <redoubt/nn/network.hpp>

#include <type_traits>

namespace redoubt::model::inline v1 {

/// Convolution, ReLU6, norm: what a norm makes of an output is then never of a value past 6, in training as in use, so running statistics do not swallow a fault's size. A norm
/// behind an activation cannot be folded into the convolution before it: it is a depthwise 1x1 convolution here, one step more that reads and writes the output once.
template <fixed_string Conv, fixed_string Norm, int Out, int Stride>
using clipped_conv = sequence<named<Conv, conv2d<conv_spec{.out = Out, .kernel = 3, .stride = Stride, .pad = 1}>>, clipped_relu<6>,
                              named<Norm, conv2d<conv_spec{.out = Out, .kernel = 1, .groups = Out}>, batch_norm>>;

/// Two of these and the shortcut without weights of He et al. 2016; nothing follows the sum.
template <fixed_string Name, int In, int Out, int Stride>
struct clipped_block {
    template <class... Front>
    using with = named<Name, residual<Front..., clipped_conv<"conv1", "norm1", Out, Stride>, clipped_conv<"conv2", "norm2", Out, 1>>>;
    using type = std::conditional_t<In == Out && Stride == 1, with<>, with<shortcut<subsample<Out, Stride>>>>;
};
template <fixed_string Name, int In, int Out, int Stride>
using clipped_block_t = typename clipped_block<Name, In, Out, Stride>::type;

/// resnet8 in this form.
template <class Image, number Number = float32, int Classes = 10>
using clipped_resnet8 = network<Image, Number, clipped_conv<"conv1", "norm1", 16, 1>, clipped_block_t<"layer1.0", 16, 16, 1>, clipped_block_t<"layer2.0", 16, 32, 2>,
                                clipped_block_t<"layer3.0", 32, 64, 2>, global_avg_pool, named<"linear", linear<Classes>>>;

/// resnet20 in this form.
template <class Image, number Number = float32, int Classes = 10>
using clipped_resnet20 = network<Image, Number, clipped_conv<"conv1", "norm1", 16, 1>,
                                 clipped_block_t<"layer1.0", 16, 16, 1>, clipped_block_t<"layer1.1", 16, 16, 1>, clipped_block_t<"layer1.2", 16, 16, 1>,
                                 clipped_block_t<"layer2.0", 16, 32, 2>, clipped_block_t<"layer2.1", 32, 32, 1>, clipped_block_t<"layer2.2", 32, 32, 1>,
                                 clipped_block_t<"layer3.0", 32, 64, 2>, clipped_block_t<"layer3.1", 64, 64, 1>, clipped_block_t<"layer3.2", 64, 64, 1>,
                                 global_avg_pool, named<"linear", linear<Classes>>>;

}  // namespace redoubt::model::inline v1
