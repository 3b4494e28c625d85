// SPDX-License-Identifier: MIT
#include "harden/cases.hpp"

[[maybe_unused]] static const int added =
    bench::add_protections<redoubt::model::resnet18<redoubt::image<3, 224, 224>, redoubt::int8>>("resnet18");
