// SPDX-License-Identifier: MIT
// The same, with the channels twice that the header of `harden` names, beside what it is compared with.
#pragma once

#include "lean.hpp"

#include <redoubt/app/presets.hpp>

#include <hardened.hpp>

#include <string_view>

namespace chain {

/// Its weights are those that `harden` wrote, already in the plan's order.
struct planned {
    static constexpr std::string_view name = "planned";
    template <redoubt::network_type Net> using apply = hardened::hardened<Net>;
};

using presets = redoubt::pack<redoubt::app::presets::none, redoubt::app::presets::range, redoubt::app::presets::clip_weights, planned, redoubt::app::presets::tmr_parameters>;

}  // namespace chain

namespace guarded {

using net = chain::lean_networks::lean;
using presets = chain::presets;

}  // namespace guarded
