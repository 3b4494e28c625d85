// SPDX-License-Identifier: MIT
// Orders, shares and agreement of rankings, rankings from weights alone, and their files.
#include "analyze/oracle.hpp"

#include <redoubt/analyze/ranking_file.hpp>
#include <redoubt/analyze/weight_scores.hpp>

#include "support/catch.hpp"
#include "support/changed_file.hpp"
#include "support/complaint.hpp"
#include "support/temp_folder.hpp"

#include <cmath>
#include <limits>
#include <string>

using namespace analyze_tests;
using analyze::ranking;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

ranking small() {
    ranking r;
    r.formula = "drawn";
    r.of = {{{"conv", 4, 3, 3, 2, false}, {"linear", 3, 1, 1, 4, true}}, 0x0badcafeu};
    r.layers = {{{0.1, 0.7, 0.1, 1.0 / 3.0}, {}, {}, {}}, {{5e-324, 1e300, 0.25}, std::vector<double>(12, 0.5), {0.0, 0.5, 0.1}, {0.1, 2e300, 0.3}}};
    r.images = 9;
    r.left_out = 2;
    return r;
}

std::string complaint_of(const std::string& path) {
    const auto r = analyze::read_ranking(path);
    REQUIRE_FALSE(r);
    return std::string{r.reason().text()};
}

}  // namespace

TEST_CASE("channels go by falling score, equal ones by number, and NaN has no place") {
    ranking r = small();
    const auto order = analyze::order_of(r, 0);
    REQUIRE(order);
    CHECK(*order == std::vector<std::uint16_t>{1, 3, 0, 2});
    r.layers[0].channels[2] = not_a_number;
    const auto none = analyze::order_of(r, 0);
    REQUIRE_FALSE(none);
    CHECK(none.reason().text() == "the score of channel 2 of conv is NaN: it has no place in an order");
    CHECK_FALSE(analyze::check(r));
}

TEST_CASE("cumulative shares end at the whole") {
    const std::vector<double> scores{1.0, 5.0, 2.0, 0.0};
    const std::vector<std::uint16_t> order{1, 2, 0, 3};
    CHECK(analyze::cumulative(scores, order) == std::vector<double>{5.0 / 8.0, 7.0 / 8.0, 1.0, 1.0});
    CHECK(analyze::cumulative(std::vector<double>{0.0, 0.0}, std::vector<std::uint16_t>{0, 1}) == std::vector<double>{0.0, 0.0});
}

TEST_CASE("rank correlation is Spearman's, ties by their mean rank") {
    CHECK(analyze::mean_ranks(std::vector<double>{3.0, 1.0, 3.0, 2.0, 3.0}) == std::vector<double>{4.0, 1.0, 4.0, 2.0, 4.0});
    const std::vector<double> a{86, 97, 99, 100, 101, 103, 106, 110, 112, 113}, b{0, 20, 28, 27, 50, 29, 7, 17, 6, 12};
    CHECK(*analyze::spearman(a, b) == Approx(-29.0 / 165.0));  // 1 - 6 * 194 / 990, the textbook's case
    std::vector<double> cubes;
    for (const double v : b) cubes.push_back(v * v * v);
    CHECK(*analyze::spearman(b, cubes) == 1.0);
    for (double& v : cubes) v = -v;
    CHECK(*analyze::spearman(b, cubes) == -1.0);
    // scipy.stats.spearmanr([1,2,2,3],[1,3,2,2]) = 0.5
    CHECK(*analyze::spearman(std::vector<double>{1, 2, 2, 3}, std::vector<double>{1, 3, 2, 2}) == Approx(0.5));
    CHECK_FALSE(analyze::spearman(std::vector<double>{1, 1}, std::vector<double>{1, 2}));
    CHECK_FALSE(analyze::spearman(std::vector<double>{}, std::vector<double>{}));
}

TEST_CASE("rankings of one network are compared, others refused") {
    const ranking a = small();
    ranking b = small();
    std::swap(b.layers[0].channels[0], b.layers[0].channels[1]);
    const auto got = analyze::compare(a, b, 0.5);
    REQUIRE(got);
    CHECK((*got)[0].shared == 0.5);
    CHECK(*(*got)[1].correlation == 1.0);
    CHECK(*analyze::mean_correlation(a.of, *got) == Approx((4.0 * *(*got)[0].correlation + 3.0) / 7.0));
    b.of.weights = 1;
    CHECK(support::complaint(analyze::compare(a, b)).find("the same layers with other weights") != std::string::npos);
    b.of.layers[1].in = 5;
    CHECK(support::complaint(analyze::compare(a, b)).find("layer 1 is linear 3x5x1x1 (linear), here it is linear 3x4x1x1 (linear)") != std::string::npos);
    b.of.layers.pop_back();
    CHECK(support::complaint(analyze::compare(a, b)).find("one of 1 layers, this one has 2") != std::string::npos);
}

TEST_CASE("a network is known by names, shapes and every weight and bias") {
    using net = train_tests::residuals;
    auto weights = support::drawn_network<net>(3);
    const auto id = analyze::identity_of<net>(*weights);
    CHECK(id.layers[0] == analyze::layer_identity{"0", 16, 3, 3, 3, false});
    CHECK(id.layers.back().is_linear);
    CHECK_FALSE(analyze::difference(id, analyze::identity_of<net>(*weights)));
    weights->biases(net::table.slot_count - 1)[0] += 1.0f;
    CHECK(analyze::difference(id, analyze::identity_of<net>(*weights)));
    CHECK_FALSE(analyze::difference(id, analyze::identity_of<net>(*weights), false));
}

TEST_CASE("lengths and salience are their formulas") {
    using net = network<image<2, 4, 4>, float32, conv2d<conv_spec{.out = 2, .kernel = 1}>, relu, residual<conv2d<conv_spec{.out = 2, .kernel = 1}>>, flatten, linear<2>>;
    const auto weights = support::drawn_network<net>(6);
    const auto norms = analyze::filter_norms<net>(*weights, true);
    const auto w = [&](int s, std::size_t i) { return std::abs(static_cast<double>(logical_weight(*weights, s, i))); };
    CHECK(norms.layers[0].channels[1] == Approx(std::hypot(w(0, 2), w(0, 3))));
    CHECK(norms.layers[0].weights[2] == w(0, 2));
    const auto got = analyze::salience<net>(*weights);
    CHECK(got.layers[2].channels == std::vector<double>{1.0, 1.0});
    double last[2] = {};
    for (std::size_t pixel = 0; pixel < 16; ++pixel)
        for (std::size_t c = 0; c < 2; ++c) last[c] += w(2, pixel * 2 + c) + w(2, 32 + pixel * 2 + c);
    for (std::size_t c = 0; c < 2; ++c) {
        CHECK(got.layers[1].channels[c] == Approx(last[c]));
        CHECK(got.layers[0].channels[c] == Approx(last[c] + last[0] * w(1, c) + last[1] * w(1, 2 + c)));
    }
    REQUIRE(analyze::check(analyze::salience<train_tests::residuals>(*support::drawn_network<train_tests::residuals>(1))));
    REQUIRE(analyze::check(analyze::salience<train_tests::branches>(*support::drawn_network<train_tests::branches>(1))));
}

TEST_CASE("a ranking comes back from its file to the bit") {
    const support::temp_folder folder;
    REQUIRE(analyze::write_ranking(folder.file("r.json"), small()));
    const auto back = analyze::read_ranking(folder.file("r.json"));
    INFO(support::complaint(back));
    REQUIRE(back);
    CHECK(*back == small());
}

TEST_CASE("files that are not whole are refused, each with its reason") {
    const support::temp_folder folder;
    const std::string path = folder.file("r.json");
    const std::string text = *analyze::ranking_text(small());
    const auto complaint_about = [&](std::string_view content) {
        REQUIRE(io::write_file_atomically(path, content));
        return complaint_of(path);
    };
    const auto with = [&](std::string_view what, std::string_view instead) { return support::complaint_of_changed(path, text, what, instead, analyze::read_ranking); };
    for (std::size_t size = 0; size + 1 < text.size(); size += 7) CHECK(complaint_about(text.substr(0, size)).find("is cut off after " + std::to_string(size)) != std::string::npos);
    CHECK(with("0.25", "NaN").find("is no JSON at byte ") != std::string::npos);
    CHECK(with("0.25", "null").find("layers[1].channels[2]: must be a number, is null") != std::string::npos);
    CHECK(with("0.25", "1e999").find("r.json") != std::string::npos);
    CHECK(with("\"schema\": 1", "\"schema\": 7").find("schema: is 7, this program reads 1") != std::string::npos);
    CHECK(with("\"ranking\"", "\"plan\"").find("kind: is plan, not ranking") != std::string::npos);
    CHECK(with("0badcafe", "0badcaf").find("must be eight hexadecimal digits") != std::string::npos);
    CHECK(with("\"out\": 3", "\"out\": 4").find("the ranking has 3 scores of linear, needed 4") != std::string::npos);
    CHECK(with("\"out\": 3", "\"out\": -3").find("must be a whole number") != std::string::npos);
    CHECK(with("\"network\"", "\"newtork\"").find("network: is missing") != std::string::npos);
    CHECK(complaint_of(folder.file("nowhere.json")).find("nowhere.json") != std::string::npos);
    ranking bad = small();
    bad.layers[0].channels[1] = not_a_number;
    CHECK(support::complaint(analyze::write_ranking(path, bad)).find("scores of conv: number 1 is NaN") != std::string::npos);
}

TEST_CASE("scores below 0, layers without channels and shares out of range are refused") {
    ranking r = small();
    r.layers[0].channels[2] = -0.5;
    CHECK(support::complaint(analyze::check(r)).find("number 2 is below 0") != std::string::npos);
    r = small();
    r.of.layers[0].out = 0;
    r.layers[0].channels.clear();
    CHECK(support::complaint(analyze::check(r)).find("has 0 channels") != std::string::npos);
    CHECK_FALSE(analyze::compare(r, r));
    for (const double ratio : {0.0, -1.0, 1.5, not_a_number}) CHECK_FALSE(analyze::compare(small(), small(), ratio));
    CHECK(analyze::compare(small(), small(), 1.0));
}
