// SPDX-License-Identifier: MIT
#include <redoubt/campaign/stratified.hpp>

#include "support/catch.hpp"
#include "support/coverage.hpp"

#include <vector>

using namespace redoubt;
using namespace redoubt::campaign;

TEST_CASE("strata are weighted by their exact sizes", "[campaign][stratified]") {
    // A tenth of the space fails always, the rest never; the faults are shared out evenly.
    const std::vector<stratum> strata{{10.0, 50.0, 50.0}, {90.0, 50.0, 0.0}};
    const estimate e = stratified_estimate(strata);
    CHECK(e.rate == Approx(0.1));
    CHECK(e.bounds.holds(0.1));
    CHECK((e.bounds.low > 0.05 && e.bounds.high < 0.25));
    CHECK(stratified_estimate({}).bounds == interval{0.0, 1.0});
    CHECK(stratified_estimate(std::vector<stratum>{{0.0, 0.0, 0.0}}).bounds == interval{0.0, 1.0});
}

TEST_CASE("one stratum, and faults in proportion, give Clopper and Pearson's interval", "[campaign][stratified]") {
    for (const double failures : {0.0, 1.0, 7.0, 50.0, 99.0, 100.0}) {
        const interval exact = clopper_pearson(failures, 100.0);
        const estimate one = stratified_estimate(std::vector<stratum>{{123.0, 100.0, failures}});
        CHECK(one.bounds.low == Approx(exact.low).margin(1e-9));
        CHECK(one.bounds.high == Approx(exact.high).margin(1e-9));
    }
    const estimate two = stratified_estimate(std::vector<stratum>{{600.0, 60.0, 3.0}, {400.0, 40.0, 4.0}, {0.0, 0.0, 0.0}});
    CHECK(two.rate == Approx(0.07));
    CHECK(two.bounds.low == Approx(clopper_pearson(7, 100).low).margin(1e-9));
    CHECK(two.bounds.high == Approx(clopper_pearson(7, 100).high).margin(1e-9));
}

TEST_CASE("without failures the thinnest stratum says how much room there is", "[campaign][stratified]") {
    // Nine tenths of the space have ten faults: no failure in ten, and as much as that of the whole.
    const std::vector<stratum> none{{90.0, 10.0, 0.0}, {10.0, 990.0, 0.0}}, all{{90.0, 10.0, 10.0}, {10.0, 990.0, 990.0}};
    const estimate zero = stratified_estimate(none), full = stratified_estimate(all);
    CHECK(zero.rate == 0.0);
    CHECK(zero.bounds.low == 0.0);
    CHECK(zero.bounds.high > 0.9 * clopper_pearson(0, 10).high);
    CHECK(full.rate == 1.0);
    CHECK(full.bounds.high == 1.0);
    CHECK(full.bounds.low == Approx(1.0 - zero.bounds.high).epsilon(1e-9));
    // Beyond what there is to fail it does not go.
    CHECK(stratified_estimate(std::vector<stratum>{{90.0, 1.0, 0.0}, {10.0, 999.0, 0.0}}).bounds.high <= 1.0);
}

TEST_CASE("stratified intervals cover", "[campaign][stratified]") {
    std::uint32_t number = 0;
    for (const support::stratified_cell& cell : support::stratified_cells()) {
        const support::tally t = support::cover_stratified(cell, ++number, 200, 6);
        CAPTURE(cell.name, support::rate_of(cell), t.coverage());
        CHECK(t.coverage() >= 0.95 - 0.05);
    }
}
