// SPDX-License-Identifier: MIT
// Convolutions some of whose output channels are computed two or three times and corrected in registers.
//
// The geometry's channels are, block by block of 16, A0 B0 A1 B1 ... and then the rest, or A0 B0 C0 A1 ...: B and C repeat the filters of A, so
// the copies of a channel sit in accumulators of one tile. Stored are A0 A1 ... and the rest.
#pragma once

#include <redoubt/base/mutant.hpp>
#include <redoubt/kernel/conv2d.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace redoubt::kernel::inline v1 {

/// What becomes of the copies of an output.
enum class correction {
    /// Against the interval of the channel's fault-free outputs: both inside, the smaller; one inside, that one; none, 0. An output that has no copy
    /// and is outside becomes 0. NaN is outside.
    intervals,
    /// The smaller; of a number and NaN the number. Outputs without a copy stay.
    minimum,
    /// Three copies: the word that two or three agree on, else the median, NaN as the largest. Outputs without a copy as by intervals.
    vote,
};
/// How many copies a form of correction needs.
constexpr int copies_for(correction form) { return form == correction::vote ? 3 : 2; }

/// What a correction saw, in outputs.
struct correction_tally {
    std::uint32_t different = 0;  ///< copies that do not agree on bits
    std::uint32_t guessed = 0;    ///< of those, where none was known to be right: both inside, or none; a vote without two that agree
    std::uint32_t outside = 0;    ///< outputs outside of their interval, without a copy or with one that agrees
};

/// Another hook's faults, then the correction: of that many copies of a block side by side, or of blocks without a copy.
template <class Faults, class Accumulator, correction Form, int Copies>
struct correcting_hook : Faults {
    static constexpr bool corrects = true;
    static constexpr int copies = Copies;
    static constexpr bool has_bounds = Form == correction::intervals || (Form == correction::vote && Copies == 1);
    const Accumulator* low;   ///< of stored channels
    const Accumulator* high;
    correction_tally* tally;

    correcting_hook(const Faults& by, const Accumulator* from, const Accumulator* to, correction_tally* count)
        : Faults{by}, low{from}, high{to}, tally{count} {}

    /// All NaNs are one value.
    static bool different_words(Accumulator m, Accumulator d) {
        if constexpr (std::is_same_v<Accumulator, float>) return to_word(canonical(m)) != to_word(canonical(d));
        else return m != d;
    }

    /// The intervals of sixteen stored channels.
    template <class Arithmetic>
    struct bounds {
        using lanes = typename Arithmetic::lanes;
        lanes low, high;

        /// Whether outputs stay as they are: all copies agree and are inside.
        template <class... Lanes>
        [[gnu::always_inline]] bool settle(const lanes& first, const Lanes&... others) const {
            static_assert(1 + sizeof...(Lanes) == Copies);
            if constexpr (!has_bounds && Copies == 1) {
                return true;
            } else if constexpr (requires { first.unlike(first); }) {
                unsigned odd = (0u | ... | first.unlike(others));
                if constexpr (has_bounds) odd |= first.outside(low, high);
                return odd == 0;
            } else {
                Accumulator main[lane_count], copy[lane_count], from[lane_count], to[lane_count];
                Arithmetic::spill(first, main);
                Arithmetic::spill(low, from);
                Arithmetic::spill(high, to);
                bool fine = true;
                const auto same = [&](const lanes& other) {
                    Arithmetic::spill(other, copy);
                    for (int i = 0; i < lane_count; ++i) fine &= to_word(main[i]) == to_word(copy[i]);
                };
                (same(others), ...);
                if constexpr (has_bounds)
                    for (int i = 0; i < lane_count; ++i) fine &= main[i] >= from[i] && main[i] <= to[i];
                return fine;
            }
        }
    };
    template <class Arithmetic>
    [[gnu::always_inline]] bounds<Arithmetic> bounds_at(int channel) const {
        if constexpr (planted == mutant::no_vote || !has_bounds) {
            const auto none = Arithmetic::lanes::filled(0);
            return {none, none};
        } else {
            return {Arithmetic::fill(low + channel), Arithmetic::fill(high + channel)};
        }
    }

    /// The outputs to store of one block, or of its copies side by side.
    template <class Arithmetic>
    typename Arithmetic::lanes corrected(const typename Arithmetic::lanes* of, int channel, int count, bool first_time) const {
        if constexpr (!has_bounds && Copies == 1) return of[0];
        Accumulator word[static_cast<std::size_t>(Copies)][lane_count];
        for (int c = 0; c < Copies; ++c) Arithmetic::spill(of[c], word[c]);
        correction_tally seen;
        if constexpr (planted != mutant::no_vote) {
            for (int i = 0; i < lane_count; ++i) {
                Accumulator& main = word[0][i];
                if constexpr (Copies == 3) main = voted(main, word[1][i], word[2][i], seen);
                else if constexpr (!has_bounds) main = smaller_of(main, word[1][i], seen);
                else if (i < count) main = within(main, word[Copies - 1][i], low[channel + i], high[channel + i], seen);  // lanes past it hold nothing
            }
        }
        if (first_time) {
            tally->different += seen.different;
            tally->guessed += seen.guessed;
            tally->outside += seen.outside;
        }
        return Arithmetic::fill(word[0]);
    }

private:
    static Accumulator smaller_of(Accumulator m, Accumulator d, correction_tally& seen) {
        const bool differ = different_words(m, d);
        seen.different += differ ? 1u : 0u;
        seen.guessed += differ ? 1u : 0u;
        return d < m || (!(m == m) && d == d) ? d : m;
    }
    static Accumulator within(Accumulator m, Accumulator d, Accumulator from, Accumulator to, correction_tally& seen) {
        const bool m_in = m >= from && m <= to, d_in = d >= from && d <= to;
        const bool differ = Copies == 2 && different_words(m, d);
        seen.different += differ ? 1u : 0u;
        seen.guessed += differ && m_in == d_in ? 1u : 0u;
        seen.outside += !differ && !m_in ? 1u : 0u;
        if (m_in && d_in) return d < m ? d : m;
        return m_in ? m : d_in ? d : Accumulator{};
    }
    static Accumulator voted(Accumulator a, Accumulator b, Accumulator c, correction_tally& seen) {
        const bool ab = !different_words(a, b), ac = !different_words(a, c), bc = !different_words(b, c);
        if (ab && ac) return a;
        ++seen.different;
        if (ab || ac) return a;
        if (bc) return b;
        ++seen.guessed;
        // NaN above all numbers, of which there can be one
        const auto above = [](Accumulator x, Accumulator y) { return x > y || !(x == x); };
        if (above(a, b)) std::swap(a, b);
        if (above(b, c)) std::swap(b, c);
        return above(a, b) ? a : b;
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

/// A convolution without groups or a linear layer with `folded` channels that are further copies; the call's blocks may not part the copies of a
/// block. Faults strike channels of the geometry, copies as any other.
template <number N, correction Form, class Faults = no_hook>
correction_tally duplicated_conv2d(const conv_call<N>& call, const Faults& faults = {}) {
    using word = typename N::accumulator;
    correction_tally tally;
    const conv_call<N> flat = flattened(call);
    const direct_setup<N> setup{flat.geometry};
    constexpr int copies = copies_for(Form);
    using copied = correcting_hook<Faults, word, Form, copies>;
    const copied side_by_side{faults, call.low, call.high, &tally};
    const correcting_hook<Faults, word, Form, 1> rest{faults, call.low, call.high, &tally};
    const int last = std::min(call.block_end, call.folded / (copies - 1) * copies / lane_count);
    int block = call.block_begin;
    for (; block < last; block += copies) {
        if constexpr (largest_tile.blocks >= 2) {
            impl::conv_blocks<N, copies, false>(flat, setup, block, side_by_side);
        } else {
            const shape& out = flat.geometry.out;
            constexpr int some = copies == 2 ? 2 : 1;  // as many pixels as there are registers for
            const direct_tile<N, tile_shape<1, some, copies>, false, copied> tile{flat, setup, side_by_side, block};
            const direct_tile<N, tile_shape<1, 1, copies>, false, copied> one{flat, setup, side_by_side, block};
            for (int row = 0; row < out.height; ++row) {
                int column = 0;
                for (; column + some <= out.width; column += some) tile(row, column);
                for (; column < out.width; ++column) one(row, column);
            }
        }
    }
    if (block < call.block_end) impl::conv_group(flat, setup, block, call.block_end, rest);
    return tally;
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
