// SPDX-License-Identifier: MIT
// What plans begin with: a ranking that can be used, and what tied channels contribute together.
#pragma once

#include <redoubt/analyze/ranking.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace redoubt::analyze::inline REDOUBT_ABI {

/// Contributions by group (nn/permute.hpp: what additions, pools and depthwise convolutions tie together) and channel: the sums of the layers'. Errors: a ranking
/// of another network, one that is not whole, has NaN, sums past all numbers, or says nothing. Weights are not compared: a ranking may be of others than the network will have.
template <network_type Net>
result<std::vector<std::vector<double>>> group_scores(const ranking& r) {
    constexpr const auto& groups = channel_groups_of<Net>;
    if (auto wrong = difference(r.of, {layers_of<Net>(), 0}, false)) return error{"the ranking cannot be used: "} << wrong->text();
    if (auto whole = check(r); !whole) return whole.reason();
    double whole = 0.0;
    for (std::size_t s = 0; s < r.layers.size(); ++s)
        for (std::size_t c = 0; c < r.layers[s].channels.size(); ++c) whole += contribution(r, static_cast<int>(s), c);
    if (!(whole <= std::numeric_limits<double>::max())) return error{"the ranking's scores are too large: their sum is no number"};
    if (!(whole > 0.0)) return error{"the ranking says nothing: all its scores are 0 ("} << r.images << " images taken, " << r.left_out << " left out)";
    std::vector<std::vector<double>> sums;
    for (int g = 0; g < groups.count; ++g) sums.emplace_back(static_cast<std::size_t>(groups.channels[static_cast<std::size_t>(g)]));
    for (int s = 0; s < Net::table.slot_count; ++s)
        if (const int g = groups.of_slot(s); g >= 0)
            for (std::size_t c = 0; c < sums[static_cast<std::size_t>(g)].size(); ++c) sums[static_cast<std::size_t>(g)][c] += contribution(r, s, c);
    return sums;
}

/// The channels of each group by falling score, equal ones by their number.
inline std::vector<std::vector<std::uint16_t>> group_orders(const std::vector<std::vector<double>>& scores) {
    std::vector<std::vector<std::uint16_t>> orders;
    for (const auto& of_group : scores) {
        orders.emplace_back(of_group.size());
        order_by_score(of_group, orders.back());
    }
    return orders;
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
