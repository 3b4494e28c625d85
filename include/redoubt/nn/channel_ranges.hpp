// SPDX-License-Identifier: MIT
// What each channel's accumulators looked like on training images, without faults: after the folded norm, before residual add, activation
// and rounding.
#pragma once

#include <redoubt/kernel/duplicate.hpp>
#include <redoubt/nn/run.hpp>

#include <limits>

namespace redoubt::inline v1 {

/// Whether a layer of Net keeps an interval for each channel.
template <network_type Net>
inline constexpr bool has_intervals = [] {
    for (int s = 0; s < Net::table.slot_count; ++s)
        if (Net::table.slots[static_cast<std::size_t>(s)].has_intervals) return true;
    return false;
}();

/// Smallest and largest accumulator of each output channel of a network without protections: values of a float network, of int8 codes of the
/// accumulators' scale.
template <network_type Net>
struct channel_ranges {
    using word = bound_of<typename Net::number_type>;
    /// Where a slot's channels begin.
    static constexpr std::size_t first(int slot) {
        std::size_t at = 0;
        for (int s = 0; s < slot; ++s) at += static_cast<std::size_t>(Net::table.slots[static_cast<std::size_t>(s)].geometry.out.channels);
        return at;
    }
    static constexpr std::size_t count = first(Net::table.slot_count);
    std::array<word, count> low;
    std::array<word, count> high;
    std::uint64_t images = 0;

    constexpr channel_ranges() {
        low.fill(std::numeric_limits<word>::max());
        high.fill(std::numeric_limits<word>::lowest());
    }
    /// Adds what others saw; the order does not matter.
    constexpr void merge(const channel_ranges& other) {
        for (std::size_t i = 0; i < count; ++i) {
            low[i] = other.low[i] < low[i] ? other.low[i] : low[i];
            high[i] = other.high[i] > high[i] ? other.high[i] : high[i];
        }
        images += other.images;
    }
};

}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

namespace impl {
template <network_type Net>
struct channel_observer {
    static constexpr bool active = true;
    channel_ranges<Net>& seen;

    kernel::looking_hook<typename channel_ranges<Net>::word> hook(site_path at) const {
        const std::size_t first = channel_ranges<Net>::first(Net::table.steps[static_cast<std::size_t>(at.step)].slot);
        return {seen.low.data() + first, seen.high.data() + first};
    }
    template <site, class Word>
    void touch(std::span<Word>, site_path) const {}
};

/// One end of an interval, moved outwards by a share of its width.
template <class Word>
Word widened_end(Word end, Word other, float margin) {
    const double moved = static_cast<double>(end) + static_cast<double>(margin) * (static_cast<double>(end) - static_cast<double>(other));
    using limits = std::numeric_limits<Word>;
    if (moved >= static_cast<double>(limits::max())) return limits::max();
    if (moved <= static_cast<double>(limits::lowest())) return limits::lowest();
    return static_cast<Word>(moved);
}
}  // namespace impl

/// Adds one training image, never a test image.
template <network_type Net>
void observe_channels(const parameters<Net>& weights, std::span<const float> image, workspace<Net>& space, channel_ranges<Net>& seen) {
    static_assert(std::same_as<Net, without_protection<Net>> && !is_fast<typename Net::number_type>,
                  "redoubt: channels are observed in the network without protections that is not fast");
    impl::channel_observer<Net> policy{seen};
    status<Net> report;
    run<Net>(weights, image, space, report, policy, 0, Net::table.step_count);
    ++seen.images;
}

/// The intervals of every slot of To that has some, from a network of the same layers and number: each as wide as what was seen and `margin` of
/// that more on both sides. A channel that was never seen has all numbers.
template <network_type From, network_type To>
    requires(std::same_as<typename From::number_type, typename To::number_type> ||
             std::same_as<fast<typename From::number_type>, typename To::number_type>)
void set_intervals(const channel_ranges<From>& seen, parameters<To>& to, float margin = 0.1f) {
    static_assert(From::table.slot_count == To::table.slot_count, "redoubt: both networks must have the same layers");
    using word = typename channel_ranges<From>::word;
    for (int s = 0; s < To::table.slot_count; ++s) {
        if (!To::table.slots[static_cast<std::size_t>(s)].has_intervals) continue;
        const std::size_t first = channel_ranges<From>::first(s);
        const auto low = to.interval_low(s), high = to.interval_high(s);
        const std::size_t channels = channel_ranges<From>::first(s + 1) - first;
        for (std::size_t c = 0; c < channels; ++c) {
            const word from = seen.low[first + c], until = seen.high[first + c];
            const bool unseen = from > until;
            low[c] = unseen ? std::numeric_limits<word>::lowest() : impl::widened_end(from, until, margin);
            high[c] = unseen ? std::numeric_limits<word>::max() : impl::widened_end(until, from, margin);
        }
    }
}

}  // namespace redoubt::inline REDOUBT_ABI
