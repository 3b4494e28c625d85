// SPDX-License-Identifier: MIT
// The residual block of two 3x3 convolutions of He, Zhang, Ren, Sun, "Deep residual learning" (CVPR 2016).
#pragma once

#include <redoubt/nn/layers.hpp>

#include <type_traits>

namespace redoubt::model::inline v1 {

/// How a shortcut changes shape: option A (every second pixel, new channels zero) or B (1x1 convolution and norm).
enum class shortcut_kind { subsampled, projected };

/// Two 3x3 convolutions and their shortcut, named as in PyTorch implementations; `Projection` is what those call the
/// shortcut of option B.
template <fixed_string Name, int In, int Out, int Stride, shortcut_kind Kind, fixed_string Projection>
struct basic_block {
    template <class... Front>
    using with = sequence<named<Name, residual<Front...,
        named<"conv1", conv2d<conv_spec{.out = Out, .kernel = 3, .stride = Stride, .pad = 1}>>,
        named<"bn1", batch_norm>, relu,
        named<"conv2", conv2d<conv_spec{.out = Out, .kernel = 3, .pad = 1}>>,
        named<"bn2", batch_norm>>>, relu>;
    using projection = named<Projection, shortcut<conv2d<conv_spec{.out = Out, .kernel = 1, .stride = Stride}>, batch_norm>>;
    using type = std::conditional_t<In == Out && Stride == 1, with<>,
        std::conditional_t<Kind == shortcut_kind::projected, with<projection>, with<shortcut<subsample<Out, Stride>>>>>;
};
template <fixed_string Name, int In, int Out, int Stride, shortcut_kind Kind = shortcut_kind::projected,
          fixed_string Projection = "shortcut">
using basic_block_t = typename basic_block<Name, In, Out, Stride, Kind, Projection>::type;

}  // namespace redoubt::model::inline v1
