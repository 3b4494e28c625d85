// SPDX-License-Identifier: MIT
// Confidence intervals of rates. All lie within [0, 1], hold the point estimate, and say something true at 0 % and
// 100 %, where the normal approximation claims a width of nothing.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/campaign/special.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace redoubt::campaign::inline v1 {

/// A range of rates, 0 to 1. The default is the one that no data gives.
struct interval {
    double low = 0.0;
    double high = 1.0;

    constexpr bool holds(double rate) const { return low <= rate && rate <= high; }
    constexpr bool operator==(const interval&) const = default;
};

/// A rate and its interval.
struct estimate {
    double rate = 0.0;
    interval bounds{};
};

}  // namespace redoubt::campaign::inline v1

namespace redoubt::campaign::inline REDOUBT_ABI {

/// The exact two-sided interval for k successes in n trials: Clopper and Pearson, Biometrika 26 (1934) 404. It holds
/// the true rate with at least the stated confidence at every rate. k and n may be any real numbers with 0 <= k <= n,
/// for effective sample sizes; n = 0 gives [0, 1].
inline interval clopper_pearson(double k, double n, double confidence = 0.95) {
    REDOUBT_EXPECTS(k >= 0.0 && k <= n && n <= 1e15);
    REDOUBT_EXPECTS(confidence > 0.0 && confidence < 1.0);
    interval bounds;
    if (n == 0.0) return bounds;
    const double rate = k / n, side = 0.5 * (1.0 - confidence);
    if (k > 0.0) bounds.low = std::min(rate, beta_quantile(side, k, n - k + 1.0));
    if (k < n) bounds.high = std::max(rate, beta_quantile(1.0 - side, k + 1.0, n - k));
    return bounds;
}

/// The score interval for k successes in n trials: Wilson, JASA 22 (1927) 209. Shorter than the exact one; it has the
/// stated confidence on average over rates, not at each. k and n as for clopper_pearson.
inline interval wilson(double k, double n, double confidence = 0.95) {
    REDOUBT_EXPECTS(k >= 0.0 && k <= n && n <= 1e15);
    REDOUBT_EXPECTS(confidence > 0.0 && confidence < 1.0);
    interval bounds;
    if (n == 0.0) return bounds;
    const double z = normal_quantile(0.5 + 0.5 * confidence), rate = k / n;
    const double size = std::fma(z, z, n);
    const double middle = std::fma(0.5 * z, z, k) / size;
    const double width = z * std::sqrt(std::fma(0.25 * z, z, k * ((n - k) / n))) / size;
    if (k > 0.0) bounds.low = std::clamp(middle - width, 0.0, rate);
    if (k < n) bounds.high = std::clamp(middle + width, rate, 1.0);
    return bounds;
}

/// The interval of a rate per image over trials of `images_per_trial` images each, where the images of a trial share
/// its fault pattern and so are no independent observations. The trial is the cluster: Korn and Graubard, Survey
/// Methodology 24 (1998) 193. The variance between trials gives the number of independent images that would scatter as
/// much, n_eff = p (1 - p) / var(mean), at most the images there are; (z / t)^2, with t of trials - 1 degrees, accounts
/// for that variance being an estimate; the result is Clopper and Pearson's at that size.
///
/// Where the rate is 0 or 1 there is no variance to see, and the trial is the unit: as many observations as trials. One
/// trial tells nothing of the scatter and counts as one observation; none gives [0, 1].
///
/// For comparison: what no trial has met does not widen it, so that a catastrophe in one trial of a hundred is missed by
/// twenty trials five times in six, and then so is the true rate (docs/statistics.md counts it). The interval of a
/// campaign is trial_interval.
///
/// Each element of `successes` is the number of images of one trial that count, in [0, images_per_trial].
inline interval cluster_interval(std::span<const double> successes, double images_per_trial, double confidence = 0.95) {
    REDOUBT_EXPECTS(images_per_trial > 0.0);
    REDOUBT_EXPECTS(confidence > 0.0 && confidence < 1.0);
    if (successes.empty()) return {};
    const double trials = static_cast<double>(successes.size());
    double sum = 0.0;
    bool none = true, all = true;
    for (const double s : successes) {
        REDOUBT_EXPECTS(s >= 0.0 && s <= images_per_trial);
        sum += s;
        none = none && s == 0.0;
        all = all && s == images_per_trial;
    }
    if (none) return clopper_pearson(0.0, trials, confidence);
    if (all) return clopper_pearson(trials, trials, confidence);

    const double images = trials * images_per_trial, rate = std::min(1.0, sum / images);
    if (successes.size() == 1) return clopper_pearson(rate, 1.0, confidence);
    double squares = 0.0;
    for (const double s : successes) {
        const double off = s / images_per_trial - rate;
        squares = std::fma(off, off, squares);
    }
    const double variance = squares / ((trials - 1.0) * trials);
    const double scatter = rate * (1.0 - rate);
    double effective = variance * images > scatter ? scatter / variance : images;
    const double upper = 0.5 + 0.5 * confidence;
    const double shrink = normal_quantile(upper) / student_quantile(upper, trials - 1.0);
    effective *= std::min(1.0, shrink * shrink);

    // A quotient, for a product here could be contracted with the sums it goes into.
    interval bounds = clopper_pearson(effective / (images / sum), effective, confidence);
    bounds.low = std::min(bounds.low, rate);
    bounds.high = std::max(bounds.high, rate);
    return bounds;
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
