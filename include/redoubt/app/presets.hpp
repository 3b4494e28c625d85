// SPDX-License-Identifier: MIT
// Hardened presets: the protections that the command line knows by name, as rewrites of any network. A preset is a type with
//   `static constexpr std::string_view name`, and
//   `template <network_type Net> using apply`    - the network under it; every layer that it can protect is protected;
//   `static constexpr bool ranked = true`        - where its channels count: the network's are first put in the order of their filters' norms;
//   `template <number N> static constexpr bool takes` - where it is not for all numbers.
#pragma once

#include <redoubt/harden/abft.hpp>
#include <redoubt/harden/clip.hpp>
#include <redoubt/harden/duplicate.hpp>
#include <redoubt/harden/ecc.hpp>
#include <redoubt/harden/hybrid_range.hpp>
#include <redoubt/harden/norm_apart.hpp>
#include <redoubt/harden/range.hpp>
#include <redoubt/harden/replicate.hpp>
#include <redoubt/harden/rule.hpp>
#include <redoubt/harden/saturate.hpp>
#include <redoubt/harden/scale.hpp>
#include <redoubt/harden/stores.hpp>
#include <redoubt/harden/tmr_bounds.hpp>
#include <redoubt/harden/zero_space.hpp>

#include <string_view>

namespace redoubt::app::inline v1 {

/// Every layer with parameters within all of these, the first outermost.
template <fixed_string Name, template <class...> class... Protections>
struct on_all_layers {
    static constexpr std::string_view name = Name.view();
    template <network_type Net> using apply = harden<Net, protect<is_weighted, Protections>...>;
};
/// The same, and outputs of all layers but the last within their bounds.
template <fixed_string Name, template <class...> class... Protections>
struct on_all_and_ranged {
    static constexpr std::string_view name = Name.view();
    template <network_type Net> using apply = harden<Net, protect<is_weighted, Protections>..., protect_hidden<range>>;
};
/// Every layer with parameters but the last within all of these, the first outermost.
template <fixed_string Name, template <class...> class... Protections>
struct on_hidden_layers {
    static constexpr std::string_view name = Name.view();
    template <network_type Net> using apply = harden<Net, protect_hidden<Protections>...>;
};

namespace presets {

using none = on_all_layers<"none">;
using range = on_all_and_ranged<"range">;
using range_neurons = on_hidden_layers<"range_neurons", redoubt::range_neurons>;
struct hybrid_range {
    static constexpr std::string_view name = "hybrid_range";
    template <network_type Net> using apply = harden<Net, redoubt::hybrid_range<>>;
};
using clip_weights = on_all_layers<"clip_weights", redoubt::clip_weights>;
using tmr_parameters = on_all_layers<"tmr_parameters", redoubt::tmr_parameters>;
using crc = on_all_layers<"crc", redoubt::crc>;
using parity = on_all_layers<"parity", redoubt::parity>;
using secded = on_all_layers<"secded", redoubt::secded>;
struct zero_space : on_all_layers<"zero_space", redoubt::zero_space> {
    template <number N> static constexpr bool takes = N::is_integer;
};
using dmr = on_all_layers<"dmr", redoubt::dmr>;
using tmr = on_all_layers<"tmr", redoubt::tmr>;
using abft = on_all_layers<"abft", redoubt::abft>;
/// Of each convolution's channels the Percent with the largest norms; those of whole blocks of 16, so at least 16.
template <fixed_string Name, int Percent, template <int, class...> class Duplicate>
struct of_largest_filters {
    static constexpr std::string_view name = Name.view();
    static constexpr bool ranked = true;
    template <network_type Net> using apply = harden<Net, duplicate_share<Percent, Duplicate>>;
};
using duplicate15 = of_largest_filters<"duplicate15", 15, redoubt::duplicate>;
using duplicate30 = of_largest_filters<"duplicate30", 30, redoubt::duplicate>;
using duplicate30_minimum = of_largest_filters<"duplicate30_minimum", 30, redoubt::duplicate_minimum>;
using triplicate30 = of_largest_filters<"triplicate30", 30, redoubt::triplicate>;
using norm_apart = on_all_layers<"norm_apart", redoubt::norm_apart>;
using saf = on_all_layers<"saf", redoubt::saf>;
template <class... L> using arctan_weights = basic_saf<saturation::arctan, 1, 1, L...>;
template <class... L> using softsign_weights = basic_saf<saturation::softsign, 1, 1, L...>;
template <class... L> using hardtanh_weights = basic_saf<saturation::hardtanh, 1, 1, L...>;
template <class... L> using half_tanh_weights = basic_saf<saturation::tanh, 1, 2, L...>;
using saf_arctan = on_all_layers<"saf_arctan", arctan_weights>;
using saf_softsign = on_all_layers<"saf_softsign", softsign_weights>;
using saf_hardtanh = on_all_layers<"saf_hardtanh", hardtanh_weights>;
using saf_half_tanh = on_all_layers<"saf_half_tanh", half_tanh_weights>;
using saf_range = on_all_and_ranged<"saf+range", redoubt::saf>;
struct scale : on_all_layers<"scale", redoubt::scale> {
    template <number N> static constexpr bool takes = !N::is_integer;
};

using tmr_bounds_range = on_hidden_layers<"tmr_bounds+range", redoubt::tmr_bounds, redoubt::range>;
using secded_range = on_all_and_ranged<"secded+range", redoubt::secded>;
using clip_weights_range = on_all_and_ranged<"clip_weights+range", redoubt::clip_weights>;
using abft_range = on_all_and_ranged<"abft+range", redoubt::abft>;
using secded_abft = on_all_layers<"secded+abft", redoubt::secded, redoubt::abft>;
using secded_abft_range = on_all_and_ranged<"secded+abft+range", redoubt::secded, redoubt::abft>;
using tmr_parameters_dmr = on_all_layers<"tmr_parameters+dmr", redoubt::tmr_parameters, redoubt::dmr>;

}  // namespace presets

/// What programs compile unless they ask for more, in the order of tables.
using usual_presets = pack<presets::none, presets::range, presets::clip_weights, presets::tmr_parameters, presets::crc, presets::secded, presets::dmr,
                           presets::tmr, presets::abft>;

/// For a network more that is there to be compared with others: quick to compile.
using few_presets = pack<presets::none, presets::range, presets::tmr_parameters>;

/// The protections of whole networks that need no more than the training images, and seven combinations.
using all_presets = pack<presets::none, presets::range, presets::range_neurons, presets::hybrid_range, presets::clip_weights, presets::tmr_parameters,
                         presets::crc, presets::parity, presets::secded, presets::zero_space, presets::dmr, presets::tmr, presets::abft,
                         presets::duplicate15, presets::duplicate30, presets::duplicate30_minimum, presets::triplicate30, presets::saf,
                         presets::scale, presets::tmr_bounds_range, presets::secded_range, presets::clip_weights_range, presets::abft_range,
                         presets::secded_abft, presets::secded_abft_range, presets::tmr_parameters_dmr>;

/// What changes weights as they are read, beside what holds values within bounds.
using weight_presets = pack<presets::none, presets::norm_apart, presets::range, presets::clip_weights, presets::clip_weights_range, presets::scale, presets::saf, presets::saf_arctan,
                            presets::saf_softsign, presets::saf_hardtanh, presets::saf_half_tanh, presets::saf_range>;

/// What plans by rankings are compared with: channels computed more than once, beside the simplest rivals and three copies of everything.
using plan_presets = pack<presets::none, presets::range, presets::clip_weights, presets::duplicate15, presets::duplicate30, presets::triplicate30, presets::tmr_parameters>;

/// Whether a preset is for a number.
template <class Preset, number N>
inline constexpr bool is_for = [] {
    if constexpr (requires { Preset::template takes<N>; }) return Preset::template takes<N>;
    else return true;
}();

/// Whether the order of channels counts for a preset.
template <class Preset>
inline constexpr bool is_ranked = [] {
    if constexpr (requires { Preset::ranked; }) return Preset::ranked;
    else return false;
}();

/// Whether a pack has the unprotected network, with which all others are compared.
template <class... Presets>
consteval bool have_none(pack<Presets...>) { return ((Presets::name == "none") || ...); }

/// Whether no two presets have one name.
template <class... Presets>
consteval bool have_names_of_their_own(pack<Presets...>) {
    const std::string_view names[] = {Presets::name...};
    for (std::size_t i = 0; i < sizeof...(Presets); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (names[i] == names[j]) return false;
    return true;
}

}  // namespace redoubt::app::inline v1
