// SPDX-License-Identifier: MIT
// Everything a network has learned, and what guards it, in one trivially copyable block.
#pragma once

#include <redoubt/kernel/winograd_plan.hpp>
#include <redoubt/nn/network.hpp>
#include <redoubt/nn/unit_place.hpp>
#include <redoubt/tensor/tensor.hpp>

#include <span>
#include <type_traits>

namespace redoubt::inline v1 {

/// A bound of a step's output: the value for floats, the code for int8.
template <number N>
using bound_of = std::conditional_t<N::is_integer, std::int32_t, float>;

/// What calibration fixed for a unit: the scale of its output (int8: value = code / 2^frac) and its bounds.
template <number N>
struct unit_record {
    std::int32_t frac = 0;
    bound_of<N> low{};
    bound_of<N> high{};
};

/// Where a slot's parameters lie in the block. Primary are bias, gains where there are some, and weights, side by side; then what its store keeps.
struct slot_place {
    std::size_t primary = 0;        ///< first byte of the bias
    std::size_t gains = 0;          ///< first byte of the factors of its channels
    std::size_t weights = 0;        ///< first byte of the weights
    std::size_t primary_bytes = 0;  ///< bias, gains and weights with their padding
    std::size_t extra = 0;          ///< first byte of copies and code bits
    std::size_t extra_bytes = 0;
    std::size_t checks = 0;         ///< first byte of what its checker keeps
    kept_place kept{};
    std::size_t intervals = 0;      ///< where there are some: the low ends of all stored channels, padded to whole blocks, then the high ones
};

namespace detail {

template <class Net, int Wrapper> constexpr std::size_t extra_bytes(std::size_t primary) {
    if constexpr (Wrapper < 0) return 0;
    else return type_at<typename Net::wrappers, Wrapper>::store::extra_bytes(primary);
}

/// What the checker of a slot keeps with its parameters.
template <class Net, int Slot> constexpr kept_place kept_by_checker() {
    using N = typename Net::number_type;
    constexpr slot s = Net::table.slots[static_cast<std::size_t>(Slot)];
    if constexpr (s.checker >= 0) {
        using checker = typename type_at<typename Net::wrappers, s.checker>::checker;
        if constexpr (requires { checker::template kept<N>(s.geometry); }) return checker::template kept<N>(s.geometry);
    }
    return {};
}

/// Winograd's form of a slot's weights: none where a protection reads or changes them, or checks what is computed with them.
template <number N>
constexpr kernel::winograd transform_of(const slot& s) {
    return s.store < 0 && s.transform < 0 && s.checker < 0 ? kernel::winograd_of<N>(s.geometry) : kernel::winograd::none;
}
/// Words of a slot's weights.
template <number N>
constexpr std::size_t weight_words(const slot& s) {
    const kernel::winograd kind = transform_of<N>(s);
    if (kind != kernel::winograd::none) return kernel::winograd_plan{s.geometry, kind}.weights();
    return kernel::layout_of<N>.size(s.geometry);
}

/// Whether a slot keeps its norm's scale as a factor of each channel, which its weights are multiplied by as they are read, after their transform. Integers
/// have norms folded.
template <number N>
constexpr bool has_gains(const slot& s) { return s.keeps_gain && s.has_norm && !N::is_integer; }

template <class Net>
inline constexpr bool any_gains = [] {
    for (int s = 0; s < Net::table.slot_count; ++s)
        if (has_gains<typename Net::number_type>(Net::table.slots[static_cast<std::size_t>(s)])) return true;
    return false;
}();

template <class W>
concept bending_with_gain = requires { requires W::transform::keeps_gain; W::transform::most(); };
template <class... W>
consteval bool any_bending(pack<W...>) { return (bending_with_gain<W> || ...); }
/// Whether kernels read something else than word times gain of a layer that keeps gains: its words mean nothing without its function.
template <class Net>
inline constexpr bool has_bent_gains = any_gains<Net> && any_bending(typename Net::wrappers{});

/// Stored channels of a slot, padded to whole blocks.
constexpr std::size_t interval_words(const slot& s) {
    return static_cast<std::size_t>((s.geometry.out.channels - s.folded + kernel::lane_count - 1) / kernel::lane_count * kernel::lane_count);
}

template <class Net>
struct parameter_plan {
    static constexpr std::size_t slots = static_cast<std::size_t>(Net::table.slot_count);
    std::array<slot_place, slots == 0 ? 1 : slots> place{};
    std::array<unit_place, static_cast<std::size_t>(Net::table.unit_count)> units = units_of<Net>();
    std::size_t weight_fracs = 0;
    std::size_t weight_limits = 0;  ///< of the slots whose weights are transformed, in their order
    std::size_t bytes = 0;
};
template <class Net>
inline constexpr int transformed_slots = [] {
    int count = 0;
    for (int s = 0; s < Net::table.slot_count; ++s) count += Net::table.slots[static_cast<std::size_t>(s)].transform >= 0 ? 1 : 0;
    return count;
}();

template <class Net>
constexpr parameter_plan<Net> plan_parameters() {
    using N = typename Net::number_type;
    parameter_plan<Net> plan;
    plan.weight_fracs = sizeof(unit_record<N>) * static_cast<std::size_t>(Net::table.unit_count);
    plan.weight_limits = plan.weight_fracs + sizeof(std::int32_t) * plan.slots;
    std::size_t at = aligned_up(plan.weight_limits + sizeof(bound_of<N>) * static_cast<std::size_t>(transformed_slots<Net>));
    const auto one = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        constexpr slot s = Net::table.slots[I];
        slot_place& p = plan.place[I];
        p.primary = at;
        constexpr std::size_t bias_bytes = aligned_up(static_cast<std::size_t>(s.geometry.blocks()) * kernel::lane_count * sizeof(typename N::bias));
        p.gains = at + bias_bytes;
        p.weights = p.gains + (has_gains<N>(s) ? bias_bytes : 0);
        p.primary_bytes =
            p.weights + aligned_up(weight_words<N>(s) * sizeof(typename N::weight)) - at;
        p.extra = at + p.primary_bytes;
        p.extra_bytes = aligned_up(extra_bytes<Net, s.store>(p.primary_bytes));
        p.checks = p.extra + p.extra_bytes;
        p.kept = kept_by_checker<Net, static_cast<int>(I)>();
        at = p.intervals = p.checks + aligned_up(p.kept.bytes);
        if (s.has_intervals) at += 2 * interval_words(s) * sizeof(bound_of<N>);
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (one(std::integral_constant<std::size_t, I>{}), ...);
    }(std::make_index_sequence<plan.slots>{});
    for (unit_place& unit : plan.units) {
        unit.neuron_bounds = at;
        at += aligned_up(unit.neurons * sizeof(bound_of<N>));
        unit.copies = at;
        if (unit.is_kept) at += aligned_up(2 * (2 + unit.neurons) * sizeof(bound_of<N>));
    }
    plan.bytes = at;
    return plan;
}

}  // namespace detail

/// Layout of parameters<Net>.
template <network_type Net>
inline constexpr auto parameter_plan_of = detail::plan_parameters<Net>();

/// Bytes of parameters<Net>, copies, code bits and sums included.
template <network_type Net>
inline constexpr std::size_t parameter_bytes = parameter_plan_of<Net>.bytes;

/// Weights, biases, gains, scales, bounds, copies and code bits. It holds no pointer: it may be copied anywhere, kept in
/// read-only memory, or handed to an injector. Fill it by convert(), or value-initialise it and write the weights, and the gains where a layer keeps some, then
/// store_for_transforms() where weights are transformed, and encode() where a
/// layer has a store, a transform or a checksum; its
/// bounds are then all 0, so that a range restriction lets nothing through; convert() and io::load() open them until set_bounds().
template <network_type Net>
struct alignas(block_alignment) parameters {
    using number_type = typename Net::number_type;
    using weight = typename number_type::weight;
    using bias = typename number_type::bias;
    using unit = unit_record<number_type>;
    static constexpr const auto& plan = parameter_plan_of<Net>;

    std::array<std::byte, parameter_bytes<Net>> bytes;

    /// A slot's weights in the wide layout, padding lanes included; transformed ones of a fast network as
    /// kernel/winograd_plan.hpp lays them out.
    std::span<weight> weights(int s) { return {as<weight>(place(s).weights), weight_words(s)}; }
    std::span<const weight> weights(int s) const { return {as<weight>(place(s).weights), weight_words(s)}; }
    /// One weight by its place in the layer, wherever the layout keeps it. Linear layers: `row`, `column` and `in` are those
    /// of the pixel it reads (all rows and columns 0 after a pool to one pixel).
    weight& weight_at(int s, int out, int row, int column, int in) { return weights(s)[place_of(s, out, row, column, in)]; }
    const weight& weight_at(int s, int out, int row, int column, int in) const {
        return weights(s)[place_of(s, out, row, column, in)];
    }
    /// A slot's biases, padded to whole blocks of 16.
    std::span<bias> biases(int s) { return {as<bias>(place(s).primary), bias_words(s)}; }
    std::span<const bias> biases(int s) const { return {as<bias>(place(s).primary), bias_words(s)}; }
    /// Factors of a slot's channels, by which its weights are multiplied after their transform, where it keeps some (detail::has_gains); else empty.
    std::span<bias> gains(int s) { return {as<bias>(place(s).gains), gain_words(s)}; }
    std::span<const bias> gains(int s) const { return {as<bias>(place(s).gains), gain_words(s)}; }
    /// That of one channel; 1 where there is none.
    float gain(int s, int channel) const {
        if constexpr (number_type::is_integer) return 1.0f;
        else return gain_words(s) == 0 ? 1.0f : static_cast<float>(gains(s)[static_cast<std::size_t>(channel)]);
    }
    /// Bias, gains and weights as bytes, and what the store keeps of them.
    std::span<std::byte> primary(int s) { return {bytes.data() + place(s).primary, place(s).primary_bytes}; }
    std::span<const std::byte> primary(int s) const { return {bytes.data() + place(s).primary, place(s).primary_bytes}; }
    std::span<std::byte> extra(int s) { return {bytes.data() + place(s).extra, place(s).extra_bytes}; }
    std::span<const std::byte> extra(int s) const { return {bytes.data() + place(s).extra, place(s).extra_bytes}; }

    /// What the slot's checker keeps: sums of filters.
    std::span<std::byte> checks(int s) { return {bytes.data() + place(s).checks, place(s).kept.bytes}; }
    std::span<const std::byte> checks(int s) const { return {bytes.data() + place(s).checks, place(s).kept.bytes}; }

    /// Ends of the interval of each stored channel's accumulators, of a slot that has intervals.
    std::span<bound_of<number_type>> interval_low(int s) { return {as<bound_of<number_type>>(place(s).intervals), detail::interval_words(slot_at(s))}; }
    std::span<const bound_of<number_type>> interval_low(int s) const {
        return {as<bound_of<number_type>>(place(s).intervals), detail::interval_words(slot_at(s))};
    }
    std::span<bound_of<number_type>> interval_high(int s) { return {interval_low(s).data() + detail::interval_words(slot_at(s)), detail::interval_words(slot_at(s))}; }
    std::span<const bound_of<number_type>> interval_high(int s) const {
        return {interval_low(s).data() + detail::interval_words(slot_at(s)), detail::interval_words(slot_at(s))};
    }

    unit& of_unit(int u) { return as<unit>(0)[u]; }
    const unit& of_unit(int u) const { return as<unit>(0)[u]; }
    /// Upper bounds of each element of a unit's output ([row][column][channel]), where a guard asks for them; else empty.
    std::span<bound_of<number_type>> neuron_bounds(int u) { return {as<bound_of<number_type>>(place_of_unit(u).neuron_bounds), place_of_unit(u).neurons}; }
    std::span<const bound_of<number_type>> neuron_bounds(int u) const {
        return {as<bound_of<number_type>>(place_of_unit(u).neuron_bounds), place_of_unit(u).neurons};
    }
    /// Copy 1 or 2 of a unit's bounds, where they are kept three times; else empty: the low one, the high one, and those of neurons.
    std::span<bound_of<number_type>> bound_copy(int u, int copy) {
        const std::size_t words = copied_bounds(u);
        return {as<bound_of<number_type>>(place_of_unit(u).copies) + static_cast<std::size_t>(copy - 1) * words, words};
    }
    std::span<const bound_of<number_type>> bound_copy(int u, int copy) const {
        const std::size_t words = copied_bounds(u);
        return {as<bound_of<number_type>>(place_of_unit(u).copies) + static_cast<std::size_t>(copy - 1) * words, words};
    }
    /// int8: a slot's weights are codes / 2^frac.
    std::int32_t& weight_frac(int s) { return as<std::int32_t>(plan.weight_fracs)[s]; }
    const std::int32_t& weight_frac(int s) const { return as<std::int32_t>(plan.weight_fracs)[s]; }
    /// The largest magnitude (int8: of codes) of a slot's weights without faults, for a transform that asks for it; encode() writes it.
    bound_of<number_type>& weight_limit(int s) { return as<bound_of<number_type>>(plan.weight_limits)[limit_number(s)]; }
    const bound_of<number_type>& weight_limit(int s) const { return as<bound_of<number_type>>(plan.weight_limits)[limit_number(s)]; }

    static constexpr const slot_place& place(int s) { return plan.place[static_cast<std::size_t>(s)]; }
    static constexpr const unit_place& place_of_unit(int u) { return plan.units[static_cast<std::size_t>(u)]; }

private:
    static constexpr const slot& slot_at(int s) { return Net::table.slots[static_cast<std::size_t>(s)]; }
    static constexpr std::size_t weight_words(int s) { return detail::weight_words<number_type>(slot_at(s)); }
    static constexpr std::size_t place_of(int s, int out, int row, int column, int in) {
        REDOUBT_EXPECTS(detail::transform_of<number_type>(slot_at(s)) == kernel::winograd::none);
        return kernel::layout_of<number_type>.index(slot_at(s).geometry, out, row, column, in);
    }
    static constexpr std::size_t copied_bounds(int u) { return place_of_unit(u).is_kept ? 2 + place_of_unit(u).neurons : 0; }
    /// How many transformed slots come before one.
    static constexpr int limit_number(int s) {
        int before = 0;
        for (int i = 0; i < s; ++i) before += slot_at(i).transform >= 0 ? 1 : 0;
        return before;
    }
    static constexpr std::size_t gain_words(int s) { return detail::has_gains<number_type>(slot_at(s)) ? bias_words(s) : 0; }
    static constexpr std::size_t bias_words(int s) {
        return static_cast<std::size_t>(slot_at(s).geometry.blocks()) * kernel::lane_count;
    }
    template <class T> T* as(std::size_t offset) { return reinterpret_cast<T*>(bytes.data() + offset); }
    template <class T> const T* as(std::size_t offset) const {
        return reinterpret_cast<const T*>(bytes.data() + offset);
    }
};

}  // namespace redoubt::inline v1
