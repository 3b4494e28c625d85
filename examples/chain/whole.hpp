// SPDX-License-Identifier: MIT
// The network that the chain begins with.
#pragma once

#include <redoubt/redoubt.hpp>

namespace chain {

struct networks {
    using resnet20 = redoubt::model::resnet20<redoubt::image<1, 28, 28>>;
};

}  // namespace chain
