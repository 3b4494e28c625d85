// SPDX-License-Identifier: MIT
// NaN and numbers out of range are broken preconditions of every statistic, never an interval.
#include <redoubt/campaign/fit.hpp>
#include <redoubt/campaign/interval.hpp>
#include <redoubt/campaign/paired.hpp>
#include <redoubt/campaign/planning.hpp>
#include <redoubt/campaign/sequential.hpp>
#include <redoubt/campaign/stratified.hpp>
#include <redoubt/campaign/trial_interval.hpp>

#include <cstdio>
#include <limits>
#include <vector>

namespace {

int let_through = 0;

template <class Call>
void must_throw(const char* what, Call&& call) {
    try {
        call();
    } catch (const redoubt::contract_error&) {
        return;
    }
    std::printf("let through: %s\n", what);
    ++let_through;
}

}  // namespace

#define MUST_THROW(expression) must_throw(#expression, [&] { static_cast<void>(expression); })

int main() {
    using namespace redoubt::campaign;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> bad{0.5, nan, 0.5}, good{0.5, 0.5, 0.5}, much{0.5, 1.5}, short_one{0.5};
    sequential_mean mean;
    MUST_THROW(clopper_pearson(nan, 10.0));
    MUST_THROW(clopper_pearson(3.0, nan));
    MUST_THROW(clopper_pearson(3.0, 10.0, nan));
    MUST_THROW(wilson(11.0, 10.0));
    MUST_THROW(cluster_interval(bad, 1.0));
    MUST_THROW(mean_interval(bad));
    MUST_THROW(mean_interval(much));
    MUST_THROW(mean_interval(good, nan));
    MUST_THROW(mean_interval(good, 1.0));
    MUST_THROW(trial_interval(bad, 1.0));
    MUST_THROW(trial_interval(good, nan));
    MUST_THROW(trial_interval(good, 0.0));
    MUST_THROW(mean.add(nan));
    MUST_THROW(mean.add(-0.1));
    MUST_THROW(sequential_mean(nan));
    MUST_THROW(within({0.5, {}}, nan));
    MUST_THROW(mcnemar(nan, 1.0));
    MUST_THROW(compare_faults(3.0, 2.0, 2.0));
    MUST_THROW(compare_faults(nan, 0.0, 0.0));
    MUST_THROW(compare_trials(good, bad, 1.0));
    MUST_THROW(compare_trials(good, short_one, 1.0));
    MUST_THROW(sample_size({.margin = nan}));
    MUST_THROW(sample_size({.population = 0.0}));
    MUST_THROW(zero_failure_bound(nan));
    MUST_THROW(rule_of_three(nan));
    MUST_THROW(faults_without_failure(nan));
    MUST_THROW(trials_for_margin(nan));
    MUST_THROW(trials_for_margin(0.1, 0.6));
    MUST_THROW(stratified_estimate(std::vector<stratum>{{10.0, 0.0, 0.0}}));
    MUST_THROW(stratified_estimate(std::vector<stratum>{{10.0, 5.0, nan}}));
    MUST_THROW(stratified_estimate(std::vector<stratum>{{nan, 5.0, 1.0}}));
    MUST_THROW(fit_of({nan}, 1.0, {0.5, {}}));
    MUST_THROW(fit_of({1.0}, 1.0, {nan, {}}));
    MUST_THROW(mean_hours(nan));
    MUST_THROW(area_under(std::vector<curve_point>{{1e-3, 1.0}}));
    MUST_THROW(area_under(std::vector<curve_point>{{0.0, 1.0}, {1e-3, 1.0}}));
    MUST_THROW(area_under(std::vector<curve_point>{{1e-3, 1.0}, {1e-4, 1.0}}));
    if (let_through == 0) std::printf("all caught\n");
    return let_through == 0 ? 0 : 1;
}
