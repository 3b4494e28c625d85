// SPDX-License-Identifier: MIT
#include "support/zoo.hpp"

using namespace redoubt;
using namespace support;
using model::shortcut_kind;

TEST_CASE("LeNet-5 takes any image and class count", "[model]") {
    check_network<model::lenet5<image<1, 28, 28>>>(10);
    check_network<model::lenet5<image<3, 32, 32>, float32, 100>>(100);
    check_network<model::lenet5<image<1, 20, 23>>>(10);
}

TEST_CASE("ResNet-8 takes any image and class count", "[model]") {
    check_network<model::resnet8<image<1, 28, 28>>>(10);
    check_network<model::resnet8<image<3, 32, 32>, float32, 100>>(100);
    check_network<model::resnet8<image<1, 20, 23>>>(10);
}

TEST_CASE("ResNet-8 with projections takes any image and class count", "[model]") {
    check_network<model::resnet8<image<1, 28, 28>, float32, 10, shortcut_kind::projected>>(10);
    check_network<model::resnet8<image<3, 32, 32>, float32, 100, shortcut_kind::projected>>(100);
    check_network<model::resnet8<image<1, 20, 23>, float32, 10, shortcut_kind::projected>>(10);
}

TEST_CASE("ResNet-20 takes any image and class count", "[model]") {
    check_network<model::resnet20<image<3, 32, 32>, float32, 100>>(100);
    check_network<model::resnet20<image<1, 20, 23>, float32, 10, shortcut_kind::projected>>(10);
}

TEST_CASE("networks with clips before their norms take any image and class count", "[model]") {
    check_network<model::clipped_resnet8<image<1, 28, 28>>>(10);
    check_network<model::clipped_resnet8<image<3, 32, 32>, float32, 100>>(100);
    check_network<model::clipped_resnet20<image<1, 20, 23>>>(10);
}
