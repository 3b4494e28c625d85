// SPDX-License-Identifier: MIT
#include <redoubt/analyze/bound_search.hpp>

#include "support/catch.hpp"
#include "support/nets.hpp"

#include <array>
#include <cmath>
#include <limits>

using namespace redoubt;
using namespace support;

namespace {

template <number N>
using net_of = network<image<3, 6, 6>, N, redoubt::range<conv2d<conv_spec{.out = 16, .pad = 1}>>, relu, max_pool<2>, redoubt::range<linear<20>>, relu, linear<5>>;

/// Images whose labels are what the network says without faults.
template <class Net>
campaign::prepared_images labelled(const parameters<Net>& weights, int count, std::uint64_t seed) {
    campaign::prepared_images all;
    all.image_size = static_cast<std::size_t>(Net::input_shape.size());
    for (const auto& pixels : drawn_images<Net>(count, seed)) {
        all.pixels.insert(all.pixels.end(), pixels.begin(), pixels.end());
        all.labels.push_back(answer_of<Net>(weights, pixels).top1());
    }
    return all;
}
analyze::bound_search_spec quick(double scale, unsigned threads = 1) {
    analyze::bound_search_spec spec;
    spec.rates = {1e-9, 1e-4 * scale, 3e-4 * scale, 1e-3 * scale, 3e-3 * scale};
    spec.repeats = 8;
    spec.threads = threads;
    return spec;
}

/// Share of right answers with faults in all weights.
template <class Net>
double accuracy(const parameters<Net>& weights, const campaign::prepared_images& images, double rate) {
    auto own = std::make_unique<parameters<Net>>(weights);
    int right = 0;
    for (std::uint64_t trial = 0; trial < 60; ++trial) {
        std::vector<fault::weight_fault> faults;
        fault::fault_spec spec;
        spec.rate = rate;
        fault::draw_weights<Net>(99, trial, spec, {}, [&](const fault::weight_fault& f) { faults.push_back(f); });
        for (auto& f : faults) fault::apply<Net>(*own, f);
        for (std::size_t i = 0; i < images.size(); ++i) right += answer_of<Net>(*own, images.image(i)).top1() == images.labels[i] ? 1 : 0;
        for (auto f = faults.rbegin(); f != faults.rend(); ++f) fault::undo<Net>(*own, *f);
    }
    return right / (60.0 * static_cast<double>(images.size()));
}

template <number N>
void check_search(double scale) {
    using net = net_of<N>;
    const auto calibrated = drawn_and_converted<net>(7, 24);
    // the images of the calibration, so that its bounds change nothing
    const auto images = labelled<net>(*calibrated, 24, 1);
    const auto weights = std::make_unique<parameters<net>>(*calibrated);
    const auto found = analyze::search_bounds<net>(*weights, images, quick(scale));
    REQUIRE(found.size() == 2);
    bool lower = false;
    for (const auto& f : found) {
        CAPTURE(f.slot, f.calibrated, f.bound, f.calibrated_score, f.score, f.calibrated_accuracy, f.accuracy, f.rounds);
        CHECK(f.unit == net::table.slots[static_cast<std::size_t>(f.slot)].unit);
        CHECK(f.calibrated == static_cast<double>(calibrated->of_unit(f.unit).high));
        CHECK(f.bound == static_cast<double>(weights->of_unit(f.unit).high));
        CHECK(f.bound <= f.calibrated);
        CHECK(f.bound > 0.0);
        CHECK(f.score >= f.calibrated_score);
        CHECK(f.score <= 80.0);
        CHECK((f.rounds == 3 || f.rounds == 4));
        // at the lowest rate nothing is struck: what is lost there at a tenth of a point each must be won at higher ones
        CHECK(0.1 * (f.calibrated_accuracy - f.accuracy) <= 80.0 - f.calibrated_score + 1e-9);
        CHECK(f.accuracy >= f.calibrated_accuracy - 15.0);
        lower = lower || f.bound < f.calibrated;
    }
    CHECK(found[0].calibrated_accuracy == 100.0);
    CHECK(found[1].calibrated_accuracy == found[0].accuracy);
    CHECK(lower);
    // nothing else has changed
    for (const auto& f : found) {
        auto& record = weights->of_unit(f.unit);
        const auto mine = record.high;
        record.high = calibrated->of_unit(f.unit).high;
        if (f.slot == found.back().slot) {
            weights->of_unit(found[0].unit).high = calibrated->of_unit(found[0].unit).high;
            CHECK(weights->bytes == calibrated->bytes);
            weights->of_unit(found[0].unit).high = static_cast<bound_of<N>>(found[0].bound);
        }
        record.high = mine;
    }
    const double before = accuracy<net>(*calibrated, images, 1e-3 * scale), after = accuracy<net>(*weights, images, 1e-3 * scale);
    CAPTURE(before, after);
    CHECK(after >= before);
    CHECK(before < 0.99);
}

}  // namespace

TEST_CASE("searched bounds are below the calibrated ones and answer better under faults", "[analyze]") {
    check_search<float32>(1.0);
    check_search<int8>(8.0);
}

TEST_CASE("a search gives the same for any number of threads, and changes nothing without faults", "[analyze]") {
    using net = net_of<float32>;
    const auto calibrated = drawn_and_converted<net>(7, 8);
    const auto images = labelled<net>(*calibrated, 8, 1);
    const auto searched = [&](const analyze::bound_search_spec& spec) {
        auto weights = std::make_unique<parameters<net>>(*calibrated);
        analyze::search_bounds<net>(*weights, images, spec);
        return weights;
    };
    const auto once = searched(quick(1.0));
    CHECK(once->bytes == searched(quick(1.0, 3))->bytes);
    // where nothing is ever struck the highest bound is as good as any other
    analyze::bound_search_spec never;
    never.rates = {0.0, 0.0};
    CHECK(searched(never)->bytes == calibrated->bytes);
}

TEST_CASE("the search tries equally spaced bounds and scores by the trapezoid rule", "[analyze]") {
    CHECK(analyze::impl::spaced<float>(0.0, 3.0, 4) == std::vector<float>{3.0f, 2.0f, 1.0f, 0.0f});
    CHECK(analyze::impl::spaced<std::int32_t>(0.0, 100.0, 4) == std::vector<std::int32_t>{100, 67, 33, 0});
    const std::array<double, 5> flat{100.0, 100.0, 100.0, 100.0, 100.0}, falling{100.0, 90.0, 60.0, 30.0, 10.0};
    CHECK(analyze::area_under(flat) == Approx(80.0));
    CHECK(analyze::area_under(falling) == Approx(47.0));
}

TEST_CASE("layers without a finite bound, and bounds of neurons, are left as they are", "[analyze]") {
    using net = network<image<3, 6, 6>, float32, redoubt::range<conv2d<conv_spec{.out = 16, .pad = 1}>>, relu, range_neurons<linear<20>>, relu, linear<5>>;
    const auto weights = drawn_and_converted<net>();
    const auto images = labelled<net>(*weights, 2, 1);
    weights->of_unit(1).high = std::numeric_limits<float>::infinity();
    CHECK(analyze::search_bounds<net>(*weights, images, quick(1.0)).empty());
    CHECK(std::isinf(weights->of_unit(1).high));
}
