// SPDX-License-Identifier: MIT
#include <redoubt/campaign/summary.hpp>
#include <redoubt/campaign/trial_interval.hpp>

#include "support/catch.hpp"
#include "support/coverage.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace redoubt;
using namespace redoubt::campaign;

namespace {

constexpr std::array<double, 6> rates{0.0, 1e-4, 0.01, 0.3, 0.5, 1.0};

/// The least coverage over sizes and rates.
template <class Interval>
double least_coverage(Interval&& interval_of) {
    double least = 1.0;
    for (const int n : {1, 2, 5, 10, 20, 30, 100, 300, 664}) {
        for (const double rate : rates) least = std::min(least, support::binomial_coverage(n, rate, interval_of));
    }
    return least;
}

}  // namespace

TEST_CASE("Clopper-Pearson covers every rate and size; Wilson's less; the normal approximation fails", "[campaign][trial_interval]") {
    CHECK(least_coverage([](double k, double n) { return clopper_pearson(k, n); }) >= 0.95);

    const double wilson_least = least_coverage([](double k, double n) { return wilson(k, n); });
    CAPTURE(wilson_least);
    CHECK((wilson_least > 0.88 && wilson_least < 0.95));

    // What the check above would say of the interval that gives 0 failures in 664 a width of nothing.
    CHECK(support::wald(0.0, 664.0) == interval{0.0, 0.0});
    CHECK(least_coverage(support::wald) < 0.1);
    CHECK(clopper_pearson(0, 664, 0.99).high == Approx(0.008).epsilon(0.01));
}

TEST_CASE("the share above a point is that of known weighted means", "[campaign][trial_interval]") {
    std::vector<double> row;
    // One of two values, uniformly between them; of three, the triangle's density.
    CHECK(exceeding_share(std::vector<double>{0.2, 0.6}, 0.3, row) == Approx(0.75).epsilon(1e-14));
    CHECK(exceeding_share(std::vector<double>{0.0, 0.5, 1.0}, 0.25, row) == Approx(0.875).epsilon(1e-14));
    CHECK(exceeding_share(std::vector<double>{0.0, 0.5, 1.0}, 0.75, row) == Approx(0.125).epsilon(1e-14));
    CHECK(exceeding_share(std::vector<double>{0.4, 0.4}, 0.3, row) == 1.0);
    CHECK(exceeding_share(std::vector<double>{0.4, 0.4}, 0.4, row) == 0.0);
    // k ones and n - k zeros: a Beta(k, n - k).
    for (const int ones : {1, 4, 9}) {
        std::vector<double> values(10, 0.0);
        std::fill(values.end() - ones, values.end(), 1.0);
        for (const double at : {0.01, 0.3, 0.77}) {
            CHECK(exceeding_share(values, at, row) == Approx(1.0 - incomplete_beta(ones, 10 - ones, at)).epsilon(1e-11));
        }
    }
    // Against drawn weights.
    const std::vector<double> values{0.03, 0.2, 0.2, 0.5, 0.9, 0.91};
    random_stream random{5, {}};
    int above = 0;
    for (int i = 0; i < 40000; ++i) {
        double sum = 0.0, weights = 0.0;
        for (const double v : values) {
            const double w = -natural_log(random.unit());
            sum += w * v, weights += w;
        }
        above += sum > 0.4 * weights ? 1 : 0;
    }
    CHECK(std::abs(above / 40000.0 - exceeding_share(values, 0.4, row)) < 0.01);
}

TEST_CASE("the interval of zeros and ones is Clopper-Pearson's, and near it beside them", "[campaign][trial_interval]") {
    for (const std::size_t n : {1u, 2u, 20u, 100u}) {
        for (std::size_t k = 0; k <= n; k += std::max<std::size_t>(1, n / 7)) {
            std::vector<double> values(n, 0.0);
            std::fill_n(values.begin(), k, 1.0);
            const interval exact = clopper_pearson(static_cast<double>(k), static_cast<double>(n));
            CHECK(mean_interval(values) == exact);
            // The general way comes to the same where one value is off by nothing that matters.
            values[0] = k == 0 ? 1e-13 : 1.0 - 1e-13;
            const interval general = mean_interval(values);
            CAPTURE(n, k);
            CHECK(general.low == Approx(exact.low).margin(1e-9));
            CHECK(general.high == Approx(exact.high).margin(1e-9));
        }
    }
}

TEST_CASE("trial intervals at their edges", "[campaign][trial_interval]") {
    const std::vector<double> none(20, 0.0), all(20, 100.0), same(20, 93.0), one{37.0};
    CHECK(trial_interval({}, 100.0) == interval{0.0, 1.0});
    CHECK(trial_interval(none, 100.0) == clopper_pearson(0, 20));
    CHECK(trial_interval(all, 100.0) == clopper_pearson(20, 20));

    // One value v: v U and 1 - (1 - v) U with U uniform.
    const interval alone = trial_interval(one, 100.0);
    CHECK(alone.low == Approx(0.37 * 0.025).epsilon(1e-9));
    CHECK(alone.high == Approx(1.0 - 0.63 * 0.025).epsilon(1e-9));

    // Equal values leave room for as many catastrophes as zero failures in 20 do.
    const interval still = trial_interval(same, 100.0), unmet = clopper_pearson(0, 20);
    CHECK(still.low == Approx(0.93 * (1.0 - unmet.high)).epsilon(1e-9));
    CHECK(still.high == Approx(1.0 - 0.07 * (1.0 - unmet.high)).epsilon(1e-9));

    // In any order, the same bits; wider at more confidence; and the mirror image for the mirror image.
    std::vector<double> mixed{93, 10, 92, 94, 91.5, 93, 0, 100, 94, 95}, turned = mixed, mirror = mixed;
    std::rotate(turned.begin(), turned.begin() + 3, turned.end());
    CHECK(trial_interval(mixed, 100.0) == trial_interval(turned, 100.0));
    for (double& v : mirror) v = 100.0 - v;
    const interval i = trial_interval(mixed, 100.0), m = trial_interval(mirror, 100.0), wide = trial_interval(mixed, 100.0, 0.99);
    CHECK(m.low == Approx(1.0 - i.high).epsilon(1e-10));
    CHECK(m.high == Approx(1.0 - i.low).epsilon(1e-10));
    CHECK((wide.low < i.low && wide.high > i.high && i.holds(0.7625)));
    for (const double confidence : {0.01, 0.5, 0.999999}) CHECK(trial_interval(mixed, 100.0, confidence).holds(0.7625));

    // A campaign's row has it.
    std::vector<trial_result> trials(4);
    for (std::size_t t = 0; t < 4; ++t) trials[t].right = static_cast<std::uint32_t>(90 + t);
    const estimate e = estimate_of(trials, &trial_result::right, 100);
    CHECK(e.rate == Approx(0.915));
    CHECK(e.bounds == trial_interval(std::vector<double>{90, 91, 92, 93}, 100.0));
}

TEST_CASE("each end covers every distribution on two values, by summation", "[campaign][trial_interval]") {
    // Where the conjecture would fail first, if it did: two values, of which one may be rare.
    double least = 1.0;
    for (const std::size_t n : {1u, 2u, 3u, 7u, 20u}) {
        for (const auto& [a, b] : {std::pair{0.0, 0.5}, {0.0, 0.93}, {0.1, 0.93}, {0.5, 1.0}, {0.9, 1.0}, {0.4, 0.6}, {0.02, 0.03}}) {
            std::vector<interval> bounds;
            for (std::size_t k = 0; k <= n; ++k) {
                std::vector<double> values(n, a);
                std::fill_n(values.begin(), k, b);
                bounds.push_back(mean_interval(values));
            }
            for (int step = 0; step <= 200; ++step) {
                const double share = step / 200.0, truth = a + share * (b - a);
                double below = 0.0, above = 0.0;
                for (std::size_t k = 0; k <= n; ++k) {
                    const auto yes = static_cast<double>(k), no = static_cast<double>(n - k);
                    const double ways = std::exp(log_gamma(yes + no + 1.0) - log_gamma(yes + 1.0) - log_gamma(no + 1.0));
                    const double weight = ways * std::pow(share, yes) * std::pow(1.0 - share, no);
                    if (truth >= bounds[k].low - 1e-11) below += weight;
                    if (truth <= bounds[k].high + 1e-11) above += weight;
                }
                least = std::min({least, below, above});
            }
        }
    }
    CAPTURE(least);
    CHECK(least >= 0.975 - 1e-11);
}

TEST_CASE("each end covers distributions on three values, by summation", "[campaign][trial_interval]") {
    // Values and probabilities drawn, the probabilities by logarithms so that rare values come up.
    random_stream random{12, {}};
    const double factorial[] = {1.0, 1.0, 2.0, 6.0, 24.0, 120.0};
    double least = 1.0;
    for (int draw = 0; draw < 3000; ++draw) {
        const std::size_t n = 2 + static_cast<std::size_t>(random.below(4));
        std::array<double, 3> values{}, shares{};
        double sum = 0.0, truth = 0.0;
        for (double& v : values) v = draw % 3 == 0 ? std::floor(5.0 * random.unit()) / 5.0 : random.unit();
        for (double& p : shares) sum += p = std::pow(random.unit(), 3.0);
        for (std::size_t v = 0; v < 3; ++v) shares[v] /= sum, truth += shares[v] * values[v];
        double below = 0.0, above = 0.0;
        for (std::size_t i = 0; i <= n; ++i) {
            for (std::size_t j = 0; i + j <= n; ++j) {
                const std::size_t k = n - i - j;
                std::vector<double> trials(i, values[0]);
                trials.insert(trials.end(), j, values[1]);
                trials.insert(trials.end(), k, values[2]);
                const double ways = factorial[n] / (factorial[i] * factorial[j] * factorial[k]);
                const double weight = ways * std::pow(shares[0], static_cast<double>(i)) * std::pow(shares[1], static_cast<double>(j)) *
                                      std::pow(shares[2], static_cast<double>(k));
                const interval bounds = mean_interval(trials);
                if (truth >= bounds.low - 1e-11) below += weight;
                if (truth <= bounds.high + 1e-11) above += weight;
            }
        }
        least = std::min({least, below, above});
    }
    CAPTURE(least);
    CHECK(least >= 0.975 - 1e-11);
}

TEST_CASE("trial intervals cover where the cluster interval does not", "[campaign][trial_interval]") {
    const auto covered = support::cover_trials({20, 0.0, 0.02}, 1000, 1);
    CAPTURE(covered[0].coverage(), covered[1].coverage(), covered[2].coverage());
    CHECK(covered[0].coverage() >= 0.95);
    CHECK(covered[1].coverage() < 0.9);
    CHECK(covered[2].coverage() < 0.7);
}

TEST_CASE("trial intervals cover in every cell of a grid", "[.slow][campaign]") {
    for (const int trials : {20, 50}) {
        for (const double correlation : {0.0, 0.1, 0.5}) {
            for (const double collapse : {0.01, 0.03, 0.1, 0.5}) {
                const auto covered = support::cover_trials({trials, correlation, collapse}, 4000, 2);
                CAPTURE(trials, correlation, collapse, covered[0].coverage());
                // 94.5 % and three standard errors of 4000 campaigns.
                CHECK(covered[0].coverage() >= 0.945 - 0.0105);
                const support::tally pairs = support::cover_paired({trials, correlation, collapse}, 1000, 2);
                CHECK(pairs.coverage() >= 0.945);
            }
        }
    }
}
