// SPDX-License-Identifier: MIT
// The fast convolution, the scalar reference and an oracle written from the definition must store the same bits.
#include "support/conv_case.hpp"

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/kernels.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace redoubt;
using kernel::conv_call;
using kernel::conv_geometry;
using support::conv_case;
using support::output_bits;
using support::words;

namespace {

std::string text_of(const conv_geometry& g) {
    const auto n = [](int v) { return std::to_string(v); };
    return n(g.in.channels) + 'x' + n(g.in.height) + 'x' + n(g.in.width) + '-' + n(g.out.channels) + " kernel " +
           n(g.kernel.h) + 'x' + n(g.kernel.w) + " stride " + n(g.stride.h) + 'x' + n(g.stride.w) + " pad " + n(g.pad.h) +
           'x' + n(g.pad.w) + " dilation " + n(g.dilation.h) + 'x' + n(g.dilation.w) + " groups " + n(g.groups);
}

template <number N>
void check_all_three(const conv_case<N>& c) {
    CAPTURE(text_of(c.geometry), static_cast<int>(c.act), c.adds, c.to_logits);
    const output_bits expected = oracle(c);
    CHECK(run(c, [](const auto& call) { kernel::conv2d_reference<N>(call); }) == expected);
    CHECK(run(c, [](const auto& call) { kernel::conv2d<N>(call); }) == expected);
}

template <number N>
void check_random_shapes(std::uint32_t stream, words kind, int rounds) {
    random_stream random{11, {stream, static_cast<std::uint32_t>(kind), 0, 0}};
    for (int i = 0; i < rounds; ++i) check_all_three(conv_case<N>{support::random_geometry(random), random, kind});
}

}  // namespace

TEMPLATE_TEST_CASE("convolutions of random shapes store the oracle's bits", "[kernel][conv2d]", float32, float16,
                   bfloat16, int8) {
    check_random_shapes<TestType>(1, words::ordinary, 250);
}

TEMPLATE_TEST_CASE("so they do with NaN, Inf, -0, denormals, saturated codes and wild scales", "[kernel][conv2d]",
                   float32, float16, bfloat16, int8) {
    check_random_shapes<TestType>(2, words::hostile, 250);
}

TEMPLATE_TEST_CASE("every activation, residual and output meets every kind of tile", "[kernel][conv2d]", float32,
                   float16, bfloat16, int8) {
    random_stream random{12, {}};
    for (int width = 1; width <= 60; ++width) {
        conv_case<TestType> c{{.in = {5, 3, width}, .out = {36, 3, width}, .kernel = 3, .pad = 1}, random, words::hostile};
        int form = width;
        for (const auto& by : support::some_activations()) {
            c.act = by.kind;
            c.limit = by.limit;
            c.lower = by.lower;
            c.slope = by.slope;
            c.adds = form % 2 != 0;
            c.to_logits = form / 2 % 4 == 3;
            check_all_three(c);
            ++form;
        }
    }
}

TEMPLATE_TEST_CASE("a linear layer is the convolution whose kernel is its input", "[kernel][conv2d]", float32,
                   float16, bfloat16, int8) {
    random_stream random{13, {}};
    for (int out : {1, 10, 16, 64, 65, 128, 129, 150, 257}) {
        for (const shape in : {shape{1, 1, 1}, {64, 1, 1}, {70, 1, 1}, {16, 5, 5}, {3, 4, 2}}) {
            const conv_geometry g{.in = in, .out = {out, 1, 1}, .kernel = {in.height, in.width}};
            check_all_three(conv_case<TestType>{g, random, words::ordinary});
            check_all_three(conv_case<TestType>{g, random, words::hostile});
        }
    }
}

TEMPLATE_TEST_CASE("calls for some blocks at a time add up to the whole", "[kernel][conv2d]", float32, float16,
                   bfloat16, int8) {
    random_stream random{14, {}};
    for (const conv_geometry& g :
         {conv_geometry{.in = {6, 5, 17}, .out = {100, 5, 17}, .kernel = 3, .pad = 1},
          conv_geometry{.in = {33, 1, 1}, .out = {170, 1, 1}},
          conv_geometry{.in = {70, 5, 9}, .out = {70, 5, 9}, .kernel = 3, .pad = 1, .groups = 70},
          conv_geometry{.in = {6, 4, 9}, .out = {105, 4, 9}, .kernel = 3, .pad = 1, .groups = 3}}) {
        const conv_case<TestType> c{g, random, words::ordinary};
        const output_bits expected = oracle(c);
        for (int step = 1; step <= g.blocks(); ++step) {
            const auto by_blocks = [&](auto&& one) {
                return run(c, [&](conv_call<TestType> call) {
                    const std::size_t block_size = c.wide.size() / static_cast<std::size_t>(g.blocks());
                    for (int from = 0; from < g.blocks(); from += step) {
                        call.block_begin = from;
                        call.block_end = std::min(from + step, g.blocks());
                        call.weights = c.wide.data() + static_cast<std::size_t>(from) * block_size;
                        one(call);
                    }
                });
            };
            CHECK(by_blocks([](const auto& call) { kernel::conv2d<TestType>(call); }) == expected);
            CHECK(by_blocks([](const auto& call) { kernel::conv2d_reference<TestType>(call); }) == expected);
        }
    }
}

TEMPLATE_TEST_CASE("for floats, padding taps do not exist: Inf and NaN weights over the border leave no trace",
                   "[kernel][conv2d]", float32, float16, bfloat16) {
    random_stream random{15, {}};
    using weight = typename TestType::kernel_weight;
    for (int extent : {1, 2, 5, 13, 14, 15, 29}) {
        for (bool flat : {true, false}) {
            // one row (or column) of pixels: the outer rows (columns) of the kernel only ever see padding
            const int height = flat ? 1 : extent, width = flat ? extent : 1;
            const conv_geometry g{
                .in = {4, height, width}, .out = {17, height, width}, .kernel = 3, .pad = 1};
            conv_case<TestType> c{g, random, words::ordinary};
            for (int o = 0; o < c.geometry.out.channels; ++o)
                for (int k = 0; k < 3; ++k)
                    for (int i = 0; i < 4; ++i) {
                        c.taps[flat ? c.logical(o, 0, k, i) : c.logical(o, k, 0, i)] =
                            weight{std::numeric_limits<float>::infinity()};
                        c.taps[flat ? c.logical(o, 2, k, i) : c.logical(o, k, 2, i)] =
                            weight{std::numeric_limits<float>::quiet_NaN()};
                    }
            c.pack();
            const output_bits stored = run(c, [](const auto& call) { kernel::conv2d<TestType>(call); });
            CHECK(stored == oracle(c));
            using word = typename TestType::activation;
            const auto finite = std::count_if(stored.begin(), stored.end(), [](std::uint32_t bits) {
                const auto v = static_cast<float>(from_word<word>(static_cast<word_of<word>>(bits)));
                return v - v == 0.0f;
            });
            CHECK(finite == c.geometry.out.size());
        }
    }
}

TEST_CASE("int8 with its bias convention is the signed convolution, requantised", "[kernel][conv2d]") {
    random_stream random{16, {}};
    for (int i = 0; i < 150; ++i) {
        conv_case<int8> c{support::random_geometry(random, 400000), random, words::ordinary};
        const auto& g = c.geometry;
        // the bias of the layer; what is stored has 128 times the weight sum taken off
        std::vector<std::int64_t> bias(c.bias.begin(), c.bias.end());
        for (int o = 0; o < g.out.channels; ++o) {
            std::int64_t sum = 0;
            for (int t = 0; t < g.fan_in(); ++t) sum += c.taps[static_cast<std::size_t>(o * g.fan_in() + t)];
            c.bias[static_cast<std::size_t>(o)] =
                static_cast<std::int32_t>(bias[static_cast<std::size_t>(o)] - 128 * sum);
        }
        c.adds = false;
        c.act = kernel::activation::none;
        output_bits expected;
        for (int row = 0; row < g.out.height; ++row)
            for (int column = 0; column < g.out.width; ++column)
                for (int o = 0; o < g.out.channels; ++o) {
                    std::int64_t sum = bias[static_cast<std::size_t>(o)];
                    for (int r = 0; r < g.kernel.h; ++r)
                        for (int k = 0; k < g.kernel.w; ++k)
                            for (int channel = 0; channel < g.in.channels / g.groups; ++channel) {
                                const int y = row * g.stride.h + r * g.dilation.h - g.pad.h;
                                const int x = column * g.stride.w + k * g.dilation.w - g.pad.w;
                                if (y < 0 || y >= g.in.height || x < 0 || x >= g.in.width) continue;
                                const int from = o / (g.out.channels / g.groups) * (g.in.channels / g.groups) + channel;
                                const auto at = static_cast<std::size_t>(g.in.index(y, x, from));
                                sum += (c.in[at] - 128) * c.taps[c.logical(o, r, k, channel)];
                            }
                    if (c.to_logits) {
                        expected.push_back(static_cast<std::uint32_t>(sum));
                    } else {
                        const double real = __builtin_ldexp(static_cast<double>(sum), -support::output_shift(c.scales));
                        const double code = std::clamp(__builtin_nearbyint(real), -128.0, 127.0);
                        expected.push_back(static_cast<std::uint32_t>(code + 128.0));
                    }
                }
        CAPTURE(text_of(g));
        CHECK(run(c, [](const auto& call) { kernel::conv2d<int8>(call); }) == expected);
    }
}

TEST_CASE("int8 accumulators wrap", "[kernel][conv2d]") {
    random_stream random{17, {}};
    conv_case<int8> c{{.in = {70, 4, 20}, .out = {33, 4, 20}, .kernel = 3, .pad = 1}, random,
                      words::ordinary};
    std::fill(c.in.begin(), c.in.end(), std::uint8_t{255});
    std::fill(c.taps.begin(), c.taps.end(), std::int8_t{127});
    std::fill(c.bias.begin(), c.bias.end(), std::numeric_limits<std::int32_t>::max() - 5);
    c.pack();
    c.to_logits = true;
    check_all_three(c);
    std::fill(c.taps.begin(), c.taps.end(), std::int8_t{-128});
    std::fill(c.bias.begin(), c.bias.end(), std::numeric_limits<std::int32_t>::min() + 5);
    c.pack();
    check_all_three(c);
}

TEMPLATE_TEST_CASE("kernels touch nothing beside their operands; int8 at most three bytes after its input",
                   "[kernel][conv2d]", float32, float16, bfloat16, int8) {
    // every operand ends, then begins, at a page that must not be touched
    random_stream random{18, {}};
    for (int i = 0; i < 60; ++i) {
        const conv_case<TestType> c{support::random_geometry(random, 200000), random, words::ordinary};
        const output_bits expected = oracle(c);
        CAPTURE(text_of(c.geometry), c.adds, c.to_logits);
        for (const auto edge : {support::edge::end, support::edge::begin}) {
            const auto count = static_cast<std::size_t>(c.geometry.out.size());
            support::guarded<typename TestType::activation> in{c.in, edge}, residual{c.residual, edge};
            support::guarded<typename TestType::kernel_weight> weights{c.wide, edge};
            support::guarded<typename TestType::bias> bias{c.bias, edge};
            support::guarded<typename TestType::activation> out{count, edge};
            support::guarded<typename TestType::logit> logits{count, edge};
            auto call = c.call(out.data(), logits.data());
            call.in = in.data();
            call.weights = weights.data();
            call.bias = bias.data();
            if (c.adds) call.residual = residual.data();
            kernel::conv2d<TestType>(call);
            int wrong = 0;
            for (std::size_t k = 0; k < count; ++k)
                wrong += (c.to_logits ? to_word(logits.data()[k]) : to_word(out.data()[k])) != expected[k];
            CHECK(wrong == 0);
        }
    }
}

// ---- the choice of tile ---------------------------------------------------------------------------------------------

namespace {

/// Every width has a tile that exists and fits; its waste is bounded.
constexpr bool covers_all() {
    for (int width = 1; width <= 300; ++width)
        for (int blocks = 1; blocks <= kernel::largest_tile.blocks; ++blocks) {
            const int size = kernel::tile_for(width, blocks), tiles = (width + size - 1) / size;
            if (!kernel::tile_exists(size, blocks) || size > width || tiles * size > width + width / 2 + 3) return false;
        }
    return true;
}
static_assert(covers_all());
static_assert(kernel::tile_for(10 * kernel::largest_tile.pixels, kernel::largest_tile.blocks) == kernel::largest_tile.pixels);

}  // namespace
