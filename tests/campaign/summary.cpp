// SPDX-License-Identifier: MIT
// Cells that end at a margin, and cells beside the unprotected network.
#include <redoubt/base/philox.hpp>
#include <redoubt/campaign/summary.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <vector>

using namespace redoubt;
using namespace redoubt::campaign;

namespace {

/// Trials of `images` images, a share of them wrong, some trials in whole.
std::vector<trial_result> drawn(std::uint64_t seed, int count, double collapse, double wrong, std::uint32_t images) {
    random_stream random{seed, {1, 2, 3, 4}};
    std::vector<trial_result> trials(static_cast<std::size_t>(count));
    for (trial_result& t : trials) {
        if (random.unit() < collapse) t.changed = images;
        else for (std::uint32_t i = 0; i < images; ++i) t.changed += random.unit() < wrong ? 1u : 0u;
        t.right = images - t.changed;
        t.faults = 1;
    }
    return trials;
}

}  // namespace

TEST_CASE("looks come at fixed numbers of trials", "[campaign]") {
    std::vector<int> looks;
    for (int n = 0; n < 1000;) looks.push_back(n = next_look(n, 1000));
    CHECK(looks == std::vector<int>{20, 40, 60, 80, 100, 125, 156, 195, 243, 303, 378, 472, 590, 737, 921, 1000});
    CHECK(next_look(0, 7) == 7);
    CHECK(next_look(900'000'000, 1'000'000'000) == 1'000'000'000);
}

TEST_CASE("a cell ends where its rate is known to the margin, and not before", "[campaign]") {
    const auto all = drawn(3, 4000, 0.02, 0.05, 50);
    CHECK_FALSE(may_stop({}, all, 50));
    for (double margin : {0.3, 0.1, 0.05}) {
        int n = 0;
        std::vector<trial_result> some;
        do {
            n = next_look(n, 4000);
            some.assign(all.begin(), all.begin() + n);
        } while (n < 4000 && !may_stop({margin, 0.0}, some, 50));
        CAPTURE(margin, n);
        CHECK(n < 4000);
        CHECK(may_stop({margin, 0.0}, some, 50));
        // the cell then says what the rule saw
        cell_summary cell;
        cell.trials = some;
        cell.spec.stop = {margin, 0.0};
        summarise(cell, 50);
        CHECK(cell.sdc1.bounds.high - cell.sdc1.bounds.low <= 2.0 * margin);
        // both rules asked for: both must hold
        CHECK_FALSE(may_stop({margin, 1e-3}, some, 50));
    }
    // a relative margin is never reached where nothing failed
    CHECK_FALSE(may_stop({0.0, 0.9}, std::vector<trial_result>(3000), 50));
    CHECK(may_stop({0.0, 0.9}, all, 50));
}

TEST_CASE("stopped cells hold the truth", "[campaign]") {
    // 20 % of trials collapse: the true rate is 0.2; the interval at the stop must hold it in 95 % of campaigns at least
    int held = 0;
    constexpr int campaigns = 200;
    for (std::uint64_t c = 0; c < campaigns; ++c) {
        const auto all = drawn(100 + c, 2000, 0.2, 0.0, 10);
        cell_summary cell;
        cell.spec.stop = {0.1, 0.0};
        int n = 0;
        do {
            n = next_look(n, 2000);
            cell.trials.assign(all.begin(), all.begin() + n);
        } while (n < 2000 && !may_stop(cell.spec.stop, cell.trials, 10));
        summarise(cell, 10);
        held += cell.sdc1.bounds.holds(0.2) ? 1 : 0;
    }
    CHECK(held >= 190);
}

TEST_CASE("cells are compared trial by trial", "[campaign]") {
    cell_summary none, cell;
    none.trials = drawn(5, 60, 0.1, 0.3, 20);
    cell.trials = none.trials;
    compare_with(cell, none, 20);
    REQUIRE(cell.sdc1_gain);
    CHECK(cell.sdc1_gain->difference == 0.0);
    CHECK(cell.sdc1_gain->p_value == 1.0);
    double sum = 0.0;
    for (trial_result& t : cell.trials) {
        const std::uint32_t better = t.changed / 2;
        sum += static_cast<double>(better);
        t.changed -= better;
        t.right += better;
    }
    compare_with(cell, none, 20);
    CHECK(cell.sdc1_gain->difference == Approx(-sum / 20.0 / 60.0));
    CHECK(cell.accuracy_gain->difference == Approx(sum / 20.0 / 60.0));
    CHECK(cell.sdc1_gain->bounds.high < 0.0);
    CHECK(cell.sdc1_gain->p_value < 1e-6);

    // not where the number of trials depends on what they said, where they differ, where faults were shared out
    cell_summary other = cell;
    other.sdc1_gain.reset();
    const auto refused = [&](auto change) {
        cell_summary changed_cell = other;
        change(changed_cell);
        compare_with(changed_cell, none, 20);
        CHECK_FALSE(changed_cell.sdc1_gain);
    };
    refused([](cell_summary& c) { c.spec.stop.margin = 0.1; });
    refused([](cell_summary& c) { c.trials.pop_back(); });
    refused([](cell_summary& c) { c.spec.by = sampling::stratified; });
}
