// SPDX-License-Identifier: MIT
#include <redoubt/campaign/fit.hpp>

#include "support/catch.hpp"

#include <limits>
#include <vector>

using namespace redoubt;
using namespace redoubt::campaign;

TEST_CASE("FIT and mean time to failure of a memory", "[campaign][fit]") {
    // 100 FIT per megabit, 8 megabits, of which one upset in twenty fails: 40 FIT, 25 million hours.
    const field_rate r = fit_of(upset_rate::per_megabit(100.0), 8e6, {0.05, {0.04, 0.08}});
    CHECK(r.fit == Approx(40.0));
    CHECK(r.fit_low == Approx(32.0));
    CHECK(r.fit_high == Approx(64.0));
    CHECK(r.hours == Approx(2.5e7));
    CHECK(r.hours_low == Approx(1e9 / 64.0));
    CHECK(r.hours_high == Approx(1e9 / 32.0));

    // The same rate by the bit and hour.
    CHECK(upset_rate::per_bit_hour(1e-13).fit_per_bit == Approx(upset_rate::per_megabit(100.0).fit_per_bit));

    // No failure seen: no finite time, but a least one.
    const field_rate none = fit_of({1e-4}, 1e6, {0.0, clopper_pearson(0, 1000)});
    CHECK(none.fit == 0.0);
    CHECK(none.hours == std::numeric_limits<double>::infinity());
    CHECK(none.hours_high == std::numeric_limits<double>::infinity());
    CHECK(none.hours_low == Approx(1e9 / (100.0 * clopper_pearson(0, 1000).high)));
    CHECK(mean_hours(0.0) == std::numeric_limits<double>::infinity());
    CHECK(mean_hours(1e9) == 1.0);
}

TEST_CASE("the area under a curve is by decades", "[campaign][fit]") {
    const std::vector<curve_point> flat{{1e-7, 0.9}, {1e-3, 0.9}}, fall{{1e-6, 1.0}, {1e-4, 0.0}};
    CHECK(area_under(flat) == Approx(0.9).epsilon(1e-14));
    CHECK(area_under(fall) == Approx(0.5).epsilon(1e-14));
    // Two decades at 0.8, one from 0.8 to 0.2.
    CHECK(area_under(std::vector<curve_point>{{1e-6, 0.8}, {1e-4, 0.8}, {1e-3, 0.2}}) == Approx((1.6 + 0.5) / 3.0).epsilon(1e-13));
}
