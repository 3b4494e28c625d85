// SPDX-License-Identifier: MIT
// From a ranking and a budget to a smaller network: which channels stay.
#pragma once

#include <redoubt/analyze/group_scores.hpp>
#include <redoubt/analyze/ranking.hpp>
#include <redoubt/harden/prune.hpp>
#include <redoubt/kernel/geometry.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace redoubt::analyze::inline v1 {

/// What pruning takes away.
struct pruning_budget {
    double ratio = 0.3;            ///< of the channels of each layer, rounded down; used where `removed` is 0
    std::vector<double> ratios{};  ///< by layer instead, where not empty; layers that are tied together take the smallest of theirs
    double removed = 0.0;          ///< above 0: of the network's multiply-adds, at least as many, from all layers, blocks of the least contribution for each multiply-add first
    int block = 1;                 ///< what stays is whole blocks of that many channels; 16 are what kernels compute at once, and fewer of them is what takes less time
};

/// Which channels stay. Groups are those of channel_groups_of<Net>.
struct pruning_plan {
    std::string formula;                            ///< of the ranking
    network_identity of;                            ///< of the network that is pruned
    std::vector<std::vector<std::uint16_t>> kept;   ///< by group, in rising order
    std::vector<int> channels;                      ///< by layer: outputs that stay
    std::vector<double> lost;                       ///< by layer: share of its contribution that the others had
    std::uint64_t multiply_adds = 0, left = 0;      ///< of the network and the pruned one, padding counted
    std::uint64_t words = 0, words_left = 0;        ///< weights of both
    bool operator==(const pruning_plan&) const = default;
};

/// Whether a plan is whole: each layer keeps 1 to all of its channels and says what it lost, lists rise. Which channels a layer keeps is by group, so whether both agree only the network's type says.
inline result<void> check(const pruning_plan& plan) {
    if (plan.channels.size() != plan.of.layers.size()) return error{"the plan is of "} << plan.channels.size() << " layers, its network has " << plan.of.layers.size();
    if (plan.lost.size() != plan.channels.size()) return error{"the plan says what "} << plan.lost.size() << " layers lost, it is of " << plan.channels.size();
    for (std::size_t s = 0; s < plan.channels.size(); ++s)
        if (plan.channels[s] < 1 || plan.channels[s] > plan.of.layers[s].out)
            return error{"the plan leaves "} << plan.channels[s] << " of " << plan.of.layers[s].out << " channels of " << plan.of.layers[s].name << ": it must be 1 to all of them";
    for (std::size_t g = 0; g < plan.kept.size(); ++g)
        for (std::size_t i = 0; i < plan.kept[g].size(); ++i)
            if (i != 0 && plan.kept[g][i] <= plan.kept[g][i - 1]) return error{"the plan's group "} << g << " is not in rising order at channel " << plan.kept[g][i];
    return {};
}

}  // namespace redoubt::analyze::inline v1

namespace redoubt::analyze::inline REDOUBT_ABI {

namespace impl {

/// Multiply-adds and weights of a network whose groups have these many channels.
template <network_type Net>
std::pair<std::uint64_t, std::uint64_t> size_with(const std::vector<std::size_t>& counts) {
    constexpr const auto& groups = channel_groups_of<Net>;
    std::uint64_t all = 0, words = 0;
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.slot < 0) continue;
        const auto& g = s.geometry;
        const auto count = [&](int value, int channels) {
            const int group = groups.of_value[static_cast<std::size_t>(value)];
            return static_cast<std::uint64_t>(group < 0 ? static_cast<std::size_t>(channels) : counts[static_cast<std::size_t>(group)]);
        };
        const std::uint64_t in = g.groups == 1 ? count(s.in, g.in.channels) : static_cast<std::uint64_t>(g.group_in());
        const std::uint64_t filters = count(s.out, g.out.channels) * in * static_cast<std::uint64_t>(g.kernel.h * g.kernel.w);
        words += filters;
        all += filters * static_cast<std::uint64_t>(g.out.height * g.out.width);
    }
    return {all, words};
}

template <network_type Net>
std::string layer_of_group(int group) {
    for (int s = 0; s < Net::table.slot_count; ++s)
        if (channel_groups_of<Net>.of_slot(s) == group) return std::string{Net::table.slots[static_cast<std::size_t>(s)].name.view()};
    return {};
}

/// How many channels each group keeps by ratios of its layers.
template <network_type Net>
result<std::vector<std::size_t>> counts_by_ratio(const pruning_budget& budget) {
    constexpr const auto& groups = channel_groups_of<Net>;
    std::vector<double> least(static_cast<std::size_t>(groups.count), 2.0);
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const double ratio = budget.ratios.empty() ? budget.ratio : budget.ratios[static_cast<std::size_t>(s)];
        if (!(ratio >= 0.0)) return error{"the share of channels to remove from "} << Net::table.slots[static_cast<std::size_t>(s)].name.view() << " must be at least 0";
        if (!(ratio < 1.0)) return error{"the share of channels to remove from "} << Net::table.slots[static_cast<std::size_t>(s)].name.view() << " would leave none of them: it must be below 1";
        if (const int g = groups.of_slot(s); g >= 0) least[static_cast<std::size_t>(g)] = std::min(least[static_cast<std::size_t>(g)], ratio);
    }
    std::vector<std::size_t> counts;
    const auto block = static_cast<std::size_t>(budget.block);
    for (std::size_t g = 0; g < least.size(); ++g) {
        const auto channels = static_cast<std::size_t>(groups.channels[g]);
        // a group that no layer makes keeps what it has
        const std::size_t removed = least[g] > 1.0 ? 0 : std::min(channels - 1, static_cast<std::size_t>(least[g] * static_cast<double>(channels) + 1e-9));
        counts.push_back(std::min(channels, (channels - removed + block - 1) / block * block));
    }
    return counts;
}

/// How many channels each group keeps when blocks of the least contribution a multiply-add go until so many multiply-adds have gone.
template <network_type Net>
result<std::vector<std::size_t>> counts_by_cost(const std::vector<std::vector<double>>& falling, const pruning_budget& budget) {
    std::vector<std::size_t> counts;
    for (const auto& scores : falling) counts.push_back(scores.size());
    const std::uint64_t all = size_with<Net>(counts).first;
    const auto block = static_cast<std::size_t>(budget.block);
    std::uint64_t now = all;
    while (static_cast<double>(all - now) < budget.removed * static_cast<double>(all)) {
        std::size_t best = counts.size(), best_count = 0;
        double least = 0.0;
        for (std::size_t g = 0; g < counts.size(); ++g) {
            if (layer_of_group<Net>(static_cast<int>(g)).empty() || counts[g] <= block) continue;
            const std::size_t fewer = (counts[g] - 1) / block * block;
            double lost = 0.0;
            for (std::size_t c = fewer; c < counts[g]; ++c) lost += falling[g][c];
            auto tried = counts;
            tried[g] = fewer;
            const double each = lost / static_cast<double>(now - size_with<Net>(tried).first);
            if (best == counts.size() || each < least) best = g, best_count = fewer, least = each;
        }
        if (best == counts.size()) return error{"no more than "} << (all - now) << " of " << all << " multiply-adds can be removed: each layer would keep no more than " << block << " channels";
        counts[best] = best_count;
        now = size_with<Net>(counts).first;
    }
    return counts;
}

}  // namespace impl

namespace impl {

/// What stays of each group has what share of its layers' contributions not.
template <network_type Net>
std::vector<double> lost_shares(const ranking& r, const std::vector<std::vector<std::uint16_t>>& kept) {
    std::vector<double> lost;
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const int group = channel_groups_of<Net>.of_slot(s);
        double whole = 0.0, stays = 0.0;
        for (std::size_t c = 0; c < r.of.layers[static_cast<std::size_t>(s)].channels(); ++c) {
            const double own = contribution(r, s, c);
            whole += own;
            if (group < 0 || std::binary_search(kept[static_cast<std::size_t>(group)].begin(), kept[static_cast<std::size_t>(group)].end(), c)) stays += own;
        }
        lost.push_back(whole > 0.0 ? std::clamp(1.0 - stays / whole, 0.0, 1.0) : 0.0);
    }
    return lost;
}

/// A plan in which channels that `before` has not kept go first, where there is one.
template <network_type Net>
result<pruning_plan> plan_further(const ranking& r, const pruning_budget& budget, const pruning_plan* before) {
    constexpr const auto& groups = channel_groups_of<Net>;
    if (!budget.ratios.empty() && budget.ratios.size() != static_cast<std::size_t>(Net::table.slot_count))
        return error{"there are "} << budget.ratios.size() << " shares of channels to remove, the network has " << Net::table.slot_count << " layers";
    if (!(budget.removed >= 0.0 && budget.removed < 1.0)) return error{"the share of multiply-adds to remove must be at least 0 and below 1"};
    if (budget.block < 1 || budget.block > 65535) return error{"channels come in blocks of 1 to 65535, not of "} << budget.block;
    const auto sums = group_scores<Net>(r);
    if (!sums) return sums.reason();
    std::vector<std::vector<std::uint16_t>> orders = group_orders(*sums);
    std::vector<std::vector<double>> falling;
    for (std::size_t g = 0; g < orders.size(); ++g) {
        if (before != nullptr)
            std::stable_partition(orders[g].begin(), orders[g].end(), [&](std::uint16_t c) { return std::binary_search(before->kept[g].begin(), before->kept[g].end(), c); });
        falling.emplace_back();
        for (const std::uint16_t c : orders[g]) falling.back().push_back((*sums)[g][c]);
    }
    const auto counts = budget.removed > 0.0 ? counts_by_cost<Net>(falling, budget) : counts_by_ratio<Net>(budget);
    if (!counts) return counts.reason();

    pruning_plan plan{r.formula, r.of, {}, {}, {}, 0, 0, 0, 0};
    std::vector<std::size_t> all;
    for (std::size_t g = 0; g < orders.size(); ++g) {
        all.push_back(orders[g].size());
        plan.kept.emplace_back(orders[g].begin(), orders[g].begin() + static_cast<std::ptrdiff_t>((*counts)[g]));
        std::sort(plan.kept.back().begin(), plan.kept.back().end());
    }
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const int group = groups.of_slot(s);
        plan.channels.push_back(group < 0 ? r.of.layers[static_cast<std::size_t>(s)].out : static_cast<int>((*counts)[static_cast<std::size_t>(group)]));
    }
    plan.lost = lost_shares<Net>(r, plan.kept);
    std::tie(plan.multiply_adds, plan.words) = size_with<Net>(all);
    std::tie(plan.left, plan.words_left) = size_with<Net>(*counts);
    return plan;
}

}  // namespace impl

/// A plan for Net: of each group of tied channels (nn/permute.hpp) those of the smallest contributions go, with their norms, in all layers of the group and all that read them. Channels that must keep their
/// places (of the image, the answer, concats, stages of shortcuts without weights) stay. The rule of arXiv 2405.10658's code is one ratio, floor(ratio * channels);
/// `block` rounds what stays up to whole blocks, in the manner of HAPM's groups matched to the machine. Errors: a ranking of another network, with
/// NaN, with all scores 0; a budget out of range, or one that would empty a layer.
template <network_type Net>
result<pruning_plan> plan_pruning(const ranking& r, const pruning_budget& budget = {}) { return impl::plan_further<Net>(r, budget, nullptr); }

/// What is wrong with a plan for this network with these weights; empty where nothing is.
template <network_type Net>
std::optional<error> misfit(const pruning_plan& plan, const parameters<Net>& weights) {
    constexpr const auto& groups = channel_groups_of<Net>;
    if (auto wrong = difference(plan.of, {layers_of<Net>(), 0}, false)) return error{"the plan cannot be used: "} << wrong->text();
    if (auto whole = check(plan); !whole) return whole.reason();
    if (plan.kept.size() != static_cast<std::size_t>(groups.count)) return error{"the plan has "} << plan.kept.size() << " groups of channels, the network " << groups.count;
    for (std::size_t g = 0; g < plan.kept.size(); ++g)
        for (const std::uint16_t c : plan.kept[g])
            if (c >= groups.channels[g]) return error{"the plan keeps channel "} << c << " of group " << g << ", which has " << groups.channels[g];
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const int group = groups.of_slot(s);
        const auto has = static_cast<std::size_t>(plan.channels[static_cast<std::size_t>(s)]);
        const auto needed = group < 0 ? plan.of.layers[static_cast<std::size_t>(s)].channels() : plan.kept[static_cast<std::size_t>(group)].size();
        if (has != needed) return error{"the plan leaves "} << has << " channels of " << plan.of.layers[static_cast<std::size_t>(s)].name << ", its group " << needed;
    }
    if (auto wrong = difference(plan.of, identity_of<Net>(weights))) return error{"the plan cannot be used: "} << wrong->text();
    return {};
}

/// The network with its removed channels set to zero: it answers as the pruned one where activations keep 0, and has the same type for every plan.
/// Errors: a plan for another network, or for the same with other weights; a network whose activations do not keep 0.
template <network_type Net>
result<std::unique_ptr<parameters<Net>>> masked(const parameters<Net>& weights, const pruning_plan& plan) {
    if (auto wrong = misfit<Net>(plan, weights)) return *wrong;
    if (!keeps_zeros<Net>) return error{"an activation of the network makes something else of 0, so channels cannot be set to zero in place of being removed"};
    auto to = std::make_unique<parameters<Net>>(weights);
    zero_channels<Net>(*to, [&](int group, int channel) {
        const auto& kept = plan.kept[static_cast<std::size_t>(group)];
        return std::binary_search(kept.begin(), kept.end(), channel);
    });
    return to;
}

/// The parameters of the pruned network, Small = pruned<Net, the plan's channels>. Errors as of masked(), and another type's counts.
template <network_type Net, network_type Small>
result<std::unique_ptr<parameters<Small>>> pruned_parameters(const parameters<Net>& weights, const pruning_plan& plan) {
    if (auto wrong = misfit<Net>(plan, weights)) return *wrong;
    for (int s = 0; s < Small::table.slot_count; ++s)
        if (const auto& slot = Small::table.slots[static_cast<std::size_t>(s)]; slot.geometry.out.channels != plan.channels[static_cast<std::size_t>(s)])
            return error{"the plan leaves "} << plan.channels[static_cast<std::size_t>(s)] << " channels of " << slot.name.view() << ", the type has " << slot.geometry.out.channels;
    auto to = std::make_unique<parameters<Small>>();
    select_channels<Net, Small>(weights, [&](int group) { return std::span<const std::uint16_t>{plan.kept[static_cast<std::size_t>(group)]}; }, *to);
    return to;
}

/// Pruning in rounds: after each, what is left is ranked anew, until the last one reaches the budget. rank(weights) gives a result<ranking> of a network whose removed
/// channels are zero; these stay away. `lost` is by the first ranking, of the whole network. Cost: a ranking a round.
template <network_type Net, class Rank>
result<pruning_plan> prune_in_rounds(const parameters<Net>& weights, int rounds, const pruning_budget& budget, Rank&& rank) {
    if (rounds < 1) return error{"pruning takes at least one round, not "} << rounds;
    const network_identity id = identity_of<Net>(weights);
    auto now = std::make_unique<parameters<Net>>(weights);
    pruning_plan plan;
    ranking first;
    for (int i = 1; i <= rounds; ++i) {
        auto scores = rank(*now);
        if (!scores) return scores.reason();
        scores->of = id;
        pruning_budget part = budget;
        const double share = static_cast<double>(i) / static_cast<double>(rounds);
        part.ratio *= share;
        part.removed *= share;
        for (double& ratio : part.ratios) ratio *= share;
        auto next = impl::plan_further<Net>(*scores, part, i == 1 ? nullptr : &plan);
        if (!next) return next.reason();
        plan = std::move(*next);
        auto left = masked<Net>(weights, plan);
        if (!left) return left.reason();
        now = std::move(*left);
        if (i == 1) first = std::move(*scores);
    }
    plan.lost = impl::lost_shares<Net>(first, plan.kept);
    return plan;
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
