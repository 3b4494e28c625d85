// SPDX-License-Identifier: MIT
// Arithmetic with channels in other lanes than usual, so that what is wrong with one lane of the machine strikes another channel.
#pragma once

#include <redoubt/kernel/lanes_float.hpp>
#include <redoubt/kernel/lanes_int8.hpp>

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Lane i of the result is lane (i + By) % 16 of `v`. In registers where lanes can do that themselves, else through memory.
template <int By, class Lanes>
[[gnu::always_inline]] inline Lanes rotated(const Lanes& v) {
    static_assert(0 < By && By < lane_count);
    if constexpr (requires { v.template rotated<By>(); }) {
        return v.template rotated<By>();
    } else {
        std::uint32_t twice[2 * lane_count];
        static_assert(sizeof(twice) == 2 * sizeof(v));
        std::memcpy(twice, &v.part, sizeof(v));
        std::memcpy(twice + lane_count, &v.part, sizeof(v));
        Lanes out;
        std::memcpy(&out.part, twice + By, sizeof(v));
        return out;
    }
}

/// lane_arithmetic with channels rotated by `By` lanes: everything of a channel is loaded into lane (channel - By) % 16 of its block, and so are
/// the sums, until rotated<16 - By>() brings them back. A channel's own arithmetic is the same, bit for bit.
template <number N, int By>
struct rotated_arithmetic : lane_arithmetic<N> {
    using usual = lane_arithmetic<N>;
    using typename usual::lanes;
    using typename usual::stored;
    using typename usual::weight;

    static lanes load_bias(const typename N::bias* p) { return rotated<By>(usual::load_bias(p)); }
    static auto load_weights(const weight* p) {
        using loaded = decltype(usual::load_weights(p));
        if constexpr (requires { lanes::template rotated_weights<By>(p); }) {
            return lanes::template rotated_weights<By>(p);
        } else if constexpr (std::is_same_v<loaded, lanes>) {
            return rotated<By>(usual::load_weights(p));
        } else {
            weight twice[lane_count * usual::group * 2];
            std::memcpy(twice, p, sizeof(twice) / 2);
            std::memcpy(twice + lane_count * usual::group, p, sizeof(twice) / 2);
            return usual::load_weights(twice + By * usual::group);
        }
    }
    static lanes load_channels(const stored* p) { return rotated<By>(usual::load_channels(p)); }
    static lanes load_channels(const stored* p, int count) { return rotated<By>(usual::load_channels(p, count)); }
    static lanes load_channel_weights(const weight* p) { return rotated<By>(usual::load_channel_weights(p)); }
};

/// How a direct kernel computes whose hook asks for a rotation.
template <number N, int By> struct arithmetic_of { using type = rotated_arithmetic<N, By>; };
template <number N> struct arithmetic_of<N, 0> { using type = lane_arithmetic<N>; };

}  // namespace redoubt::kernel::inline REDOUBT_ABI
