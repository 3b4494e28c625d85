// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <cmath>
#include <limits>

using namespace redoubt;
using namespace support;

namespace {

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr float infinite = std::numeric_limits<float>::infinity();

template <number N>
using logits_of = network<image<3, 2, 2>, N, conv2d<conv_spec{.out = 4, .kernel = 1}>, relu, linear<6>>;
template <number N>
using probabilities_of = network<image<3, 2, 2>, N, conv2d<conv_spec{.out = 4, .kernel = 1}>, relu, linear<6>, softmax>;

template <number N>
void check_softmax() {
    using net = logits_of<N>;
    using normalised = probabilities_of<N>;
    const auto weights = drawn_and_converted<net>();
    const auto same = drawn_and_converted<normalised>();
    for (const auto& image : drawn_images<net>(10)) {
        const auto logits = answer_of<net>(*weights, image);
        const auto got = answer_of<normalised>(*same, image);
        double sum = 0.0, total = 0.0;
        for (float v : logits.logits) sum += std::exp(static_cast<double>(v));
        for (std::size_t i = 0; i < 6; ++i) {
            CHECK(std::abs(static_cast<double>(got.logits[i]) - std::exp(static_cast<double>(logits.logits[i])) / sum) < 1e-6);
            total += static_cast<double>(got.logits[i]);
        }
        CHECK(std::abs(total - 1.0) < 1e-6);
        CHECK(got.top1() == logits.top1());
    }
}

}  // namespace

TEST_CASE("top-1 is the first of the largest, and never NaN", "[nn]") {
    const auto top = [](std::array<float, 4> v) { return top1_of(v); };
    CHECK(top({1, 3, 2, 0}) == 1);
    CHECK(top({3, 1, 3, 0}) == 0);
    CHECK(top({-4, -2, -2, -3}) == 1);
    CHECK(top({nan_value, -1, nan_value, -2}) == 1);
    CHECK(top({5, nan_value, nan_value, nan_value}) == 0);
    CHECK(top({nan_value, -nan_value, nan_value, -infinite}) == 3);
    CHECK(top({1, infinite, nan_value, infinite}) == 1);
    CHECK(top({-0.0f, 0.0f, nan_value, -1}) == 0);
    CHECK(top({nan_value, nan_value, nan_value, nan_value}) == no_class);
    STATIC_REQUIRE(top1_of(std::array<float, 2>{0.0f, 1.0f}) == 1);
}

TEST_CASE("a status adds up its steps", "[nn]") {
    using net = logits_of<float32>;
    status<net> report;
    CHECK(report.total() == fault_counters{});
    CHECK(report.trustworthy());
    report.steps[0] = {2, 1, 1, 0};
    report.steps[2] = {1, 1, 0, 5};
    CHECK(report.total() == fault_counters{3, 2, 1, 5});
    CHECK_FALSE(report.trustworthy());
}

TEST_CASE("a network that ends in softmax gives probabilities, fp32", "[nn]") { check_softmax<float32>(); }
TEST_CASE("a network that ends in softmax gives probabilities, fp16", "[nn]") { check_softmax<float16>(); }
TEST_CASE("a network that ends in softmax gives probabilities, int8", "[nn]") { check_softmax<int8>(); }

TEST_CASE("the logits of an int8 network are accumulators at its scales", "[nn]") {
    using net = logits_of<int8>;
    const auto weights = drawn_and_converted<net>();
    const auto got = answer_of<net>(*weights, drawn_images<net>(1)[0]);
    const float unit = scaled(1.0f, -(weights->of_unit(1).frac + weights->weight_frac(1)));
    for (float v : got.logits) CHECK(std::nearbyint(v / unit) == v / unit);
}
