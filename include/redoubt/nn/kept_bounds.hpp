// SPDX-License-Identifier: MIT
// Bounds of outputs that are kept three times, and what writes and repairs all of them.
#pragma once

#include <redoubt/kernel/vote.hpp>
#include <redoubt/nn/parameters.hpp>
#include <redoubt/nn/status.hpp>

#include <algorithm>
#include <limits>
#include <type_traits>

namespace redoubt::inline v1 {

/// Whether bounds of any unit of Net are kept three times.
template <network_type Net>
inline constexpr bool has_kept_bounds = [] {
    for (const unit_place& unit : parameters<Net>::plan.units)
        if (unit.is_kept) return true;
    return false;
}();

}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

/// Writes a unit's bounds, those of its neurons with them, over their copies. To be called after writing bounds; what sets bounds here does so itself, and encode().
template <network_type Net>
void copy_bounds(parameters<Net>& p, int u) {
    const auto neurons = p.neuron_bounds(u);
    for (const int copy : {1, 2}) {
        const auto to = p.bound_copy(u, copy);
        if (to.empty()) continue;
        to[0] = p.of_unit(u).low;
        to[1] = p.of_unit(u).high;
        std::copy(neurons.begin(), neurons.end(), to.begin() + 2);
    }
}
/// The same for all units.
template <network_type Net>
void copy_bounds(parameters<Net>& p) {
    for (int u = 0; u < Net::table.unit_count; ++u) copy_bounds<Net>(p, u);
}

/// Bounds that let everything through but NaN.
template <network_type Net>
void open_bounds(parameters<Net>& p) {
    using limits = std::numeric_limits<bound_of<typename Net::number_type>>;
    for (int u = 0; u < Net::table.unit_count; ++u) {
        auto& record = p.of_unit(u);
        record.high = limits::has_infinity ? limits::infinity() : limits::max();
        record.low = limits::has_infinity ? -limits::infinity() : limits::lowest();
        for (auto& high : p.neuron_bounds(u)) high = record.high;
    }
    copy_bounds<Net>(p);
}

namespace impl {

/// A word without majority may still be right in every bit, but nobody can know.
inline void count_votes(const kernel::vote_tally& seen, fault_counters& count) {
    count.add_found(seen.different, seen.no_majority);
}

/// A unit's pair of bounds, by majority where they are kept three times.
template <network_type Net, int U>
unit_record<typename Net::number_type> read_bounds(const parameters<Net>& p, fault_counters& count) {
    auto record = p.of_unit(U);
    if constexpr (parameters<Net>::place_of_unit(U).is_kept) {
        std::array<bound_of<typename Net::number_type>, 2> ends{record.low, record.high};
        count_votes(kernel::vote_words(ends.data(), p.bound_copy(U, 1).data(), p.bound_copy(U, 2).data(), ends.data(), ends.size()), count);
        record.low = ends[0];
        record.high = ends[1];
    }
    return record;
}
/// The bounds of a unit's neurons likewise: something to be indexed.
template <network_type Net, int U>
auto read_neuron_bounds(const parameters<Net>& p, fault_counters& count) {
    const auto bounds = p.neuron_bounds(U);
    if constexpr (parameters<Net>::place_of_unit(U).is_kept) {
        const kernel::voted_words voted{bounds.data(), p.bound_copy(U, 1).data() + 2, p.bound_copy(U, 2).data() + 2};
        count_votes(voted.tally(bounds.size()), count);
        return voted;
    } else {
        return bounds;
    }
}

/// Repairs every bound that is kept three times in place.
template <network_type Net>
void scrub_bounds(parameters<Net>& p, fault_counters& count) {
    for (int u = 0; u < Net::table.unit_count; ++u) {
        if (!parameters<Net>::place_of_unit(u).is_kept) continue;
        auto& record = p.of_unit(u);
        const auto bounds = p.neuron_bounds(u), one = p.bound_copy(u, 1), two = p.bound_copy(u, 2);
        std::array<bound_of<typename Net::number_type>, 2> ends{record.low, record.high};
        count_votes(kernel::vote_words(ends.data(), one.data(), two.data(), ends.data(), ends.size()), count);
        record.low = ends[0];
        record.high = ends[1];
        count_votes(kernel::vote_words(bounds.data(), one.data() + 2, two.data() + 2, bounds.data(), bounds.size()), count);
        copy_bounds<Net>(p, u);
    }
}

}  // namespace impl

}  // namespace redoubt::inline REDOUBT_ABI
