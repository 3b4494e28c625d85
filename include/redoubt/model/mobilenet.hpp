// SPDX-License-Identifier: MIT
// Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: inverted residuals and linear bottlenecks" (CVPR 2018).
#pragma once

#include <redoubt/model/form.hpp>
#include <redoubt/nn/network.hpp>

namespace redoubt::model::inline v1 {

/// `channels` at a width in per cent, made a multiple of eight that is not below nine tenths of it.
constexpr int mobilenet_width(int channels, int width) {
    const int wanted = channels * width;  // in hundredths
    int rounded = (wanted + 400) / 800 * 8;
    if (rounded < 8) rounded = 8;
    return rounded * 1000 < wanted * 9 ? rounded + 8 : rounded;
}

/// A convolution, its norm and ReLU6.
template <conv_spec Spec>
using conv_norm_relu6 = sequence<conv2d<Spec>, batch_norm, clipped_relu<6>>;

/// A 1x1 convolution to Expansion times the channels, a depthwise 3x3 one, and a 1x1 one without activation; their input
/// is added where shapes allow. Named as in torchvision.
template <fixed_string Name, int In, int Out, int Stride, int Expansion>
struct inverted_residual {
    static constexpr int hidden = In * Expansion;
    template <fixed_string Expand, fixed_string Filter>
    struct parts {
        using expand = named<Expand, conv_norm_relu6<conv_spec{.out = hidden, .kernel = 1}>>;
        using filter = named<Filter, conv_norm_relu6<conv_spec{.out = hidden, .kernel = 3, .stride = Stride, .pad = 1, .groups = hidden}>>;
    };
    using project = sequence<conv2d<conv_spec{.out = Out, .kernel = 1}>, batch_norm>;
    using body = std::conditional_t<Expansion == 1,
        sequence<typename parts<"-", "0">::filter, project>,
        sequence<typename parts<"0", "1">::expand, typename parts<"0", "1">::filter, project>>;
    using type = std::conditional_t<In == Out && Stride == 1, named<Name, residual<body>>, named<Name, body>>;
};
template <fixed_string Name, int In, int Out, int Stride, int Expansion = 6>
using inverted_residual_t = typename inverted_residual<Name, In, Out, Stride, Expansion>::type;

/// The layers of MobileNet-V2 at a width in per cent. Thumbnails keep their size in the stem and the second stage.
template <int Classes, form Form, int Width>
struct mobilenet_v2_layers {
    template <int Channels> static constexpr int wide = mobilenet_width(Channels, Width);
    static constexpr int stride = Form == form::photograph ? 2 : 1;
    static constexpr int last = mobilenet_width(1280, Width > 100 ? Width : 100);
    template <class Image, number Number>
    using on = network<Image, Number,
        named<"features.0", conv_norm_relu6<conv_spec{.out = wide<32>, .kernel = 3, .stride = stride, .pad = 1}>>,
        inverted_residual_t<"features.1.conv", wide<32>, wide<16>, 1, 1>,
        inverted_residual_t<"features.2.conv", wide<16>, wide<24>, stride>,
        inverted_residual_t<"features.3.conv", wide<24>, wide<24>, 1>,
        inverted_residual_t<"features.4.conv", wide<24>, wide<32>, 2>,
        inverted_residual_t<"features.5.conv", wide<32>, wide<32>, 1>,
        inverted_residual_t<"features.6.conv", wide<32>, wide<32>, 1>,
        inverted_residual_t<"features.7.conv", wide<32>, wide<64>, 2>,
        inverted_residual_t<"features.8.conv", wide<64>, wide<64>, 1>,
        inverted_residual_t<"features.9.conv", wide<64>, wide<64>, 1>,
        inverted_residual_t<"features.10.conv", wide<64>, wide<64>, 1>,
        inverted_residual_t<"features.11.conv", wide<64>, wide<96>, 1>,
        inverted_residual_t<"features.12.conv", wide<96>, wide<96>, 1>,
        inverted_residual_t<"features.13.conv", wide<96>, wide<96>, 1>,
        inverted_residual_t<"features.14.conv", wide<96>, wide<160>, 2>,
        inverted_residual_t<"features.15.conv", wide<160>, wide<160>, 1>,
        inverted_residual_t<"features.16.conv", wide<160>, wide<160>, 1>,
        inverted_residual_t<"features.17.conv", wide<160>, wide<320>, 1>,
        named<"features.18", conv_norm_relu6<conv_spec{.out = last, .kernel = 1}>>,
        global_avg_pool, named<"classifier.1", linear<Classes>>>;
};

/// MobileNet-V2, named as in torchvision: 3.5 million parameters for 1000 classes, 0.30 G multiply-adds at 224x224.
/// `Width` is the width multiplier in per cent.
template <class Image, number Number = float32, int Classes = 1000, form Form = form_for<Image>, int Width = 100>
using mobilenet_v2 = typename mobilenet_v2_layers<Classes, Form, Width>::template on<Image, Number>;

}  // namespace redoubt::model::inline v1
