// SPDX-License-Identifier: MIT
// The interval of a mean over trials, whatever the distribution of a trial between 0 and 1: also where one trial in a
// hundred is a catastrophe, which none of the twenty seen happened to be.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/campaign/interval.hpp>
#include <redoubt/campaign/special.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace redoubt::campaign::inline REDOUBT_ABI {

/// The probability that a mean of `values` under random weights exceeds `at`, where the weights are uniform on the
/// simplex: the spacings of uniform random numbers, Dirichlet(1, ..., 1). The values are in rising order; none gives 0.
///
/// That probability is the divided difference of max(x - at, 0)^n over the n + 1 values, for which de Boor's recurrence
/// of B-splines (J. Approx. Theory 6 (1972) 50) has positive terms only. With S(i, j) for the i values nearest below
/// `at` and the j nearest above it, and l and h the distances of the last of each from it,
/// S(i, j) = (h S(i - 1, j) + l S(i, j - 1)) / (l + h), S(0, j) = 1 and S(i, 0) = 0. Good to some thirteen digits. Cost:
/// one division for each pair of a value below and a value above. `row` is scratch.
inline double exceeding_share(std::span<const double> values, double at, std::vector<double>& row) {
    const auto above = static_cast<std::size_t>(std::upper_bound(values.begin(), values.end(), at) - values.begin());
    row.assign(values.size() - above, 1.0);
    for (std::size_t i = above; i-- > 0;) {
        const double below = at - values[i];
        double share = 0.0;
        for (std::size_t j = 0; j < row.size(); ++j) {
            const double distance = values[above + j] - at;
            share = std::fma(distance / (below + distance), row[j] - share, share);
            row[j] = share;
        }
    }
    return row.empty() ? 0.0 : row.back();
}

/// The largest mean that `values`, in rising order and in [0, 1], leave room for with error probability `side`: the
/// (1 - side) quantile of their randomly weighted mean, a 1 added to them.
inline double upper_mean_limit(std::span<const double> values, double side) {
    std::vector<double> with_one(values.begin(), values.end()), row;
    with_one.push_back(1.0);
    const double log_side = natural_log(side);
    const auto room = [&](double at) {
        const double share = exceeding_share(with_one, at, row);
        return share > 0.0 ? natural_log(share) - log_side : -40.0;
    };
    const double size = static_cast<double>(with_one.size());
    double middle = 0.0, squares = 0.0;
    for (const double v : with_one) middle += v / size;
    for (const double v : with_one) squares = std::fma(v - middle, v - middle, squares);
    const double deviation = std::sqrt(squares / size / (size + 1.0));

    double low = with_one.front(), high = 1.0, low_room = -log_side, high_room = -40.0;
    for (const double far : {2.0, 3.0}) {
        const double at = std::fma(far, deviation, middle);
        if (!(at > low && at < high)) continue;
        const double value = room(at);
        if (value > 0.0) low = at, low_room = value;
        if (value < 0.0) high = at, high_room = value;
    }
    return falling_root(low, low_room, high, high_room, room);
}

/// The interval of a mean of independent values with one distribution in [0, 1], about which nothing else is assumed:
/// Gaffke, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative variable",
/// Mathematical Methods of Statistics 14 (2005) 451; Learned-Miller and Thomas, arXiv 1905.06208. Its ends are quantiles
/// of the values' mean under uniformly random weights, a 0 added to them below and a 1 above.
///
/// For values that are 0 or 1 it is Clopper and Pearson's, and so proven to cover at every rate and size. For other
/// distributions its coverage is conjectured, without a proof or a counterexample; docs/statistics.md has what was
/// summed exactly and what was simulated. The price of assuming nothing: n equal values v leave room down to
/// v (side)^(1/n), since a share of up to 1 - side^(1/n) of the trials may be 0 without one of n having been.
///
/// No values give [0, 1]. A NaN among them is a broken precondition. The order of the values does not matter. Cost: for
/// n values some 20 n^2 / 4 divisions at most: below a millisecond up to n = 200, tens of them for a thousand. Zeros and
/// ones alone take no longer than clopper_pearson.
inline interval mean_interval(std::span<const double> values, double confidence = 0.95) {
    REDOUBT_EXPECTS(confidence > 0.0 && confidence < 1.0);
    if (values.empty()) return {};
    std::vector<double> sorted(values.begin(), values.end());
    bool binary = true;
    for (const double v : sorted) {
        REDOUBT_EXPECTS(v >= 0.0 && v <= 1.0);
        binary = binary && (v == 0.0 || v == 1.0);
    }
    std::sort(sorted.begin(), sorted.end());
    double sum = 0.0;
    for (const double v : sorted) sum += v;
    const double size = static_cast<double>(sorted.size()), mean = std::min(1.0, sum / size);
    if (binary) return clopper_pearson(sum, size, confidence);

    const double side = 0.5 * (1.0 - confidence);
    interval bounds;
    bounds.high = std::max(mean, upper_mean_limit(sorted, side));
    std::reverse(sorted.begin(), sorted.end());
    for (double& v : sorted) v = 1.0 - v;
    bounds.low = std::min(mean, 1.0 - upper_mean_limit(sorted, side));
    return bounds;
}

/// The interval of a rate per image over trials of `images_per_trial` images each: the default of campaigns. The images
/// of a trial share its fault pattern in ways that nobody knows, so nothing is assumed of them: the trials' rates are
/// independent values in [0, 1], and the interval is mean_interval's. It is about the fixed set of images.
///
/// Each element of `successes` is the number of images of one trial that count, in [0, images_per_trial]. Where all are 0
/// (or all are full) it is Clopper and Pearson's for as many observations as trials.
inline interval trial_interval(std::span<const double> successes, double images_per_trial, double confidence = 0.95) {
    REDOUBT_EXPECTS(images_per_trial > 0.0);
    std::vector<double> rates;
    rates.reserve(successes.size());
    for (const double s : successes) {
        REDOUBT_EXPECTS(s >= 0.0 && s <= images_per_trial);
        rates.push_back(s / images_per_trial);
    }
    return mean_interval(rates, confidence);
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
