// SPDX-License-Identifier: MIT
#include <redoubt/campaign/paired.hpp>

#include "support/catch.hpp"
#include "support/coverage.hpp"

#include <cmath>
#include <vector>

using namespace redoubt;
using namespace redoubt::campaign;

TEST_CASE("McNemar's exact test equals sums of binomial probabilities", "[campaign][paired]") {
    CHECK(mcnemar(0, 0) == 1.0);
    CHECK(mcnemar(7, 7) == 1.0);
    CHECK(mcnemar(6, 0) == Approx(2.0 / 64.0).epsilon(1e-12));
    CHECK(mcnemar(0, 6) == mcnemar(6, 0));
    CHECK(mcnemar(9, 1) == Approx(22.0 / 1024.0).epsilon(1e-12));
    CHECK(mcnemar(5, 4) == Approx(1.0));
    for (const int n : {3, 12, 25}) {
        for (int k = 0; 2 * k < n; ++k) {
            double tail = 0.0;
            for (int j = 0; j <= k; ++j) tail += std::exp(std::lgamma(n + 1.0) - std::lgamma(j + 1.0) - std::lgamma(n - j + 1.0));
            CHECK(mcnemar(k, n - k) == Approx(std::min(1.0, 2.0 * std::ldexp(tail, -n))).epsilon(1e-10));
        }
    }
}

TEST_CASE("single faults are compared within pairs", "[campaign][paired]") {
    CHECK(compare_faults(0, 0, 0).bounds == interval{-1.0, 1.0});
    const paired_difference none = compare_faults(1000, 0, 0);
    CHECK(none.difference == 0.0);
    CHECK(none.bounds.high == Approx(clopper_pearson(0, 1000, 0.975).high));
    CHECK(none.bounds.low == Approx(-none.bounds.high));
    CHECK(none.p_value == 1.0);

    const paired_difference some = compare_faults(1000, 40, 10), turned = compare_faults(1000, 10, 40);
    CHECK(some.difference == Approx(0.03));
    CHECK((some.bounds.low > 0.005 && some.bounds.low < 0.03 && some.bounds.high > 0.03 && some.bounds.high < 0.06));
    CHECK(turned.bounds.low == Approx(-some.bounds.high).epsilon(1e-9));
    CHECK(turned.bounds.high == Approx(-some.bounds.low).epsilon(1e-9));
    CHECK(compare_faults(5, 5, 0).bounds.high == 1.0);

    // Exact coverage over all outcomes of 12 pairs, with the three probabilities given.
    for (const auto& [first, second] : {std::pair{0.1, 0.1}, {0.3, 0.02}, {0.5, 0.4}, {0.9, 0.05}, {0.001, 0.0}}) {
        double covered = 0.0;
        for (int b = 0; b <= 12; ++b) {
            for (int c = 0; b + c <= 12; ++c) {
                const double ways = std::exp(std::lgamma(13.0) - std::lgamma(b + 1.0) - std::lgamma(c + 1.0) - std::lgamma(13.0 - b - c));
                const double weight = ways * std::pow(first, b) * std::pow(second, c) * std::pow(1.0 - first - second, 12 - b - c);
                const interval i = compare_faults(12, b, c).bounds;
                if (i.holds(first - second)) covered += weight;
            }
        }
        CAPTURE(first, second, covered);
        CHECK(covered >= 0.95);
    }
}

TEST_CASE("trials are compared within pairs", "[campaign][paired]") {
    CHECK(compare_trials({}, {}, 100.0).bounds == interval{-1.0, 1.0});
    std::vector<double> first, second;
    for (int t = 0; t < 40; ++t) {
        const double shared = t % 7 * 10.0;  // the faults' part, which cancels
        first.push_back(30.0 + shared + t % 2);
        second.push_back(25.0 + shared);
    }
    const paired_difference d = compare_trials(first, second, 100.0);
    CHECK(d.difference == Approx(0.055));
    CHECK(d.bounds.holds(0.055));
    CHECK(d.first_only == 40.0);
    CHECK(d.second_only == 0.0);
    CHECK(d.p_value == Approx(std::ldexp(1.0, -39)).epsilon(1e-9));
    // Shorter than the difference of two intervals apart.
    const interval a = trial_interval(first, 100.0), b = trial_interval(second, 100.0);
    CHECK(d.bounds.high - d.bounds.low < 0.75 * ((a.high - b.low) - (a.low - b.high)));

    const paired_difference same = compare_trials(first, first, 100.0);
    CHECK(same.difference == 0.0);
    CHECK(same.p_value == 1.0);
    CHECK(same.bounds.high == Approx(-same.bounds.low).epsilon(1e-9));
    CHECK(support::cover_paired({20, 0.1, 0.1}, 500, 5).coverage() >= 0.95);
}
