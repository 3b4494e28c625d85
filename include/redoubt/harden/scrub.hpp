// SPDX-License-Identifier: MIT
// Repair of redundantly kept parameters in place, and their first encoding.
#pragma once

#include <redoubt/kernel/saturate.hpp>
#include <redoubt/nn/kept_bounds.hpp>
#include <redoubt/nn/parameters.hpp>
#include <redoubt/nn/source.hpp>
#include <redoubt/nn/status.hpp>

#include <algorithm>
#include <array>
#include <span>

namespace redoubt::inline REDOUBT_ABI {

namespace impl {
/// body(wrapper type, slot number) for every slot that has a wrapper of that kind: its store or its transform.
template <network_type Net, std::int16_t slot::*Kind, class Body>
void for_each_wrapped(Body&& body) {
    const auto one = [&]<int S>(std::integral_constant<int, S>) {
        constexpr int wrapper = Net::table.slots[static_cast<std::size_t>(S)].*Kind;
        if constexpr (wrapper >= 0) body(type_tag<type_at<typename Net::wrappers, wrapper>>{}, S);
    };
    [&]<int... S>(std::integer_sequence<int, S...>) {
        (one(std::integral_constant<int, S>{}), ...);
    }(std::make_integer_sequence<int, Net::table.slot_count>{});
}
template <network_type Net, class Body>
void for_each_store(Body&& body) {
    for_each_wrapped<Net, &slot::store>([&](auto tag, int s) { body(type_tag<typename decltype(tag)::type::store>{}, s); });
}
template <network_type Net, class Body>
void for_each_transform(Body&& body) {
    for_each_wrapped<Net, &slot::transform>([&](auto tag, int s) { body(type_tag<typename decltype(tag)::type::transform>{}, s); });
}
/// The first slot from `from` on that has a store; slot_count if there is none.
template <network_type Net>
constexpr int stored_slot(int from) {
    while (from < Net::table.slot_count && Net::table.slots[static_cast<std::size_t>(from)].store < 0) ++from;
    return from;
}
}  // namespace impl

/// True if scrub() has anything to do for Net.
template <network_type Net>
inline constexpr bool has_store = impl::stored_slot<Net>(0) < Net::table.slot_count || has_kept_bounds<Net>;

/// Computes from the primary parameters what protections keep besides: copies, also of bounds, code bits, limits of weights, sums of filters. Call it after
/// convert(), and again after writing weights.
template <network_type Net>
void encode(parameters<Net>& p) {
    using N = typename Net::number_type;
    copy_bounds<Net>(p);
    impl::for_each_store<Net>([&](auto tag, int s) { decltype(tag)::type::encode(p.primary(s), p.extra(s)); });
    impl::for_each_transform<Net>([&](auto tag, int s) {
        using transform = typename decltype(tag)::type;
        const std::span<const typename parameters<Net>::weight> words{p.weights(s)};
        if constexpr (requires { transform::template limit_of<bound_of<typename Net::number_type>>(words); })
            p.weight_limit(s) = transform::template limit_of<bound_of<typename Net::number_type>>(words);
    });
    const auto sum_up = [&](auto tag, int s) {
        using checker = typename decltype(tag)::type;
        const std::span<std::byte> kept = p.checks(s);
        if (kept.empty()) return;
        const auto& info = Net::table.slots[static_cast<std::size_t>(s)];
        const auto weight = [&](int out, int row, int column, int in) {
            const std::span<const typename parameters<Net>::weight> words{p.weights(s)};
            const auto at = static_cast<std::size_t>(&p.weight_at(s, out, row, column, in) - words.data());
            auto read = static_cast<typename N::kernel_weight>(words[at]);
            impl::for_each_transform<Net>([&](auto wrapped, int t) {
                using transform = typename decltype(wrapped)::type;
                if (t == s) read = impl::read_one<typename N::kernel_weight, transform>(words, at, p.weight_limit(s), N::is_integer ? p.weight_frac(s) : 0);
            });
            if constexpr (!N::is_integer)
                if (detail::has_gains<N>(info)) read = static_cast<typename N::kernel_weight>(static_cast<float>(read) * p.gain(s, out));
            return read;
        };
        if constexpr (requires { checker::template kept<N>(info.geometry); })
            checker::template encode<N>(info.geometry, weight, std::span<const typename N::bias>{p.biases(s)}, kept);
    };
    impl::for_each_wrapped<Net, &slot::checker>([&](auto tag, int s) { sum_up(type_tag<typename decltype(tag)::type::checker>{}, s); });
}

namespace impl {
/// Adds 128 times what each channel's weights sum up to, as kernels read them or as they lie, to its bias (int8).
template <class Transform, network_type Net>
void add_weight_sums(parameters<Net>& p, int s, bool as_read, std::int32_t times) {
    const auto& g = Net::table.slots[static_cast<std::size_t>(s)].geometry;
    constexpr kernel::wide_layout layout = kernel::layout_of<typename Net::number_type>;
    const std::size_t block = layout.block_size(g), group = static_cast<std::size_t>(g.is_depthwise() ? 1 : layout.group);
    const std::span<const std::int8_t> words{p.weights(s)};
    std::array<std::int8_t, 1024> read;
    fault_counters count;
    for (std::size_t at = 0; at < words.size(); at += read.size()) {
        const auto some = words.subspan(at, std::min(read.size(), words.size() - at));
        if (as_read) read_through<Transform>(some, read.data(), p.weight_limit(s), count, p.weight_frac(s));
        else std::copy(some.begin(), some.end(), read.begin());
        for (std::size_t i = 0; i < some.size(); ++i) {
            const auto lane = static_cast<int>((at + i) / group % kernel::lane_count), b = static_cast<int>((at + i) / block);
            if (lane < g.channels_in(b)) p.biases(s)[static_cast<std::size_t>(g.first_channel(b) + lane)] += times * 128 * read[i];
        }
    }
}
}  // namespace impl

namespace impl {
/// Brings each channel whose weights reach past `most` to nine tenths of it, by its gain.
template <network_type Net>
void fit_channels(parameters<Net>& p, int s, float most) {
    using N = typename Net::number_type;
    const auto& g = Net::table.slots[static_cast<std::size_t>(s)].geometry;
    const auto fan_in = static_cast<std::size_t>(g.fan_in());
    for (std::size_t o = 0; o < static_cast<std::size_t>(g.out.channels); ++o) {
        const auto word = [&](std::size_t i) -> typename N::weight& { return p.weights(s)[kernel::layout_of<N>.index_of_logical(g, o * fan_in + i)]; };
        float largest = 0.0f;
        for (std::size_t i = 0; i < fan_in; ++i) {
            const float w = static_cast<float>(word(i));
            largest = std::max(largest, w < 0.0f ? -w : w);
        }
        const float by = kernel::fitting_factor(largest, most);
        if (by == 1.0f) continue;
        for (std::size_t i = 0; i < fan_in; ++i) word(i) = static_cast<typename N::weight>(static_cast<float>(word(i)) * by);
        p.gains(s)[o] = static_cast<typename N::bias>(static_cast<float>(p.gains(s)[o]) / by);
    }
}
}  // namespace impl

/// What weights are before store_for_transforms().
enum class trained { plainly, through_transforms };

/// To be called once between convert() and encode() for a network with transforms. Weights that were trained plainly become those that the transforms
/// read as the same, where a transform has an inverse or a code; those that were trained through the network's functions stay. int8's biases,
/// from which the sum of the weights is taken off, then follow what is read.
template <network_type Net>
void store_for_transforms(parameters<Net>& p, trained were = trained::plainly) {
    impl::for_each_transform<Net>([&](auto tag, int s) {
        using transform = typename decltype(tag)::type;
        constexpr bool is_integer = Net::number_type::is_integer;
        const int frac = is_integer ? p.weight_frac(s) : 0;
        if constexpr (requires { transform::invert(p.weights(s), p.weight_limit(s), frac); }) {
            if constexpr (is_integer) impl::add_weight_sums<transform, Net>(p, s, false, 1);
            if constexpr (!is_integer && requires { transform::most(); })
                if (were == trained::plainly && !p.gains(s).empty()) impl::fit_channels<Net>(p, s, transform::most());
            if (were == trained::plainly || recoding<transform>) transform::invert(p.weights(s), p.weight_limit(s), frac);
            if constexpr (is_integer) impl::add_weight_sums<transform, Net>(p, s, true, -1);
        }
    });
}

/// Repairs every redundantly kept parameter in place and returns what was found. Needs parameters of its own: never
/// run it on a block that another thread reads. Cost: one pass over parameters, copies and code bits.
template <network_type Net>
fault_counters scrub(parameters<Net>& p, state<Net>& memory) {
    fault_counters count;
    impl::for_each_store<Net>([&](auto tag, int s) { decltype(tag)::type::scrub(p.primary(s), p.extra(s), count); });
    impl::scrub_bounds<Net>(p, count);
    ++memory.scrubs;
    memory.total += count;
    return count;
}

/// The same for one layer, the next in turn, so that a pause is no longer than the largest layer takes: call it after each inference.
/// Counts as a scrub when the last layer is done, and bounds with it.
template <network_type Net>
fault_counters scrub_next(parameters<Net>& p, state<Net>& memory) {
    fault_counters count;
    impl::for_each_store<Net>([&](auto tag, int s) {
        if (s == memory.next_scrub) decltype(tag)::type::scrub(p.primary(s), p.extra(s), count);
    });
    int next = impl::stored_slot<Net>(memory.next_scrub + 1);
    if (next >= Net::table.slot_count) {
        impl::scrub_bounds<Net>(p, count);
        next = impl::stored_slot<Net>(0);
        ++memory.scrubs;
    }
    memory.next_scrub = next;
    memory.total += count;
    return count;
}

}  // namespace redoubt::inline REDOUBT_ABI
