// SPDX-License-Identifier: MIT
// Faults drawn by strata, say layer by bit position, and put together again with the strata's exact sizes.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/campaign/interval.hpp>
#include <redoubt/campaign/special.hpp>

#include <algorithm>
#include <cmath>
#include <span>

namespace redoubt::campaign::inline v1 {

/// A part of a fault space, and what single faults in it did.
struct stratum {
    double size = 0.0;      ///< bits of the fault space that belong to it
    double faults = 0.0;    ///< how many were struck, one at a time
    double failures = 0.0;  ///< how many of these counted
};

}  // namespace redoubt::campaign::inline v1

namespace redoubt::campaign::inline REDOUBT_ABI {

/// The failure rate of the whole fault space, sum of W_h failures_h / faults_h with W_h = size_h / sum of sizes, and its
/// interval. Every stratum with a size has faults.
///
/// Each of the n faults is an observation of W_h n / faults_h where it failed and of 0 where not, the mean of which is the
/// rate; the interval is that of a weighted mean with one more observation, the largest possible at the upper end and 0
/// at the lower, by the Beta distribution with the mean and variance that uniformly random weights give (those of
/// mean_interval). It is Fay and Feuer's interval of standardised rates, Statistics in Medicine 16 (1997) 791, with a
/// Beta in place of their gamma distribution. With faults in proportion to sizes it is Clopper and Pearson's; without
/// failures its upper end is that of the stratum with the fewest faults for its size, as if all failures could be there.
/// Its coverage is simulated, not proven (docs/statistics.md). Above a rate of 1/2 it is taken from the successes, so
/// that it is right at 1 too. It counts the scatter between strata as if the draw had been without them, and so is
/// long where strata differ much.
inline estimate stratified_estimate(std::span<const stratum> strata, double confidence = 0.95) {
    REDOUBT_EXPECTS(confidence > 0.0 && confidence < 1.0);
    double size = 0.0, faults = 0.0, rate = 0.0, largest = 0.0;
    for (const stratum& s : strata) {
        REDOUBT_EXPECTS(s.size >= 0.0 && s.failures >= 0.0 && s.failures <= s.faults);
        REDOUBT_EXPECTS(s.faults > 0.0 || s.size == 0.0);
        size += s.size;
        if (s.size > 0.0) faults += s.faults;
    }
    if (!(size > 0.0)) return {};
    for (const stratum& s : strata) {
        if (s.size == 0.0) continue;
        rate = std::fma(s.size / size, s.failures / s.faults, rate);
        largest = std::max(largest, s.size / size * (faults / s.faults));
    }
    rate = std::min(rate, 1.0);

    // Sums of the observations over the largest possible one, and of their squares; of successes above 1/2.
    const bool mirrored = rate > 0.5;
    double sum = 0.0, squares = 0.0;
    for (const stratum& s : strata) {
        if (s.size == 0.0) continue;
        const double value = s.size / size * (faults / s.faults) / largest;
        const double times = mirrored ? s.faults - s.failures : s.failures;
        sum = std::fma(value, times, sum);
        squares = std::fma(value * value, times, squares);
    }
    const double side = 0.5 * (1.0 - confidence), count = faults + 1.0;
    const auto limit = [&](double extra, double p) {
        const double mean = (sum + extra) / count, square = (squares + extra) / count;
        const double room = mean * (1.0 - mean), variance = std::fma(-mean, mean, square);
        if (!(mean > 0.0 && mean < 1.0 && variance > 0.0)) return mean > 0.0 ? 1.0 : 0.0;
        // Uniform weights: the mean's variance is that of the values over count + 1, and a Beta's is room / (a + b + 1).
        const double inverse = variance / std::fma(room, count + 1.0, -variance);
        return std::min(1.0, beta_quantile(p, mean / inverse, (1.0 - mean) / inverse) / (1.0 / largest));
    };
    const double own = mirrored ? 1.0 - rate : rate;
    const double low = std::min(own, limit(0.0, side)), high = std::max(own, limit(1.0, 1.0 - side));
    if (mirrored) return {rate, {1.0 - high, 1.0 - low}};
    return {rate, {low, high}};
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
