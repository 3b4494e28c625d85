// SPDX-License-Identifier: MIT
// From the failure probability of a fault to failures in the field, and from a curve over rates to one number.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/base/math.hpp>
#include <redoubt/campaign/interval.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

namespace redoubt::campaign::inline v1 {

/// How often one bit is upset: failures in time, which is events in 10^9 hours.
struct upset_rate {
    double fit_per_bit = 0.0;

    /// From FIT per megabit, as data sheets and JESD89 have it; a megabit is 10^6 bits here.
    static constexpr upset_rate per_megabit(double fit) { return {fit / 1e6}; }
    /// From upsets of one bit in an hour.
    static constexpr upset_rate per_bit_hour(double upsets) { return {upsets / 1e-9}; }
};

/// A failure rate in FIT and the mean time to failure in hours, with the intervals that the failure probability's gives.
/// The longest time belongs to the smallest rate; rate 0 gives an infinite time.
struct field_rate {
    double fit = 0.0, fit_low = 0.0, fit_high = 0.0;
    double hours = 0.0, hours_low = 0.0, hours_high = 0.0;
};

/// A point of a curve over bit error rates.
struct curve_point {
    double rate = 0.0;   ///< bit error rate, above 0
    double value = 0.0;  ///< say, accuracy
};

}  // namespace redoubt::campaign::inline v1

namespace redoubt::campaign::inline REDOUBT_ABI {

/// Mean time to failure in hours of a rate in FIT, failures coming independently at a constant rate; Inf for 0.
inline double mean_hours(double fit) {
    REDOUBT_EXPECTS(fit >= 0.0);
    return fit > 0.0 ? 1e9 / fit : std::numeric_limits<double>::infinity();
}

/// The failures in the field of a memory of `bits` bits, of which a share `failure` of upsets leads to failure. That share
/// is the architectural vulnerability factor (AVF): Mukherjee, Weaver, Emer, Reinhardt, Austin, MICRO 2003; here the
/// measured probability that a single fault, uniform over the fault space that `bits` counts, fails. FIT = bits * FIT per
/// bit * AVF. The interval is that of the AVF alone: the upset rate is taken as exact, and upsets as single, corrected
/// before the next comes (weights written back or the program restarted).
inline field_rate fit_of(const upset_rate& upsets, double bits, const estimate& failure) {
    REDOUBT_EXPECTS(upsets.fit_per_bit >= 0.0 && bits >= 0.0);
    REDOUBT_EXPECTS(failure.bounds.low >= 0.0 && failure.bounds.low <= failure.rate);
    REDOUBT_EXPECTS(failure.rate <= failure.bounds.high && failure.bounds.high <= 1.0);
    const double raw = upsets.fit_per_bit * bits;
    field_rate out;
    // As fma, so that a caller's sum cannot be contracted with a product.
    out.fit = std::fma(raw, failure.rate, 0.0);
    out.fit_low = std::fma(raw, failure.bounds.low, 0.0);
    out.fit_high = std::fma(raw, failure.bounds.high, 0.0);
    out.hours = mean_hours(out.fit);
    out.hours_low = mean_hours(out.fit_high);
    out.hours_high = mean_hours(out.fit_low);
    return out;
}

/// The mean height of a curve over the logarithm of the bit error rate, by trapezoids in log10(rate), over the span of
/// the rates: the area under the accuracy curve, between the curve's least and largest value. One decade counts as much as
/// another, so it depends on which rates were run: compare curves over the same ones only. At least two points, rates
/// above 0 and rising (a clean point has no logarithm: leave it out).
inline double area_under(std::span<const curve_point> curve) {
    REDOUBT_EXPECTS(curve.size() >= 2 && curve.front().rate > 0.0);
    constexpr double log_of_10 = 2.30258509299404568402;
    double area = 0.0, span = 0.0;
    for (std::size_t i = 1; i < curve.size(); ++i) {
        REDOUBT_EXPECTS(curve[i].rate > curve[i - 1].rate);
        const double width = natural_log(curve[i].rate / curve[i - 1].rate) / log_of_10;
        area = std::fma(width, 0.5 * (curve[i].value + curve[i - 1].value), area);
        span += width;
    }
    return area / span;
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
