// SPDX-License-Identifier: MIT
// Convolutions some of whose output channels are computed twice and corrected in registers.
//
// The geometry's channels are, block by block of 16, A0 B0 A1 B1 ... and then the rest: B repeats the filters of A, so both copies of a
// channel sit in two accumulators of one tile. Stored are A0 A1 ... and the rest.
#pragma once

#include <redoubt/base/mutant.hpp>
#include <redoubt/kernel/conv2d.hpp>

#include <cstdint>
#include <type_traits>

namespace redoubt::kernel::inline v1 {

/// What becomes of two copies of an output.
enum class correction {
    /// Against the interval of the channel's fault-free outputs: both inside, the smaller; one inside, that one; none, 0. An output that has no copy
    /// and is outside becomes 0. NaN is outside.
    intervals,
    /// The smaller; of a number and NaN the number. Outputs without a copy stay.
    minimum,
};

/// What a correction saw, in outputs.
struct correction_tally {
    std::uint32_t different = 0;  ///< copies that do not agree on bits
    std::uint32_t guessed = 0;    ///< of those, where neither was known to be right: both inside, or none
    std::uint32_t outside = 0;    ///< outputs outside of their interval, without a copy or with one that agrees
};

/// Another hook's faults, then the correction: of pairs of blocks, or of blocks without a copy.
template <class Faults, class Accumulator, correction Form, bool Pairs>
struct correcting_hook : no_hook {
    static constexpr bool active = Faults::active;
    static constexpr bool corrects = true;
    static constexpr bool corrects_pairs = Pairs;
    Faults faults;
    const Accumulator* low;   ///< of stored channels
    const Accumulator* high;
    correction_tally* tally;

    correcting_hook(const Faults& by, const Accumulator* from, const Accumulator* to, correction_tally* count)
        : faults{by}, low{from}, high{to}, tally{count} {}

    std::span<const output_fault> between(std::uint32_t first, std::uint32_t last) const { return faults.between(first, last); }

    /// All NaNs are one value.
    static bool different_words(Accumulator m, Accumulator d) {
        if constexpr (std::is_same_v<Accumulator, float>) return to_word(canonical(m)) != to_word(canonical(d));
        else return m != d;
    }

    /// The intervals of sixteen stored channels.
    template <class Arithmetic>
    struct bounds {
        typename Arithmetic::lanes low, high;

        /// Whether outputs stay as they are: both copies (or one, twice) agree and are inside.
        [[gnu::always_inline]] bool settle(const typename Arithmetic::lanes& m, const typename Arithmetic::lanes& d) const {
            if constexpr (Form == correction::minimum && !Pairs) {
                return true;
            } else if constexpr (requires { m.unlike(d); }) {
                unsigned odd = Pairs ? m.unlike(d) : 0u;
                if constexpr (Form == correction::intervals) odd |= m.outside(low, high);
                return odd == 0;
            } else {
                Accumulator main[lane_count], copy[lane_count], from[lane_count], to[lane_count];
                Arithmetic::spill(m, main);
                Arithmetic::spill(d, copy);
                Arithmetic::spill(low, from);
                Arithmetic::spill(high, to);
                bool fine = true;
                for (int i = 0; i < lane_count; ++i) {
                    fine &= !Pairs || to_word(main[i]) == to_word(copy[i]);
                    if constexpr (Form == correction::intervals) fine &= main[i] >= from[i] && main[i] <= to[i];
                }
                return fine;
            }
        }
    };
    template <class Arithmetic>
    [[gnu::always_inline]] bounds<Arithmetic> bounds_at(int channel) const {
        if constexpr (planted == mutant::no_vote || Form == correction::minimum) {
            const auto none = Arithmetic::lanes::filled(0);
            return {none, none};
        } else {
            return {Arithmetic::fill(low + channel), Arithmetic::fill(high + channel)};
        }
    }

    /// The outputs to store of one block, or of two copies side by side.
    template <class Arithmetic>
    typename Arithmetic::lanes corrected(const typename Arithmetic::lanes* of, int channel, int count, bool first_time) const {
        if constexpr (Form == correction::minimum && !Pairs) return of[0];
        Accumulator main[lane_count], copy[lane_count];
        Arithmetic::spill(of[0], main);
        Arithmetic::spill(of[Pairs ? 1 : 0], copy);
        std::uint32_t different = 0, guessed = 0, outside = 0;
        if constexpr (planted != mutant::no_vote) {
            for (int i = 0; i < lane_count; ++i) {
                const Accumulator m = main[i], d = copy[i], smaller = d < m || !(m == m) ? d : m;
                if constexpr (Form == correction::minimum) {
                    const bool differ = different_words(m, d);
                    different += differ ? 1u : 0u;
                    guessed += differ ? 1u : 0u;
                    main[i] = smaller == smaller ? smaller : m;
                } else {
                    const bool within = i < count;  // lanes past the channels hold nothing
                    const Accumulator from = low[channel + i], to = high[channel + i];
                    const bool m_in = m >= from && m <= to, d_in = d >= from && d <= to;
                    const bool differ = Pairs && different_words(m, d);
                    different += within && differ ? 1u : 0u;
                    guessed += within && differ && m_in == d_in ? 1u : 0u;
                    outside += within && !differ && !m_in ? 1u : 0u;
                    const Accumulator one = m_in ? m : d_in ? d : Accumulator{};
                    main[i] = m_in && d_in ? smaller : one;
                }
            }
        }
        if (first_time) {
            tally->different += different;
            tally->guessed += guessed;
            tally->outside += outside;
        }
        return Arithmetic::fill(main);
    }
};

/// Widens the interval of each channel's accumulators. No faults.
template <class Accumulator>
struct looking_hook : no_hook {
    static constexpr bool looks = true;
    Accumulator* low;
    Accumulator* high;

    looking_hook(Accumulator* from, Accumulator* to) : low{from}, high{to} {}

    void see(const Accumulator* value, int channel, int count) const {
        for (int i = 0; i < count; ++i) {
            low[channel + i] = value[i] < low[channel + i] ? value[i] : low[channel + i];
            high[channel + i] = value[i] > high[channel + i] ? value[i] : high[channel + i];
        }
    }
};

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

/// A convolution without groups or a linear layer with `folded` duplicated channels; the call's blocks may not part a pair. Faults strike channels of
/// the geometry, copies as any other.
template <number N, correction Form, class Faults = no_hook>
correction_tally duplicated_conv2d(const conv_call<N>& call, const Faults& faults = {}) {
    using word = typename N::accumulator;
    correction_tally tally;
    const conv_call<N> flat = flattened(call);
    const direct_setup<N> setup{flat.geometry};
    const correcting_hook<Faults, word, Form, true> pairs{faults, call.low, call.high, &tally};
    const correcting_hook<Faults, word, Form, false> rest{faults, call.low, call.high, &tally};
    const int last = std::min(call.block_end, 2 * call.folded / lane_count);
    int block = call.block_begin;
    for (; block < last; block += 2) {
        if constexpr (largest_tile.blocks >= 2) {
            impl::conv_blocks<N, 2, false>(flat, setup, block, pairs);
        } else {
            const shape& out = flat.geometry.out;
            const direct_tile<N, tile_shape<1, 2, 2>, false, correcting_hook<Faults, word, Form, true>> two{flat, setup, pairs, block};
            const direct_tile<N, tile_shape<1, 1, 2>, false, correcting_hook<Faults, word, Form, true>> one{flat, setup, pairs, block};
            for (int row = 0; row < out.height; ++row) {
                int column = 0;
                for (; column + 2 <= out.width; column += 2) two(row, column);
                for (; column < out.width; ++column) one(row, column);
            }
        }
    }
    if (block < call.block_end) impl::conv_group(flat, setup, block, call.block_end, rest);
    return tally;
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
