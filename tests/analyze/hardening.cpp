// SPDX-License-Identifier: MIT
// Plans: what a budget buys, that hardened networks answer as plain ones, files and headers.
#include "analyze/oracle.hpp"

#include <redoubt/analyze/hardening_file.hpp>
#include <redoubt/analyze/weight_scores.hpp>

#include "support/catch.hpp"
#include "support/changed_file.hpp"
#include "support/complaint.hpp"
#include "support/temp_folder.hpp"

#include <limits>
#include <string>

using namespace analyze_tests;

namespace {

/// Sixteen channels and more in stages tied by additions, one of groups, an answer of ten.
template <number N>
using net_of = network<image<3, 6, 6>, N, conv2d<conv_spec{.out = 32, .kernel = 1}>, relu, residual<conv2d<conv_spec{.out = 32, .kernel = 3, .pad = 1}>, relu,
                       conv2d<conv_spec{.out = 32, .kernel = 3, .pad = 1}>>, relu, conv2d<conv_spec{.out = 32, .kernel = 3, .pad = 1, .groups = 32}>, relu,
                       conv2d<conv_spec{.out = 40, .kernel = 3, .stride = 2, .pad = 1}>, relu, conv2d<conv_spec{.out = 12, .kernel = 1}>, relu, global_avg_pool, linear<10>>;
using net = net_of<float32>;

analyze::hardening_plan plan_for(const parameters<net>& weights, const analyze::hardening_budget& budget) {
    const auto plan = analyze::plan_hardening<net>(analyze::filter_norms<net>(weights), budget);
    INFO(support::complaint(plan));
    REQUIRE(plan);
    return *plan;
}

// what a header of plan_for(.., {.ratio = 0.5}) says
constexpr std::array<int, 7> duplicated{16, 16, 16, 0, 32, 0, 0};
template <network_type Net>
using hardened = harden<Net, duplicate_counts<duplicated>, protect_number<6, tmr>, protect_number<6, tmr_parameters>>;

std::vector<int> counts_of(const analyze::hardening_plan& plan) {
    std::vector<int> counts;
    for (const auto& p : plan.layers) counts.push_back(p.duplicated);
    return counts;
}

/// Fault-free answers of the hardened network are those of the plain one in the same order, to the bit.
template <number N>
void check_clean(const parameters<net>& ordered, bool also_original, const parameters<net>& original) {
    using plain = net_of<N>;
    using strong = hardened<plain>;
    const auto images = support::drawn_images<net>(4, 9);
    const auto seen = support::seen_on<net>(ordered, images);
    const auto bare = std::make_unique<parameters<plain>>();
    convert<net, plain>(ordered, seen, *bare);
    channel_ranges<plain> ranges;
    const auto space = std::make_unique<workspace<plain>>();
    for (const auto& image : images) observe_channels<plain>(*bare, image, *space, ranges);
    auto weights = std::make_unique<parameters<strong>>();
    convert<net, strong>(ordered, seen, *weights);
    set_intervals<plain, strong>(ranges, *weights);
    encode<strong>(*weights);
    for (const auto& image : images) {
        const auto got = support::answer_of<strong>(*weights, image);
        CHECK(support::words_of(got) == support::words_of(support::answer_of<plain>(*bare, image)));
        CHECK(got.status.total() == fault_counters{});
    }
    if (!also_original) return;
    // int8: the order of products does not matter
    const auto first = std::make_unique<parameters<plain>>();
    convert<net, plain>(original, support::seen_on<net>(original, images), *first);
    for (const auto& image : images)
        CHECK(support::words_of(support::answer_of<strong>(*weights, image)) == support::words_of(support::answer_of<plain>(*first, image)));
}

}  // namespace

TEST_CASE("a ratio takes whole blocks of every layer that has some, and all of the last one") {
    const auto weights = support::drawn_network<net>(3);
    const auto plan = plan_for(*weights, {.ratio = 0.5});
    CHECK(counts_of(plan) == std::vector<int>(duplicated.begin(), duplicated.end()));
    CHECK(plan.layers[6].tripled);
    CHECK(counts_of(plan_for(*weights, {.ratio = 0.01})) == std::vector<int>{16, 16, 16, 0, 16, 0, 0});
    CHECK(counts_of(plan_for(*weights, {.ratio = 1.0})) == std::vector<int>{32, 32, 32, 0, 32, 0, 0});
    CHECK_FALSE(plan_for(*weights, {.last_linear = false}).layers[6].tripled);
    std::uint64_t all = 0;
    for (int s = 0; s < net::table.slot_count; ++s) all += static_cast<std::uint64_t>(net::table.slots[static_cast<std::size_t>(s)].geometry.nominal_macs());
    CHECK(plan.multiply_adds == all);
    CHECK(plan.added == 16 * 36 * 3 + 2 * 16 * 36 * 9 * 32 + 32 * 9 * 9 * 32 + 2 * 10 * 12);
    for (const auto& p : plan.layers) CHECK((p.covered >= 0.0 && p.covered <= 1.0));
    CHECK(plan.layers[0].covered > 0.4);
}

TEST_CASE("channels tied by additions have one order, by what their layers contribute together") {
    const auto weights = support::drawn_network<net>(3);
    const auto norms = analyze::filter_norms<net>(*weights);
    const auto plan = plan_for(*weights, {});
    const int group = channel_groups_of<net>.of_slot(0);
    REQUIRE(group >= 0);
    CHECK(channel_groups_of<net>.of_slot(2) == group);
    CHECK(channel_groups_of<net>.of_slot(3) == group);
    std::vector<double> sums(32);
    for (const std::size_t s : {0u, 2u, 3u})
        for (std::size_t c = 0; c < 32; ++c) sums[c] += norms.layers[s].channels[c];
    std::vector<std::uint16_t> order(32);
    order_by_score(sums, order);
    CHECK(plan.orders[static_cast<std::size_t>(group)] == order);
}

TEST_CASE("a budget of multiply-adds buys the blocks that are worth most") {
    const auto weights = support::drawn_network<net>(3);
    const auto all = plan_for(*weights, {.added = 1.0, .last_linear = false});
    CHECK(counts_of(all) == std::vector<int>{32, 32, 32, 0, 32, 0, 0});
    std::uint64_t before = 0;
    for (const double share : {0.01, 0.05, 0.1, 0.3, 0.6}) {
        const auto plan = plan_for(*weights, {.added = share, .last_linear = false});
        CHECK(static_cast<double>(plan.added) <= share * static_cast<double>(plan.multiply_adds));
        CHECK(plan.added >= before);
        before = plan.added;
    }
    CHECK(counts_of(plan_for(*weights, {.added = 0.02, .last_linear = false})) == std::vector<int>{32, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("a rate of wrong answers buys as few blocks as leave it") {
    const auto weights = support::drawn_network<net>(3);
    auto rates = analyze::filter_norms<net>(*weights);
    rates.per_fault = true;
    double words = 0.0, whole = 0.0;
    for (std::size_t s = 0; s < rates.layers.size(); ++s) {
        words += static_cast<double>(rates.of.layers[s].channels() * rates.of.layers[s].fan_in());
        for (double& rate : rates.layers[s].channels) whole += (rate *= 1e-3) * static_cast<double>(rates.of.layers[s].fan_in());
    }
    const auto left_by = [&](const analyze::hardening_plan& plan) {
        double left = 0.0;
        for (std::size_t s = 0; s < plan.layers.size(); ++s) {
            double of = 0.0;
            for (const double rate : rates.layers[s].channels) of += rate * static_cast<double>(rates.of.layers[s].fan_in());
            left += of * (1.0 - plan.layers[s].covered);
        }
        return left / words;
    };
    std::uint64_t before = 0;
    for (const double share : {0.9, 0.5, 0.25}) {
        const auto plan = analyze::plan_hardening<net>(rates, {.residual = share * whole / words});
        INFO(support::complaint(plan));
        REQUIRE(plan);
        CHECK(left_by(*plan) <= share * whole / words * (1.0 + 1e-12));
        CHECK(plan->added > before);
        before = plan->added;
    }
    CHECK(support::complaint(analyze::plan_hardening<net>(rates, {.residual = 1e-9})).find("a rate of 1e-09 cannot be reached: ") != std::string::npos);
    CHECK(support::complaint(analyze::plan_hardening<net>(rates, {.residual = 1.0})).find("below 1") != std::string::npos);
    rates.per_fault = false;
    CHECK(support::complaint(analyze::plan_hardening<net>(rates, {.residual = 0.1})).find("whose scores are rates of one fault") != std::string::npos);
}

TEST_CASE("without faults the hardened network has the bits of the plain one") {
    const auto weights = support::drawn_network<net>(3);
    const auto plan = plan_for(*weights, {.ratio = 0.5});
    const auto ordered = analyze::reordered<net>(*weights, plan);
    INFO(support::complaint(ordered));
    REQUIRE(ordered);
    CHECK_FALSE(std::ranges::equal((*ordered)->weights(0), weights->weights(0)));
    check_clean<float32>(**ordered, false, *weights);
    check_clean<int8>(**ordered, true, *weights);
}

TEST_CASE("a plan for another network and a budget out of range are refused") {
    auto weights = support::drawn_network<net>(3);
    auto norms = analyze::filter_norms<net>(*weights);
    const auto plan = plan_for(*weights, {});
    weights->weight_at(1, 0, 0, 0, 0) += 1.0f;
    CHECK(support::complaint(analyze::reordered<net>(*weights, plan)).find("the plan cannot be used: it is of the same layers with other weights") != std::string::npos);
    using other = train_tests::plain;
    CHECK(support::complaint(analyze::reordered<other>(*support::drawn_network<other>(1), plan)).find("one of 7 layers, this one has 4") != std::string::npos);
    CHECK(support::complaint(analyze::plan_hardening<other>(norms)).find("the ranking cannot be used") != std::string::npos);
    CHECK(support::complaint(analyze::plan_hardening<net>(norms, {.ratio = 0.0})).find("above 0 and at most 1") != std::string::npos);
    CHECK(support::complaint(analyze::plan_hardening<net>(norms, {.added = 2.0})).find("from 0 to 1") != std::string::npos);
    norms.layers[4].channels[7] = std::numeric_limits<double>::quiet_NaN();
    CHECK(support::complaint(analyze::plan_hardening<net>(norms)).find("number 7 is NaN") != std::string::npos);
}

TEST_CASE("plans come back from their files, and bad files are refused with the reason") {
    const support::temp_folder folder;
    const auto plan = plan_for(*support::drawn_network<net>(3), {});
    const std::string path = folder.file("plan.json");
    REQUIRE(analyze::write_plan(path, plan));
    const auto back = analyze::read_plan(path);
    INFO(support::complaint(back));
    REQUIRE(back);
    CHECK(*back == plan);
    const std::string text = *analyze::plan_text(plan);
    const auto with = [&](std::string_view what, std::string_view instead) { return support::complaint_of_changed(path, text, what, instead, analyze::read_plan); };
    CHECK(with("\"duplicated\": 16", "\"duplicated\": 15").find("15 of 32 channels of 0 twice: they come in blocks of 16") != std::string::npos);
    CHECK(with("\"duplicated\": 16", "\"duplicated\": 64").find("64 of 32 channels") != std::string::npos);
    CHECK(with("\"hardening\"", "\"ranking\"").find("kind: is ranking") != std::string::npos);
    CHECK(with("\"covered\"", "\"cowered\"").find("layers[0].covered: is missing") != std::string::npos);
    const std::string first = std::to_string(plan.orders[0][0]) + ",";
    std::string changed = text;
    const auto orders = changed.find("\"orders\"");
    changed.replace(changed.find(first, orders), first.size(), std::to_string(plan.orders[0][1]) + ",");
    REQUIRE(io::write_file_atomically(path, std::string_view{changed}));
    CHECK(support::complaint(analyze::read_plan(path)).find("is no permutation") != std::string::npos);
    REQUIRE(io::write_file_atomically(path, std::string_view{text}.substr(0, text.size() / 2)));
    CHECK(support::complaint(analyze::read_plan(path)).find("is cut off") != std::string::npos);
}

TEST_CASE("a header says the plan, and nothing that a name smuggles in") {
    auto plan = plan_for(*support::drawn_network<net>(3), {.ratio = 0.5});
    const auto header = analyze::plan_header(plan, "guarded");
    REQUIRE(header);
    CHECK(header->find("inline constexpr std::array<int, 7> duplicated{16, 16, 16, 0, 32, 0, 0};") != std::string::npos);
    CHECK(header->find("redoubt::protect_number<6, redoubt::tmr>") != std::string::npos);
    CHECK(support::complaint(analyze::plan_header(plan, "7up")).find("is no name of a namespace") != std::string::npos);
    CHECK(support::complaint(analyze::plan_header(plan, "a; int")).find("is no name of a namespace") != std::string::npos);
    plan.of.layers[2].name = "x\"}; int y{";
    CHECK(support::complaint(analyze::plan_header(plan, "guarded")).find("cannot stand in a source") != std::string::npos);
}

TEST_CASE("a ranking that says nothing makes no plan, and names that C++ has taken make no header") {
    const auto weights = support::drawn_network<net>();
    analyze::ranking r = analyze::filter_norms<net>(*weights);
    for (auto& layer : r.layers) std::ranges::fill(layer.channels, 0.0);
    CHECK(support::complaint(analyze::plan_hardening<net>(r)).find("says nothing") != std::string::npos);
    const auto plan = plan_for(*weights, {.ratio = 0.5});
    for (const char* name : {"class", "int", "std", "redoubt", "_x", "a__b", "\xe4", "", "1a", "a b"}) {
        INFO(name);
        CHECK_FALSE(analyze::plan_header(plan, name));
    }
    CHECK(analyze::plan_header(plan, "guarded_2"));
}
