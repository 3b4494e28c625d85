// SPDX-License-Identifier: MIT
// Stopping when the interval is short enough, with an error that holds at whatever trial that is.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/campaign/interval.hpp>
#include <redoubt/campaign/special.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace redoubt::campaign::inline REDOUBT_ABI {

/// ln of what a gambler owns who started with 1 and bet that the mean of `values` exceeds `mean`, in (0, 1], the average
/// over twelve gamblers: each stakes a fixed part f of what he has on every value x, which leaves him 1 - f + f x / mean of
/// it; f = 2^(-k/2), k = 0, ..., 11. Where the values' mean is `mean` the bets are fair.
inline double log_winnings(std::span<const double> values, double mean) {
    constexpr std::array<double, 2> halves{1.0, 0.70710678118654752440};
    constexpr double step = 0x1p400, log_step = 277.25887222397812377;  // 400 ln 2
    std::array<double, 12> logs{};
    double best = -std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < logs.size(); ++k) {
        double part = halves[k % 2];
        for (std::size_t half = 0; half < k / 2; ++half) part *= 0.5;
        const double kept = 1.0 - part, won = part / mean;
        double owned = 1.0, steps = 0.0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            owned *= std::fma(won, values[i], kept);
            if (i % 8 != 7) continue;
            if (owned > step) owned /= step, steps += 1.0;
            if (owned < 1.0 / step) owned *= step, steps -= 1.0;
        }
        logs[k] = std::fma(steps, log_step, natural_log(owned));
        best = std::max(best, logs[k]);
    }
    if (!(best > -std::numeric_limits<double>::infinity())) return best;
    double sum = 0.0;
    for (const double log : logs) sum += exponential(log - best);
    return best + natural_log(sum / static_cast<double>(logs.size()));
}

/// The smallest mean that the bets against smaller ones do not rule out with error probability `side`.
inline double lower_sequential_limit(std::span<const double> values, double side) {
    double mean = 0.0;
    for (const double v : values) mean += v / static_cast<double>(values.size());
    // Below a mean of 1e-12 nothing is ruled out, and at the values' own mean nothing is ever won.
    constexpr double least = 1e-12;
    if (mean <= least) return 0.0;
    const double log_goal = -natural_log(side);
    const auto excess = [&](double at) { return log_winnings(values, at) - log_goal; };
    const double at_least = excess(least);
    if (!(at_least > 0.0)) return 0.0;
    return falling_root(least, at_least, mean, -log_goal, excess);
}

/// A mean whose interval may be looked at after every trial, and the campaign stopped for whatever it says: with the
/// stated confidence all the intervals of an endless campaign hold the true mean at once, the one at the stop included.
///
/// Proven, for independent values in [0, 1] of one mean (or any whose mean given the earlier ones is that): were a bound
/// false, fair bets would have won 2 / (1 - confidence) times their stake, which by Ville's inequality (Étude critique de
/// la notion de collectif, 1939) has probability (1 - confidence) / 2 at most, over all looks together. Confidence
/// sequences by betting: Waudby-Smith and Ramdas, J. Royal Statistical Society B 86 (2024) 1; a fixed mixture of stakes
/// here, so that the order of the trials does not matter. For a number of trials fixed beforehand trial_interval is
/// shorter, by a third to a half.
///
/// Cost of bounds(): some 400 multiplications for each value. A NaN is a broken precondition.
class sequential_mean {
public:
    explicit sequential_mean(double confidence = 0.95) : side_{0.5 * (1.0 - confidence)} {
        REDOUBT_EXPECTS(confidence > 0.0 && confidence < 1.0);
    }

    /// Adds the rate of a trial, in [0, 1].
    void add(double value) {
        REDOUBT_EXPECTS(value >= 0.0 && value <= 1.0);
        values_.push_back(value);
        complements_.push_back(1.0 - value);
        sum_ += value;
    }

    std::size_t trials() const { return values_.size(); }

    /// The rate so far; 0 before the first trial.
    double rate() const { return values_.empty() ? 0.0 : std::min(1.0, sum_ / static_cast<double>(values_.size())); }

    /// The interval of the trials so far; [0, 1] before the first. It holds the rate so far.
    interval bounds() const {
        if (values_.empty()) return {};
        const double low = lower_sequential_limit(values_, side_), high = 1.0 - lower_sequential_limit(complements_, side_);
        return {std::min(low, rate()), std::max(high, rate())};
    }

private:
    double side_ = 0.025, sum_ = 0.0;
    std::vector<double> values_, complements_;
};

/// Whether an interval is at most two margins wide.
inline bool within(const estimate& e, double margin) {
    REDOUBT_EXPECTS(margin > 0.0);
    return e.bounds.high - e.bounds.low <= 2.0 * margin;
}

/// Whether an interval is at most two margins wide, the margin relative to the rate. False at rate 0, where a relative
/// margin is never reached: give a campaign a largest number of trials too.
inline bool within_relative(const estimate& e, double margin) {
    REDOUBT_EXPECTS(margin > 0.0);
    return e.rate > 0.0 && within(e, margin * e.rate);
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
