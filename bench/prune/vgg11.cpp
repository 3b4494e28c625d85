// SPDX-License-Identifier: MIT
#include "prune/cases.hpp"

using whole = redoubt::model::vgg11_bn<redoubt::image<3, 32, 32>, redoubt::float32, 10>;
[[maybe_unused]] static const int added[] = {bench::add_sizes<whole>("vgg11"), bench::add_sizes<redoubt::with_number<whole, redoubt::int8>>("vgg11")};
