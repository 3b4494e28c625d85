// SPDX-License-Identifier: MIT
#include "prune/cases.hpp"

using whole = redoubt::model::resnet20<redoubt::image<3, 32, 32>>;
[[maybe_unused]] static const int added[] = {bench::add_sizes<whole>("resnet20"), bench::add_sizes<redoubt::with_number<whole, redoubt::int8>>("resnet20")};
