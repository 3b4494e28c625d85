// SPDX-License-Identifier: MIT
// Draws of faults in features and stored activations: one bit index runs over the outputs of all steps of a network.
#pragma once

#include <redoubt/fault/policy.hpp>

namespace redoubt::fault::inline v1 {

/// What the drawn faults strike.
enum class inference_space { features, activations };

}  // namespace redoubt::fault::inline v1

namespace redoubt::fault::inline REDOUBT_ABI {

namespace impl {

/// Bits of a word that a step stores.
template <network_type Net>
constexpr bit_fields word_fields(const step& s) {
    using N = typename Net::number_type;
    switch (Net::table.values[static_cast<std::size_t>(s.out)].words) {
        case word_kind::logit: return fields_of<typename N::logit>;
        case word_kind::real: return fields_of<float>;
        default: return fields_of<typename N::activation>;
    }
}
/// Features exist where something is accumulated; stored activations after every step but the image and the votes.
constexpr bool has_sites(const step& s, inference_space kind) {
    if (kind == inference_space::features) return s.kind == op::convolution;
    return s.kind != op::input && s.kind != op::compare && s.kind != op::vote;
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

/// Bits of one replica's part of the space.
template <network_type Net>
std::uint64_t inference_bits(const fault_spec& spec, inference_space kind, int replica) {
    std::uint64_t bits = 0;
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.replica != replica || !impl::has_sites(s, kind) || (spec.only_slot >= 0 && spec.only_slot != s.slot)) continue;
        bits += static_cast<std::uint64_t>(s.geometry.out.size()) *
                static_cast<std::uint64_t>(spec.bits_in(impl::word_fields<Net>(s)).count);
    }
    return bits;
}

/// Draws the faults of one inference into `policy`, every replica on its own. `item` is the image's number. A count is
/// drawn within the first replica only: it asks for faults that every network of the comparison has.
template <network_type Net>
void draw_inference(std::uint64_t seed, std::uint64_t trial, std::uint32_t item, const fault_spec& spec,
                    inference_space kind, std::span<std::uint64_t> chosen, bit_flips& policy) {
    const auto place = [&](int replica) {
        // bits come in increasing order: walk the steps along
        return [&policy, &spec, kind, replica, i = 0, start = std::uint64_t{0}](std::uint64_t bit) mutable {
            for (;; ++i) {
                const step& s = Net::table.steps[static_cast<std::size_t>(i)];
                if (s.replica != replica || !impl::has_sites(s, kind) || (spec.only_slot >= 0 && spec.only_slot != s.slot))
                    continue;
                const bit_range range = spec.bits_in(impl::word_fields<Net>(s));
                const auto per_word = static_cast<std::uint64_t>(range.count);
                const std::uint64_t bits = static_cast<std::uint64_t>(s.geometry.out.size()) * per_word;
                if (bit - start >= bits) {
                    start += bits;
                    continue;
                }
                inference_fault f;
                f.step = i;
                f.in_memory = kind == inference_space::activations;
                f.where.output = static_cast<std::uint32_t>((bit - start) / per_word);
                f.where.mask = std::uint32_t{1} << (range.first + static_cast<int>((bit - start) % per_word));
                policy.add(f);
                return;
            }
        };
    };
    policy.clear();
    const space part = kind == inference_space::features ? space::features : space::activations;
    if (spec.count != 0) {
        const std::uint64_t bits = inference_bits<Net>(spec, kind, 0);
        REDOUBT_EXPECTS(spec.count <= bits && spec.count <= chosen.size());
        const auto picked = chosen.first(spec.count);
        draw_exactly(draw_key{seed, trial, part_of(part, 0x80), item}, bits, picked);
        auto sink = place(0);
        for (std::uint64_t bit : picked) sink(bit);
    } else {
        for (int replica = 0; replica < replicas_of<Net>; ++replica)
            draw_bits(draw_key{seed, trial, part_of(part, replica), item}, spec.rate,
                      inference_bits<Net>(spec, kind, replica), place(replica));
    }
    policy.sort();
}

}  // namespace redoubt::fault::inline REDOUBT_ABI
