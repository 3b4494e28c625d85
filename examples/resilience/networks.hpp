// SPDX-License-Identifier: MIT
// The networks and numbers of the main job. Each pair is compiled in a translation unit of its own (see CMakeLists.txt).
#pragma once

#include <redoubt/redoubt.hpp>

namespace networks {

using picture = redoubt::image<1, 28, 28>;
using colour = redoubt::image<3, 32, 32>;

struct zoo {
    using lenet5 = redoubt::model::lenet5<picture>;
    using resnet8 = redoubt::model::resnet8<picture>;
    using clipped_resnet8 = redoubt::model::clipped_resnet8<picture>;
    using resnet20 = redoubt::model::resnet20<picture>;
    using resnet20_cifar10 = redoubt::model::resnet20<colour>;
    using mobilenet_v2 = redoubt::model::mobilenet_v2<picture, redoubt::float32, 10>;
    using vgg11_cifar10 = redoubt::model::vgg11_bn<colour, redoubt::float32, 10>;

    using number_fp32 = redoubt::float32;
    using number_fp16 = redoubt::float16;
    using number_bf16 = redoubt::bfloat16;  // not compiled by default: name it in CMakeLists.txt
    using number_int8 = redoubt::int8;
    using number_q25 = redoubt::stored<redoubt::float32, redoubt::fixed<2, 5>>;
};

}  // namespace networks
