// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/plain.hpp"

#include <cmath>

using namespace redoubt;
using namespace support;

namespace {

/// Leaves the last row out and doubles the rest: a layer of one's own that changes the shape and rounds.
struct double_all_but_last_row {
    static constexpr shape output(shape in) { return {in.channels, in.height - 1, in.width}; }
    static void run(auto in, auto out, auto numeric) {
        const shape extents = out.extents();
        for (int row = 0; row < extents.height; ++row)
            for (int column = 0; column < extents.width; ++column)
                for (int c = 0; c < extents.channels; ++c)
                    out(row, column, c) = numeric.word(2.0f * numeric.value(in(row, column, c)));
    }
};

plain_tensor doubled_of(const plain_tensor& in) {
    plain_tensor out{in.channels, in.height - 1, in.width};
    for (std::size_t i = 0; i < out.elements.size(); ++i) out.elements[i] = 2.0f * in.elements[i];
    return out;
}

using stem = conv2d<conv_spec{.out = 5, .pad = 1}>;
template <number N, class... Middle>
using around = network<image<2, 6, 5>, N, stem, relu, Middle..., relu, linear<4>>;

/// The float answer of the network around the layer.
template <class Base>
std::vector<float> expected(const std::vector<drawn_layer>& layers, const std::vector<float>& image) {
    const plain_tensor first = plain_relu(plain_conv({2, 6, 5, image}, layers[0], 5, 3, 3, 1, 1));
    return plain_linear(plain_relu(doubled_of(first)), layers[1], 4).elements;
}

template <number N>
void check_wrapped(float tolerance) {
    using base = around<float32, double_all_but_last_row>;
    using net = around<N, double_all_but_last_row>;
    using voted = around<N, tmr<double_all_but_last_row>>;
    using bounded = around<N, range<double_all_but_last_row>>;
    const auto layers = drawn_layers<base>();
    const auto floats = network_of<base>(layers);
    const auto images = drawn_images<base>(4);
    const auto weights = converted<net, base>(*floats, images);
    for (const auto& image : images) {
        const auto got = answer_of<net>(*weights, image);
        const auto real = expected<base>(layers, image);
        for (std::size_t i = 0; i < real.size(); ++i) CHECK(std::abs(got.logits[i] - real[i]) <= tolerance);
        CHECK(words_of(answer_of<voted>(*converted<voted, base>(*floats, images), image)) == words_of(got));
        CHECK(words_of(answer_of<bounded>(*converted<bounded, base>(*floats, images), image)) == words_of(got));
    }

    // a fault in what one replica stored is voted away
    if constexpr (!std::same_as<N, int8>) return;
    const auto guarded = converted<voted, base>(*floats, images);
    const int first = find_step<voted>([](const step& s) { return s.kind == op::custom; });
    const auto whole = answer_of<voted>(*guarded, images[0]);
    for (int replica = 0; replica < 3; ++replica) {
        fault_list list{2};
        list.policy.add(fault_at(first + replica, 7, 1u << (bits_in<typename N::activation> - 2), true));
        list.policy.sort();
        const auto got = answer_of<voted>(*guarded, images[0], list.policy);
        CHECK(words_of(got) == words_of(whole));
        CHECK(got.status.total() == fault_counters{1, 1, 0, 0});
    }
}

}  // namespace

TEST_CASE("a layer of one's own, fp32", "[nn]") { check_wrapped<float32>(0.0f); }
TEST_CASE("a layer of one's own, fp16", "[nn]") { check_wrapped<float16>(0.02f); }
TEST_CASE("a layer of one's own, int8", "[nn]") { check_wrapped<int8>(0.2f); }

TEST_CASE("a numeric reads and writes stored words", "[nn]") {
    const numeric<float32> floats;
    CHECK(floats.value(1.5f) == 1.5f);
    CHECK(to_word(floats.word(from_word<float>(0xffc00001u))) == canonical_nan_word);
    const numeric<float16> halves;
    CHECK(halves.word(1.0f / 3.0f).bits() == 0x3555);
    CHECK(halves.value(half::from_bits(0x3555)) == 0.333251953125f);
    CHECK(halves.word(NAN).bits() == 0x7e00);
    const numeric<int8> codes{3, 2};
    CHECK(codes.value(128) == 0.0f);
    CHECK(codes.value(137) == 9.0f / 8.0f);
    CHECK(codes.word(1.125f) == 132);   // 4.5 to the even code
    CHECK(codes.word(1.375f) == 134);
    CHECK(codes.word(1000.0f) == 255);
    CHECK(codes.word(-INFINITY) == 0);
    CHECK(codes.word(NAN) == 128);
}
