// SPDX-License-Identifier: MIT
// Faults in stored parameters, in place, with a record of each that undoes it.
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

/// Words of the bounds of outputs: of each guarded unit two, then the bounds of neurons, unit by unit, then two further copies of all that are kept three
/// times, unit by unit. It is one part: a count may strike any copy.
template <network_type Net>
inline constexpr std::uint64_t output_bounds = [] {
    std::uint64_t words = 0;
    for (int u = 0; u < Net::table.unit_count; ++u) {
        const unit_place& unit = parameters<Net>::place_of_unit(u);
        words += ((unit.guarded ? 2u : 0u) + unit.neurons) * (unit.is_kept ? 3u : 1u);
    }
    return words;
}();
/// One of them.
template <network_type Net>
bound_of<typename Net::number_type>& output_bound(parameters<Net>& p, std::uint64_t word) {
    for (int u = 0; u < Net::table.unit_count; ++u) {
        if (!parameters<Net>::place_of_unit(u).guarded) continue;
        if (word < 2) return word == 0 ? p.of_unit(u).low : p.of_unit(u).high;
        word -= 2;
    }
    for (int copy = 0;; ++copy) {
        for (int u = 0; u < Net::table.unit_count; ++u) {
            const auto words = copy == 0 ? p.neuron_bounds(u) : p.bound_copy(u, copy);
            if (word < words.size()) return words[static_cast<std::size_t>(word)];
            word -= words.size();
        }
    }
}

/// Words of one slot's share of a part; scales and bounds of outputs lie with slot 0, bounds of weights with their own.
template <network_type Net>
constexpr std::uint64_t words_of(int copy, int slot) {
    const auto& row = extra_rows<Net>[static_cast<std::size_t>(slot)];
    const auto& info = Net::table.slots[static_cast<std::size_t>(slot)];
    switch (copy) {
        case code_bytes: return row.code_bytes + parameters<Net>::place(slot).kept.last - parameters<Net>::place(slot).kept.first;
        case primary_biases:  // and gains after them
            return static_cast<std::uint64_t>(info.geometry.out.channels) * (redoubt::detail::has_gains<typename Net::number_type>(info) ? 2 : 1);
        case scale_words:
            if (!Net::number_type::is_integer || slot != 0) return 0;
            return static_cast<std::uint64_t>(Net::table.unit_count + Net::table.slot_count);
        case bound_words:
            return (slot != 0 ? 0u : output_bounds<Net>) + (info.transform >= 0 ? 1u : 0u) +
                   (info.has_intervals ? 2 * static_cast<std::uint64_t>(info.geometry.out.channels - info.folded) : 0u);
        default: return copy <= row.copies ? info.geometry.weights() : 0;
    }
}
/// Fields of the words of a part.
template <network_type Net>
constexpr bit_fields part_fields(int copy) {
    using N = typename Net::number_type;
    switch (copy) {
        case code_bytes: return {8, 8, 0};
        case primary_biases: return fields_of<typename N::bias>;
        case scale_words: return fields_of<std::int32_t>;
        case bound_words: return fields_of<bound_of<N>>;
        default: return fields_of<typename N::weight>;
    }
}

}  // namespace impl

/// Most copies besides the primary that any layer of Net keeps.
template <network_type Net>
inline constexpr int extra_copies = [] {
    int most = 0;
    for (const auto& row : impl::extra_rows<Net>) most = row.copies > most ? row.copies : most;
    return most;
}();

/// Places of one part of the parameters at which a spec's model can strike; with single flips its bits. Logical weights of
/// one copy (biases and padding lanes not counted), all code bytes (which know no classes and no values, so that a spec by
/// class, position or value leaves them out), biases, scales, bounds.
template <network_type Net>
std::uint64_t weight_bits(const fault_spec& spec, int copy) {
    const bool classless = spec.bits == bit_class::any && spec.position < 0 && !spec.model.takes_words();
    if (copy == code_bytes && !classless) return 0;
    const bit_fields fields = impl::part_fields<Net>(copy);
    if (spec.model.does == effect::not_a_number && fields.exponent == 0) return 0;
    const bool pushes = spec.model.does == effect::stuck_cell || spec.model.does == effect::stuck_cell_pair;
    if (spec.model.does == effect::bit_bias || spec.model.does == effect::struck_operator || (pushes && copy < 0)) return 0;
    const int per_word = copy == code_bytes ? spec.model.places_in(8) : spec.places_in(fields);
    std::uint64_t words = 0;
    for (int s = 0; s < Net::table.slot_count; ++s)
        if (spec.takes(s)) words += impl::words_of<Net>(copy, s);
    const std::uint64_t places = words * static_cast<std::uint64_t>(per_word);
    if (spec.model.lies != pattern::burst || spec.model.takes_words()) return places;
    const auto beyond = static_cast<std::uint64_t>(spec.model.bits - 1);  // a burst lies whole within its part
    return places > beyond ? places - beyond : 0;
}

/// Largest magnitudes without faults, which saturating and out-of-range faults refer to. Compute them before anything is struck.
template <network_type Net>
struct value_limits {
    std::array<float, static_cast<std::size_t>(Net::table.slot_count) + 1> weights{};
    std::array<float, static_cast<std::size_t>(Net::table.step_count)> outputs{};  ///< by the unit's bounds
};
template <network_type Net>
value_limits<Net> limits_of(const parameters<Net>& p) {
    value_limits<Net> limits;
    const auto raise = [](float& most, auto v) {
        const float wide = real_of(v);
        if (wide == wide) most = std::max(most, wide < 0 ? -wide : wide);
    };
    for (int s = 0; s < Net::table.slot_count; ++s)
        for (const auto& w : p.weights(s)) raise(limits.weights[static_cast<std::size_t>(s)], w);
    for (int i = 0; i < Net::table.step_count; ++i) {
        const auto& unit = p.of_unit(Net::table.steps[static_cast<std::size_t>(i)].unit);
        float& most = limits.outputs[static_cast<std::size_t>(i)];
        for (const auto bound : {unit.low, unit.high}) most = std::max(most, static_cast<float>(bound < 0 ? -bound : bound));
    }
    return limits;
}

namespace impl {

/// Where a part's word lies in the parameters.
template <network_type Net>
std::byte* address_of(parameters<Net>& p, const weight_fault& f) {
    using N = typename Net::number_type;
    const auto& info = Net::table.slots[static_cast<std::size_t>(f.slot)];
    const std::size_t primary = parameters<Net>::place(f.slot).primary_bytes;
    switch (f.copy) {
        case code_bytes: {
            // a store's, then a checker's
            const auto& row = extra_rows<Net>[static_cast<std::size_t>(f.slot)];
            if (f.word >= row.code_bytes) return p.checks(f.slot).data() + parameters<Net>::place(f.slot).kept.first + (f.word - row.code_bytes);
            return p.extra(f.slot).data() + static_cast<std::size_t>(row.copies) * primary + f.word;
        }
        case primary_biases: {
            const auto channels = static_cast<std::uint64_t>(info.geometry.out.channels);
            return reinterpret_cast<std::byte*>(f.word < channels ? p.biases(f.slot).data() + f.word : p.gains(f.slot).data() + (f.word - channels));
        }
        case scale_words: {
            const auto units = static_cast<std::uint64_t>(Net::table.unit_count);
            std::int32_t& frac = f.word < units ? p.of_unit(static_cast<int>(f.word)).frac : p.weight_frac(static_cast<int>(f.word - units));
            return reinterpret_cast<std::byte*>(&frac);
        }
        case bound_words: {
            // with slot 0 lie the outputs' first, then a limit of weights, then intervals
            const std::uint64_t outputs = f.slot != 0 ? 0 : output_bounds<Net>;
            if constexpr (redoubt::detail::transformed_slots<Net> != 0)
                if (f.word == outputs && info.transform >= 0) return reinterpret_cast<std::byte*>(&p.weight_limit(f.slot));
            if (f.word >= outputs) {
                const auto at = static_cast<std::size_t>(f.word - outputs - (info.transform >= 0 ? 1u : 0u));
                return reinterpret_cast<std::byte*>(at % 2 == 0 ? &p.interval_low(f.slot)[at / 2] : &p.interval_high(f.slot)[at / 2]);
            }
            return reinterpret_cast<std::byte*>(&output_bound<Net>(p, f.word));
        }
        default: {
            const std::size_t index = kernel::layout_of<N>.index_of_logical(info.geometry, f.word);
            const std::size_t offset = parameters<Net>::place(f.slot).weights - parameters<Net>::place(f.slot).primary +
                                       index * sizeof(typename N::weight);
            return f.copy == 0 ? p.primary(f.slot).data() + offset
                               : p.extra(f.slot).data() + static_cast<std::size_t>(f.copy - 1) * primary + offset;
        }
    }
}
/// Calls body(word&) with the word of a fault, in its type.
template <network_type Net, class Body>
void on_word(parameters<Net>& p, const weight_fault& f, Body&& body) {
    using N = typename Net::number_type;
    std::byte* const at = address_of<Net>(p, f);
    switch (f.copy) {
        case code_bytes: return body(*reinterpret_cast<std::uint8_t*>(at));
        case primary_biases: return body(*reinterpret_cast<typename N::bias*>(at));
        case scale_words: return body(*reinterpret_cast<std::int32_t*>(at));
        case bound_words: return body(*reinterpret_cast<bound_of<N>*>(at));
        default: return body(*reinterpret_cast<typename N::weight*>(at));
    }
}

}  // namespace impl

/// Strikes in place and fills in the words before and after.
template <network_type Net>
void apply(parameters<Net>& p, weight_fault& f) {
    static_assert(!is_fast<typename Net::number_type>, "redoubt: the weights of a fast network are no fault sites");
    impl::on_word<Net>(p, f, [&](auto& word) {
        using type = std::remove_reference_t<decltype(word)>;
        f.before = to_word(word);
        if constexpr (std::is_same_v<type, std::uint8_t>) word = changed(word, f.does.change);
        else word = struck_weight(word, f.does, f.limit);
        f.after = to_word(word);
    });
}

/// Takes a fault back: writes the word as it was before. Of several faults the last applied is the first to undo.
template <network_type Net>
void undo(parameters<Net>& p, const weight_fault& f) {
    impl::on_word<Net>(p, f, [&](auto& word) {
        using type = std::remove_reference_t<decltype(word)>;
        word = from_word<type>(static_cast<word_of<type>>(f.before));
    });
}

namespace impl {

/// Hands out the faults at one place of a part: one word, or several for a burst.
template <network_type Net>
class placed {
public:
    placed(const draw_key& key, const fault_spec& spec, int copy, const value_limits<Net>* limits)
        : key_{key}, spec_{spec}, limits_{limits}, copy_{copy},
          range_{copy == code_bytes ? bit_range{0, 8} : spec.bits_in(part_fields<Net>(copy))} {}

    template <class Sink> void operator()(std::uint64_t place, Sink&& sink) const {
        const bool runs_on = spec_.model.lies == pattern::burst && !spec_.model.takes_words();
        const int per_word = runs_on ? range_.count : spec_.model.places_in(range_.count);
        weight_fault f = at_word(place / static_cast<std::uint64_t>(per_word));
        const int at = static_cast<int>(place % static_cast<std::uint64_t>(per_word));
        if (!runs_on) {
            f.limit = limits_ != nullptr && copy_ >= 0 ? limits_->weights[static_cast<std::size_t>(f.slot)] : 0.0f;
            if (spec_.model.is_plain()) {
                const int length = spec_.model.lies == pattern::adjacent ? spec_.model.bits : 1;
                f.does.change = change_bits(spec_.model.does, range_.first + at, length);
                f.bit = range_.first + at;
                return sink(f);
            }
            f.does = words_change(f, at, place);
            f.bit = f.does.change.keep == 0 ? 0 : std::countr_zero(~f.does.change.keep | f.does.change.flip);
            if (f.bit > 31) f.bit = 0;
            return sink(f);
        }
        // the bits of the part one after the other, word by word
        int left = spec_.model.bits, first = at;
        for (std::uint64_t word = place / static_cast<std::uint64_t>(per_word); left > 0; ++word, first = 0) {
            const int here = std::min(left, range_.count - first);
            f = at_word(word);
            f.bit = range_.first + first;
            f.does.change = change_bits(spec_.model.does, f.bit, here);
            sink(f);
            left -= here;
        }
    }

private:
    weight_fault at_word(std::uint64_t word) const {
        weight_fault f;
        f.copy = copy_;
        f.word = word;
        for (f.slot = 0; f.slot < Net::table.slot_count; ++f.slot) {
            if (!spec_.takes(f.slot)) continue;
            const std::uint64_t words = words_of<Net>(copy_, f.slot);
            if (f.word < words) break;
            f.word -= words;
        }
        return f;
    }
    struck_word words_change(const weight_fault& f, int at, std::uint64_t place) const {
        using N = typename Net::number_type;
        const auto of = [&]<class T>(std::type_identity<T>) {
            return strike_word<T>(spec_.model, range_.first, range_.count, at, f.limit, details_of(key_, place));
        };
        switch (copy_) {
            case code_bytes: return of(std::type_identity<std::uint8_t>{});
            case primary_biases: return of(std::type_identity<typename N::bias>{});
            case scale_words: return of(std::type_identity<std::int32_t>{});
            case bound_words: return of(std::type_identity<bound_of<N>>{});
            default: return of(std::type_identity<typename N::weight>{});
        }
    }

    draw_key key_;
    const fault_spec& spec_;
    const value_limits<Net>* limits_;
    int copy_;
    bit_range range_;
};

constexpr int part_of_target(target t) {
    switch (t) {
        case target::biases: return primary_biases;
        case target::scales: return scale_words;
        case target::bounds: return bound_words;
        default: return primary_weights;
    }
}
constexpr std::uint32_t space_of_part(int copy) {
    switch (copy) {
        case code_bytes: return part_of(space::codes, 0);
        case primary_biases: return part_of(space::biases, 0);
        case scale_words: return part_of(space::scales, 0);
        case bound_words: return part_of(space::bounds, 0);
        default: return part_of(space::weights, copy);
    }
}

}  // namespace impl

/// The fault at one place of the primary part that a spec strikes, as draw_weights would hand it out.
template <network_type Net, class Sink>
void strike_place(std::uint64_t seed, const fault_spec& spec, std::uint64_t place, Sink&& sink,
                  const value_limits<Net>* limits = nullptr) {
    const int copy = impl::part_of_target(spec.strikes);
    REDOUBT_EXPECTS(place < weight_bits<Net>(spec, copy));
    impl::placed<Net>{{seed, place, impl::space_of_part(copy), 2}, spec, copy, limits}(place, sink);
}

/// Draws the parameter faults of one trial and hands each to `sink(weight_fault)`, the primary copy first. A count strikes
/// the primary alone, so that every network of a comparison meets the same faults; it needs `chosen` to hold that many
/// numbers, and a count above the places there are breaks a precondition. Effects that refer to the largest magnitude
/// take it from `limits` (0 without).
template <network_type Net, class Sink>
void draw_weights(std::uint64_t seed, std::uint64_t trial, const fault_spec& spec, std::span<std::uint64_t> chosen,
                  Sink&& sink, const value_limits<Net>* limits = nullptr) {
    const int target_part = impl::part_of_target(spec.strikes);
    if (spec.count != 0) {
        const std::uint64_t places = weight_bits<Net>(spec, target_part);
        REDOUBT_EXPECTS(spec.count <= places && spec.count <= chosen.size());
        const auto picked = chosen.first(spec.count);
        const draw_key key{seed, trial, impl::space_of_part(target_part), 1};
        draw_exactly(key, places, picked);
        const impl::placed<Net> strike{key, spec, target_part, limits};
        for (std::uint64_t place : picked) strike(place, sink);
        return;
    }
    const auto draw_part = [&](int copy) {
        const draw_key key{seed, trial, impl::space_of_part(copy), 0};
        const impl::placed<Net> strike{key, spec, copy, limits};
        draw_bits(key, spec.rate, weight_bits<Net>(spec, copy), [&](std::uint64_t place) { strike(place, sink); });
    };
    draw_part(target_part);
    if (spec.strikes != target::weights) return;
    for (int copy = 1; copy <= extra_copies<Net>; ++copy) draw_part(copy);
    draw_part(code_bytes);
}

}  // namespace redoubt::fault::inline REDOUBT_ABI
