// SPDX-License-Identifier: MIT
// How many faults or trials a statement needs, asked before the campaign.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/campaign/special.hpp>

#include <cmath>
#include <limits>

namespace redoubt::campaign::inline v1 {

/// What a campaign of single faults is to say: a failure rate to within `margin` (0.01 is one point of percent).
struct sample_plan {
    double margin = 0.01;
    double confidence = 0.95;
    double population = std::numeric_limits<double>::infinity();  ///< faults in the space, drawn without repetition
    double rate = 0.5;                                            ///< expected failure rate; 0.5 is the worst
};

}  // namespace redoubt::campaign::inline v1

namespace redoubt::campaign::inline REDOUBT_ABI {

/// The number of faults of the literature of statistical fault injection: n = N / (1 + e^2 (N - 1) / (z^2 p (1 - p))),
/// rounded up, with N = population, e = margin, p = rate. Leveugle, Calvez, Maistri, Vanhauwaert, "Statistical fault
/// injection: quantified error and confidence", DATE 2009. It rests on the normal approximation: far from p = 0.5 it
/// plans too few (at rate 0 none), and the interval of what was measured is clopper_pearson's all the same. At least 1.
inline double sample_size(const sample_plan& plan) {
    REDOUBT_EXPECTS(plan.margin > 0.0 && plan.margin < 1.0);
    REDOUBT_EXPECTS(plan.confidence > 0.0 && plan.confidence < 1.0);
    REDOUBT_EXPECTS(plan.population >= 1.0);
    REDOUBT_EXPECTS(plan.rate >= 0.0 && plan.rate <= 1.0);
    const double z = normal_quantile(0.5 + 0.5 * plan.confidence);
    const double unlimited = z * z * plan.rate * (1.0 - plan.rate) / (plan.margin * plan.margin);
    if (unlimited == 0.0) return 1.0;
    // N / (1 + (N - 1) / unlimited), in a form that infinity passes through.
    const double inverse = 1.0 / unlimited + (1.0 - 1.0 / unlimited) / plan.population;
    // A whole number stays one: 1e-9 is less than rounding's share of what is rounded up.
    return std::fmax(1.0, std::ceil(1.0 / inverse - 1e-9));
}

/// The largest failure rate that no failure in n faults leaves room for, one-sided: 1 - (1 - confidence)^(1/n). Exact.
/// n = 0 gives 1.
inline double zero_failure_bound(double n, double confidence = 0.95) {
    REDOUBT_EXPECTS(n >= 0.0);
    REDOUBT_EXPECTS(confidence > 0.0 && confidence < 1.0);
    if (n == 0.0) return 1.0;
    const double power = log_complement(confidence) / n;
    return power > -1e-5 ? -std::fma(0.5 * power, power, power) : 1.0 - exponential(power);
}

/// 3 / n, the bound above for 95 % as one does it in the head: Hanley and Lippman-Hand, JAMA 249 (1983) 1743. Always a
/// little more than the exact bound. At most 1.
inline double rule_of_three(double n) {
    REDOUBT_EXPECTS(n >= 0.0);
    return n > 3.0 ? 3.0 / n : 1.0;
}

/// The number of faults without a failure that shows a failure rate below `rate`, in (0, 1): the inverse of
/// zero_failure_bound, rounded up.
inline double faults_without_failure(double rate, double confidence = 0.95) {
    REDOUBT_EXPECTS(rate > 0.0 && rate < 1.0);
    REDOUBT_EXPECTS(confidence > 0.0 && confidence < 1.0);
    return std::fmax(1.0, std::ceil(log_complement(confidence) / log_complement(rate) - 1e-9));
}

/// The number of trials for which trial_interval is about two margins wide, where the rates of trials scatter with
/// standard deviation `deviation` (0.5 is the worst). Two parts add, as squares: the scatter's, z deviation / sqrt(n), and
/// that of trials not met, ln(2 / (1 - confidence)) / (2 n), which is there without any scatter. A rule of ours, within an
/// eighth of what trials that scatter evenly then give; a few catastrophes scatter less evenly, so it is no promise.
inline double trials_for_margin(double margin, double deviation = 0.5, double confidence = 0.95) {
    REDOUBT_EXPECTS(margin > 0.0 && margin < 1.0);
    REDOUBT_EXPECTS(deviation >= 0.0 && deviation <= 0.5);
    REDOUBT_EXPECTS(confidence > 0.0 && confidence < 1.0);
    const double scatter = std::fma(normal_quantile(0.5 + 0.5 * confidence), deviation, 0.0);
    const double unmet = -0.5 * natural_log(0.5 * (1.0 - confidence));
    // (margin n)^2 = scatter^2 n + unmet^2, solved for n.
    const double half = 0.5 * scatter * scatter, reach = margin * unmet;
    const double root = std::sqrt(std::fma(half, half, reach * reach));
    return std::fmax(1.0, std::ceil(std::fma(0.5 * scatter, scatter, root) / (margin * margin) - 1e-9));
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
