// SPDX-License-Identifier: MIT
#include "harden/cases.hpp"

[[maybe_unused]] static const int added[] = {
    bench::add_layer<redoubt::float32, 16, 32>("16x32x32-16"), bench::add_layer<redoubt::float32, 64, 56>("64x56x56-64"),
    bench::add_layer<redoubt::float32, 256, 14>("256x14x14-256"), bench::add_layer<redoubt::float32, 64, 56, 64>("depthwise64x56x56")};
