// SPDX-License-Identifier: MIT
// What became of a struck inference, beside the fault-free one.
#pragma once

#include <redoubt/base/math.hpp>
#include <redoubt/campaign/trial.hpp>

#include <cmath>
#include <cstring>
#include <span>

namespace redoubt::campaign::inline REDOUBT_ABI {

/// The output of a class after softmax over `outputs`; outputs that are shares already are taken as they are.
/// NaN where an output is NaN.
inline float score_of(std::span<const float> outputs, int winner, bool are_shares) {
    if (winner < 0) return from_word<float>(canonical_nan_word);
    const float own = outputs[static_cast<std::size_t>(winner)];
    if (are_shares) return own;
    float sum = 0.0f;
    for (float v : outputs) sum = sum + exponential(v - own);
    return 1.0f / sum;
}

/// Whether class `winner` is among the five largest outputs; NaN is never large.
inline bool in_top5(std::span<const float> outputs, int winner) {
    if (winner < 0) return false;
    const float own = outputs[static_cast<std::size_t>(winner)];
    if (is_nan(own)) return false;
    int larger = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i)
        larger += outputs[i] > own || (outputs[i] == own && i < static_cast<std::size_t>(winner)) ? 1 : 0;
    return larger < 5;
}

/// Adds one struck answer to a trial.
inline void count_outcome(trial_result& r, std::span<const float> outputs, const fault_counters& seen, bool are_shares,
                          std::size_t image, int label, const golden_run& golden) {
    const int right_class = golden.top1[image], top = top1_of(outputs);
    const float* const clean = golden.outputs.data() + image * outputs.size();
    const bool same = std::memcmp(outputs.data(), clean, outputs.size_bytes()) == 0;
    bool finite = true;
    for (float v : outputs) finite = finite && v - v == 0.0f;
    r.right += top == label ? 1u : 0u;
    r.masked += same ? 1u : 0u;
    r.changed += top != right_class ? 1u : 0u;
    r.unusable += finite ? 0u : 1u;
    r.due += seen.uncorrected != 0 ? 1u : 0u;
    r.critical += top != right_class && finite && seen.uncorrected == 0 ? 1u : 0u;
    if (!same) {
        r.sdc5 += in_top5(outputs, right_class) ? 0u : 1u;
        const float was = golden.scores[image], is = score_of(outputs, right_class, are_shares);
        r.sdc10 += std::fabs(is - was) <= 0.1f * was ? 0u : 1u;
    }
    r.detected += seen.detected;
    r.corrected += seen.corrected;
    r.uncorrected += seen.uncorrected;
    r.out_of_range += seen.out_of_range;
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
