// SPDX-License-Identifier: MIT
// Hardened presets: the protections that the command line knows, as rewrites of any network.
#pragma once

#include <redoubt/harden/abft.hpp>
#include <redoubt/harden/clip.hpp>
#include <redoubt/harden/ecc.hpp>
#include <redoubt/harden/range.hpp>
#include <redoubt/harden/replicate.hpp>
#include <redoubt/harden/rule.hpp>
#include <redoubt/harden/stores.hpp>

#include <array>
#include <string_view>

namespace redoubt::app::inline v1 {

/// Layers with parameters, but the last: its logits are compared with each other, so a bound would change answers.
template <network_type Net>
struct hidden_layers {
    template <class L>
    struct kind {
        using last = type_at<typename Net::leaves, Net::leaves::size - 1>;
        static constexpr bool value = is_weighted<L>::value && !std::is_same_v<L, last>;
    };
};

/// The words of the vocabulary that are protections of whole networks, in the order of tables.
inline constexpr std::array<std::string_view, 9> protection_names{"none", "range", "clip_weights", "tmr_parameters", "crc", "secded", "dmr", "tmr",
                                                              "abft"};

/// The place of a name there.
consteval std::size_t protection_number(std::string_view name) {
    std::size_t at = 0;
    while (protection_names[at] != name) ++at;  // a name that is not there does not compile
    return at;
}

/// Net under the protection of that place in protection_names; every layer it can protect is protected.
template <network_type Net, std::size_t Protection>
struct preset;
template <network_type Net> struct preset<Net, 0> { using type = Net; };
template <network_type Net> struct preset<Net, 1> {
    using type = harden<Net, protect<hidden_layers<Net>::template kind, range>>;
};
template <network_type Net> struct preset<Net, 2> { using type = harden<Net, protect<is_weighted, clip_weights>>; };
template <network_type Net> struct preset<Net, 3> { using type = harden<Net, protect<is_weighted, tmr_parameters>>; };
template <network_type Net> struct preset<Net, 4> { using type = harden<Net, protect<is_weighted, crc>>; };
template <network_type Net> struct preset<Net, 5> { using type = harden<Net, protect<is_weighted, secded>>; };
template <network_type Net> struct preset<Net, 6> { using type = harden<Net, protect<is_weighted, dmr>>; };
template <network_type Net> struct preset<Net, 7> { using type = harden<Net, protect<is_weighted, tmr>>; };
template <network_type Net> struct preset<Net, 8> { using type = harden<Net, protect<is_weighted, abft>>; };

}  // namespace redoubt::app::inline v1
