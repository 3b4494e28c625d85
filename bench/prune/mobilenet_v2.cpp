// SPDX-License-Identifier: MIT
#include "prune/cases.hpp"

using whole = redoubt::model::mobilenet_v2<redoubt::image<1, 28, 28>, redoubt::float32, 10>;
[[maybe_unused]] static const int added[] = {bench::add_sizes<whole>("mobilenet_v2"), bench::add_sizes<redoubt::with_number<whole, redoubt::int8>>("mobilenet_v2")};
