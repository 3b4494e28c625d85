// SPDX-License-Identifier: MIT
// The tile hook: how faults in registers reach a kernel that is not slowed by them.
#pragma once

#include <redoubt/base/mutant.hpp>
#include <redoubt/kernel/call.hpp>
#include <redoubt/kernel/multiply_add.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>

namespace redoubt::kernel::inline v1 {

/// A fault in one output of a convolution or linear layer.
struct output_fault {
    /// The step of a feature fault: after the chain and before residual add and activation.
    static constexpr std::uint32_t feature = 0xffffffffu;

    std::uint32_t output = 0;      ///< (row * width + column) * channels + channel
    std::uint32_t step = feature;  ///< flips the accumulator after this many + 1 multiply-adds, padding not counted
    std::uint32_t mask = 0;        ///< bits to flip, of the accumulator or of the storage word
    std::uint32_t keep = 0xffffffffu;  ///< bits that stay before that; all, but for stuck bits and new values
    std::int16_t add = 0;          ///< features: so many units are added first; int8: codes, saturating
    std::int16_t unit = 0;         ///< floats: a unit is 2^unit

    constexpr feature_change change() const { return {{keep, mask}, add, unit}; }
    constexpr auto operator<=>(const output_fault&) const = default;
};

/// No faults: leaves no instruction behind. What another hook does besides it says by hiding one of these.
struct no_hook {
    static constexpr bool active = false;    ///< strikes accumulators
    static constexpr bool sums = false;      ///< adds them up
    static constexpr bool corrects = false;  ///< changes them before they are stored
    static constexpr int copies = 1;         ///< of that many blocks side by side, of which it stores one
    static constexpr bool looks = false;     ///< looks at them
    static constexpr bool sticks = false;    ///< has a lane of the machine that is stuck
    static constexpr int rotation = 0;       ///< lanes by which channels are moved while they are summed up
};

/// Faults of one call, sorted by output, then step.
struct fault_hook : no_hook {
    static constexpr bool active = true;
    std::span<const output_fault> faults;

    fault_hook() = default;
    fault_hook(std::span<const output_fault> sorted) : faults{sorted} {}

    /// Those with first <= output < last.
    std::span<const output_fault> between(std::uint32_t first, std::uint32_t last) const {
        const auto by_output = [](const output_fault& f, std::uint32_t output) { return f.output < output; };
        const auto from = std::lower_bound(faults.begin(), faults.end(), first, by_output);
        return {from, std::lower_bound(from, faults.end(), last, by_output)};
    }
};

/// Bits of one lane are stuck in every accumulator that is read out of it, whatever channel it computes (of a block of 16): a broken unit of the
/// machine, which strikes every run alike. NaNs are made canonical before. Lanes are those of the wide layout, on every instruction set.
struct stuck_lane_hook : no_hook {
    static constexpr bool sticks = true;
    int lane = 0;
    word_change bits{};

    stuck_lane_hook(int which, word_change change) : lane{which}, bits{change} {}
};

/// Another hook, with channels in other lanes (kernel/lane_rotation.hpp).
template <class Hook, int By>
struct rotated_hook : Hook {
    static constexpr int rotation = By;
    explicit rotated_hook(const Hook& hook) : Hook{hook} {}
};
template <int By, class Hook>
constexpr decltype(auto) in_other_lanes(const Hook& hook) {
    if constexpr (By == 0 || planted == mutant::no_rotation) return (hook);
    else return rotated_hook<Hook, By>{hook};
}

/// What a summing hook adds up.
enum class sums_over : std::uint8_t {
    pixels,    ///< each channel over all pixels
    channels,  ///< each pixel over all channels
};

/// Another hook's faults, and after them sums of accumulators, for checksums. A sum of floats over pixels is kept in eight parts, of the
/// columns with the same remainder, rows from top to bottom; one over channels in 16 lanes, block after block: so that bits do not depend on
/// the tiles. One type for both, so that kernels are compiled once.
template <class Faults, class Accumulator>
struct summing_hook : Faults {
    static constexpr bool sums = true;
    static constexpr int parts = std::is_integral_v<Accumulator> ? 1 : 8;
    Accumulator* totals;  ///< over pixels [block from block_begin][part][16], over channels [row][column][16]; zero at first
    sums_over way;

    summing_hook(const Faults& by, Accumulator* to, sums_over what = sums_over::pixels) : Faults{by}, totals{to}, way{what} {}
};

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

/// The canonical chain of one output: the bias, then kernel row, kernel column, input channel, one multiply-add (int8:
/// one wrapping product) each, with the faults of that output in it. Floats skip padding taps; int8 adds them
/// as the stored zero, 128, because the bias expects them, but counts no step for them.
template <number N>
typename N::accumulator chain(const conv_call<N>& call, int row, int column, int out,
                              std::span<const output_fault> faults = {}) {
    using accumulator = typename N::accumulator;
    const conv_geometry& g = call.geometry;
    constexpr wide_layout layout = layout_of<N>;
    accumulator sum = widened(call.bias[out]);
    std::uint32_t step = 0;
    auto fault = faults.begin();
    const auto strike = [&] {
        for (; fault != faults.end() && fault->step == step; ++fault) {
            if constexpr (!N::is_integer) sum = canonical(sum);
            sum = changed(sum, fault->change().bits);
        }
        ++step;
    };
    const int first = g.first_input(out), channels = g.group_in();
    const auto before = static_cast<std::size_t>(call.block_begin) * layout.block_size(g);
    for (int r = 0; r < g.kernel.h; ++r) {
        const int y = g.row_at(row, r);
        const bool row_inside = y >= 0 && y < g.in.height;
        for (int c = 0; c < g.kernel.w; ++c) {
            const int x = g.column_at(column, c);
            const bool inside = row_inside && x >= 0 && x < g.in.width;
            if (!inside && !N::is_integer) continue;
            const auto* weight = call.weights + (layout.index(g, out, r, c, 0) - before);
            for (int i = 0; i < channels; ++i) {
                const auto& w = weight[i / layout.group * layout.group * lane_count + i % layout.group];
                if constexpr (N::is_integer) {
                    const std::int32_t a = inside ? call.in[g.in.index(y, x, first + i)] : 128;
                    sum = static_cast<accumulator>(static_cast<std::uint32_t>(sum) +
                                                   static_cast<std::uint32_t>(a * widened(w)));
                } else {
                    sum = multiply_add(widened(call.in[g.in.index(y, x, first + i)]), widened(w), sum);
                }
                if (inside) strike();
            }
        }
    }
    for (; fault != faults.end(); ++fault) {
        if (fault->step == output_fault::feature) sum = struck_feature(call, sum, fault->change());
    }
    return sum;
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
