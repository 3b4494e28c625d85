// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/integers.hpp"
#include "support/plain.hpp"

#include <algorithm>
#include <cmath>

using namespace redoubt;
using namespace support;

namespace {

template <int Out, int Stride = 1>
using conv = conv2d<conv_spec{.out = Out, .stride = Stride, .pad = 1}>;

template <number N>
using tiny = network<image<3, 7, 6>, N, conv<18>, relu, residual<shortcut<subsample<20, 2>>, conv<20, 2>>, clipped_relu<2>,
                     max_pool<3, 2, 1>, linear<5>>;

template <number N>
using bent = network<image<3, 7, 6>, N, conv<18>, leaky_relu<1, 10>, avg_pool<3, 2, 1>, conv<20>, hard_swish, residual<conv<20>>,
                     clip<-1, 2>, avg_pool<2, 1, 0, count_padding::no>, leaky_relu<1, 4>, residual<max_pool<1>>, hard_swish, linear<5>>;

/// The largest f with |magnitude| * 2^f <= 127.5.
int fitting_frac(double magnitude) {
    int f = -24;
    while (f < 24 && std::ldexp(magnitude, f + 1) <= 127.5) ++f;
    return f;
}

}  // namespace

TEST_CASE("folding a norm is the norm's arithmetic in double, rounded once", "[nn]") {
    drawn_numbers number{5};
    for (int i = 0; i < 200; ++i) {
        norm_channel norm{number(2.0f), number(1.0f), number(3.0f), std::abs(number(i % 2 == 0 ? 4.0f : 1e-4f))};
        std::vector<float> weights{number(1.0f), number(0.01f), 0.0f, -1.0f};
        const std::vector<float> before = weights;
        float bias = number(1.0f);
        const float bias_before = bias;
        const double epsilon = i % 3 == 0 ? 1e-3 : 1e-5;
        fold(norm, weights, bias, epsilon);
        const double factor = static_cast<double>(norm.scale) / std::sqrt(static_cast<double>(norm.variance) + epsilon);
        for (std::size_t w = 0; w < weights.size(); ++w) {
            const double exact = static_cast<double>(before[w]) * factor;
            CHECK(std::abs(static_cast<double>(weights[w]) - exact) <= std::abs(exact) * 0x1.0001p-24);
        }
        const double difference = (static_cast<double>(bias_before) - static_cast<double>(norm.mean)) * factor;
        const double exact = difference + static_cast<double>(norm.shift);
        CHECK(std::abs(static_cast<double>(bias) - exact) <= std::abs(exact) * 0x1.0001p-24 + std::abs(difference) * 1e-15);
    }
    norm_channel unused{1.0f, 0.0f, 0.0f, 0.0f};
    std::vector<float> one{1.0f};
    float none = 0.0f;
    fold(unused, one, none);
    CHECK(one[0] == Approx(316.2278));
    CHECK(none == 0.0f);
    // the layer and its norm in a row: y = (w x + b - mean) / sqrt(var + eps) * scale + shift
    norm_channel norm{0.5f, -0.25f, 2.0f, 4.0f};
    std::vector<float> w{3.0f};
    float b = 1.0f;
    fold(norm, w, b, 0.0);
    CHECK(w[0] == 0.75f);
    CHECK(b == -0.5f);
}

TEST_CASE("the square root of folding is that of the library", "[nn]") {
    for (double x : {1e-300, 1e-12, 1e-5, 0.3, 1.0, 2.0, 10.0, 12345.678, 1e30, 1e300})
        CHECK(std::abs(redoubt::v1::detail::root(x) - std::sqrt(x)) <= 3e-16 * std::sqrt(x));
    CHECK(redoubt::v1::detail::root(0.0) == 0.0);
    CHECK(redoubt::v1::detail::root(-1.0) == 0.0);
}

TEST_CASE("logical weights are those that were put in", "[nn]") {
    using net = tiny<float32>;
    const auto layers = drawn_layers<net>();
    const auto weights = network_of<net>(layers);
    for (int s = 0; s < net::table.slot_count; ++s) {
        const auto& layer = layers[static_cast<std::size_t>(s)];
        bool equal = true;
        double lanes = 0.0, sum = 0.0;
        for (std::size_t i = 0; i < layer.weights.size(); ++i) {
            equal = equal && logical_weight<net>(*weights, s, i) == layer.weights[i];
            sum += std::abs(static_cast<double>(layer.weights[i]));
        }
        // what is not logical is zero: nothing lies elsewhere
        for (float w : weights->weights(s)) lanes += std::abs(static_cast<double>(w));
        CHECK(equal);
        CHECK(lanes == Approx(sum));
    }
}

TEST_CASE("to float32 a conversion copies", "[nn]") {
    using net = tiny<float32>;
    using guarded = harden<net, protect<is_weighted, tmr>>;
    const auto weights = drawn_network<net>();
    const auto images = drawn_images<net>(2);
    const auto copy = converted<net, net>(*weights, images);
    const auto voted = converted<guarded, net>(*weights, images);
    auto back = std::make_unique<parameters<net>>();
    convert<guarded, net>(*voted, seen_on<guarded>(*voted, images), *back);
    for (int s = 0; s < net::table.slot_count; ++s) {
        CHECK(std::ranges::equal(copy->primary(s), weights->primary(s)));
        CHECK(std::ranges::equal(voted->primary(s), weights->primary(s)));
        CHECK(std::ranges::equal(back->primary(s), weights->primary(s)));
    }
}

TEST_CASE("without bounds nothing is out of range", "[nn]") {
    using net = harden<tiny<float32>, protect<is_weighted, range>>;
    using bare = tiny<float32>;
    const auto weights = drawn_network<bare>();
    const auto images = drawn_images<bare>(2);
    auto to = std::make_unique<parameters<net>>();
    convert<bare, net>(*weights, seen_on<bare>(*weights, images), *to);
    CHECK(words_of(answer_of<net>(*to, images[1])) == words_of(answer_of<bare>(*weights, images[1])));
}

TEMPLATE_TEST_CASE("fp16 and bf16 round each weight and each stored activation once", "[nn]", float16, bfloat16) {
    using net = tiny<TestType>;
    using base = tiny<float32>;
    auto layers = drawn_layers<base>();
    const auto images = drawn_images<base>(3);
    const auto weights = converted<net, base>(*network_of<base>(layers), images);
    const auto rounded = [](std::vector<float>& values) {
        for (float& v : values) v = static_cast<float>(typename TestType::activation{v});
    };
    const auto stored = [&](plain_tensor t) {
        rounded(t.elements);
        return t;
    };
    for (auto& layer : layers) rounded(layer.weights), rounded(layer.biases);
    for (int s = 0; s < net::table.slot_count; ++s)
        for (std::size_t i = 0; i < layers[static_cast<std::size_t>(s)].weights.size(); i += 7)
            CHECK(logical_weight<net>(*weights, s, i) == layers[static_cast<std::size_t>(s)].weights[i]);
    for (const auto& image : images) {
        const plain_tensor in = stored({3, 7, 6, image});
        const plain_tensor stem = stored(plain_relu(plain_conv(in, layers[0], 18, 3, 3, 1, 1)));
        const plain_tensor sum = plain_add(plain_conv(stem, layers[1], 20, 3, 3, 2, 1), plain_subsample(stem, 20, 2));
        const plain_tensor block = stored(plain_relu(sum, 2.0f));
        const plain_tensor out = stored(plain_linear(plain_max_pool(block, 3, 2, 1), layers[2], 5));
        CHECK(words_of(answer_of<net>(*weights, image)) == words_of(out.elements));
    }
}

TEST_CASE("stored fixed point is decoded to the nearest code's value", "[nn]") {
    using net = tiny<stored<float32, fixed<2, 5>>>;
    using base = tiny<float32>;
    auto layers = drawn_layers<base>();
    layers[0].weights[3] = 9.0f;     // saturates at 127 / 32
    layers[0].weights[4] = -4.0f;
    layers[1].weights[0] = 0.046875f;  // a tie, to the even code
    const auto images = drawn_images<base>(3);
    const auto weights = converted<net, base>(*network_of<base>(layers), images);
    for (auto& layer : layers)
        for (float& w : layer.weights)
            w = static_cast<float>(std::clamp(round_half_even(32.0 * static_cast<double>(w)), -128, 127)) / 32.0f;
    CHECK(layers[0].weights[3] == 3.96875f);
    CHECK(layers[1].weights[0] == 0.0625f);
    CHECK(sizeof(weights->weights(0)[0]) == 1);
    for (const auto& image : images)
        CHECK(words_of(answer_of<net>(*weights, image)) == words_of(plain_answer<base>(layers, image)));
}

TEST_CASE("int8 has the scales that fit, nearest codes and biases without the offset's part", "[nn]") {
    using net = tiny<int8>;
    using base = tiny<float32>;
    const auto layers = drawn_layers<base>();
    const auto images = drawn_images<base>(6);
    const auto floats = network_of<base>(layers);
    const auto seen = seen_on<base>(*floats, images);
    const auto weights = converted<net, base>(*floats, images);
    for (int i = 0; i < net::table.step_count; ++i) {
        const step& s = net::table.steps[static_cast<std::size_t>(i)];
        if (s.kind != op::input && (s.kind != op::convolution || s.stores_logits)) continue;
        CHECK(weights->of_unit(s.unit).frac == fitting_frac(seen.units[static_cast<std::size_t>(s.unit)].magnitude()));
    }
    for (int s = 0; s < net::table.slot_count; ++s) {
        CAPTURE(s);
        const auto& layer = layers[static_cast<std::size_t>(s)];
        const auto& g = net::table.slots[static_cast<std::size_t>(s)].geometry;
        const auto fan_in = static_cast<std::size_t>(g.fan_in());
        const int frac = weights->weight_frac(s);
        double largest = 0.0;
        for (float w : layer.weights) largest = std::max(largest, std::abs(static_cast<double>(w)));
        CHECK((frac == fitting_frac(largest) || frac == fitting_frac(largest) + 1));
        const step user = net::table.steps[static_cast<std::size_t>(find_step<net>([&](const step& t) { return t.slot == s; }))];
        const step maker = net::table.steps[static_cast<std::size_t>(find_step<net>([&](const step& t) { return t.out == user.in; }))];
        const int wide = frac + weights->of_unit(maker.unit).frac;
        for (std::size_t o = 0; o < layer.biases.size(); ++o) {
            long long sum = 0;
            bool nearest = true;
            for (std::size_t i = o * fan_in; i < (o + 1) * fan_in; ++i) {
                const int code = weights->weights(s)[kernel::layout_of<int8>.index_of_logical(g, i)];
                nearest = nearest && code == std::clamp(round_half_even(std::ldexp(static_cast<double>(layer.weights[i]), frac)), -128, 127);
                sum += code;
            }
            CHECK(nearest);
            CHECK(weights->biases(s)[o] == round_half_even(std::ldexp(static_cast<double>(layer.biases[o]), wide)) - 128 * sum);
        }
    }
    for (const auto& image : drawn_images<net>(10, 77)) {
        const auto got = answer_of<net>(*weights, image);
        const auto expected = integer_logits<net>(*weights, image);
        const int last = net::table.steps[static_cast<std::size_t>(net::table.step_count - 2)].unit;
        const int frac = weights->of_unit(last).frac + weights->weight_frac(2);
        for (std::size_t i = 0; i < expected.size(); ++i)
            CHECK(static_cast<double>(got.logits[i]) == Approx(std::ldexp(static_cast<double>(expected[i]), -frac)).margin(0.0).epsilon(1e-6));
        // and they are close to the real ones
        const auto real = plain_answer<base>(layers, image);
        for (std::size_t i = 0; i < real.size(); ++i) CHECK(std::abs(got.logits[i] - real[i]) < 0.25f);
    }
}

TEST_CASE("int8 activations and averages are integer arithmetic from the image to the logits", "[nn]") {
    using base = bent<float32>;
    using net = bent<int8>;
    const auto layers = drawn_layers<base>();
    const auto weights = converted<net, base>(*network_of<base>(layers), drawn_images<base>(6));
    constexpr int head = net::table.step_count - 1;
    const int frac = weights->of_unit(step_of<net, head - 1>.unit).frac + weights->weight_frac(step_of<net, head>.slot);
    for (const auto& image : drawn_images<net>(10, 78)) {
        const auto got = answer_of<net>(*weights, image);
        const auto expected = integer_logits<net>(*weights, image);
        const auto real = plain_answer<base>(layers, image);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CHECK(static_cast<double>(got.logits[i]) == Approx(std::ldexp(static_cast<double>(expected[i]), -frac)).margin(0.0).epsilon(1e-6));
            CHECK(std::abs(got.logits[i] - real[i]) < 0.25f);
        }
    }
}

TEST_CASE("a pool keeps the scale of an output that is coarser than its own range asks for", "[nn]") {
    // Two equal channels cancel: the outputs are far smaller than the sums they are made of.
    using net = network<image<2, 4, 4>, int8, conv2d<conv_spec{.out = 1, .kernel = 1}>, max_pool<2>, subsample<3, 1>, linear<2>>;
    using base = with_number<net, float32>;
    auto layers = drawn_layers<base>();
    layers[0] = {{1.0f, -1.0f}, {0.002f}};
    std::vector<float> image(32);
    for (std::size_t i = 0; i < 32; ++i) image[i] = static_cast<float>(i / 2) / 16.0f;
    const auto floats = network_of<base>(layers);
    const auto weights = converted<net, base>(*floats, {image});
    const int conv_frac = weights->of_unit(1).frac;
    CHECK(conv_frac == weights->of_unit(0).frac + weights->weight_frac(0));
    CHECK(weights->of_unit(2).frac == conv_frac);
    CHECK(weights->of_unit(3).frac == conv_frac);
    const auto got = answer_of<net>(*weights, image);
    const auto real = plain_answer<base>(layers, image);
    for (std::size_t i = 0; i < 2; ++i) CHECK(std::abs(got.logits[i] - real[i]) < 0.01f);
}
