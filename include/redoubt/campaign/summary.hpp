// SPDX-License-Identifier: MIT
// From trials to the row of a table: rates with intervals that are right at 0 % and 100 %.
#pragma once

#include <redoubt/base/result.hpp>
#include <redoubt/campaign/fit.hpp>
#include <redoubt/campaign/interval.hpp>
#include <redoubt/campaign/paired.hpp>
#include <redoubt/campaign/sequential.hpp>
#include <redoubt/campaign/stratified.hpp>
#include <redoubt/campaign/trial.hpp>
#include <redoubt/campaign/trial_interval.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace redoubt::campaign::inline v1 {

/// The trials of a cell whose one fault struck this bit of this layer.
struct place_summary {
    std::string_view layer;
    int bit = 0;
    std::uint64_t trials = 0;
    std::uint64_t changed = 0;  ///< images with SDC-1, over all of them
};

/// A finished cell.
struct cell_summary {
    std::string model, number, protection;
    cell_spec spec{};
    std::uint64_t site_bits = 0;
    double clean_accuracy = 0.0;
    double clean_top1_as_none = 1.0;  ///< images on which the fault-free answer is the unprotected network's
    estimate accuracy{}, sdc1{}, sdc5{}, sdc10{}, masked{}, critical{}, due{}, unusable{};
    std::uint64_t faults = 0, detected = 0, corrected = 0, uncorrected = 0, out_of_range = 0;
    std::vector<trial_result> trials;
    std::vector<place_summary> places;  ///< where each trial has one fault in the parameters
    std::optional<paired_difference> accuracy_gain, sdc1_gain;  ///< this network minus the unprotected one, under the same faults
    std::optional<field_rate> field;    ///< where a raw upset rate was given
    double time_factor = 1.0;
    double memory_factor = 1.0;
};

}  // namespace redoubt::campaign::inline v1

namespace redoubt::campaign::inline REDOUBT_ABI {

/// Trials past which the interval is sequential_mean's, half as long again but computed in their number, not its square.
inline constexpr std::size_t most_for_trial_interval = 1000;

/// Rate over all images and its interval, by how the trials were chosen: trial_interval, or past most_for_trial_interval
/// and where trials end by a rule (`stops`) that of sequential_mean; a stratified cell's is reweighted by the sizes of its `layers`' strata; an exhaustive one's is
/// the rate itself, for there is nothing left to be uncertain of.
inline estimate estimate_of(const std::vector<trial_result>& trials, std::uint32_t trial_result::* count, std::size_t images,
                            sampling by = sampling::uniform, const fault::strata& layers = {}, bool stops = false) {
    const auto per_trial = static_cast<double>(images);
    if (by == sampling::stratified) {
        REDOUBT_EXPECTS(layers.count() > 0);
        std::vector<stratum> parts(layers.count());
        for (std::size_t h = 0; h < parts.size(); ++h) parts[h].size = static_cast<double>(layers.size(h));
        for (std::size_t t = 0; t < trials.size(); ++t) {
            stratum& part = parts[layers.of_trial(t)];
            part.faults += 1.0;
            part.failures += static_cast<double>(trials[t].*count) / per_trial;
        }
        return stratified_estimate(parts);
    }
    std::vector<double> successes;
    sequential_mean running;
    double sum = 0.0;
    const bool many = stops || trials.size() > most_for_trial_interval;
    for (const trial_result& t : trials) {
        const auto n = static_cast<double>(t.*count);
        sum += n;
        if (by == sampling::exhaustive) continue;
        if (many) running.add(n / per_trial);
        else successes.push_back(n);
    }
    const double rate = sum / (per_trial * static_cast<double>(trials.size()));
    if (by == sampling::exhaustive) return {rate, {rate, rate}};
    if (many) {
        const interval bounds = running.bounds();
        return {rate, {std::min(bounds.low, rate), std::max(bounds.high, rate)}};
    }
    return {rate, trial_interval(successes, per_trial, 0.95)};
}

/// Sums up a cell; `layers` are those of a stratified one's strata.
inline void summarise(cell_summary& cell, std::size_t images, const fault::strata& layers = {}) {
    const auto of = [&](std::uint32_t trial_result::* count) {
        return estimate_of(cell.trials, count, images, cell.spec.by, layers, cell.spec.stop.asked());
    };
    cell.accuracy = of(&trial_result::right);
    cell.sdc1 = of(&trial_result::changed);
    cell.sdc5 = of(&trial_result::sdc5);
    cell.sdc10 = of(&trial_result::sdc10);
    cell.masked = of(&trial_result::masked);
    cell.critical = of(&trial_result::critical);
    cell.due = of(&trial_result::due);
    cell.unusable = of(&trial_result::unusable);
    for (const trial_result& t : cell.trials) {
        cell.faults += t.faults;
        cell.detected += t.detected;
        cell.corrected += t.corrected;
        cell.uncorrected += t.uncorrected;
        cell.out_of_range += t.out_of_range;
    }
}

/// The number of trials at which a cell with a stopping rule is looked at after `trials`: 20, then a quarter more each
/// time, 20 more at least.
constexpr int next_look(int trials, int most) { return std::min(most, trials == 0 ? 20 : trials + std::max(20, trials / 4)); }

/// Whether a cell may end with these trials.
inline bool may_stop(const stopping_rule& rule, const std::vector<trial_result>& trials, std::size_t images) {
    if (!rule.asked()) return false;
    const estimate e = estimate_of(trials, &trial_result::changed, images, sampling::uniform, {}, true);
    return (rule.margin <= 0.0 || within(e, rule.margin)) && (rule.relative <= 0.0 || within_relative(e, rule.relative));
}

/// Compares a cell with that of the unprotected network under the same faults, trial by trial. Not where trials end by a rule,
/// whose number depends on what came out, nor past most_for_trial_interval.
inline void compare_with(cell_summary& cell, const cell_summary& none, std::size_t images) {
    if (cell.spec.by != sampling::uniform || cell.spec.stop.asked() || cell.trials.size() != none.trials.size() ||
        cell.trials.size() > most_for_trial_interval)
        return;
    const auto of = [&](std::uint32_t trial_result::* count) {
        std::vector<double> here, there;
        for (const trial_result& t : cell.trials) here.push_back(static_cast<double>(t.*count));
        for (const trial_result& t : none.trials) there.push_back(static_cast<double>(t.*count));
        return compare_trials(here, there, static_cast<double>(images));
    };
    cell.accuracy_gain = of(&trial_result::right);
    cell.sdc1_gain = of(&trial_result::changed);
}

/// An error where faults were asked for and none came: by count, or where at least 20 were expected.
inline result<void> check_injected(const cell_summary& cell, std::size_t images) {
    if (cell.faults != 0 || cell.spec.faults.rate == 0.0) {
        if (cell.faults != 0 || cell.spec.faults.count == 0) return {};
    }
    const double draws = static_cast<double>(cell.trials.size()) *
                         (in_parameters(cell.spec.kind) ? 1.0 : static_cast<double>(images));
    const double expected = static_cast<double>(cell.site_bits) * cell.spec.faults.rate * draws;
    if (cell.spec.faults.count == 0 && expected < 20.0) return {};
    return error{"no fault was injected in cell "} << cell.model << " " << cell.number << " " << cell.protection << " "
                                                   << name_of(cell.spec.kind) << ", though some were asked for";
}

/// What the rate or count of a cell covers.
inline std::string covers_of(fault_kind kind, bool by_count = false) {
    if (by_count) return "the primary copy or first replica only";
    switch (kind) {
        case fault_kind::biases: return "biases of the primary copy";
        case fault_kind::scales: return "int8's scales of outputs and weights, 32 bits each";
        case fault_kind::bounds: return "the bounds of range restrictions";
        case fault_kind::macs: return "every multiply-add's accumulator, in every replica; padding not counted";
        case fault_kind::features: return "every replica's features; not votes, comparisons, bounds";
        case fault_kind::activations: return "every step's stored output, replicas included; not the image";
        default: return "weights in every copy and checksums; not biases, scales, bounds";
    }
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
