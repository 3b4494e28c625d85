// SPDX-License-Identifier: MIT
// Faults of stratified sampling: one a trial, in its stratum of the parameters.
#pragma once

#include <redoubt/fault/weights.hpp>

#include <array>
#include <cstdint>
#include <span>

namespace redoubt::fault::inline REDOUBT_ABI {

/// The layers of a spec's strata, held for a view of them.
template <network_type Net>
class strata_of {
public:
    explicit strata_of(const fault_spec& spec) {
        const int copy = impl::part_of_target(spec.strikes);
        per_word_ = spec.places_in(impl::part_fields<Net>(copy));
        std::uint64_t first = 0;
        for (int s = 0; s < Net::table.slot_count; ++s) {
            const std::uint64_t words = spec.takes(s) ? impl::words_of<Net>(copy, s) : 0;
            if (words == 0) continue;
            words_[layers_] = words;
            first_[layers_++] = first;
            first += words;
        }
    }
    strata view() const { return {std::span{words_}.first(layers_), per_word_}; }
    /// Word of the part at which a stratum's layer begins.
    std::uint64_t first_word(std::uint64_t number) const { return first_[static_cast<std::size_t>(number / static_cast<std::uint64_t>(per_word_))]; }

private:
    std::array<std::uint64_t, static_cast<std::size_t>(Net::table.slot_count) + 1> words_{}, first_{};
    std::size_t layers_ = 0;
    int per_word_ = 0;
};

/// The fault of a trial of stratified sampling: a place of the trial's stratum, each as likely as the others.
template <network_type Net, class Sink>
void strike_stratum(std::uint64_t seed, std::uint64_t trial, const fault_spec& spec, Sink&& sink,
                    const value_limits<Net>* limits = nullptr) {
    const strata_of<Net> layers{spec};
    const strata all = layers.view();
    REDOUBT_EXPECTS(all.count() > 0);
    const std::uint64_t number = all.of_trial(trial);
    const int copy = impl::part_of_target(spec.strikes);
    const draw_key key{seed, trial, impl::space_of_part(copy), 3};
    random_stream random = details_of(key, 0);
    const std::uint64_t word = layers.first_word(number) + random.below(all.size(number));
    const auto per_word = static_cast<std::uint64_t>(all.per_word);
    impl::placed<Net>{key, spec, copy, limits}(word * per_word + number % per_word, sink);
}

}  // namespace redoubt::fault::inline REDOUBT_ABI
