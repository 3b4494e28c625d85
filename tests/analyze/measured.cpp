// SPDX-License-Identifier: MIT
// Failure rates of channels and layers, against whole inferences with every bit of every weight flipped; vulnerability factors against the same truth.
#include "analyze/oracle.hpp"

#include <redoubt/analyze/deepvigor.hpp>
#include <redoubt/analyze/measured.hpp>

#include "support/catch.hpp"

#include <cstdio>

using namespace analyze_tests;

namespace {

template <number N>
using small = network<image<1, 6, 6>, N, conv2d<conv_spec{.out = 4, .kernel = 3, .pad = 1}>, relu, residual<conv2d<conv_spec{.out = 4, .kernel = 3, .pad = 1}>>, relu, max_pool<2>,
                      conv2d<conv_spec{.out = 6, .kernel = 3}>, relu, flatten, linear<4>>;
constexpr std::uint64_t everything = ~std::uint64_t{0};

/// Whole inferences, nothing clever.
template <network_type Net>
std::vector<std::vector<double>> truth(const parameters<Net>& weights, const campaign::prepared_images& images) {
    std::vector<int> clean;
    for (std::size_t x = 0; x < images.size(); ++x) clean.push_back(support::answer_of<Net>(weights, images.image(x)).top1());
    auto struck = std::make_unique<parameters<Net>>(weights);
    std::vector<std::vector<double>> rates;
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const auto& g = Net::table.slots[static_cast<std::size_t>(s)].geometry;
        rates.emplace_back(static_cast<std::size_t>(g.out.channels));
        for (std::size_t w = 0; w < g.weights(); ++w) {
            auto& word = struck->weights(s)[kernel::layout_of<typename Net::number_type>.index_of_logical(g, w)];
            const auto own = word;
            for (int bit = 0; bit < static_cast<int>(8 * sizeof own); ++bit) {
                word = changed(own, {~std::uint32_t{0}, std::uint32_t{1} << bit});
                for (std::size_t x = 0; x < images.size(); ++x)
                    rates.back()[w / static_cast<std::size_t>(g.fan_in())] += support::answer_of<Net>(*struck, images.image(x)).top1() != clean[x] ? 1.0 : 0.0;
                word = own;
            }
        }
        for (double& r : rates.back()) r /= static_cast<double>(g.fan_in()) * 8.0 * sizeof(typename Net::number_type::weight) * static_cast<double>(images.size());
    }
    return rates;
}

template <network_type Net>
void check_every_place() {
    const auto weights = support::drawn_and_converted<Net>(3);
    const auto images = drawn_prepared<Net>(5, 4);
    const auto exact = truth<Net>(*weights, images);
    const auto got = analyze::measured_channels<Net>(*weights, images, {.margin = 1e-9, .most_faults = everything, .threads = 2});
    REQUIRE(analyze::check(got));
    CHECK(got.images == 5);
    double sum = 0.0;
    for (std::size_t s = 0; s < exact.size(); ++s)
        for (std::size_t c = 0; c < exact[s].size(); ++c) {
            CHECK(got.layers[s].channels[c] == Approx(exact[s][c]).epsilon(1e-12));
            CHECK(got.layers[s].low[c] == got.layers[s].channels[c]);
            sum += exact[s][c];
        }
    CHECK(sum > 0.0);
    const auto layers = analyze::measured_layers<Net>(*weights, images, {.margin = 1e-9, .most_faults = everything});
    for (std::size_t s = 0; s < exact.size(); ++s) {
        double mean = 0.0;
        for (const double r : exact[s]) mean += r / static_cast<double>(exact[s].size());
        CHECK(layers[s].sdc1 == Approx(mean).epsilon(1e-12));
        CHECK(layers[s].faults == layers[s].places);
    }
}

}  // namespace

TEST_CASE("where every place is struck, a channel's rate is that of whole inferences") {
    check_every_place<small<float32>>();
    check_every_place<small<int8>>();
}

TEST_CASE("samples are as large as planned, their intervals hold the truth, and threads change nothing") {
    using net = small<float32>;
    const auto weights = support::drawn_network<net>(3);
    const auto images = drawn_prepared<net>(12, 4);
    const auto all = analyze::measured_channels<net>(*weights, images, {.margin = 1e-9, .most_faults = everything});
    const auto some = analyze::measured_channels<net>(*weights, images, {.most_faults = 100, .seed = 5});
    int held = 0, channels = 0;
    for (std::size_t s = 0; s < all.layers.size(); ++s)
        for (std::size_t c = 0; c < all.layers[s].channels.size(); ++c) {
            ++channels;
            held += some.layers[s].low[c] <= all.layers[s].channels[c] && all.layers[s].channels[c] <= some.layers[s].high[c] ? 1 : 0;
            CHECK(some.layers[s].low[c] < some.layers[s].high[c]);
        }
    CHECK(held == channels);
    CHECK(analyze::measured_channels<net>(*weights, images, {.most_faults = 100, .seed = 5, .threads = 3}) == some);
    CHECK_FALSE(analyze::measured_channels<net>(*weights, images, {.most_faults = 100, .seed = 6}) == some);
    // N / (1 + e^2 (N - 1) / (z^2 / 4)): of the 1152 bits of 36 weights 1029, of the 4608 of a layer of 144 3115
    const auto layers = analyze::measured_layers<net>(*weights, images, {.most_faults = 5000});
    CHECK(layers[0].faults == 1029);
    CHECK(layers[1].faults == 3115);
    CHECK(layers[1].places == 4608);
}

TEST_CASE("drawn places differ from each other and are all there") {
    auto drawn = analyze::impl::drawn_places({.seed = 1}, 1000, 400);
    std::ranges::sort(drawn);
    CHECK(std::ranges::adjacent_find(drawn) == drawn.end());
    CHECK((drawn.size() == 400 && drawn.back() < 1000));
    std::vector<int> seen(10);
    for (std::uint64_t seed = 0; seed < 3000; ++seed)
        for (const auto p : analyze::impl::drawn_places({.seed = seed}, 10, 3)) ++seen[static_cast<std::size_t>(p)];
    for (const int n : seen) CHECK(std::abs(n - 900) < 120);
}

TEST_CASE("errors lie in the grid where a search would find them") {
    random_stream random{3, {}};
    const auto& grid = analyze::vulnerability_grid;
    CHECK((grid[0] == -1024.0 && grid[21] == 0.0 && grid[22] == 0x1p-10 && grid[42] == 1024.0));
    std::vector<float> errors{0.0f, -0.0f, 1e-38f, -1e-38f, 1e-45f, -1e-45f, 3e38f, -3e38f, std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
    for (const double g : grid)
        for (const float by : {0.9999f, 1.0f, 1.0001f}) errors.push_back(static_cast<float>(g) * by);
    for (int i = 0; i < 1000; ++i) errors.push_back(from_word<float>(static_cast<std::uint32_t>(random())));
    std::erase_if(errors, [](float e) { return is_nan(e); });
    for (const float e : errors) {
        const auto wanted = std::lower_bound(grid.begin(), grid.end(), static_cast<double>(e));
        INFO(e);
        CHECK(analyze::impl::error_distribution::place_of(e) == static_cast<std::size_t>(wanted - grid.begin()));
    }
}

namespace {

struct nearness {
    double mean = 0.0, error = 0.0, worst = 0.0, correlation = 0.0, spread = 0.0;
};
/// Over channels of several networks.
template <network_type Net>
nearness to_truth(bool pooled) {
    nearness n;
    double channels = 0.0, networks = 0.0;
    std::vector<double> rates;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const auto weights = support::drawn_network<Net>(seed);
        const auto images = drawn_prepared<Net>(24, seed + 10);
        const auto exact = analyze::measured_channels<Net>(*weights, images, {.margin = 1e-9, .most_faults = everything, .threads = 2});
        const auto got = analyze::channel_vulnerability<Net>(*weights, images, {.pooled = pooled, .threads = 2});
        REQUIRE(analyze::check(got));
        CHECK(analyze::channel_vulnerability<Net>(*weights, images, {.pooled = pooled}) == got);
        for (std::size_t s = 0; s < exact.layers.size(); ++s) {
            for (std::size_t c = 0; c < exact.layers[s].channels.size(); ++c) {
                const double apart = std::abs(exact.layers[s].channels[c] - got.layers[s].channels[c]);
                n.error += apart;
                n.worst = std::max(n.worst, apart);
                n.mean += exact.layers[s].channels[c];
                rates.push_back(exact.layers[s].channels[c]);
                channels += 1.0;
            }
        }
        std::vector<double> x, y;
        for (std::size_t s = 0; s < exact.layers.size(); ++s) {
            x.insert(x.end(), exact.layers[s].channels.begin(), exact.layers[s].channels.end());
            y.insert(y.end(), got.layers[s].channels.begin(), got.layers[s].channels.end());
        }
        n.correlation += analyze::spearman(x, y).value_or(0.0);
        networks += 1.0;
    }
    n = {n.mean / channels, n.error / channels, n.worst, n.correlation / networks};
    for (const double r : rates) n.spread += std::abs(r - n.mean) / channels;
    std::printf("vulnerability factors%s: mean rate %.4f, mean distance from it %.4f, mean error %.4f, largest %.4f, mean rank correlation %.3f\n", pooled ? " pooled" : "", n.mean,
                n.spread, n.error, n.worst, n.correlation);
    return n;
}

}  // namespace

TEST_CASE("vulnerability factors are near the exhaustive truth") {
    const nearness own = to_truth<small<float32>>(false), pooled = to_truth<small<float32>>(true);
    // better than to give each channel the mean of all, whose error is printed, and an order that is not by chance
    CHECK(own.error < own.spread);
    CHECK(own.correlation > 0.5);
    CHECK(own.error < pooled.error);
    CHECK(own.correlation > pooled.correlation);
}
