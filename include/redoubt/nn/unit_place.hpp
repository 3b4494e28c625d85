// SPDX-License-Identifier: MIT
// Bounds that a unit has besides the pair in its record.
#pragma once

#include <redoubt/nn/network.hpp>

#include <array>
#include <cstddef>

namespace redoubt::inline v1 {

/// What guards ask of a unit's bounds, and where in the parameters they lie. Nothing is laid out for a unit that no guard asks anything of.
struct unit_place {
    std::size_t neurons = 0;       ///< elements of its output, if a guard holds each below a bound of its own, else 0
    std::size_t neuron_bounds = 0; ///< first byte of those bounds
    bool guarded = false;          ///< some guard reads the unit's bounds
    bool is_kept = false;          ///< and they are kept three times
    std::size_t copies = 0;        ///< first byte of two more copies, each the low bound, the high one and those of neurons
};

namespace detail {

/// The units of a network, not yet laid out. Steps that compute one unit, as replicas do, share its bounds.
template <class Net>
constexpr auto units_of() {
    std::array<unit_place, static_cast<std::size_t>(Net::table.unit_count)> units{};
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        unit_place& unit = units[static_cast<std::size_t>(s.unit)];
        unit.guarded = unit.guarded || s.guards[0] >= 0;
        unit.is_kept = unit.is_kept || s.keeps_bounds;
        if (s.bounds_neurons) unit.neurons = static_cast<std::size_t>(Net::table.values[static_cast<std::size_t>(s.out)].extents.size());
    }
    for (unit_place& unit : units) unit.is_kept = unit.is_kept && unit.guarded;
    return units;
}

}  // namespace detail

}  // namespace redoubt::inline v1
