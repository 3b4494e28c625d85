// SPDX-License-Identifier: MIT
// The plain networks of Simonyan, Zisserman, "Very deep convolutional networks" (ICLR 2015), configurations A and D.
#pragma once

#include <redoubt/model/form.hpp>
#include <redoubt/nn/network.hpp>

namespace redoubt::model::inline v1 {

/// A 3x3 convolution and its ReLU, with a norm between them or not.
template <int Out, bool Norm>
using vgg_conv = std::conditional_t<Norm,
    sequence<conv2d<conv_spec{.out = Out, .kernel = 3, .pad = 1}>, batch_norm, relu>,
    sequence<conv2d<conv_spec{.out = Out, .kernel = 3, .pad = 1}>, relu>>;

/// One, two or three of them and a pool.
template <bool Norm, int... Outs>
using vgg_stage = sequence<vgg_conv<Outs, Norm>..., max_pool<2>>;

/// Three linear layers; one for thumbnails. `flatten` stands where torchvision has dropout.
template <int Classes, form Form>
using vgg_classifier = by_form<Form,
    named<"classifier", linear<4096>, relu, flatten, linear<4096>, relu, flatten, linear<Classes>>,
    named<"classifier", linear<Classes>>>;

template <class Image, number Number, int Classes, form Form, class... Stages>
using vgg = network<Image, Number, named<"features", Stages...>, vgg_classifier<Classes, Form>>;

/// VGG-11, named as in torchvision: 133 million parameters for 1000 classes at 224x224. Where torchvision averages to
/// 7x7 pixels this has the pixels there are: the checkpoints fit 224x224. `vgg11_bn` has batch normalisation.
template <class Image, number Number = float32, int Classes = 1000, form Form = form_for<Image>, bool Norm = false>
using vgg11 = vgg<Image, Number, Classes, Form,
    vgg_stage<Norm, 64>, vgg_stage<Norm, 128>, vgg_stage<Norm, 256, 256>, vgg_stage<Norm, 512, 512>, vgg_stage<Norm, 512, 512>>;
template <class Image, number Number = float32, int Classes = 1000, form Form = form_for<Image>>
using vgg11_bn = vgg11<Image, Number, Classes, Form, true>;

/// VGG-16, likewise: 138 million parameters for 1000 classes, 15.5 G multiply-adds at 224x224. 15 million for
/// thumbnails of 32x32.
template <class Image, number Number = float32, int Classes = 1000, form Form = form_for<Image>, bool Norm = false>
using vgg16 = vgg<Image, Number, Classes, Form,
    vgg_stage<Norm, 64, 64>, vgg_stage<Norm, 128, 128>, vgg_stage<Norm, 256, 256, 256>, vgg_stage<Norm, 512, 512, 512>,
    vgg_stage<Norm, 512, 512, 512>>;
template <class Image, number Number = float32, int Classes = 1000, form Form = form_for<Image>>
using vgg16_bn = vgg16<Image, Number, Classes, Form, true>;

}  // namespace redoubt::model::inline v1
