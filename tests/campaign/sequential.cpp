// SPDX-License-Identifier: MIT
#include <redoubt/campaign/sequential.hpp>

#include "support/catch.hpp"
#include "support/coverage.hpp"

#include <cmath>
#include <vector>

using namespace redoubt;
using namespace redoubt::campaign;

TEST_CASE("winnings are those of the gamblers, one by one", "[campaign][sequential]") {
    const std::vector<double> values{0.2, 0.9, 1.0, 0.0, 0.55, 0.3, 0.3, 0.8, 0.9, 1.0, 0.7};
    for (const double mean : {0.01, 0.4, 0.6, 1.0}) {
        double all = 0.0;
        for (int k = 0; k < 12; ++k) {
            const double part = std::pow(2.0, -0.5 * k);
            double owned = 1.0;
            for (const double v : values) owned *= 1.0 - part + part * v / mean;
            all += owned / 12.0;
        }
        CHECK(log_winnings(values, mean) == Approx(std::log(all)).epsilon(1e-12));
    }
    // No overflow and no underflow where the product has no double.
    const std::vector<double> ones(20000, 1.0), zeros(20000, 0.0);
    CHECK(log_winnings(ones, 0.001) == Approx(20000 * std::log(1000.0) - std::log(12.0)).epsilon(1e-12));
    CHECK(log_winnings(zeros, 0.001) == Approx(20000 * std::log1p(-std::pow(2.0, -5.5)) - std::log(12.0)).epsilon(1e-12));
}

TEST_CASE("bets are fair: winnings average 1 where the mean is the one bet on", "[campaign][sequential]") {
    // All sequences of eight zeros and ones, and of three values.
    for (const double mean : {0.1, 0.5, 0.95}) {
        double expected = 0.0;
        for (unsigned bits = 0; bits < 256; ++bits) {
            std::vector<double> values;
            double weight = 1.0;
            for (unsigned i = 0; i < 8; ++i) {
                values.push_back((bits >> i) & 1u ? 1.0 : 0.0);
                weight *= values.back() == 1.0 ? mean : 1.0 - mean;
            }
            expected += weight * std::exp(log_winnings(values, mean));
        }
        CHECK(expected == Approx(1.0).epsilon(1e-12));
    }
}

TEST_CASE("sequential intervals at their edges", "[campaign][sequential]") {
    sequential_mean none, all, same;
    CHECK(none.bounds() == interval{0.0, 1.0});
    CHECK(none.rate() == 0.0);
    CHECK_FALSE(within({none.rate(), none.bounds()}, 0.4));
    for (int t = 0; t < 200; ++t) none.add(0.0), all.add(1.0), same.add(0.93);
    CHECK(none.bounds().low == 0.0);
    CHECK(all.bounds().high == 1.0);
    CHECK(all.bounds().low == Approx(1.0 - none.bounds().high).epsilon(1e-9));
    // Wider than for a fixed number, but by no more than the price of twelve gamblers: ln(480) for ln(40).
    CHECK(none.bounds().high > clopper_pearson(0, 200).high);
    CHECK(none.bounds().high < -std::expm1(-std::log(480.0) / 200.0) + 1e-9);
    CHECK(same.bounds().holds(0.93));
    CHECK(same.bounds().high - same.bounds().low < 0.04);
    CHECK(same.trials() == 200);
    CHECK(within({same.rate(), same.bounds()}, 0.02));
    CHECK(within_relative({same.rate(), same.bounds()}, 0.02));
    CHECK_FALSE(within_relative({none.rate(), none.bounds()}, 0.5));

    // The order of the trials does not matter.
    sequential_mean forth, back;
    for (int t = 0; t < 30; ++t) forth.add(t / 30.0), back.add((29 - t) / 30.0);
    CHECK(forth.bounds().low == Approx(back.bounds().low).epsilon(1e-9));
    CHECK(forth.bounds().high == Approx(back.bounds().high).epsilon(1e-9));
}

TEST_CASE("a campaign stops by itself", "[campaign][sequential]") {
    const support::counts draw{support::collapsing(0.1, 0.05)};
    random_stream random{7, {}};
    const auto run_trial = [&] { return draw(random) / support::images; };
    sequential_mean accuracy;
    while (accuracy.trials() < 500) {
        accuracy.add(run_trial());
        if (within({accuracy.rate(), accuracy.bounds()}, 0.05)) break;
    }
    CHECK((accuracy.trials() > 50 && accuracy.trials() < 500));
    CHECK(accuracy.bounds().high - accuracy.bounds().low <= 0.1);
    CHECK(accuracy.bounds().holds(support::mean_of(support::collapsing(0.1, 0.05))));
}

TEST_CASE("sequential intervals cover where they stop and everywhere before", "[campaign][sequential]") {
    for (const double collapse : {0.02, 0.5}) {
        const auto covered = support::cover_sequential({100, 0.1, collapse}, 200, 3);
        for (const support::tally& t : covered) CHECK(t.coverage() >= 0.94);
    }
}

TEST_CASE("sequential intervals cover in every cell of a grid", "[.slow][campaign]") {
    for (const double correlation : {0.0, 0.5}) {
        for (const double collapse : {0.01, 0.03, 0.1, 0.5}) {
            for (const support::tally& t : support::cover_sequential({200, correlation, collapse}, 1000, 4)) {
                CAPTURE(correlation, collapse, t.coverage());
                CHECK(t.coverage() >= 0.945);
            }
        }
    }
}
