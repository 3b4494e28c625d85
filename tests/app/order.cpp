// SPDX-License-Identifier: MIT
// Which channels a preset has twice: those of a ranking, or of the longest filters.
#include <redoubt/analyze/weight_scores.hpp>
#include <redoubt/app/engine.hpp>

#include "support/catch.hpp"
#include "support/checkpoint_of.hpp"
#include "support/complaint.hpp"
#include "support/nets.hpp"

#include <algorithm>
#include <bit>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace redoubt;

namespace {

using net = network<image<2, 4, 4>, float32, named<"first", conv2d<conv_spec{.out = 32, .kernel = 1}>>, relu, global_avg_pool, named<"answer", linear<3>>>;

/// The channels of the trained network that stand in two places of the first layer, found by the words that single faults strike.
std::vector<int> twice(const campaign::subject& s, const parameters<net>& weights, const campaign::prepared_images& images) {
    campaign::cell_spec cell;
    cell.faults.count = 1;
    cell.faults.only_slot = 0;
    cell.trials = 1500;
    std::vector<int> trials;
    for (int t = 0; t < cell.trials; ++t) trials.push_back(t);
    std::vector<campaign::fault_record> records;
    s.run(cell, images, s.golden(images, 1), 1, trials, [](int, const campaign::trial_result&) {}, &records);
    std::vector<std::set<std::uint64_t>> places(32);
    for (const auto& r : records)
        for (std::size_t c = 0; c < 32; ++c)
            if (std::bit_cast<std::uint32_t>(logical_weight(weights, 0, c * 2 + r.word % 2)) == r.before) places[c].insert(r.word / 2);
    std::vector<int> found;
    for (std::size_t c = 0; c < 32; ++c) {
        CHECK((places[c].size() == 1 || places[c].size() == 2));
        if (places[c].size() == 2) found.push_back(static_cast<int>(c));
    }
    return found;
}

}  // namespace

TEST_CASE("channels that are computed twice are those of the ranking") {
    using engine = app::typed_engine<net, float32, pack<app::presets::none, app::presets::duplicate30>>;
    const auto weights = support::drawn_network<net>(3);
    campaign::prepared_images images{32, {}, {}};
    for (const auto& pixels : support::drawn_images<net>(3, 1)) images.pixels.insert(images.pixels.end(), pixels.begin(), pixels.end()), images.labels.push_back(0);
    const std::vector<std::string> wanted{"none", "duplicate30"};
    auto ranking = analyze::filter_norms<net>(*weights);
    const auto found_by = [&](const analyze::ranking* by) {
        engine e{"net"};
        REQUIRE(e.load(support::checkpoint_of<net>(*weights), "drawn"));
        CHECK(e.counts_channels("duplicate30"));
        CHECK_FALSE(e.counts_channels("none"));
        if (by != nullptr) {
            const auto taken = e.order_by(*by);
            INFO(support::complaint(taken));
            REQUIRE(taken);
        }
        e.prepare(images, wanted, 1);
        return twice(*e.find("duplicate30"), *weights, images);
    };
    const auto first_of = [&](const analyze::ranking& by) {
        const auto order = analyze::order_of(by, 0);
        REQUIRE(order);
        std::vector<int> first(order->begin(), order->begin() + 16);
        std::ranges::sort(first);
        return first;
    };
    CHECK(found_by(nullptr) == first_of(ranking));
    auto turned = ranking;
    for (double& score : turned.layers[0].channels) score = 10.0 - score;
    CHECK(found_by(&turned) == first_of(turned));
    CHECK(first_of(turned) != first_of(ranking));

    engine e{"net"};
    REQUIRE(e.load(support::checkpoint_of<net>(*weights), "drawn"));
    turned.of.weights ^= 1;
    CHECK(support::complaint(e.order_by(turned)).find("with other weights") != std::string::npos);
}
