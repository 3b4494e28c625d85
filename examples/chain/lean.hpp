// SPDX-License-Identifier: MIT
// The network that is left, by the header that `prune` wrote.
#pragma once

#include "whole.hpp"

#include <pruned_network.hpp>

namespace chain {

struct lean_networks {
    using lean = pruned_network::pruned<networks::resnet20>;

    using number_fp32 = redoubt::float32;
    using number_int8 = redoubt::int8;
};

}  // namespace chain
