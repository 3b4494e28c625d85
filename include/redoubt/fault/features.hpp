// SPDX-License-Identifier: MIT
// Draws of faults in an inference: one index runs over the places of all steps of a network.
#pragma once

#include <redoubt/fault/policy.hpp>
#include <redoubt/fault/spatial.hpp>
#include <redoubt/fault/weights.hpp>

namespace redoubt::fault::inline v1 {

/// What the drawn faults strike: outputs in registers (features) or in memory (stored activations), or the accumulator of a
/// convolution after one of its multiply-adds.
enum class inference_space { features, activations, accumulators };

}  // namespace redoubt::fault::inline v1

namespace redoubt::fault::inline REDOUBT_ABI {

namespace impl {

/// Fields of the words that a space strikes in a step.
template <network_type Net>
constexpr bit_fields word_fields(const step& s, inference_space kind) {
    using N = typename Net::number_type;
    if (kind == inference_space::accumulators) return fields_of<typename N::accumulator>;
    switch (Net::table.values[static_cast<std::size_t>(s.out)].words) {
        case word_kind::logit: return fields_of<typename N::logit>;
        case word_kind::real: return fields_of<float>;
        default: return fields_of<typename N::activation>;
    }
}
/// Features and accumulators exist where something is accumulated; stored activations after every step but the image and
/// the votes. A bias of bits strikes features of hidden layers.
constexpr bool has_sites(const step& s, const fault_spec& spec, inference_space kind) {
    if (spec.only_slot >= 0 && spec.only_slot != s.slot) return false;
    if (spec.model.does == effect::bit_bias)
        return kind == inference_space::features && s.kind == op::convolution && !s.stores_logits;
    if (spec.model.does == effect::struck_operator && (kind == inference_space::accumulators || s.kind == op::softmax)) return false;
    if (spec.model.does == effect::stuck_cell || spec.model.does == effect::stuck_cell_pair) return false;
    if (kind != inference_space::activations) return s.kind == op::convolution;
    return s.kind != op::input && s.kind != op::compare && s.kind != op::vote;
}

/// Counts of a convolution's multiply-adds, padding left out, to turn an index over them into (output, step).
class mac_index {
public:
    explicit mac_index(const kernel::conv_geometry& g) : g_{g} {
        for (int c = 0; c < g.out.width; ++c) columns_ += column_taps(c);
    }
    std::uint64_t size() const {
        std::uint64_t all = 0;
        for (int r = 0; r < g_.out.height; ++r) all += of_row(r);
        return all;
    }
    /// The output and multiply-add at a place.
    kernel::output_fault at(std::uint64_t place) const {
        int row = 0, column = 0;
        for (std::uint64_t here; place >= (here = of_row(row)); ++row) place -= here;
        const std::uint64_t rows = row_taps(row) * static_cast<std::uint64_t>(g_.group_in());
        const auto channels = static_cast<std::uint64_t>(g_.out.channels);
        for (std::uint64_t here; place >= (here = rows * column_taps(column) * channels); ++column) place -= here;
        const std::uint64_t an_output = rows * column_taps(column);
        kernel::output_fault f;
        f.output = static_cast<std::uint32_t>(g_.out.index(row, column, static_cast<int>(place / an_output)));
        f.step = static_cast<std::uint32_t>(place % an_output);
        return f;
    }

private:
    std::uint64_t row_taps(int r) const { return static_cast<std::uint64_t>(g_.rows_inside(r)); }
    std::uint64_t column_taps(int c) const { return static_cast<std::uint64_t>(g_.columns_inside(c)); }
    std::uint64_t of_row(int r) const {
        return row_taps(r) * columns_ * static_cast<std::uint64_t>(g_.group_in()) * static_cast<std::uint64_t>(g_.out.channels);
    }
    const kernel::conv_geometry& g_;
    std::uint64_t columns_ = 0;
};

/// Words of one step that a space strikes.
inline std::uint64_t words_of_step(const step& s, inference_space kind) {
    if (kind == inference_space::accumulators) return mac_index{s.geometry}.size();
    return static_cast<std::uint64_t>(s.struck_shape(kind == inference_space::activations).size());
}
template <network_type Net>
std::uint64_t places_of_step(const step& s, const fault_spec& spec, inference_space kind) {
    const bit_fields fields = word_fields<Net>(s, kind);
    if (spec.model.does == effect::not_a_number && fields.exponent == 0) return 0;
    return words_of_step(s, kind) * static_cast<std::uint64_t>(spec.places_in(fields));
}

}  // namespace impl

/// Replicas that Net has of its most replicated unit.
template <network_type Net>
inline constexpr int replicas_of = [] {
    int most = 1;
    for (int i = 0; i < Net::table.step_count; ++i)
        most = std::max(most, Net::table.steps[static_cast<std::size_t>(i)].replica + 1);
    return most;
}();

/// Places of one replica's part of the space; with single flips its bits. Bursts stay within a step.
template <network_type Net>
std::uint64_t inference_bits(const fault_spec& spec, inference_space kind, int replica) {
    std::uint64_t places = 0;
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.replica == replica && impl::has_sites(s, spec, kind)) places += impl::places_of_step<Net>(s, spec, kind);
    }
    return places;
}

namespace impl {

/// Adds the faults at one place of one step to a policy.
template <network_type Net>
void strike_step(const draw_key& key, const fault_spec& spec, inference_space kind, int index, std::uint64_t place,
                 std::uint64_t in_step, const value_limits<Net>* limits, bit_flips& policy) {
    using N = typename Net::number_type;
    const step& s = Net::table.steps[static_cast<std::size_t>(index)];
    const bit_range range = spec.bits_in(word_fields<Net>(s, kind));
    const bool runs_on = spec.model.lies == pattern::burst && !spec.model.takes_words();
    const auto per_word = static_cast<std::uint64_t>(runs_on ? range.count : spec.model.places_in(range.count));
    std::uint64_t word = in_step / per_word;
    const int at = static_cast<int>(in_step % per_word);
    inference_fault f;
    f.step = index;
    f.in_memory = kind == inference_space::activations;
    const auto add = [&](const word_change& change) {
        if (kind == inference_space::accumulators) f.where = mac_index{s.geometry}.at(word);
        else f.where.output = static_cast<std::uint32_t>(word);
        f.where.mask = change.flip;
        f.where.keep = change.keep;
        policy.add(f);
    };
    if (spec.model.is_plain()) {
        int left = spec.model.lies == pattern::single ? 1 : spec.model.bits, first = at;
        const std::uint64_t words = words_of_step(s, kind);
        for (; left > 0 && word < words; ++word, first = 0) {
            const int here = std::min(left, range.count - first);
            add(change_bits(spec.model.does, range.first + first, here));
            left -= here;
        }
        return;
    }
    const auto words = Net::table.values[static_cast<std::size_t>(s.out)].words;
    const float limit = limits == nullptr ? 0.0f : limits->outputs[static_cast<std::size_t>(index)];
    const auto of = [&]<class T>(std::type_identity<T>, int offset) {
        return strike_word<T>(spec.model, range.first, range.count, at, limit, details_of(key, place), offset);
    };
    if (spec.model.does == effect::struck_operator) {
        const auto operate = [&]<class T>(std::type_identity<T>, int offset) {
            strike_operator<T>(s.kind, s.struck_shape(f.in_memory), static_cast<int>(word), limit, offset, details_of(key, place),
                               [&](std::uint32_t output, const word_change& change) {
                                   f.where.output = output;
                                   f.where.mask = change.flip;
                                   f.where.keep = change.keep;
                                   policy.add(f);
                               });
        };
        if (words == word_kind::logit) operate(std::type_identity<typename N::logit>{}, 0);
        else operate(std::type_identity<typename N::activation>{}, N::is_integer ? 128 : 0);
        return;
    }
    struck_word struck;
    if (kind == inference_space::accumulators) struck = of(std::type_identity<typename N::accumulator>{}, 0);
    else if (words == word_kind::logit) struck = of(std::type_identity<typename N::logit>{}, 0);
    else if (words == word_kind::real) struck = of(std::type_identity<float>{}, 0);
    else struck = of(std::type_identity<typename N::activation>{}, N::is_integer ? 128 : 0);
    f.where.add = struck.add;
    if (struck.add != 0 && !N::is_integer) f.where.unit = static_cast<std::int16_t>(exponent_up(limit) - 7);
    add(struck.change);
}

}  // namespace impl

/// Draws the faults of one inference into `policy`, every replica on its own. `item` is the image's number; a spec that
/// lasts has the same faults for every image. A count is drawn within the first replica only: it asks for faults that every
/// network of the comparison has.
template <network_type Net>
void draw_inference(std::uint64_t seed, std::uint64_t trial, std::uint32_t item, const fault_spec& spec,
                    inference_space kind, std::span<std::uint64_t> chosen, bit_flips& policy,
                    const value_limits<Net>* limits = nullptr) {
    if (spec.lasts) item = 0xffffffffu;
    // places come in increasing order: walk the steps along
    const auto walk = [&](const draw_key& key, int replica) {
        return [&, key, replica, i = 0, start = std::uint64_t{0}](std::uint64_t place) mutable {
            for (;; ++i) {
                const step& s = Net::table.steps[static_cast<std::size_t>(i)];
                if (s.replica != replica || !impl::has_sites(s, spec, kind)) continue;
                const std::uint64_t places = impl::places_of_step<Net>(s, spec, kind);
                if (place - start < places) return impl::strike_step<Net>(key, spec, kind, i, place, place - start, limits, policy);
                start += places;
            }
        };
    };
    constexpr std::array<space, 3> spaces{space::features, space::activations, space::accumulators};
    const space part = spaces[static_cast<std::size_t>(kind)];
    policy.clear();
    if (spec.count != 0) {
        const std::uint64_t places = inference_bits<Net>(spec, kind, 0);
        REDOUBT_EXPECTS(spec.count <= places && spec.count <= chosen.size());
        const auto picked = chosen.first(spec.count);
        const draw_key key{seed, trial, part_of(part, 0x80), item};
        draw_exactly(key, places, picked);
        auto strike = walk(key, 0);
        for (std::uint64_t place : picked) strike(place);
    } else if (spec.model.does == effect::bit_bias) {
        // a rate of its own for each step: per multiply-add
        for (int replica = 0; replica < replicas_of<Net>; ++replica) {
            const draw_key key{seed, trial, part_of(part, replica), item};
            std::uint64_t start = 0;
            for (int i = 0; i < Net::table.step_count; ++i) {
                const step& s = Net::table.steps[static_cast<std::size_t>(i)];
                if (s.replica != replica || !impl::has_sites(s, spec, kind)) continue;
                const std::uint64_t places = impl::places_of_step<Net>(s, spec, kind);
                draw_bits(key, any_of_rate(spec.rate, s.geometry.fan_in()), start, start + places, [&](std::uint64_t place) {
                    impl::strike_step<Net>(key, spec, kind, i, place, place - start, limits, policy);
                });
                start += places;
            }
        }
    } else {
        for (int replica = 0; replica < replicas_of<Net>; ++replica) {
            const draw_key key{seed, trial, part_of(part, replica), item};
            draw_bits(key, spec.rate, inference_bits<Net>(spec, kind, replica), walk(key, replica));
        }
    }
    policy.sort();
}

}  // namespace redoubt::fault::inline REDOUBT_ABI
