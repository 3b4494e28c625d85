// SPDX-License-Identifier: MIT
// Gradients of convolutions: the kernels against the scalar chains to the bit, the chains against their definition.
#include <redoubt/kernel/gradient_reference.hpp>
#include <redoubt/kernel/input_gradient.hpp>
#include <redoubt/kernel/weight_gradient.hpp>

#include "support/catch.hpp"
#include "support/conv_case.hpp"
#include "support/kernels.hpp"

#include <bit>
#include <cmath>
#include <string>

using namespace redoubt;
using redoubt::kernel::conv_geometry;

namespace {

struct gradient_case {
    conv_geometry geometry{};
    int images = 1;
    std::vector<float> in, out, weights, added;

    gradient_case(const conv_geometry& g, int n, std::uint32_t seed, support::words kind) : geometry{g}, images{n} {
        random_stream random{seed, {7}};
        const auto draw = [&](std::vector<float>& to, std::size_t count) {
            to.resize(count);
            for (float& v : to) v = support::random_float_word<float>(random, random.below(20) == 0 ? kind : support::words::ordinary);
        };
        draw(in, static_cast<std::size_t>(n * g.in.size()));
        draw(added, in.size());
        draw(out, static_cast<std::size_t>(n * g.out.size()));
        weights.assign(kernel::wide_layout{}.size(g), 0.0f);
        for (std::size_t i = 0; i < g.weights(); ++i)
            weights[kernel::wide_layout{}.index_of_logical(g, i)] = support::random_float_word<float>(random, random.below(20) == 0 ? kind : support::words::ordinary);
    }
};

std::string text_of(const conv_geometry& g, int images) {
    const auto pair = [](hw v) { return std::to_string(v.h) + "x" + std::to_string(v.w); };
    return std::to_string(images) + " images " + std::to_string(g.in.channels) + "x" + std::to_string(g.in.height) + "x" +
           std::to_string(g.in.width) + " to " + std::to_string(g.out.channels) + "x" + std::to_string(g.out.height) + "x" +
           std::to_string(g.out.width) + " kernel " + pair(g.kernel) + " stride " + pair(g.stride) + " pad " + pair(g.pad) +
           " dilation " + pair(g.dilation) + " groups " + std::to_string(g.groups);
}

/// The first place where the bits differ, -1 if they do not.
long first_difference(const std::vector<float>& a, const std::vector<float>& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (to_word(a[i]) != to_word(b[i])) return static_cast<long>(i);
    return -1;
}

void check(const gradient_case& c) {
    const conv_geometry& g = c.geometry;
    INFO(text_of(g, c.images));
    std::vector<float> expected = c.weights, got = c.weights;  // gradients are added to what is there
    kernel::weight_gradient_reference(g, c.images, c.in.data(), c.out.data(), expected.data());
    kernel::weight_gradient({g, c.images, c.in.data(), c.out.data(), got.data()});
    CHECK(first_difference(expected, got) == -1);

    std::vector<float> turned(kernel::turned_words(g)), scratch(kernel::input_gradient_scratch(g));
    kernel::turn_weights(g, c.weights.data(), turned.data());
    const std::vector<float> zeros(static_cast<std::size_t>(g.in.channels + 16 * g.groups), 0.0f);
    for (const bool adds : {false, true}) {
        std::vector<float> to(c.in.size(), 7.0f), wanted(c.in.size(), 8.0f);
        kernel::input_gradient_reference(g, c.images, c.out.data(), c.weights.data(), adds ? c.added.data() : nullptr, wanted.data());
        for (int image = 0; image < c.images; ++image) {
            const auto at = static_cast<std::ptrdiff_t>(image) * g.in.size();
            kernel::input_gradient(g, c.out.data() + static_cast<std::ptrdiff_t>(image) * g.out.size(), turned.data(), zeros.data(),
                                   adds ? c.added.data() + at : nullptr, scratch.data(), to.data() + at);
        }
        CHECK(first_difference(wanted, to) == -1);
    }
}

conv_geometry drawn_geometry(random_stream& random) {
    for (;;) {
        conv_geometry g;
        g.groups = support::one_of(random, {1, 1, 1, 2, 3});
        g.in = {g.groups * support::one_of(random, {1, 3, 4, 8, 9, 16, 17}), support::below(random, 9) + 1, support::below(random, 20) + 1};
        g.out.channels = g.groups * support::one_of(random, {1, 5, 16, 17, 32, 35});
        if (random.below(5) == 0) {
            g.in.channels = g.out.channels = g.groups = support::one_of(random, {5, 16, 24, 64, 70});
        }
        g.kernel = {support::below(random, 4) + 1, support::one_of(random, {1, 2, 3, 3, 3, 4, 5, 7})};
        g.stride = {support::one_of(random, {1, 1, 1, 2, 3}), support::one_of(random, {1, 1, 1, 2, 3})};
        g.dilation = {support::one_of(random, {1, 1, 1, 2, 3}), support::one_of(random, {1, 1, 1, 2, 4})};
        const hw reach{(g.kernel.h - 1) * g.dilation.h + 1, (g.kernel.w - 1) * g.dilation.w + 1};
        g.pad = {support::below(random, reach.h), support::below(random, reach.w)};
        const int height = g.in.height + g.pad.h + support::below(random, reach.h) - reach.h;
        const int width = g.in.width + g.pad.w + support::below(random, reach.w) - reach.w;
        if (height < 0 || width < 0) continue;
        g.out.height = height / g.stride.h + 1;
        g.out.width = width / g.stride.w + 1;
        return g;
    }
}

}  // namespace

TEST_CASE("gradients of the usual layers have the bits of the scalar chains") {
    for (const auto kind : {support::words::ordinary, support::words::hostile}) {
        check({{.in = {16, 8, 32}, .out = {16, 8, 32}, .kernel = 3, .pad = 1}, 2, 1, kind});
        check({{.in = {3, 8, 32}, .out = {16, 8, 32}, .kernel = 3, .pad = 1}, 1, 2, kind});
        check({{.in = {16, 8, 8}, .out = {32, 4, 4}, .kernel = 3, .stride = 2, .pad = 1}, 3, 3, kind});
        check({{.in = {64, 8, 8}, .out = {64, 8, 8}, .kernel = 3, .pad = 1}, 1, 4, kind});
        check({{.in = {32, 5, 7}, .out = {64, 5, 7}}, 2, 5, kind});
        check({{.in = {32, 5, 7}, .out = {64, 3, 4}, .stride = 2}, 2, 6, kind});
        check({{.in = {400, 1, 5}, .out = {10, 1, 5}}, 1, 7, kind});
        check({{.in = {48, 9, 9}, .out = {48, 5, 5}, .kernel = 3, .stride = 2, .pad = 1, .groups = 48}, 2, 8, kind});
        check({{.in = {6, 4, 4}, .out = {10, 1, 1}, .kernel = {4, 4}}, 2, 9, kind});
        check({{.in = {12, 6, 14}, .out = {20, 3, 7}, .kernel = 5, .stride = 2, .pad = 2}, 1, 10, kind});  // phases of three columns
    }
}

TEST_CASE("gradients of drawn convolutions have the bits of the scalar chains") {
    random_stream random{11, {}};
    for (std::uint32_t i = 0; i < 300; ++i)
        check({drawn_geometry(random), support::below(random, 3) + 1, i, i % 2 == 0 ? support::words::ordinary : support::words::hostile});
}

TEST_CASE("the scalar gradients are those of the convolution they belong to") {
    // <forward(x), d> is linear in x and in the weights: its derivatives are the gradients, exactly
    random_stream random{13, {}};
    for (int n = 0; n < 60; ++n) {
        const conv_geometry g = drawn_geometry(random);
        INFO(text_of(g, 1));
        const auto draw = [&](std::size_t count) {
            std::vector<double> v(count);
            for (double& x : v) x = static_cast<double>(static_cast<int>(random.below(17))) - 8.0;  // whole numbers: sums are exact
            return v;
        };
        const auto in = draw(static_cast<std::size_t>(g.in.size())), out = draw(static_cast<std::size_t>(g.out.size()));
        std::vector<double> weights(kernel::wide_layout{}.size(g)), by_weight(weights.size()), by_input(in.size());
        for (std::size_t i = 0; i < g.weights(); ++i)
            weights[kernel::wide_layout{}.index_of_logical(g, i)] = static_cast<double>(static_cast<int>(random.below(9))) - 4.0;
        kernel::weight_gradient_reference<double>(g, 1, in.data(), out.data(), by_weight.data());
        kernel::input_gradient_reference<double>(g, 1, out.data(), weights.data(), nullptr, by_input.data());

        std::vector<double> weight_sums(weights.size()), input_sums(in.size());
        for (int row = 0; row < g.out.height; ++row)
            for (int column = 0; column < g.out.width; ++column)
                for (int o = 0; o < g.out.channels; ++o)
                    for (int r = 0; r < g.kernel.h; ++r)
                        for (int c = 0; c < g.kernel.w; ++c)
                            for (int i = 0; i < g.group_in(); ++i) {
                                const int y = g.row_at(row, r), x = g.column_at(column, c);
                                if (y < 0 || x < 0 || y >= g.in.height || x >= g.in.width) continue;
                                const auto w = kernel::wide_layout{}.index(g, o, r, c, i);
                                const auto a = static_cast<std::size_t>(g.in.index(y, x, g.first_input(o) + i));
                                const double d = out[static_cast<std::size_t>(g.out.index(row, column, o))];
                                weight_sums[w] += in[a] * d;
                                input_sums[a] += weights[w] * d;
                            }
        CHECK(weight_sums == by_weight);
        CHECK(input_sums == by_input);
    }
}

TEST_CASE("narrow convolutions have chains by row, input channel and column") {
    random_stream random{17, {}};
    for (std::uint32_t n = 0; n < 150; ++n) {
        const int width = support::below(random, 40) + 4, height = support::below(random, 6) + 1, rows = support::below(random, 3) + 1;
        const conv_geometry g{.in = {support::one_of(random, {1, 3, 16, 20}), height + rows - 1, width}, .out = {support::one_of(random, {1, 7, 16}), height, width},
                              .kernel = {rows, 3}, .pad = {support::below(random, rows), 1}};
        INFO(text_of(g, 1));
        REQUIRE(kernel::is_narrow(g));
        const gradient_case c{g, 1, n, n % 2 == 0 ? support::words::ordinary : support::words::hostile};
        std::vector<float> bias(16, 0.25f), got(c.out.size()), wanted(c.out.size());
        kernel::conv_call<float32> call;
        call.geometry = g;
        call.in = c.in.data();
        call.weights = c.weights.data();
        call.bias = bias.data();
        call.residual = n % 3 == 0 ? c.out.data() : nullptr;
        call.out = got.data();
        call.block_end = 1;
        call.act = n % 4 == 0 ? kernel::activation::relu : n % 4 == 1 ? kernel::activation::hard_swish : kernel::activation::none;
        kernel::narrow_conv2d(call);
        call.out = wanted.data();
        for (int row = 0; row < height; ++row)
            for (int column = 0; column < width; ++column)
                for (int o = 0; o < g.out.channels; ++o) {
                    float sum = bias[0];
                    for (int r = 0; r < rows; ++r)
                        for (int i = 0; i < g.in.channels; ++i)
                            for (int k = 0; k < 3; ++k) {
                                const int y = g.row_at(row, r), x = g.column_at(column, k);
                                if (y < 0 || x < 0 || y >= g.in.height || x >= width) continue;
                                sum = kernel::multiply_add(c.in[static_cast<std::size_t>(g.in.index(y, x, i))], c.weights[kernel::wide_layout{}.index(g, o, r, k, i)], sum);
                            }
                    kernel::finish(call, sum, g.out.index(row, column, o));
                }
        CHECK(first_difference(wanted, got) == -1);
    }
}
