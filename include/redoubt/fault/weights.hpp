// SPDX-License-Identifier: MIT
// Bit flips in stored weights, in place, with a record of each that undoes it.
#pragma once

#include <redoubt/fault/space.hpp>

#include <span>

namespace redoubt::fault::inline REDOUBT_ABI {

namespace impl {

/// Copies and code bytes that a slot's store adds.
template <network_type Net, int S>
struct stored_extra {
    static constexpr int wrapper = Net::table.slots[static_cast<std::size_t>(S)].store;
    static constexpr int copies = [] {
        if constexpr (wrapper < 0) return 0;
        else return type_at<typename Net::wrappers, wrapper>::store::copies;
    }();
    static constexpr std::size_t code_bytes = [] {
        if constexpr (wrapper < 0) return std::size_t{0};
        else return type_at<typename Net::wrappers, wrapper>::store::code_bytes(parameters<Net>::place(S).primary_bytes);
    }();
};
struct extra_row {
    int copies = 0;
    std::size_t code_bytes = 0;
};
template <network_type Net>
inline constexpr auto extra_rows = []<int... S>(std::integer_sequence<int, S...>) {
    return std::array<extra_row, sizeof...(S) + 1>{extra_row{stored_extra<Net, S>::copies, stored_extra<Net, S>::code_bytes}...};
}(std::make_integer_sequence<int, Net::table.slot_count>{});

template <network_type Net>
constexpr std::uint64_t words_of(int copy, int slot) {
    const auto& row = extra_rows<Net>[static_cast<std::size_t>(slot)];
    if (copy < 0) return row.code_bytes;
    return copy <= row.copies ? Net::table.slots[static_cast<std::size_t>(slot)].geometry.weights() : 0;
}

}  // namespace impl

/// Most copies besides the primary that any layer of Net keeps.
template <network_type Net>
inline constexpr int extra_copies = [] {
    int most = 0;
    for (const auto& row : impl::extra_rows<Net>) most = row.copies > most ? row.copies : most;
    return most;
}();

/// Bits of one part of the weight fault space: the weights of one copy (logical ones, biases and padding not counted), or
/// all code bits (copy -1; these know no classes, so a spec by class or position leaves them out).
template <network_type Net>
std::uint64_t weight_bits(const fault_spec& spec, int copy) {
    const bool classless = spec.bits == bit_class::any && spec.position < 0;
    if (copy < 0 && !classless) return 0;
    const auto per_word = static_cast<std::uint64_t>(
        copy < 0 ? 8 : spec.bits_in(fields_of<typename Net::number_type::weight>).count);
    std::uint64_t words = 0;
    for (int s = 0; s < Net::table.slot_count; ++s)
        if (spec.takes(s)) words += impl::words_of<Net>(copy, s);
    return words * per_word;
}

/// The site of one bit of a part.
template <network_type Net>
weight_fault weight_site(const fault_spec& spec, int copy, std::uint64_t bit) {
    const bit_range range = copy < 0 ? bit_range{0, 8} : spec.bits_in(fields_of<typename Net::number_type::weight>);
    weight_fault f;
    f.copy = copy;
    f.bit = range.first + static_cast<int>(bit % static_cast<std::uint64_t>(range.count));
    f.word = bit / static_cast<std::uint64_t>(range.count);
    for (f.slot = 0; f.slot < Net::table.slot_count; ++f.slot) {
        if (!spec.takes(f.slot)) continue;
        const std::uint64_t words = impl::words_of<Net>(copy, f.slot);
        if (f.word < words) break;
        f.word -= words;
    }
    return f;
}

/// Flips the bit in place and fills in the words before and after. Applying the same fault again undoes it.
template <network_type Net>
void apply(parameters<Net>& p, weight_fault& f) {
    static_assert(!is_fast<typename Net::number_type>, "redoubt: the weights of a fast network are no fault sites");
    using word = typename Net::number_type::weight;
    const auto& info = Net::table.slots[static_cast<std::size_t>(f.slot)];
    const std::size_t primary = parameters<Net>::place(f.slot).primary_bytes;
    std::byte* at = nullptr;
    if (f.copy < 0) {
        const auto copies = static_cast<std::size_t>(impl::extra_rows<Net>[static_cast<std::size_t>(f.slot)].copies);
        at = p.extra(f.slot).data() + copies * primary + f.word;
        f.before = static_cast<std::uint32_t>(*at);
        *at ^= static_cast<std::byte>(1u << f.bit);
        f.after = static_cast<std::uint32_t>(*at);
        return;
    }
    const std::size_t index = kernel::layout_of<typename Net::number_type>.index_of_logical(info.geometry, f.word);
    const std::size_t offset =
        parameters<Net>::place(f.slot).weights - parameters<Net>::place(f.slot).primary + index * sizeof(word);
    at = f.copy == 0 ? p.primary(f.slot).data() + offset
                     : p.extra(f.slot).data() + static_cast<std::size_t>(f.copy - 1) * primary + offset;
    word& w = *reinterpret_cast<word*>(at);
    f.before = to_word(w);
    w = flip(w, bit_mask<word>(f.bit));
    f.after = to_word(w);
}

/// Draws the weight faults of one trial and hands each to `sink(weight_fault)`, the primary copy first. A count strikes
/// the primary alone, so that every network of a comparison meets the same faults; it needs `chosen` to hold that many
/// numbers, and a count above the bits there are breaks a precondition.
template <network_type Net, class Sink>
void draw_weights(std::uint64_t seed, std::uint64_t trial, const fault_spec& spec, std::span<std::uint64_t> chosen,
                  Sink&& sink) {
    if (spec.count != 0) {
        const std::uint64_t bits = weight_bits<Net>(spec, 0);
        REDOUBT_EXPECTS(spec.count <= bits && spec.count <= chosen.size());
        const auto picked = chosen.first(spec.count);
        draw_exactly(draw_key{seed, trial, part_of(space::weights, 0), 1}, bits, picked);
        for (std::uint64_t bit : picked) sink(weight_site<Net>(spec, 0, bit));
        return;
    }
    for (int part = 0; part <= extra_copies<Net> + 1; ++part) {
        const int copy = part <= extra_copies<Net> ? part : -1;
        const draw_key key{seed, trial, copy < 0 ? part_of(space::codes, 0) : part_of(space::weights, copy), 0};
        draw_bits(key, spec.rate, weight_bits<Net>(spec, copy),
                  [&](std::uint64_t bit) { sink(weight_site<Net>(spec, copy, bit)); });
    }
}

}  // namespace redoubt::fault::inline REDOUBT_ABI
