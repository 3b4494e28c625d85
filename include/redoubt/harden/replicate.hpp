// SPDX-License-Identifier: MIT
// Redundant computation: the layers run several times over the same parameters and inputs, and their outputs are
// compared or voted on bits. Replicas are steps of their own, fenced from the optimiser.
#pragma once

#include <redoubt/kernel/vote.hpp>
#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/status.hpp>

#include <array>
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

/// Dual modular redundancy with one retry: two replicas are compared on bits; where any word differs, the layers run a
/// third time and the three are voted. Worst case three times the work and known at compile time; fault-free twice.
/// Equal faults in both replicas pass undetected.
template <class... Layers>
struct dmr : protection<Layers...> {
    static constexpr int replicas = 2;
    static constexpr int spares = 1;

    /// `detected` decides whether the spare runs.
    template <class Word>
    static void compare(const std::array<std::span<Word>, 2>& copies, fault_counters& count) {
        count.detected += kernel::count_different(copies[0].data(), copies[1].data(), copies[0].size());
    }
    template <class Word>
    static void vote(const std::array<std::span<Word>, 3>& copies, fault_counters& count) {
        // the comparison has counted these; where the spare alone is wrong, two had agreed
        const auto different = static_cast<std::uint32_t>(kernel::count_different(copies[0].data(), copies[1].data(), copies[0].size()));
        fault_counters seen;
        impl::vote_three(copies[0], copies[1], copies[2], seen);
        count.corrected += different - seen.uncorrected;
        count.uncorrected += seen.uncorrected;
    }
};

}  // namespace redoubt::inline v1
