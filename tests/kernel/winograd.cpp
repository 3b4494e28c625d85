// SPDX-License-Identifier: MIT
// Winograd convolutions: exact where every intermediate is, close to the canonical kernel elsewhere, and equal to what the
// matrices say.
#include <redoubt/kernel/winograd.hpp>

#include "support/catch.hpp"
#include "support/conv_case.hpp"
#include "support/guarded.hpp"
#include "support/kernels.hpp"

#include <cmath>
#include <string>
#include <vector>

using namespace redoubt;
using kernel::conv_geometry;
using kernel::winograd;
using kernel::winograd_plan;
using support::conv_case;
using support::words;

namespace {

/// 3x3 convolutions with every kind of remainder.
conv_geometry random_3x3(random_stream& random) {
    conv_geometry g;
    g.in = {support::one_of(random, {1, 5, 16, 17, 64, 70}), 1 + support::below(random, 19), 1 + support::below(random, 19)};
    g.out.channels = support::one_of(random, {1, 15, 16, 17, 32, 48, 65});
    g.kernel = 3;
    g.pad = {support::below(random, 3), support::below(random, 3)};
    g.out.height = std::max(1, g.in.height + g.pad.h + support::below(random, 3) - 2);
    g.out.width = std::max(1, g.in.width + g.pad.w + support::below(random, 3) - 2);
    return g;
}

/// What the transform stores, the buffers exactly as large as promised.
std::vector<float> run_winograd(const conv_case<float32>& c, winograd kind) {
    const winograd_plan plan{c.geometry, kind};
    std::vector<float> weights(plan.weights());
    kernel::transform_weights(
        c.geometry, plan, [&](int o, int r, int k, int i) { return c.taps[c.logical(o, r, k, i)]; }, weights.data());
    support::guarded<float> kept{weights, support::edge::end}, in{c.in, support::edge::end};
    support::guarded<float> scratch{plan.scratch(), support::edge::end};
    std::vector<float> out(static_cast<std::size_t>(c.geometry.out.size())), logits(out.size());
    auto call = c.call(out.data(), logits.data());
    call.weights = kept.data();
    call.in = in.data();
    kernel::winograd_conv2d<float32>(call, kind, scratch.data());
    return c.to_logits ? logits : out;
}

std::vector<float> run_direct(const conv_case<float32>& c) {
    std::vector<float> out;
    for (std::uint32_t bits : run(c, [](const auto& call) { kernel::conv2d<float32>(call); }))
        out.push_back(from_word<float>(bits));
    return out;
}

}  // namespace

TEST_CASE("small whole numbers make no rounding: F(2x2) gives the canonical bits", "[kernel][winograd]") {
    random_stream random{41, {}};
    for (int i = 0; i < 80; ++i) {
        conv_case<float32> c{random_3x3(random), random, words::ordinary};
        for (float& v : c.in) v = static_cast<float>(support::below(random, 9) - 4);
        for (float& v : c.taps) v = 4.0f * static_cast<float>(support::below(random, 9) - 4);  // quarters stay whole
        for (float& v : c.bias) v = static_cast<float>(support::below(random, 9));
        for (float& v : c.residual) v = static_cast<float>(support::below(random, 9));
        c.pack();
        CAPTURE(i, c.geometry.in.channels, c.geometry.in.height, c.geometry.in.width, c.geometry.out.channels);
        CHECK(run_winograd(c, winograd::f2x2) == run_direct(c));
    }
}

TEST_CASE("errors stay below a bound relative to the largest output", "[kernel][winograd]") {
    random_stream random{42, {}};
    for (const auto& [kind, bound] : {std::pair{winograd::f2x2, 4e-6}, {winograd::f4x4, 3e-5}}) {
        double worst = 0.0;
        for (int i = 0; i < 60; ++i) {
            conv_case<float32> c{random_3x3(random), random, words::ordinary};
            c.act = kernel::activation::none;
            c.adds = false;
            const auto fast = run_winograd(c, kind), exact = run_direct(c);
            double largest = 0.0, error = 0.0;
            for (std::size_t k = 0; k < exact.size(); ++k) {
                largest = std::max(largest, std::abs(static_cast<double>(exact[k])));
                error = std::max(error, std::abs(static_cast<double>(exact[k]) - static_cast<double>(fast[k])));
            }
            worst = std::max(worst, error / largest);
        }
        CAPTURE(static_cast<int>(kind), worst);
        CHECK(worst < bound);
        CHECK(worst > 0.0);
    }
}

TEST_CASE("activation, residual and NaN policy are those of every store", "[kernel][winograd]") {
    random_stream random{43, {}};
    for (int i = 0; i < 40; ++i) {
        conv_case<float32> c{random_3x3(random), random, words::ordinary};
        c.act = i % 2 == 0 ? kernel::activation::relu : kernel::activation::clipped_relu;
        const auto fast = run_winograd(c, winograd::f4x4), exact = run_direct(c);
        int wrong = 0;
        for (std::size_t k = 0; k < exact.size(); ++k)
            wrong += !(std::abs(fast[k] - exact[k]) <= 1e-3f) || std::signbit(fast[k]) ||
                     (c.act == kernel::activation::clipped_relu && fast[k] > static_cast<float>(c.limit));
        CHECK(wrong == 0);
    }
    // a NaN pixel spreads over its tiles and no further, as the one NaN
    conv_case<float32> c{{.in = {16, 24, 24}, .out = {16, 24, 24}, .kernel = 3, .pad = 1}, random, words::ordinary};
    c.act = kernel::activation::none;
    c.adds = c.to_logits = false;
    c.in[static_cast<std::size_t>(c.geometry.in.index(9, 9, 3))] = from_word<float>(0xffc12345u);
    const auto fast = run_winograd(c, winograd::f4x4);
    int others = 0, far = 0;
    for (int row = 0; row < 24; ++row)
        for (int column = 0; column < 24; ++column) {
            const float v = fast[static_cast<std::size_t>(c.geometry.out.index(row, column, 5))];
            if (v == v) continue;
            others += to_word(v) != canonical_nan_word;
            far += row < 8 || row >= 12 || column < 8 || column >= 12;
        }
    CHECK(others == 0);
    CHECK(far == 0);
}

TEST_CASE("the choice depends on extents alone", "[kernel][winograd]") {
    const conv_geometry wide{.in = {64, 56, 56}, .out = {64, 56, 56}, .kernel = 3, .pad = 1};
    STATIC_REQUIRE(kernel::winograd_for({.in = {64, 56, 56}, .out = {64, 56, 56}, .kernel = 3, .pad = 1}) == winograd::f4x4);
    STATIC_REQUIRE(kernel::winograd_for({.in = {512, 7, 7}, .out = {512, 7, 7}, .kernel = 3, .pad = 1}) == winograd::f2x2);
    conv_geometry other = wide;
    other.stride = 2;
    CHECK(kernel::winograd_for(other) == winograd::none);
    other = wide;
    other.groups = 2;
    CHECK(kernel::winograd_for(other) == winograd::none);
    other = wide;
    other.in.channels = 32;
    CHECK(kernel::winograd_for(other) == winograd::none);
    CHECK(kernel::winograd_of<float32>(wide) == winograd::none);
    CHECK(kernel::winograd_of<fast<float32>>(wide) == winograd::f4x4);
}
