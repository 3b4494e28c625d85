// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/plain.hpp"

#include <algorithm>

using namespace redoubt;
using namespace support;

namespace {

template <number N>
using tiny = network<image<3, 7, 6>, N, conv2d<conv_spec{.out = 18, .pad = 1}>, relu,
                     residual<conv2d<conv_spec{.out = 18, .pad = 1}>>, max_pool<2>, relu, linear<5>>;

template <class Net>
void check_equal(const calibration<Net>& a, const calibration<Net>& b) {
    CHECK(a.images == b.images);
    for (std::size_t u = 0; u < a.units.size(); ++u) {
        CHECK(a.units[u].low == b.units[u].low);
        CHECK(a.units[u].high == b.units[u].high);
        CHECK(a.units[u].seen == b.units[u].seen);
    }
}

/// Range restriction with bounds from these images changes none of their words.
template <number N>
void check_own_images() {
    using net = tiny<N>;
    using zeroing = network<image<3, 7, 6>, N, range<conv2d<conv_spec{.out = 18, .pad = 1}>>, relu,
                            range<residual<conv2d<conv_spec{.out = 18, .pad = 1}>>, max_pool<2>>, relu, range<linear<5>>>;
    using clamping = network<image<3, 7, 6>, N,
                             range_clamp<conv2d<conv_spec{.out = 18, .pad = 1}>, relu,
                                         residual<conv2d<conv_spec{.out = 18, .pad = 1}>>, max_pool<2>, relu, linear<5>>>;
    const auto images = drawn_images<net>(6);
    using base = tiny<float32>;
    const auto floats = drawn_network<base>();
    const auto bare = converted<net, base>(*floats, images);
    const auto zero = converted<zeroing, base>(*floats, images);
    const auto clamp = converted<clamping, base>(*floats, images);
    for (const auto& image : images) {
        const auto expected = words_of(answer_of<net>(*bare, image));
        const auto zeroed = answer_of<zeroing>(*zero, image);
        CHECK(words_of(zeroed) == expected);
        CHECK(zeroed.status.total() == fault_counters{});
        const auto clamped = answer_of<clamping>(*clamp, image);
        CHECK(words_of(clamped) == expected);
        CHECK(clamped.status.total() == fault_counters{});
    }
    // another image that is far larger does leave the bounds, from the first step on
    auto large = images[0];
    for (float& pixel : large) pixel *= 100.0f;
    if constexpr (!N::is_integer) {
        CHECK(answer_of<zeroing>(*zero, large).status.steps[1].out_of_range > 0);
        CHECK(words_of(answer_of<clamping>(*clamp, large)) != words_of(answer_of<net>(*bare, large)));
    }
}

}  // namespace

TEST_CASE("a calibration holds each unit's smallest and largest output", "[nn]") {
    using net = tiny<float32>;
    const auto layers = drawn_layers<net>();
    const auto images = drawn_images<net>(3);
    const auto seen = seen_on<net>(*network_of<net>(layers), images);
    CHECK(seen.images == 3);
    std::vector<std::pair<float, float>> ends(6, {INFINITY, -INFINITY});
    const auto look = [&](std::size_t unit, const plain_tensor& t) {
        for (float v : t.elements) ends[unit] = {std::min(ends[unit].first, v), std::max(ends[unit].second, v)};
        return t;
    };
    for (const auto& image : images) {
        const plain_tensor in = look(0, {3, 7, 6, image});
        const plain_tensor stem = look(1, plain_relu(plain_conv(in, layers[0], 18, 3, 3, 1, 1)));
        const plain_tensor sum = look(2, plain_add(plain_conv(stem, layers[1], 18, 3, 3, 1, 1), stem));
        const plain_tensor pooled = look(3, plain_max_pool(sum, 2, 2));
        look(5, plain_linear(look(4, plain_relu(pooled)), layers[2], 5));
    }
    REQUIRE(seen.units.size() == 6);
    for (std::size_t u = 0; u < 6; ++u) {
        CAPTURE(u);
        CHECK(seen.units[u].seen);
        CHECK(seen.units[u].low == static_cast<double>(ends[u].first));
        CHECK(seen.units[u].high == static_cast<double>(ends[u].second));
        CHECK(seen.units[u].magnitude() == std::max(-seen.units[u].low, seen.units[u].high));
    }
}

TEST_CASE("a calibration of parts is that of the whole, in any order", "[nn]") {
    using net = tiny<float32>;
    const auto weights = drawn_network<net>();
    const auto images = drawn_images<net>(4);
    const auto whole = seen_on<net>(*weights, images);
    calibration<net> forward, backward;
    for (std::size_t i = 0; i < 4; ++i) {
        forward.merge(seen_on<net>(*weights, {images[i]}));
        backward.merge(seen_on<net>(*weights, {images[3 - i]}));
    }
    backward.merge({});
    check_equal(forward, whole);
    check_equal(backward, whole);
}

TEST_CASE("NaN leaves no bound", "[nn]") {
    using net = network<image<1, 2, 2>, float32, relu>;
    const parameters<net> weights{};
    calibration<net> seen;
    const auto space = std::make_unique<workspace<net>>();
    observe<net>(weights, std::vector<float>(4, NAN), *space, seen);
    CHECK_FALSE(seen.units[0].seen);
    CHECK(seen.images == 1);
    observe<net>(weights, std::vector<float>{NAN, 2, -3, 1}, *space, seen);
    CHECK(seen.units[0].low == -3.0);
    CHECK(seen.units[0].high == 2.0);
    CHECK(seen.units[1].low == 0.0);
    auto bounded = std::make_unique<parameters<net>>();
    calibration<net> nothing;
    bounded->of_unit(1) = {0, -1.0f, 1.0f};
    set_bounds<net, net>(nothing, *bounded);
    CHECK(bounded->of_unit(1).high == 1.0f);
    set_bounds<net, net>(seen, *bounded);
    CHECK(bounded->of_unit(1).high == 2.0f);
}

TEST_CASE("a protected network is calibrated as the unprotected one", "[nn]") {
    using net = tiny<float32>;
    using guarded = harden<net, protect<is_weighted, tmr>>;
    const auto images = drawn_images<net>(3);
    const auto weights = drawn_network<net>();
    const auto same = converted<guarded, net>(*weights, images);
    const auto one = seen_on<net>(*weights, images);
    const auto other = seen_on<guarded>(*same, images);
    for (std::size_t u = 0; u < one.units.size(); ++u) {
        CHECK(one.units[u].low == other.units[u].low);
        CHECK(one.units[u].high == other.units[u].high);
    }
}

TEST_CASE("range restriction changes no word of its calibration images, fp32", "[nn]") { check_own_images<float32>(); }
TEST_CASE("range restriction changes no word of its calibration images, fp16", "[nn]") { check_own_images<float16>(); }

TEST_CASE("range restriction changes no word of its calibration images, bf16", "[nn]") { check_own_images<bfloat16>(); }
TEST_CASE("range restriction changes no word of its calibration images, int8", "[nn]") { check_own_images<int8>(); }
