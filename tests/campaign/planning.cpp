// SPDX-License-Identifier: MIT
#include <redoubt/campaign/interval.hpp>
#include <redoubt/campaign/planning.hpp>
#include <redoubt/campaign/trial_interval.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <vector>

using namespace redoubt;
using namespace redoubt::campaign;

TEST_CASE("sample sizes equal the closed form and published values", "[campaign][planning]") {
    // The textbook sizes of infinite populations at p = 0.5.
    CHECK(sample_size({.margin = 0.05}) == 385.0);
    CHECK(sample_size({.margin = 0.01}) == 9604.0);
    CHECK(sample_size({.margin = 0.03}) == 1068.0);
    CHECK(sample_size({.margin = 0.01, .confidence = 0.99}) == 16588.0);
    // Leveugle's formula, term by term.
    for (const double population : {10.0, 500.0, 1e4, 1e6, 6.9e10}) {
        for (const double rate : {0.01, 0.2, 0.5}) {
            const double z = normal_quantile(0.975), e = 0.02;
            const double expected = population / (1.0 + e * e * (population - 1.0) / (z * z * rate * (1.0 - rate)));
            CHECK(sample_size({.margin = e, .population = population, .rate = rate}) == std::ceil(expected - 1e-9));
        }
    }
    CHECK(sample_size({.margin = 0.05, .population = 1000}) == 278.0);  // Krejcie and Morgan's table (1970)
    CHECK(sample_size({.margin = 0.05, .population = 1e6}) == 384.0);   // 383.998
    CHECK(sample_size({.margin = 0.001, .population = 1}) == 1.0);
    CHECK(sample_size({.rate = 0.0}) == 1.0);
    CHECK(sample_size({.rate = 1.0}) == 1.0);
}

TEST_CASE("zero failures leave room for a known rate", "[campaign][planning]") {
    CHECK(zero_failure_bound(0) == 1.0);
    CHECK(zero_failure_bound(1) == Approx(0.95).epsilon(1e-12));
    CHECK(zero_failure_bound(20) == Approx(0.1391).epsilon(1e-3));
    CHECK(zero_failure_bound(664, 0.995) == Approx(clopper_pearson(0, 664, 0.99).high).epsilon(1e-9));
    CHECK(zero_failure_bound(1e9) == Approx(-std::expm1(std::log(0.05) / 1e9)).epsilon(1e-9));
    CHECK(zero_failure_bound(4e5) == Approx(-std::expm1(std::log(0.05) / 4e5)).epsilon(1e-9));
    for (const double n : {1.0, 3.0, 4.0, 30.0, 1000.0, 1e7}) {
        CHECK(rule_of_three(n) > zero_failure_bound(n));
        if (n >= 30.0) CHECK(rule_of_three(n) < 1.06 * zero_failure_bound(n));
    }
    CHECK(rule_of_three(0) == 1.0);
    CHECK(faults_without_failure(0.01) == 299.0);   // the known 299, 59 and 29
    CHECK(faults_without_failure(0.05) == 59.0);
    CHECK(faults_without_failure(0.10) == 29.0);
    CHECK(faults_without_failure(0.5, 0.5) == 1.0);
    for (const double rate : {0.3, 0.002, 1e-6}) {
        const double n = faults_without_failure(rate);
        CHECK(zero_failure_bound(n) <= rate * (1.0 + 1e-9));
        CHECK(zero_failure_bound(n - 1.0) > rate);
    }
}

TEST_CASE("planned trials give about the margin that was asked for", "[campaign][planning]") {
    // Trials that scatter evenly about 0.8 (0.5 where they are whole catastrophes), by a known deviation.
    for (const double margin : {0.02, 0.05, 0.1}) {
        for (const double deviation : {0.0, 0.01, 0.05, 0.2}) {
            const double n = trials_for_margin(margin, deviation);
            std::vector<double> values;
            for (double t = 0.0; t < n; t += 1.0) values.push_back(std::fmod(t, 2.0) == 0.0 ? 0.75 - deviation : 0.75 + deviation);
            const interval i = mean_interval(values);
            CAPTURE(margin, deviation, n, i.low, i.high);
            CHECK(i.high - i.low < 2.0 * margin * 1.125);
            CHECK(i.high - i.low > 2.0 * margin * 0.875);
        }
    }
    CHECK(trials_for_margin(0.01, 0.0) == 185.0);  // ln(40) / 0.02
    CHECK(trials_for_margin(0.5, 0.0, 0.5) == 2.0);
    CHECK(trials_for_margin(0.01) >= 9604.0);
}
