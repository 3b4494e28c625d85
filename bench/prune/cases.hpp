// SPDX-License-Identifier: MIT
// One network in three sizes.
#pragma once

#include "harden/cases.hpp"

#include <array>
#include <cstddef>
#include <string>

namespace bench {

/// Half of the channels of each group, rounded up to whole blocks.
template <network_type Net, int Block>
inline constexpr auto half_of = [] {
    std::array<int, static_cast<std::size_t>(Net::table.slot_count)> counts{};
    for (std::size_t s = 0; s < counts.size(); ++s) {
        const int all = Net::table.slots[s].geometry.out.channels, blocks = ((all + 1) / 2 + Block - 1) / Block * Block;
        counts[s] = channel_groups_of<Net>.of_slot(static_cast<int>(s)) < 0 ? all : blocks < all ? blocks : all;
    }
    return counts;
}();

template <network_type Net>
int add_size(const std::string& of) {
    add_protected<Net, 0>(of, "none");
    add_protected<harden<Net, duplicate_share<15>>, 0>(of, "duplicate15");
    add_protected<harden<Net, duplicate_share<30>>, 0>(of, "duplicate30");
    return 0;
}

template <network_type Net>
int add_sizes(const std::string& of) {
    add_size<Net>(of + "-whole");
    add_size<pruned<Net, half_of<Net, 1>>>(of + "-half");
    add_size<pruned<Net, half_of<Net, 16>>>(of + "-half16");
    return 0;
}

}  // namespace bench
