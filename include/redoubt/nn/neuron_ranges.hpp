// SPDX-License-Identifier: MIT
// The largest value that each element of each output took on training images, without faults.
#pragma once

#include <redoubt/nn/run.hpp>

#include <limits>

namespace redoubt::inline v1 {

/// Largest value of each element of every unit's output, of a network without protections: values of a float network, codes of an int8 one. As large
/// as all activations of an image: on the heap.
template <network_type Net>
struct neuron_ranges {
    using word = bound_of<typename Net::number_type>;
    /// Where a unit's elements begin.
    static constexpr auto first = [] {
        std::array<std::size_t, static_cast<std::size_t>(Net::table.unit_count) + 1> at{};
        // without replicas each unit is one step
        for (int i = 0; i < Net::table.step_count; ++i) {
            const step& s = Net::table.steps[static_cast<std::size_t>(i)];
            at[static_cast<std::size_t>(s.unit) + 1] = static_cast<std::size_t>(Net::table.values[static_cast<std::size_t>(s.out)].extents.size());
        }
        for (std::size_t u = 1; u < at.size(); ++u) at[u] += at[u - 1];
        return at;
    }();
    static constexpr std::size_t count = first[static_cast<std::size_t>(Net::table.unit_count)];
    std::array<word, count> high;
    std::uint64_t images = 0;

    constexpr neuron_ranges() { high.fill(std::numeric_limits<word>::lowest()); }
    std::span<word> of_unit(int u) { return std::span{high}.subspan(begin(u), begin(u + 1) - begin(u)); }
    std::span<const word> of_unit(int u) const { return std::span{high}.subspan(begin(u), begin(u + 1) - begin(u)); }
    /// Adds what others saw; the order does not matter.
    constexpr void merge(const neuron_ranges& other) {
        for (std::size_t i = 0; i < count; ++i) high[i] = other.high[i] > high[i] ? other.high[i] : high[i];
        images += other.images;
    }

private:
    static constexpr std::size_t begin(int u) { return first[static_cast<std::size_t>(u)]; }
};

}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

/// Whether a unit of Net has a bound for each element of its output.
template <network_type Net>
inline constexpr bool has_neuron_bounds = [] {
    for (const unit_place& unit : parameters<Net>::plan.units)
        if (unit.neurons != 0) return true;
    return false;
}();

namespace impl {
template <network_type Net>
struct neuron_observer {
    static constexpr bool active = true;
    neuron_ranges<Net>& seen;

    kernel::no_hook hook(site_path) const { return {}; }
    template <site S, class Word>
    void touch(std::span<Word> words, site_path at) {
        if constexpr (S != site::input && S != site::stored_activation) return;
        using word = typename neuron_ranges<Net>::word;
        // probabilities have bounds of their own
        if constexpr (std::is_same_v<decltype(widened(Word{})), word>) {
            const std::span<word> high = seen.of_unit(at.unit);
            for (std::size_t i = 0; i < words.size(); ++i) {
                const word v = widened(words[i]);
                high[i] = v > high[i] ? v : high[i];  // NaN is not
            }
        }
    }
};

/// A bound moved up by a share of another.
template <class Word>
Word raised(Word high, float share, double of) {
    if (share == 0.0f) return high;  // of infinity that would be no number
    const double moved = __builtin_fma(static_cast<double>(share), of, static_cast<double>(high));
    return moved >= static_cast<double>(std::numeric_limits<Word>::max()) ? std::numeric_limits<Word>::max() : static_cast<Word>(moved);
}
}  // namespace impl

/// Adds one training image, never a test image.
template <network_type Net>
void observe_neurons(const parameters<Net>& weights, std::span<const float> image, workspace<Net>& space, neuron_ranges<Net>& seen) {
    static_assert(std::same_as<Net, without_protection<Net>>, "redoubt: neurons are observed in the network without protections");
    impl::neuron_observer<Net> policy{seen};
    status<Net> report;
    run<Net>(weights, image, space, report, policy, 0, Net::table.step_count);
    ++seen.images;
}

/// The bounds of every neuron of `to` that has one, from a network of the same layers and number: the largest value that was seen, and `margin` of the
/// unit's largest more, since most neurons of a layer are seldom active and a share of next to nothing would be nothing. Without a margin the images that were seen
/// keep their bits. The lower bounds are those of set_bounds().
template <network_type From, network_type To>
void set_neuron_bounds(const neuron_ranges<From>& seen, parameters<To>& to, float margin = 0.1f) {
    static_assert(std::same_as<typename From::number_type, typename To::number_type>,
                  "redoubt: bounds are in the words of their number: observe the unprotected network in the number of the one that gets them");
    static_assert(From::table.unit_count == To::table.unit_count, "redoubt: both networks must have the same layers");
    using word = typename neuron_ranges<From>::word;
    if (seen.images == 0) return;
    for (int u = 0; u < To::table.unit_count; ++u) {
        const std::span<word> bounds = to.neuron_bounds(u);
        if (bounds.empty()) continue;
        const std::span<const word> high = seen.of_unit(u);
        REDOUBT_EXPECTS(high.size() == bounds.size());
        double most = 0.0;
        for (const word v : high) most = std::max(most, static_cast<double>(v));
        for (std::size_t i = 0; i < bounds.size(); ++i) bounds[i] = impl::raised(high[i], margin, most);
    }
    copy_bounds<To>(to);
}

}  // namespace redoubt::inline REDOUBT_ABI
