// SPDX-License-Identifier: MIT
// What an inference reports besides its answer: detected faults are data, not errors.
#pragma once

#include <redoubt/nn/network.hpp>

#include <array>
#include <concepts>
#include <cstdint>

namespace redoubt::inline v1 {

/// Counts of one step. A fault is counted where it is seen, so one fault may count in several steps.
struct fault_counters {
    std::uint32_t detected = 0;      ///< words or blocks that failed a comparison, vote or checksum
    std::uint32_t corrected = 0;     ///< of those, put right
    std::uint32_t uncorrected = 0;   ///< of those, not put right
    std::uint32_t out_of_range = 0;  ///< words outside their bounds, replaced

    constexpr fault_counters& operator+=(const fault_counters& o) {
        detected += o.detected;
        corrected += o.corrected;
        uncorrected += o.uncorrected;
        out_of_range += o.out_of_range;
        return *this;
    }
    /// So many more were found, `lost` of them not put right.
    constexpr void add_found(std::uint32_t found, std::uint32_t lost) {
        detected += found;
        corrected += found - lost;
        uncorrected += lost;
    }
    constexpr bool operator==(const fault_counters&) const = default;
};

/// Counters of every step of one inference.
template <network_type Net>
struct status {
    std::array<fault_counters, static_cast<std::size_t>(Net::table.step_count)> steps{};

    constexpr fault_counters total() const {
        fault_counters sum;
        for (const fault_counters& c : steps) sum += c;
        return sum;
    }
    /// Nothing was detected, or all of it was put right.
    constexpr bool trustworthy() const { return total().uncorrected == 0; }
};

/// What an inference may change besides the workspace: how far the last scrub came and what was counted so far.
template <network_type Net>
struct state {
    std::uint64_t inferences = 0;
    std::uint64_t scrubs = 0;
    fault_counters total{};
    std::uint32_t untrustworthy_in_a_row = 0;  ///< inferences up to the last one that were not trustworthy or were stopped: the watchdog's count
    std::int32_t next_scrub = 0;               ///< layer with parameters that scrub_next() looks at

    /// Counts one inference, finished or stopped by a watch.
    constexpr void tally(const status<Net>& report, bool finished = true) {
        ++inferences;
        total += report.total();
        untrustworthy_in_a_row = report.trustworthy() && finished ? 0 : untrustworthy_in_a_row + 1;
    }
};

/// What a watch decides after a step.
enum class decision {
    go_on,
    recompute,  ///< the step once more; after `recomputations` of them in a step it counts as stop
    stop,       ///< leave the inference: the answer is none
};

/// Sees the counters of each step just after it has run and decides what a safe system does next. Its
/// `static constexpr int recomputations` bounds those of one step, and so the time of an inference.
template <class W>
concept step_watch = requires(W& watch, int step, const fault_counters& count) {
    { W::recomputations } -> std::convertible_to<int>;
    { watch(step, count) } -> std::same_as<decision>;
};

/// No answer: every output is NaN.
inline constexpr int no_class = -1;

/// Index of the largest number; NaN never wins, the first of equals does, no_class if all are NaN.
template <class Range>
constexpr int top1_of(const Range& outputs) {
    int best = no_class, i = 0;
    for (float v : outputs) {
        if (!is_nan(v) && (best == no_class || v > outputs[static_cast<std::size_t>(best)])) best = i;
        ++i;
    }
    return best;
}

/// Outputs of an inference and what was detected on the way. All outputs of one that a watch has stopped are NaN.
template <network_type Net>
struct answer {
    std::array<float, static_cast<std::size_t>(Net::outputs)> logits{};
    redoubt::status<Net> status{};
    std::int32_t stopped_at = -1;  ///< the step after which a watch stopped it

    constexpr int top1() const { return top1_of(logits); }
};

}  // namespace redoubt::inline v1
