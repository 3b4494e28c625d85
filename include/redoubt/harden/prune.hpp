// SPDX-License-Identifier: MIT
// A network with fewer channels is another type, of smaller shapes.
#pragma once

#include <redoubt/harden/rule.hpp>
#include <redoubt/nn/permute.hpp>

#include <concepts>
#include <cstddef>

namespace redoubt::inline v1 {

/// A rule that gives the layer with parameters of number i, in reading order, Channels[i] output channels; a depthwise one as many groups. Layers that
/// are tied together by additions must stay equal: shapes that do not fit are diagnosed as in any network.
template <auto Channels>
struct keep_channels {
    template <class Net, int S, class L>
    struct kept { using type = pack<L>; };
    template <class Net, int S, conv_spec Spec>
    struct kept<Net, S, conv2d<Spec>> {
        static constexpr conv_spec spec = [] {
            conv_spec s = Spec;
            s.out = Channels[static_cast<std::size_t>(S)];
            if (Net::table.slots[static_cast<std::size_t>(S)].geometry.is_depthwise()) s.groups = s.out;
            return s;
        }();
        using type = pack<conv2d<spec>>;
    };
    template <class Net, int S, int Out>
    struct kept<Net, S, linear<Out>> { using type = pack<linear<Channels[static_cast<std::size_t>(S)]>>; };
    template <class Net, int S, class L>
    using apply_in = typename kept<Net, S, L>::type;
};

namespace detail {
template <class Net, auto Channels>
constexpr bool fits_channels() {
    if (Channels.size() != static_cast<std::size_t>(Net::table.slot_count)) return false;
    for (std::size_t s = 0; s < Channels.size(); ++s)
        if (Channels[s] < 1 || Channels[s] > Net::table.slots[s].geometry.out.channels) return false;
    return true;
}
// where a check fails, the network as it is: one message instead of many
template <class Net, auto Channels, bool Fits>
struct pruned_type { using type = Net; };
template <class Net, auto Channels>
struct pruned_type<Net, Channels, true> { using type = harden<Net, keep_channels<Channels>>; };
template <class Net, auto Channels>
struct checked_pruning {
    static constexpr bool is_plain = std::same_as<Net, without_protection<Net>>, fits = fits_channels<Net, Channels>();
    static_assert(is_plain, "redoubt: prune a network before it is protected");
    static_assert(fits, "redoubt: a pruned network needs a count for each layer with parameters, from 1 to as many channels as there are");
    using type = typename pruned_type<Net, Channels, is_plain && fits>::type;
};
/// Whether an activation makes 0 of 0 in all that groups of channels are part of.
template <class Net>
constexpr bool find_kept_zeros() {
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.act == kernel::activation::clip && (s.lower > 0 || s.limit < 0) && channel_groups_of<Net>.of_value[static_cast<std::size_t>(s.out)] >= 0) return false;
    }
    return true;
}
}  // namespace detail

/// Whether channels that are 0 stay 0, so that a network whose channels are zero answers as one without them.
template <network_type Net>
inline constexpr bool keeps_zeros = detail::find_kept_zeros<Net>();

/// Net with Channels[i] output channels in layer i, an array of int: structured pruning as a type.
template <network_type Net, auto Channels>
using pruned = typename detail::checked_pruning<Net, Channels>::type;

/// Sets all weights and biases of the channels of groups (nn/permute.hpp) for which `stays(group, channel)` is false to zero: with keeps_zeros<Net> it
/// answers as the pruned one, to the bit where its kernels add in the same order. What layers above read of these channels stays as it is.
template <network_type Net, class Stays>
    requires(std::same_as<typename Net::number_type, float32> && std::same_as<Net, without_protection<Net>>)
void zero_channels(parameters<Net>& weights, Stays&& stays) {
    constexpr const auto& groups = channel_groups_of<Net>;
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const int group = groups.of_slot(s);
        if (group < 0) continue;
        const auto& g = Net::table.slots[static_cast<std::size_t>(s)].geometry;
        for (int o = 0; o < g.out.channels; ++o) {
            if (stays(group, o)) continue;
            weights.biases(s)[static_cast<std::size_t>(o)] = 0.0f;
            for (int r = 0; r < g.kernel.h; ++r)
                for (int c = 0; c < g.kernel.w; ++c)
                    for (int in = 0; in < g.group_in(); ++in) weights.weight_at(s, o, r, c, in) = 0.0f;
        }
    }
}

}  // namespace redoubt::inline v1
