// SPDX-License-Identifier: MIT
#include "harden/cases.hpp"

[[maybe_unused]] static const int added =
    bench::add_protections<redoubt::with_number<redoubt::model::mobilenet_v2<redoubt::image<3, 224, 224>>, redoubt::int8>>("mobilenet_v2");
