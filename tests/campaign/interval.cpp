// SPDX-License-Identifier: MIT
#include <redoubt/base/philox.hpp>
#include <redoubt/campaign/interval.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

using namespace redoubt;
using namespace redoubt::campaign;

namespace {

bool near(double value, double expected, double tolerance = 5e-5) { return std::abs(value - expected) <= tolerance; }

bool near(const interval& i, double low, double high, double tolerance = 5e-5) {
    return near(i.low, low, tolerance) && near(i.high, high, tolerance);
}

}  // namespace

TEST_CASE("normal quantiles equal the tables", "[campaign][interval]") {
    const std::vector<std::pair<double, double>> table{{0.5, 0.0},         {0.75, 0.6744898},   {0.9, 1.2815516},
                                                       {0.95, 1.6448536},  {0.975, 1.9599640},  {0.99, 2.3263479},
                                                       {0.995, 2.5758293}, {0.9995, 3.2905267}, {0.999999, 4.7534243}};
    for (const auto& [p, z] : table) {
        CHECK(near(normal_quantile(p), z, 6e-8));
        CHECK(near(normal_quantile(1.0 - p), -z, 6e-8));
    }
    CHECK(normal_quantile(0.0) == -std::numeric_limits<double>::infinity());
    CHECK(normal_quantile(1.0) == std::numeric_limits<double>::infinity());
    // On both sides of the seam between series and fraction: twice the tail is libm's erfc.
    for (double x : {0.0, 0.1, 1.0, 2.49999, 2.5, 3.0, 6.0, 20.0}) {
        CHECK(2.0 * normal_tail(x) == Approx(std::erfc(x / std::sqrt(2.0))).epsilon(1e-12));
    }
}

TEST_CASE("Student quantiles equal the tables", "[campaign][interval]") {
    struct row { double freedom, t90, t95, t975, t995; };
    for (const row& r : {row{1, 3.0777, 6.3138, 12.7062, 63.6567}, row{2, 1.8856, 2.9200, 4.3027, 9.9248},
                         row{5, 1.4759, 2.0150, 2.5706, 4.0321}, row{10, 1.3722, 1.8125, 2.2281, 3.1693},
                         row{19, 1.3277, 1.7291, 2.0930, 2.8609}, row{30, 1.3104, 1.6973, 2.0423, 2.7500},
                         row{120, 1.2886, 1.6577, 1.9799, 2.6174}}) {
        CHECK(near(student_quantile(0.9, r.freedom), r.t90));
        CHECK(near(student_quantile(0.95, r.freedom), r.t95));
        CHECK(near(student_quantile(0.975, r.freedom), r.t975));
        CHECK(near(student_quantile(0.995, r.freedom), r.t995));
        CHECK(near(student_quantile(0.025, r.freedom), -r.t975));
        CHECK(near(student_quantile(0.5, r.freedom), 0.0));
    }
    CHECK(near(student_quantile(0.975, std::numeric_limits<double>::infinity()), 1.959964, 1e-6));
    CHECK(near(student_quantile(0.975, 1e7), 1.959964, 1e-6));
    CHECK(near(student_quantile(0.75, 1.0), 1.0, 1e-12));  // Cauchy
}

TEST_CASE("gamma and beta functions at known values", "[campaign][interval]") {
    CHECK(log_gamma(0.5) == Approx(0.5 * std::log(3.14159265358979323846)).epsilon(1e-14));
    CHECK(near(log_gamma(1.0), 0.0, 1e-14));
    for (double x : {0.01, 3.7, 15.9, 16.1, 100.0, 12345.6}) {
        CHECK(log_gamma(x) == Approx(std::lgamma(x)).epsilon(1e-13));
    }
    CHECK(incomplete_beta(2.0, 3.0, 0.5) == Approx(0.6875).epsilon(1e-13));
    CHECK(incomplete_beta(0.5, 0.5, 0.25) == Approx(1.0 / 3.0).epsilon(1e-13));
    CHECK(incomplete_beta(1.0, 50.0, 0.01) == Approx(1.0 - std::pow(0.99, 50.0)).epsilon(1e-13));
    CHECK(incomplete_beta(500.0, 500.0, 0.5) == Approx(0.5).epsilon(1e-11));
    CHECK(incomplete_beta(3.0, 4.0, 0.0) == 0.0);
    CHECK(incomplete_beta(3.0, 4.0, 1.0) == 1.0);
    for (double p : {1e-6, 0.025, 0.5, 0.975}) {
        for (auto [a, b] : {std::pair{0.3, 2.0}, std::pair{4.0, 17.0}, std::pair{900.0, 1100.5}}) {
            CHECK(incomplete_beta(a, b, beta_quantile(p, a, b)) == Approx(p).epsilon(1e-9));
        }
    }
}

TEST_CASE("Clopper-Pearson and Wilson equal published values", "[campaign][interval]") {
    // Table I of Newcombe, Statistics in Medicine 17 (1998) 857.
    CHECK(near(clopper_pearson(81, 263), 0.2527, 0.3676));
    CHECK(near(clopper_pearson(15, 148), 0.0578, 0.1617));
    CHECK(near(clopper_pearson(0, 20), 0.0000, 0.1684));
    CHECK(near(clopper_pearson(1, 29), 0.0009, 0.1776));
    CHECK(near(wilson(81, 263), 0.2553, 0.3662));
    CHECK(near(wilson(15, 148), 0.0624, 0.1605));
    CHECK(near(wilson(0, 20), 0.0000, 0.1611));
    CHECK(near(wilson(1, 29), 0.0061, 0.1718));
    CHECK(near(clopper_pearson(5, 10), 0.187086, 0.812914, 5e-7));
    CHECK(near(clopper_pearson(5, 10, 0.99), 0.1283, 0.8717));
    CHECK(near(wilson(5, 10), 0.236593, 0.763407, 5e-7));
}

TEST_CASE("intervals at 0 and 100 percent, and without data", "[campaign][interval]") {
    for (double n : {1.0, 2.0, 20.0, 1000.0, 1e6}) {
        // (1 - p)^n = 2.5 % has a closed form.
        const double edge = -std::expm1(std::log(0.025) / n);
        CHECK(clopper_pearson(0, n).low == 0.0);
        CHECK(clopper_pearson(0, n).high == Approx(edge).epsilon(1e-9));
        CHECK(clopper_pearson(n, n).high == 1.0);
        CHECK(clopper_pearson(n, n).low == Approx(1.0 - edge).epsilon(1e-9));
        CHECK(wilson(0, n).low == 0.0);
        CHECK(wilson(n, n).high == 1.0);
    }
    CHECK(clopper_pearson(0, 0) == interval{0.0, 1.0});
    CHECK(wilson(0, 0) == interval{0.0, 1.0});
    CHECK(cluster_interval({}, 100.0) == interval{0.0, 1.0});
}

TEST_CASE("intervals lie in [0, 1], hold the estimate, and grow with confidence", "[campaign][interval]") {
    for (double n : {0.01, 0.7, 1.0, 3.5, 20.0, 333.3, 20000.0}) {
        for (double part : {0.0, 1e-9, 0.001, 0.3, 0.5, 0.97, 0.999999, 1.0}) {
            const double k = n * part;
            for (double confidence : {0.1, 0.9, 0.95, 0.999}) {
                for (const interval& i : {clopper_pearson(k, n, confidence), wilson(k, n, confidence)}) {
                    CAPTURE(n, part, confidence, i.low, i.high);
                    CHECK((i.low >= 0.0 && i.high <= 1.0 && i.holds(k / n)));
                }
            }
            const interval narrow = clopper_pearson(k, n, 0.9), wide = clopper_pearson(k, n, 0.99);
            CHECK((wide.low <= narrow.low && wide.high >= narrow.high));
        }
    }
}

TEST_CASE("Clopper-Pearson covers every rate, by summation", "[campaign][interval]") {
    constexpr int n = 30;
    for (double rate : {0.001, 0.02, 0.11, 0.5, 0.77, 0.985}) {
        double covered = 0.0;
        for (int k = 0; k <= n; ++k) {
            const double weight = std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) +
                                           k * std::log(rate) + (n - k) * std::log1p(-rate));
            if (clopper_pearson(k, n).holds(rate)) covered += weight;
        }
        CHECK(covered >= 0.95);
    }
}

TEST_CASE("cluster intervals at their edges", "[campaign][interval]") {
    const std::vector<double> none(20, 0.0), all(20, 100.0), same(20, 50.0), one{37.0}, split{0.0, 100.0, 0.0, 100.0};
    CHECK(cluster_interval(none, 100.0) == clopper_pearson(0, 20));
    CHECK(cluster_interval(all, 100.0) == clopper_pearson(20, 20));
    CHECK(cluster_interval(std::vector<double>{0.0}, 100.0) == clopper_pearson(0, 1));
    CHECK(cluster_interval(std::vector<double>{100.0}, 100.0) == clopper_pearson(1, 1));

    // One trial counts as one observation, which is next to nothing.
    const interval alone = cluster_interval(one, 100.0);
    CHECK((alone.holds(0.37) && alone.high - alone.low > 0.9));

    // No scatter at all: not more than all images as independent ones, less what the estimate of scatter is worth.
    const interval still = cluster_interval(same, 100.0), images = clopper_pearson(1000, 2000);
    CHECK((still.low < images.low && still.high > images.high && still.high - still.low < 0.06));

    // Trials that fail as a whole are as many observations as trials at most.
    const interval whole = cluster_interval(split, 100.0), trials = clopper_pearson(2, 4);
    CHECK((whole.low <= trials.low && whole.high >= trials.high));

    // One image of 2000: nowhere near the images' own interval at zero width.
    std::vector<double> single(20, 0.0);
    single[3] = 1.0;
    const interval rare = cluster_interval(single, 100.0);
    CHECK((rare.low > 0.0 && rare.low < 0.0005 && rare.holds(0.0005) && rare.high > 0.002));
}

TEST_CASE("cluster intervals cover the rate of beta-binomial trials", "[campaign][interval]") {
    // Trials' own rates are Beta(a, b): the a-th smallest of a + b - 1 uniform numbers.
    struct plan { int trials, images, a, b; };
    const plan p = GENERATE(plan{20, 100, 2, 8}, plan{20, 100, 1, 1}, plan{10, 50, 2, 3}, plan{20, 100, 1, 49},
                            plan{20, 100, 9, 1}, plan{5, 40, 9, 2}, plan{20, 50, 30, 20}, plan{20, 1, 1, 1});
    random_stream random{17, {static_cast<std::uint32_t>(p.a), static_cast<std::uint32_t>(p.b),
                              static_cast<std::uint32_t>(p.trials), 0}};
    const double truth = static_cast<double>(p.a) / (p.a + p.b);
    std::vector<double> order(static_cast<std::size_t>(p.a + p.b - 1)), successes(static_cast<std::size_t>(p.trials));
    constexpr int repeats = 1000;
    int covered = 0;
    for (int repeat = 0; repeat < repeats; ++repeat) {
        for (double& s : successes) {
            for (double& u : order) u = random.unit();
            std::nth_element(order.begin(), order.begin() + (p.a - 1), order.end());
            const double rate = order[static_cast<std::size_t>(p.a - 1)];
            s = 0.0;
            for (int image = 0; image < p.images; ++image) s += random.unit() <= rate ? 1.0 : 0.0;
        }
        covered += cluster_interval(successes, p.images).holds(truth) ? 1 : 0;
    }
    CAPTURE(p.trials, p.images, p.a, p.b, covered);
    CHECK(covered >= 930);
}
