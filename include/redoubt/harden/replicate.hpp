// SPDX-License-Identifier: MIT
// Redundant computation: the layers run several times over the same parameters and inputs, and their outputs are
// compared or voted on bits. Replicas are steps of their own, fenced from the optimiser.
#pragma once

#include <redoubt/kernel/vote.hpp>
#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/status.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace redoubt::inline REDOUBT_ABI {

namespace impl {
template <class Word>
void vote_three(std::span<Word> a, std::span<Word> b, std::span<Word> c, fault_counters& count) {
    const auto tally = kernel::vote_words(a.data(), b.data(), c.data(), a.data(), a.size());
    count.add_found(tally.different, tally.no_majority);
}
}  // namespace impl

}  // namespace redoubt::inline REDOUBT_ABI

namespace redoubt::inline v1 {

/// Triple modular redundancy of computation: three replicas and a bitwise majority (Lyons and Vanderkulk 1962). Any
/// faults in one replica are masked. Words in which no two replicas agree count as uncorrected (their bitwise majority
/// is still taken). Cost: three times the work and buffers, one vote pass.
template <class... Layers>
struct tmr : protection<Layers...> {
    static constexpr int replicas = 3;
    static constexpr int spares = 0;

    template <class Word>
    static void vote(const std::array<std::span<Word>, 3>& copies, fault_counters& count) {
        impl::vote_three(copies[0], copies[1], copies[2], count);
    }
};

/// Dual modular redundancy with retries up to a maximum: two replicas are compared on bits; where any word differs, the layers run `Retries` times more, once or
/// twice, and each differing word becomes what any two runs agree on. Words on which no two agree, or on which two pairs do, are reported as uncorrected; each is then the bitwise majority of
/// the first three. Worst case 2 + Retries times the work and known at compile time; fault-free twice. Equal faults in both replicas pass undetected.
template <int Retries, class... Layers>
struct dmr_retries : protection<Layers...> {
    static_assert(Retries == 1 || Retries == 2, "redoubt: one retry or two");
    template <class... New>
    using around = dmr_retries<Retries, New...>;
    static constexpr int replicas = 2;
    static constexpr int spares = Retries;

    /// `detected` decides whether the spares run.
    template <class Word>
    static void compare(const std::array<std::span<Word>, 2>& copies, fault_counters& count) {
        count.detected += kernel::count_different(copies[0].data(), copies[1].data(), copies[0].size());
    }
    template <class Word>
    static void vote(const std::array<std::span<Word>, static_cast<std::size_t>(2 + Retries)>& copies, fault_counters& count) {
        // the comparison has counted what differs; where a spare alone is wrong, two had agreed
        const auto settle = [&](auto*... spares) { return kernel::vote_where_different(copies[0].data(), copies[1].data(), copies[0].size(), spares...); };
        kernel::vote_tally tally;
        if constexpr (Retries == 1) tally = settle(copies[2].data());
        else tally = settle(copies[2].data(), copies[3].data());
        count.corrected += tally.different - tally.no_majority;
        count.uncorrected += tally.no_majority;
    }
};

/// The same with one retry.
template <class... Layers>
struct dmr : dmr_retries<1, Layers...> {};

}  // namespace redoubt::inline v1
