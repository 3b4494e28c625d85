// SPDX-License-Identifier: MIT
// What an inference reports besides its answer: detected faults are data, not errors.
#pragma once

#include <redoubt/nn/network.hpp>

#include <array>
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

/// Outputs of an inference and what was detected on the way.
template <network_type Net>
struct answer {
    std::array<float, static_cast<std::size_t>(Net::outputs)> logits{};
    redoubt::status<Net> status{};

    constexpr int top1() const { return top1_of(logits); }
};

}  // namespace redoubt::inline v1
