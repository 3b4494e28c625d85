// SPDX-License-Identifier: MIT
#include "harden/cases.hpp"

[[maybe_unused]] static const int added =
    bench::add_protections<redoubt::with_number<redoubt::model::resnet20<redoubt::image<3, 32, 32>>, redoubt::float32>>("resnet20");
