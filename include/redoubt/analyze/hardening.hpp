// SPDX-License-Identifier: MIT
// From a ranking and a budget to a plan: which channels a hardened network computes twice.
#pragma once

#include <redoubt/analyze/group_scores.hpp>
#include <redoubt/analyze/ranking.hpp>
#include <redoubt/kernel/geometry.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace redoubt::analyze::inline v1 {

/// What hardening may cost.
struct hardening_budget {
    double ratio = 0.15;       ///< of each layer's channels, rounded down, at least one; used where `added` is 0
    double added = 0.0;        ///< of the network's multiply-adds, as many as copies may add, those of the last layer left aside: blocks are taken by contribution a multiply-add
    double residual = 0.0;     ///< above 0: as few such blocks as leave this rate of wrong answers for one fault anywhere in the weights, if copies mend all; needs a ranking of rates
    bool last_linear = true;   ///< all neurons of the last linear layer, whatever they cost
};

/// One layer's part of a plan.
struct planned_layer {
    int duplicated = 0;      ///< channels that are computed twice, the first ones of the new order: whole blocks of 16
    bool tripled = false;    ///< instead: all of the layer three times, parameters and computation
    double covered = 0.0;    ///< share of the layer's contribution that lies in these channels
    bool operator==(const planned_layer&) const = default;
};

/// Channels to compute twice, and the order that puts them first. Groups are those of channel_groups_of<Net>.
struct hardening_plan {
    std::string formula;                             ///< of the ranking
    network_identity of;                             ///< in the order of the trained network
    std::vector<planned_layer> layers;               ///< by slot
    std::vector<std::vector<std::uint16_t>> orders;  ///< by group: order[new place] = channel
    std::uint64_t multiply_adds = 0;                 ///< of the network, padding counted
    std::uint64_t added = 0;                         ///< by copies
    bool operator==(const hardening_plan&) const = default;
};

/// Whether a plan is whole: blocks of 16 that the layers have, orders that are permutations.
inline result<void> check(const hardening_plan& plan) {
    if (plan.layers.size() != plan.of.layers.size()) return error{"the plan is of "} << plan.layers.size() << " layers, its network has " << plan.of.layers.size();
    for (std::size_t s = 0; s < plan.layers.size(); ++s) {
        const layer_identity& layer = plan.of.layers[s];
        const planned_layer& p = plan.layers[s];
        if (p.duplicated < 0 || p.duplicated % kernel::lane_count != 0 || p.duplicated > layer.out)
            return error{"the plan has "} << p.duplicated << " of " << layer.out << " channels of " << layer.name << " twice: they come in blocks of " << kernel::lane_count;
        if (p.tripled && p.duplicated != 0) return error{"the plan has "} << layer.name << " both twice and three times";
    }
    for (std::size_t g = 0; g < plan.orders.size(); ++g) {
        std::vector<bool> seen(plan.orders[g].size());
        for (const std::uint16_t c : plan.orders[g]) {
            if (c >= seen.size() || seen[c]) return error{"the plan's order "} << g << " is no permutation: channel " << c << (c < seen.size() ? " comes twice" : " is not there");
            seen[c] = true;
        }
    }
    return {};
}

}  // namespace redoubt::analyze::inline v1

namespace redoubt::analyze::inline REDOUBT_ABI {

namespace impl {
inline std::string rate_text(double rate) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, rate, std::chars_format::general, 3).ptr};
}
}  // namespace impl

/// A plan for Net: channels of each group (nn/permute.hpp: what additions, pools and depthwise convolutions tie together) in the order of the sum of their
/// layers' contributions, and of each convolution without groups, and each linear layer, the first ones twice. The rule of arXiv 2405.10658 is a ratio of each
/// layer, k = max(1, floor(ratio * channels)), rounded up here to the blocks of 16 in which duplicates come; layers of less than 16 channels stay as they are (the authors order tied layers by one of them, we by all).
/// With budget.added or budget.residual instead, blocks of all layers are taken by the contribution that they cover for each multiply-add until none fits or the rate is reached. Of the last linear
/// layer all neurons: twice where they fill whole blocks, else the layer is computed three times from three copies, which is cheap there.
///
/// Channels that must keep their places (groups -1: of the image, the answer, concats) have their own order, and `covered` says what the first ones hold.
/// Errors: a ranking of another network, with NaN, with all scores 0, a budget out of range. Weights are not compared: a ranking may be of others than
/// the network will have, and only reordered() looks.
template <network_type Net>
result<hardening_plan> plan_hardening(const ranking& r, const hardening_budget& budget = {}) {
    constexpr const auto& groups = channel_groups_of<Net>;
    constexpr auto lanes = static_cast<std::size_t>(kernel::lane_count);
    if (!(budget.ratio > 0.0 && budget.ratio <= 1.0)) return error{"the share of channels to compute twice must be above 0 and at most 1"};
    if (!(budget.added >= 0.0 && budget.added <= 1.0)) return error{"the share of multiply-adds that copies may add must be from 0 to 1"};
    if (!(budget.residual >= 0.0 && budget.residual < 1.0)) return error{"the rate of wrong answers that may be left must be at least 0 and below 1"};
    if (budget.residual > 0.0 && !r.per_fault) return error{"a rate of wrong answers needs a ranking whose scores are rates of one fault: measured ones or channel-vulnerability, not "} << r.formula;
    const auto sums = group_scores<Net>(r);
    if (!sums) return sums.reason();
    hardening_plan plan{r.formula, r.of, std::vector<planned_layer>(r.layers.size()), group_orders(*sums), 0, 0};

    struct row {
        std::vector<double> blocks;  ///< contributions of the channels that can be duplicated, in the new order
        double whole = 0.0;
        std::uint64_t cost = 0;      ///< multiply-adds of a block
    };
    std::vector<row> rows;
    int last = -1;
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const slot& info = Net::table.slots[static_cast<std::size_t>(s)];
        const auto& g = info.geometry;
        row of;
        const int group = groups.of_slot(s);
        const auto channels = static_cast<std::size_t>(g.out.channels);
        const std::size_t usable = g.groups == 1 ? channels / lanes * lanes : 0;
        for (std::size_t at = 0; at < channels; ++at) {
            const double c = contribution(r, s, group < 0 ? at : plan.orders[static_cast<std::size_t>(group)][at]);
            of.whole += c;
            if (at < usable && at % lanes == 0) of.blocks.push_back(0.0);
            if (at < usable) of.blocks.back() += c;
        }
        plan.multiply_adds += static_cast<std::uint64_t>(g.nominal_macs());
        of.cost = static_cast<std::uint64_t>(g.nominal_macs()) / channels * lanes;
        rows.push_back(std::move(of));
        if (info.is_linear) last = s;
    }
    const auto take = [&](std::size_t s, std::size_t blocks) {
        plan.layers[s].duplicated = static_cast<int>(blocks * lanes);
        double covered = 0.0;
        for (std::size_t b = 0; b < blocks; ++b) covered += rows[s].blocks[b];
        plan.layers[s].covered = rows[s].whole > 0.0 ? std::min(1.0, covered / rows[s].whole) : 0.0;
        plan.added += blocks * rows[s].cost;
    };
    const auto is_left = [&](std::size_t s) { return !(budget.last_linear && static_cast<int>(s) == last); };
    std::vector<std::size_t> taken(rows.size());
    if (budget.added == 0.0 && budget.residual == 0.0) {
        for (std::size_t s = 0; s < rows.size(); ++s) {
            const double channels = static_cast<double>(r.of.layers[s].out);
            const int wanted = std::max(1, static_cast<int>(budget.ratio * channels + 1e-9));
            taken[s] = std::min(rows[s].blocks.size(), (static_cast<std::size_t>(wanted) + lanes - 1) / lanes);
        }
    } else {
        double room = budget.added > 0.0 ? budget.added * static_cast<double>(plan.multiply_adds) : std::numeric_limits<double>::infinity();
        // faults strike all weights alike: a rate of the network is the mean of contributions over them
        double words = 0.0, left = 0.0;
        for (std::size_t s = 0; s < rows.size(); ++s) {
            words += static_cast<double>(r.of.layers[s].channels()) * static_cast<double>(r.of.layers[s].fan_in());
            if (is_left(s)) left += rows[s].whole;
        }
        const auto is_enough = [&] { return budget.residual > 0.0 && left <= budget.residual * words; };
        while (!is_enough()) {
            std::size_t best = rows.size();
            const auto worth = [&](std::size_t s) { return rows[s].blocks[taken[s]] / static_cast<double>(rows[s].cost); };
            for (std::size_t s = 0; s < rows.size(); ++s)
                if (is_left(s) && taken[s] < rows[s].blocks.size() && static_cast<double>(rows[s].cost) <= room && (best == rows.size() || worth(s) > worth(best))) best = s;
            if (best == rows.size() || !(worth(best) > 0.0)) break;
            left -= rows[best].blocks[taken[best]++];
            room -= static_cast<double>(rows[best].cost);
        }
        if (budget.residual > 0.0 && !is_enough())
            return error{"a rate of "} << impl::rate_text(budget.residual) << " cannot be reached: " << impl::rate_text(left / words) << " is left by what can be computed twice within the budget";
    }
    for (std::size_t s = 0; s < rows.size(); ++s)
        if (is_left(s)) take(s, taken[s]);
    if (budget.last_linear && last >= 0) {
        const auto s = static_cast<std::size_t>(last);
        const auto& g = Net::table.slots[s].geometry;
        if (g.out.channels % kernel::lane_count == 0) {
            take(s, rows[s].blocks.size());
        } else {
            plan.layers[s].tripled = true;
            plan.layers[s].covered = 1.0;
            plan.added += 2 * static_cast<std::uint64_t>(g.nominal_macs());
        }
    }
    return plan;
}

/// What is wrong with a plan for this network with these weights; empty where nothing is.
template <network_type Net>
std::optional<error> misfit(const hardening_plan& plan, const parameters<Net>& weights) {
    constexpr const auto& groups = channel_groups_of<Net>;
    if (auto wrong = difference(plan.of, identity_of<Net>(weights))) return error{"the plan cannot be used: "} << wrong->text();
    if (auto whole = check(plan); !whole) return whole.reason();
    if (plan.orders.size() != static_cast<std::size_t>(groups.count)) return error{"the plan has "} << plan.orders.size() << " orders of channels, the network " << groups.count;
    for (std::size_t g = 0; g < plan.orders.size(); ++g)
        if (plan.orders[g].size() != static_cast<std::size_t>(groups.channels[g]))
            return error{"the plan's order "} << g << " is of " << plan.orders[g].size() << " channels, the network's of " << groups.channels[g];
    return {};
}

/// The parameters with the plan's channels first, to be converted to the hardened type; answers are the same but for the order in which products are added
/// (int8: the same). Errors: a plan for another network, or for the same with other weights.
template <network_type Net>
result<std::unique_ptr<parameters<Net>>> reordered(const parameters<Net>& weights, const hardening_plan& plan) {
    if (auto wrong = misfit<Net>(plan, weights)) return *wrong;
    auto to = std::make_unique<parameters<Net>>();
    permute_channels<Net>(weights, [&](int group) { return std::span<const std::uint16_t>{plan.orders[static_cast<std::size_t>(group)]}; }, *to);
    return to;
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
