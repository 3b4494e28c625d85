// SPDX-License-Identifier: MIT
// Two protections under the same faults: the difference is judged within pairs, where what both share cancels.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/campaign/interval.hpp>
#include <redoubt/campaign/special.hpp>
#include <redoubt/campaign/trial_interval.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace redoubt::campaign::inline v1 {

/// The difference of two rates, the first minus the second.
struct paired_difference {
    double difference = 0.0;
    interval bounds{-1.0, 1.0};  ///< of the difference, within [-1, 1]
    double first_only = 0.0;     ///< pairs in which the first is larger
    double second_only = 0.0;    ///< pairs in which the second is larger
    double p_value = 1.0;        ///< McNemar's exact, two-sided, of these two numbers
};

}  // namespace redoubt::campaign::inline v1

namespace redoubt::campaign::inline REDOUBT_ABI {

/// McNemar's exact test, two-sided: the probability, where both protections fail equally often, of pairs that differ
/// being split as unevenly as `first_only` to `second_only` or more so. McNemar, Psychometrika 12 (1947) 153, with the
/// binomial distribution in place of its approximation. Pairs that agree do not enter. Of trials instead of single
/// faults it is the sign test. 1 where no pair differs.
inline double mcnemar(double first_only, double second_only) {
    REDOUBT_EXPECTS(first_only >= 0.0 && second_only >= 0.0 && first_only <= 1e15 && second_only <= 1e15);
    const double fewer = std::min(first_only, second_only), more = std::max(first_only, second_only);
    if (fewer == more) return 1.0;
    return std::min(1.0, 2.0 * incomplete_beta(more, fewer + 1.0, 0.5));
}

/// Compares two protections by single faults, each of which fails or does not: of `pairs` faults, the number on which
/// only the first failed and the number on which only the second did.
///
/// The difference of failure rates is d (2 s - 1), d the rate of pairs that differ and s the first's share of them; the
/// interval is made of the exact ones of d and s, each with half the error. So it is proven to cover, at the cost of being
/// about a fifth longer than approximate ones; where no pair differs it is the room for d, both ways. No pairs give [-1, 1].
inline paired_difference compare_faults(double pairs, double first_only, double second_only, double confidence = 0.95) {
    REDOUBT_EXPECTS(first_only >= 0.0 && second_only >= 0.0 && first_only + second_only <= pairs);
    REDOUBT_EXPECTS(confidence > 0.0 && confidence < 1.0);
    if (pairs == 0.0) return {};
    const double each = 0.5 + 0.5 * confidence, differing = first_only + second_only;
    const interval d = clopper_pearson(differing, pairs, each), s = clopper_pearson(first_only, differing, each);
    const double least = 2.0 * (s.low - 0.5), most = 2.0 * (s.high - 0.5);
    paired_difference outcome{(first_only - second_only) / pairs, {}, first_only, second_only, mcnemar(first_only, second_only)};
    // As fma, so that a caller's sum cannot be contracted with a product.
    outcome.bounds.low = std::fma(least, least < 0.0 ? d.high : d.low, 0.0);
    outcome.bounds.high = std::fma(most, most > 0.0 ? d.high : d.low, 0.0);
    return outcome;
}

/// Compares two protections by trials of `images_per_trial` images under the same faults; `first` and `second` hold the
/// number of images of each trial that count, trial by trial. The interval is mean_interval's of the trials' differences,
/// scaled from [-1, 1], with what is proven and conjectured there. It leaves room for a difference of a whole trial that
/// was not met, so it is long for few trials; whether the sign is certain, p_value says sooner. No trials give [-1, 1].
inline paired_difference compare_trials(std::span<const double> first, std::span<const double> second,
                                        double images_per_trial, double confidence = 0.95) {
    REDOUBT_EXPECTS(first.size() == second.size());
    REDOUBT_EXPECTS(images_per_trial > 0.0);
    if (first.empty()) return {};
    paired_difference outcome;
    std::vector<double> scaled;
    double sum = 0.0;
    for (std::size_t i = 0; i < first.size(); ++i) {
        REDOUBT_EXPECTS(first[i] >= 0.0 && first[i] <= images_per_trial);
        REDOUBT_EXPECTS(second[i] >= 0.0 && second[i] <= images_per_trial);
        const double off = first[i] - second[i];
        sum += off;
        if (off > 0.0) outcome.first_only += 1.0;
        if (off < 0.0) outcome.second_only += 1.0;
        scaled.push_back(0.5 + 0.5 * (off / images_per_trial));
    }
    const interval half = mean_interval(scaled, confidence);
    outcome.difference = sum / images_per_trial / static_cast<double>(first.size());
    outcome.bounds = {std::min(outcome.difference, 2.0 * (half.low - 0.5)),
                      std::max(outcome.difference, 2.0 * (half.high - 0.5))};
    outcome.p_value = mcnemar(outcome.first_only, outcome.second_only);
    return outcome;
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
