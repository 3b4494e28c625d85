// SPDX-License-Identifier: MIT
// Output channels in another order, so that those which matter most come first: a change of parameters alone.
#pragma once

#include <redoubt/nn/parameters.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <span>

namespace redoubt::inline v1 {

/// Which values of a network must have their channels in one order: what a convolution makes, through activations, pools, depthwise convolutions
/// and additions. Channels of the image, of the answer and of what a convolution with groups, a concat, a subsample or a layer of the user's own reads or
/// makes keep their places.
template <network_type Net>
struct channel_groups {
    static constexpr int values = Net::table.value_count;
    std::array<std::int16_t, static_cast<std::size_t>(values)> of_value{};  ///< group of a value, -1 where channels are fixed
    std::array<std::int16_t, static_cast<std::size_t>(values)> channels{};  ///< of a group
    int count = 0;

    /// Group of a slot's output.
    constexpr int of_slot(int slot) const {
        for (const step& s : Net::table.steps)
            if (s.slot == slot) return of_value[static_cast<std::size_t>(s.out)];
        return -1;
    }
};

namespace detail {
template <class Net>
constexpr channel_groups<Net> find_channel_groups() {
    constexpr int values = Net::table.value_count;
    // values that share a name are of one group; name `values` is that of fixed ones
    std::array<int, static_cast<std::size_t>(values) + 1> name{};
    for (int v = 0; v <= values; ++v) name[static_cast<std::size_t>(v)] = v;
    const auto join = [&](int a, int b) {
        const int x = name[static_cast<std::size_t>(a)], y = name[static_cast<std::size_t>(b)];
        for (int& n : name)
            if (n == x || n == y) n = x > y ? x : y;
    };
    join(Net::table.output, values);
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        switch (s.kind) {
            case op::input: join(s.out, values); break;
            case op::convolution:
                if (s.geometry.is_depthwise()) join(s.in, s.out);
                else if (s.geometry.groups != 1) join(s.in, values), join(s.out, values);
                if (s.residual >= 0) join(s.out, s.residual);
                break;
            case op::concat:
                join(s.out, values);
                for (const std::int16_t part : s.parts)
                    if (part >= 0) join(part, values);
                break;
            case op::subsample:
            case op::custom:
                join(s.in, values);
                join(s.out, values);
                break;
            default:
                join(s.in, s.out);
                if (s.residual >= 0) join(s.out, s.residual);
        }
    }
    channel_groups<Net> groups;
    std::array<int, static_cast<std::size_t>(values)> number{};
    for (int& n : number) n = -1;
    for (int v = 0; v < values; ++v) {
        const auto at = static_cast<std::size_t>(name[static_cast<std::size_t>(v)]);
        if (name[static_cast<std::size_t>(v)] == values) {
            groups.of_value[static_cast<std::size_t>(v)] = -1;
            continue;
        }
        if (number[at] < 0) {
            number[at] = groups.count++;
            groups.channels[static_cast<std::size_t>(number[at])] = static_cast<std::int16_t>(Net::table.values[static_cast<std::size_t>(v)].extents.channels);
        }
        groups.of_value[static_cast<std::size_t>(v)] = static_cast<std::int16_t>(number[at]);
    }
    return groups;
}
}  // namespace detail

/// The groups of a network without protections.
template <network_type Net>
inline constexpr channel_groups<Net> channel_groups_of = detail::find_channel_groups<Net>();

/// Channels in the order of falling scores, equal ones in their own: order[new place] = channel. NaN comes last.
inline void order_by_score(std::span<const double> scores, std::span<std::uint16_t> order) {
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint16_t>(i);
    std::sort(order.begin(), order.end(), [&](std::uint16_t a, std::uint16_t b) {
        const double x = scores[a], y = scores[b];
        if (x != x || y != y) return x == y || (x != x && y != y) ? a < b : y != y;
        return x != y ? x > y : a < b;
    });
}

/// Adds the squared L2 norm of each output channel's filter in a slot, in double, to `scores`.
template <network_type Net>
    requires(std::same_as<Net, without_protection<Net>> && !is_fast<typename Net::number_type>)
void add_filter_norms(const parameters<Net>& weights, int slot, std::span<double> scores) {
    const auto& g = Net::table.slots[static_cast<std::size_t>(slot)].geometry;
    for (int o = 0; o < g.out.channels; ++o)
        for (int i = 0; i < g.fan_in(); ++i) {
            const std::size_t at = kernel::layout_of<typename Net::number_type>.index_of_logical(g, static_cast<std::size_t>(o * g.fan_in() + i));
            const auto w = static_cast<double>(static_cast<float>(weights.weights(slot)[at]));
            scores[static_cast<std::size_t>(o)] = __builtin_fma(w, w, scores[static_cast<std::size_t>(o)]);
        }
}

namespace detail {
template <class From, class To>
constexpr bool have_equal_filters() {
    if (From::table.step_count != To::table.step_count || From::table.slot_count != To::table.slot_count) return false;
    for (int i = 0; i < To::table.step_count; ++i) {
        const step &a = From::table.steps[static_cast<std::size_t>(i)], &b = To::table.steps[static_cast<std::size_t>(i)];
        const auto &g = a.geometry, &h = b.geometry;
        if (a.kind != b.kind || a.slot != b.slot || a.in != b.in || a.out != b.out || g.kernel.h != h.kernel.h || g.kernel.w != h.kernel.w || h.out.channels > g.out.channels ||
            h.group_in() > g.group_in())
            return false;
    }
    return true;
}
}  // namespace detail

/// The channels of each group that a smaller network keeps, in the order it has them: kept_of(group) is a span of std::uint16_t, kept[place in To] = channel
/// in From. Both are the same but for their channels' counts, floats where they differ; To's parameters beyond weights and biases stay as they are.
template <network_type From, network_type To, class KeptOf>
void select_channels(const parameters<From>& from, KeptOf&& kept_of, parameters<To>& to) {
    using N = typename From::number_type;
    static_assert(!is_fast<N> && std::same_as<From, without_protection<From>>, "redoubt: channels are chosen before a network is protected or made fast");
    static_assert(std::same_as<N, typename To::number_type>, "redoubt: channels are chosen from a network of the same number");
    static_assert(detail::have_equal_filters<From, To>(), "redoubt: channels are chosen from a network of the same layers");
    constexpr const auto& groups = channel_groups_of<From>;
    const auto place = [&](int group, int channel) {
        return group < 0 ? channel : static_cast<int>(kept_of(group)[static_cast<std::size_t>(channel)]);
    };
    for (int i = 0; i < To::table.step_count; ++i) {
        const step& s = To::table.steps[static_cast<std::size_t>(i)];
        if (s.slot < 0) continue;
        const auto& g = s.geometry;
        const int out_group = groups.of_value[static_cast<std::size_t>(s.out)];
        const int in_group = From::table.steps[static_cast<std::size_t>(i)].geometry.groups == 1 ? groups.of_value[static_cast<std::size_t>(s.in)] : -1;
        for (int o = 0; o < g.out.channels; ++o) {
            const int source = place(out_group, o);
            to.biases(s.slot)[static_cast<std::size_t>(o)] = from.biases(s.slot)[static_cast<std::size_t>(source)];
            for (int r = 0; r < g.kernel.h; ++r)
                for (int c = 0; c < g.kernel.w; ++c)
                    for (int in = 0; in < g.group_in(); ++in)
                        to.weight_at(s.slot, o, r, c, in) = from.weight_at(s.slot, source, r, c, place(in_group, in));
        }
    }
}

/// The same network with the channels of each group in another order: order_of(group) is a span of std::uint16_t, order[new place] = old one. Its
/// answers are the same but for the order in which products are added (int8: the same).
template <network_type Net, class OrderOf>
void permute_channels(const parameters<Net>& from, OrderOf&& order_of, parameters<Net>& to) {
    to = from;
    select_channels<Net, Net>(from, order_of, to);
}

}  // namespace redoubt::inline v1
