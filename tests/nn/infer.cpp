// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/plain.hpp"

using namespace redoubt;
using namespace support;

namespace {

template <int Out, int Stride = 1>
using conv = conv2d<conv_spec{.out = Out, .stride = Stride, .pad = 1}>;

/// Two blocks of channels, the second with padding lanes; three channels of input in planar order.
template <number N>
using tiny = network<image_chw<3, 7, 6>, N, named<"stem", conv<18>>, relu,
                     residual<conv<18>, clipped_relu<1>, conv<18>>, relu, max_pool<2>, linear<5>>;

/// Strides, the shortcut without weights, sums and activations that join nothing.
template <number N>
using strided = network<image<2, 9, 8>, N, conv<5, 2>, relu, residual<shortcut<subsample<9, 2>>, conv<9, 2>, relu, conv<9>>,
                        clipped_relu<2>, residual<max_pool<1>>, relu, max_pool<2, 1>, global_avg_pool, linear<17>>;

plain_tensor tensor_of(const std::vector<float>& planar, int channels, int height, int width) {
    plain_tensor t{channels, height, width};
    std::size_t i = 0;
    for (int c = 0; c < channels; ++c)
        for (int row = 0; row < height; ++row)
            for (int column = 0; column < width; ++column) t.at(row, column, c) = planar[i++];
    return t;
}

}  // namespace

TEST_CASE("an inference equals the layers written out", "[nn]") {
    using net = tiny<float32>;
    const auto layers = drawn_layers<net>();
    const auto weights = network_of<net>(layers);
    for (const auto& image : drawn_images<net>(5)) {
        const plain_tensor stem = plain_relu(plain_conv(tensor_of(image, 3, 7, 6), layers[0], 18, 3, 3, 1, 1));
        const plain_tensor one = plain_relu(plain_conv(stem, layers[1], 18, 3, 3, 1, 1), 1.0f);
        const plain_tensor sum = plain_relu(plain_add(plain_conv(one, layers[2], 18, 3, 3, 1, 1), stem));
        const plain_tensor out = plain_linear(plain_max_pool(sum, 2, 2), layers[3], 5);
        CHECK(words_of(answer_of<net>(*weights, image)) == words_of(out.elements));
    }
}

TEST_CASE("strides, shortcuts and lone activations equal the layers written out", "[nn]") {
    using net = strided<float32>;
    const auto layers = drawn_layers<net>();
    const auto weights = network_of<net>(layers);
    for (const auto& image : drawn_images<net>(5)) {
        const plain_tensor in{2, 9, 8, image};
        const plain_tensor stem = plain_relu(plain_conv(in, layers[0], 5, 3, 3, 2, 1));
        const plain_tensor body =
            plain_conv(plain_relu(plain_conv(stem, layers[1], 9, 3, 3, 2, 1)), layers[2], 9, 3, 3, 1, 1);
        const plain_tensor block = plain_relu(plain_add(body, plain_subsample(stem, 9, 2)), 2.0f);
        const plain_tensor twice = plain_relu(plain_add(block, block));
        const plain_tensor out = plain_linear(plain_average(plain_max_pool(twice, 2, 1)), layers[3], 17);
        CHECK(words_of(answer_of<net>(*weights, image)) == words_of(out.elements));
        CHECK(words_of(plain_answer<net>(layers, image)) == words_of(out.elements));
    }
}

TEST_CASE("every activation joins a convolution and a sum, or stands alone", "[nn]") {
    using net = network<image<2, 9, 8>, float32, conv<17>, leaky_relu<>, residual<conv<17>, hard_swish, conv<17>>, clip<-1, 2>,
                        leaky_relu<1, 8>, max_pool<3, 2, 1>, hard_swish, linear<5>, hard_swish>;
    const auto layers = drawn_layers<net>();
    const auto weights = network_of<net>(layers);
    for (const auto& image : drawn_images<net>(5))
        CHECK(words_of(answer_of<net>(*weights, image)) == words_of(plain_answer<net>(layers, image)));
}

TEST_CASE("average pools in a network equal the layers written out", "[nn]") {
    using net = network<image<2, 9, 8>, float32, conv<17>, avg_pool<3, 2, 1>, conv<5>, relu, avg_pool<hw{2, 3}, 1, hw{1, 0}, count_padding::no>,
                        avg_pool<2>, linear<4>>;
    const auto layers = drawn_layers<net>();
    const auto weights = network_of<net>(layers);
    for (const auto& image : drawn_images<net>(5))
        CHECK(words_of(answer_of<net>(*weights, image)) == words_of(plain_answer<net>(layers, image)));
}

TEST_CASE("a padded max pool in a network equals the layers written out", "[nn]") {
    using net = network<image<2, 9, 8>, float32, conv<5>, max_pool<3, 2, 1>, linear<4>>;
    const auto layers = drawn_layers<net>();
    const auto weights = network_of<net>(layers);
    for (const auto& image : drawn_images<net>(5)) {
        const plain_tensor pooled = plain_max_pool(plain_conv({2, 9, 8, image}, layers[0], 5, 3, 3, 1, 1), 3, 2, 1);
        CHECK(words_of(answer_of<net>(*weights, image)) == words_of(plain_linear(pooled, layers[1], 4).elements));
    }
}

TEST_CASE("an image of NaN, infinity or huge numbers gives one NaN at most, and no crash", "[nn]") {
    using net = tiny<float32>;
    const auto weights = drawn_network<net>();
    auto image = drawn_images<net>(1)[0];
    image[5] = from_word<float>(0xffc12345u);
    image[9] = INFINITY;
    image[20] = 3e38f;
    const auto got = answer_of<net>(*weights, image);
    for (std::uint32_t word : words_of(got)) CHECK(word == canonical_nan_word);
    CHECK(got.top1() == no_class);
    using half_net = tiny<float16>;
    CHECK(answer_of<half_net>(*drawn_and_converted<half_net>(), image).top1() == no_class);
    using integers = tiny<int8>;
    CHECK(answer_of<integers>(*drawn_and_converted<integers>(), image).top1() >= 0);
}
