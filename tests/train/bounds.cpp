// SPDX-License-Identifier: MIT
// Bounds of neurons that are trained: the soft bound against its formula, gradients against finite differences in double, the way into parameters.
#include "train/networks.hpp"

#include <redoubt/train/bounds.hpp>
#include <redoubt/train/reference.hpp>

#include "support/catch.hpp"
#include "support/kernels.hpp"
#include "support/nets.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

using namespace train_tests;
using support::answer_of;

namespace {

/// Norms, a residual add that joins no convolution, an activation of its own, steps without a guard or an activation.
template <number N>
using guarded = network<image<3, 6, 6>, N, range_neurons<conv<6>, batch_norm, relu, residual<conv<6>, max_pool<3, 1, 1>>, relu, max_pool<2>, clipped_relu<6>, conv<5>>, hard_swish,
                        range_neurons<residual<conv<5>, batch_norm>, hard_swish>, linear<4>>;
using net = guarded<float32>;
using bare = without_protection<net>;

struct fixture {
    std::unique_ptr<parameters<bare>> weights = std::make_unique<parameters<bare>>();
    std::unique_ptr<neuron_ranges<bare>> seen = std::make_unique<neuron_ranges<bare>>();
    std::vector<std::vector<float>> images;

    fixture() {
        random_stream random{11, {4}};
        for (int s = 0; s < bare::table.slot_count; ++s) {
            const auto& g = bare::table.slots[static_cast<std::size_t>(s)].geometry;
            for (std::size_t i = 0; i < g.weights(); ++i) weights->weights(s)[kernel::wide_layout{}.index_of_logical(g, i)] = static_cast<float>(random.unit() - 0.4) * 0.5f;
            for (int c = 0; c < g.out.channels; ++c) weights->biases(s)[static_cast<std::size_t>(c)] = static_cast<float>(random.unit() - 0.3);
        }
        const auto space = std::make_unique<workspace<bare>>();
        for (std::uint64_t i = 0; i < 4; ++i) {
            images.push_back(drawn_batch<bare>(1, 30 + i).pixels);
            observe_neurons<bare>(*weights, images.back(), *space, *seen);
        }
    }
    train::bound_trainer<net> trainer(train::recipe by = {}, float steepness = 20.0f) const { return {*weights, *seen, std::move(by), steepness}; }
};

}  // namespace

TEST_CASE("a soft bound and its gradient are their formulas") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> values{0.0f, -0.0f, 1e-40f, 0.3f, 0.999f, 1.0f, 1.001f, 1.4f, 3.0f, 100.0f, 3e38f, -2.0f, 0.5f};
    const std::vector<float> bounds{0.0f, 1.0f, 2.5f, infinity, 1e30f};
    std::vector<float> y, high;
    for (const float v : values)
        for (const float b : bounds) y.push_back(v), high.push_back(b);
    for (const float k : {1.0f, 20.0f})
        for (const std::size_t count : {y.size(), std::size_t{16}, std::size_t{3}}) {
            std::vector<float> to(count), d(count, 0.7f), high_gradient(count, 0.25f), in_place{y.begin(), y.begin() + static_cast<std::ptrdiff_t>(count)};
            kernel::bound_softly(y.data(), high.data(), k, to.data(), count);
            kernel::bound_softly(in_place.data(), high.data(), k, in_place.data(), count);
            CHECK(in_place == to);
            kernel::soft_bound_gradient(d.data(), y.data(), high.data(), k, d.data(), high_gradient.data(), count);
            for (std::size_t i = 0; i < count; ++i) {
                const double v = static_cast<double>(y[i]), share = 1.0 / (1.0 + std::exp(-static_cast<double>(k) * (static_cast<double>(high[i]) - v)));
                const double steep = static_cast<double>(k) * v * share * (1.0 - share);
                INFO(y[i] << " below " << high[i] << " at " << k);
                CHECK(std::abs(static_cast<double>(to[i]) - v * share) <= 1e-6 * std::max(1.0, std::abs(v)));
                CHECK(std::abs(static_cast<double>(d[i]) - static_cast<double>(0.7f) * (share - steep)) <= 1e-5 * std::max(1.0, std::abs(v)));
                CHECK(std::abs(static_cast<double>(high_gradient[i]) - 0.25 - static_cast<double>(0.7f) * steep) <= 1e-5 * std::max(1.0, std::abs(v)));
            }
        }
    const float odd[] = {std::numeric_limits<float>::quiet_NaN(), 2.0f}, bound[] = {1.0f, 1.0f};
    float to[2];
    kernel::bound_softly(odd, bound, 20.0f, to, 2);
    CHECK(std::isnan(to[0]));
    CHECK(std::abs(to[1]) < 1e-6f);
}

TEST_CASE("gradients to bounds are finite differences of the loss") {
    const fixture f;
    auto t = f.trainer({}, 4.0f);
    train::reference_step<double> exact{t.plan()};
    std::copy(t.parameters().begin(), t.parameters().end(), exact.parameters.begin());
    exact.steepness = 4.0;
    exact.highs.resize(t.plan().steps.size());
    int bounded = 0;
    random_stream random{5, {}};
    for (std::size_t i = 0; i < exact.highs.size(); ++i) {
        if (!t.bounds().has(i)) continue;
        ++bounded;
        for (std::size_t e = 0; e < static_cast<std::size_t>(t.plan().steps[i].geometry.out.size()); ++e) {
            // some below what the images bring, so that there is something to lose
            float& high = t.high()[t.bounds().first[i] + e];
            high *= static_cast<float>(0.5 + random.unit());
            exact.highs[i].push_back(static_cast<double>(high));
        }
    }
    CHECK(bounded == 5);  // both adds, the clip, and two convolutions, of which one has its activation after the guard
    const batch b = drawn_batch<bare>(11, 9);
    const std::vector<double> pixels(b.pixels.begin(), b.pixels.end());
    const double loss = exact.run(pixels, b.labels);
    const auto own_loss = t.gradients_of(b.pixels, b.labels);
    REQUIRE(own_loss);
    CHECK(*own_loss == Approx(loss).epsilon(1e-5));
    const auto slopes = exact.high_gradients;
    double largest = 0.0;
    for (std::size_t i = 0; i < slopes.size(); ++i)
        for (std::size_t e = 0; e < slopes[i].size(); ++e) largest = std::max(largest, std::abs(slopes[i][e]));
    REQUIRE(largest > 1e-3);
    for (std::size_t i = 0; i < slopes.size(); ++i)
        for (std::size_t e = 0; e < slopes[i].size(); ++e) {
            CHECK(std::abs(slopes[i][e] - static_cast<double>(t.gradients()[t.bounds().first[i] + e])) <= 2e-5 * largest);
            if (random.below(5) != 0) continue;
            CHECK(std::abs(central_difference(exact.highs[i][e], 1e-5, [&] { return exact.forward(pixels, b.labels); }) - slopes[i][e]) < 1e-6);
        }
}

TEST_CASE("trained bounds are the same with any number of threads, and decay pulls them down") {
    const fixture f;
    io::image_set set{"noise", 3, 6, 6, {}, {}, 4};
    random_stream random{6, {}};
    for (int i = 0; i < 64; ++i) {
        for (int p = 0; p < 108; ++p) set.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
        set.labels.push_back(static_cast<int>(random.below(4)));
    }
    train::recipe by;
    by.batch = 32;
    by.epochs = 2;
    by.optimiser = {.kind = train::optimiser_kind::adam, .decay = 1e-3};
    by.schedule.rate = 0.01;
    by.augment.normalise = {{0.5f}, {0.25f}};
    const auto after = [&](unsigned threads, double decay) {
        train::recipe mine = by;
        mine.threads = threads;
        mine.optimiser.decay = decay;
        auto t = f.trainer(mine);
        for (int e = 0; e < 2; ++e) {
            const auto report = t.epoch(set);
            REQUIRE(report);
            CHECK(report->steps == 2);
        }
        return t.bounds().high;
    };
    const auto sum = [](const auto& bounds) {
        double all = 0.0;
        for (const float b : bounds) all += static_cast<double>(b);
        return all;
    };
    const auto one = after(1, 1e-3), free = after(1, 0.0);
    CHECK(one == after(2, 1e-3));
    CHECK(one == after(3, 1e-3));
    CHECK(std::ranges::min(one) >= 0.0f);
    CHECK(one != f.trainer().bounds().high);
    CHECK(free != f.trainer().bounds().high);
    CHECK(sum(one) < 0.999 * sum(free));

    auto t = f.trainer(by);
    set.labels[3] = 7;
    const auto refused = t.epoch(set);
    REQUIRE_FALSE(refused);
    CHECK(std::string{refused.reason().text()} == "label 7 of image 3 of noise is not one of the network's 4 classes");
    const auto empty = t.gradients_of({}, {});
    REQUIRE_FALSE(empty);
    CHECK(std::string{empty.reason().text()} == "a batch needs an image");

    // weights that make no number: bounds stay as they were
    set.labels[3] = 0;
    f.weights->weights(0)[0] = std::numeric_limits<float>::quiet_NaN();
    auto lost = f.trainer(by);
    const auto start = lost.bounds().high;
    const auto said = lost.epoch(set);
    REQUIRE_FALSE(said);
    CHECK(std::string{said.reason().text()} == "the loss of step 1 of epoch 1 is no number; bounds are those before it");
    CHECK(lost.bounds().high == start);
}

namespace {

/// The same layers with the guard around replicas, bounds kept three times, and around all layers, the last among them.
template <number N>
using voted = network<image<3, 6, 6>, N, tmr_bounds<range_neurons<tmr<conv<6>, batch_norm, relu>, residual<conv<6>, max_pool<3, 1, 1>>, relu, max_pool<2>, clipped_relu<6>, conv<5>, hard_swish,
                                                                  residual<conv<5>, batch_norm>, hard_swish, linear<4>>>>;

template <network_type To>
std::unique_ptr<parameters<To>> converted(const fixture& f, const auto& trained, std::vector<float>& others) {
    using own = without_protection<To>;
    auto to = std::make_unique<parameters<To>>();
    auto plain = std::make_unique<parameters<own>>();
    calibration<bare> values;
    const auto space = std::make_unique<workspace<bare>>();
    for (const auto& image : f.images) observe<bare>(*f.weights, image, *space, values);
    convert<bare, own>(*f.weights, values, *plain);
    convert<bare, To>(*f.weights, values, *to);
    const auto own_space = std::make_unique<workspace<own>>();
    const auto seen = std::make_unique<neuron_ranges<own>>();
    calibration<own> own_values;
    for (const auto& image : f.images) {
        observe_neurons<own>(*plain, image, *own_space, *seen);
        observe<own>(*plain, image, *own_space, own_values);
    }
    set_bounds<own, To>(own_values, *to);
    set_neuron_bounds<own, To>(*seen, *to);
    for (int u = 0; u < To::table.unit_count; ++u)
        for (const auto b : to->neuron_bounds(u)) others.push_back(static_cast<float>(b));
    trained.put(*to);
    return to;
}

template <network_type To, class Trained>
void check_put(const fixture& f, Trained& t, std::size_t expected_steps) {
    using word = typename To::number_type::activation;
    std::vector<float> before;
    const auto to = converted<To>(f, t, before);
    std::size_t at = 0, trained = 0;
    for (int u = 0; u < To::table.unit_count; ++u) {
        const auto bounds = to->neuron_bounds(u);
        const auto place = std::ranges::find_if(t.plan().steps, [&](const step& s) { return s.unit == u; });
        const auto i = static_cast<std::size_t>(place - t.plan().steps.begin());
        const bool is_trained = !bounds.empty() && t.bounds().has(i);
        trained += is_trained ? 1u : 0u;
        for (std::size_t e = 0; e < bounds.size(); ++e, ++at) {
            float expected = before[at];
            if (is_trained) {
                const float high = t.bounds().high[t.bounds().first[i] + e];
                if constexpr (To::number_type::is_integer) expected = std::clamp(std::nearbyint(std::ldexp(high, to->of_unit(u).frac)), -128.0f, 127.0f);
                else expected = static_cast<float>(widened(word{high}));
            }
            CHECK(static_cast<float>(bounds[e]) == expected);
        }
        const auto copy = to->bound_copy(u, 1);
        if (!bounds.empty() && !copy.empty()) CHECK(std::equal(bounds.begin(), bounds.end(), copy.begin() + 2));
    }
    CHECK(trained == expected_steps);
    // nothing is cut from the images that bounds are of while these are 1.3 of what was seen, and something at 0.4
    std::uint64_t outside[2] = {0, 0};
    const auto kept = t.bounds().high;
    for (const float by : {1.3f, 0.4f}) {
        for (std::size_t k = 0; k < kept.size(); ++k) t.high()[k] = kept[k] * by + (by > 1.0f ? 0.3f : 0.0f);
        const auto guarded = converted<To>(f, t, before);
        for (const auto& image : f.images) outside[by > 1.0f ? 0 : 1] += answer_of<To>(*guarded, image).status.total().out_of_range;
    }
    std::ranges::copy(kept, t.high().begin());
    CHECK(outside[0] == 0);
    CHECK(outside[1] > 0);
}

}  // namespace

TEST_CASE("trained bounds go into parameters of any number, and hold what they were trained for") {
    const fixture f;
    auto t = f.trainer();
    check_put<guarded<float32>>(f, t, 5);
    check_put<guarded<float16>>(f, t, 5);
    check_put<guarded<bfloat16>>(f, t, 5);
    check_put<guarded<int8>>(f, t, 5);
    train::bound_trainer<voted<float32>> in_votes{*f.weights, *f.seen, train::recipe{}};
    check_put<voted<float32>>(f, in_votes, 5);
    check_put<voted<int8>>(f, in_votes, 5);
}
