// SPDX-License-Identifier: MIT
#include <redoubt/kernel/elementwise.hpp>

#include "support/catch.hpp"
#include "support/conv_case.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace redoubt;
using kernel::activation;
using support::words;

namespace {

template <class Word>
std::vector<Word> random_words(random_stream& random, int count, words kind) {
    std::vector<Word> v(static_cast<std::size_t>(count));
    for (Word& word : v) word = support::random_word<Word>(random, kind);
    return v;
}

}  // namespace

TEMPLATE_TEST_CASE("an add with activation, floats: add, rectify, clip, one NaN, one rounding",
                   "[kernel][elementwise]", float32, float16, bfloat16) {
    using word = typename TestType::activation;
    random_stream random{71, {}};
    for (int draw = 0; draw < 60; ++draw) {
        const int count = 1 + support::below(random, 100);
        const auto in = random_words<word>(random, count, words::hostile);
        const auto residual = random_words<word>(random, count, words::hostile);
        const bool adds = draw % 2 == 0;
        for (const auto& act : support::some_activations()) {
            std::vector<word> out(in.size());
            const word* other = adds ? residual.data() : nullptr;
            kernel::add_and_activate<TestType>(in.data(), other, out.data(), count, act, {});
            int wrong = 0;
            for (std::size_t i = 0; i < in.size(); ++i) {
                auto v = static_cast<float>(in[i]);
                if (adds) v = v + static_cast<float>(residual[i]);
                v = support::activated(act, v);
                wrong += to_word(out[i]) != to_word(static_cast<word>(support::one_nan(v)));
            }
            CHECK(wrong == 0);
            // in place
            auto same = in;
            kernel::add_and_activate<TestType>(same.data(), other, same.data(), count, act, {});
            for (std::size_t i = 0; i < in.size(); ++i) wrong += to_word(same[i]) != to_word(out[i]);
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("an add with activation, int8: exact at the finer scale, rounded once, saturated", "[kernel][elementwise]") {
    random_stream random{72, {}};
    for (int draw = 0; draw < 400; ++draw) {
        const int count = 50 + draw % 20;
        const auto in = random_words<std::uint8_t>(random, count, words::hostile);
        const auto residual = random_words<std::uint8_t>(random, count, words::ordinary);
        kernel::int8_scales scales;
        scales.input = support::below(random, 10);
        scales.residual = support::below(random, 10);
        // the output may be finer than both: what is rectified, or cancels out, can be
        scales.output = std::max(scales.input, scales.residual) + 3 - support::below(random, 10);
        const bool adds = draw % 3 != 0;
        const auto acts = support::some_activations();
        const auto& act = acts[random.below(acts.size())];
        std::vector<std::uint8_t> out(in.size());
        const std::uint8_t* other = adds ? residual.data() : nullptr;
        kernel::add_and_activate<int8>(in.data(), other, out.data(), count, act, scales);
        int wrong = 0;
        for (std::size_t i = 0; i < in.size(); ++i) {
            double v = std::ldexp(in[i] - 128, -scales.input);
            if (adds) v += std::ldexp(residual[i] - 128, -scales.residual);
            double code = std::nearbyint(std::ldexp(v, scales.output));
            code = support::activated_code(act, code, scales.output);
            wrong += out[i] - 128 != static_cast<int>(std::fmin(std::fmax(code, -128.0), 127.0));
        }
        CAPTURE(draw, scales.input, scales.residual, scales.output, static_cast<int>(act.kind), adds);
        CHECK(wrong == 0);
    }
}

TEST_CASE("an add with scales that memory may hold is defined", "[kernel][elementwise]") {
    random_stream random{73, {}};
    for (int draw = 0; draw < 200; ++draw) {
        const auto in = random_words<std::uint8_t>(random, 16, words::hostile);
        kernel::int8_scales scales;
        for (std::int32_t* s : {&scales.input, &scales.output, &scales.residual})
            *s = static_cast<std::int32_t>(random());
        std::vector<std::uint8_t> out(16);
        for (const auto& act : support::some_activations()) {
            kernel::add_and_activate<int8>(in.data(), in.data(), out.data(), 16, act, scales);
            if (act.kind != activation::relu && act.kind != activation::clipped_relu) continue;
            for (std::uint8_t v : out) CHECK(v >= 128);
        }
    }
}

TEMPLATE_TEST_CASE("images are read from both orders", "[kernel][elementwise]", float32, float16, bfloat16) {
    using word = typename TestType::activation;
    const shape extents{3, 4, 5};
    std::vector<float> image(60);
    for (std::size_t i = 0; i < 60; ++i) image[i] = static_cast<float>(i) * 0.37f - 9.0f;
    image[7] = from_word<float>(0xffc12345u);
    image[8] = -0.0f;
    for (bool planar : {false, true}) {
        std::vector<word> out(60);
        kernel::read_image<TestType>(extents, planar, image.data(), out.data(), 0);
        for (int row = 0; row < 4; ++row)
            for (int column = 0; column < 5; ++column)
                for (int c = 0; c < 3; ++c) {
                    const int from = planar ? c * 20 + row * 5 + column : row * 15 + column * 3 + c;
                    const float v = image[static_cast<std::size_t>(from)];
                    const word got = out[static_cast<std::size_t>(row * 15 + column * 3 + c)];
                    CHECK(to_word(got) == to_word(static_cast<word>(support::one_nan(v))));
                }
    }
}

TEST_CASE("int8 images are rounded to nearest even at their scale and saturate; NaN is zero", "[kernel][elementwise]") {
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> image{0.0f, 0.5f, 1.0f / 64, 3.0f / 64, -1.0f / 64, 3.96875f, 3.99f, 1e9f, -4.0f, -5.0f,
                                   infinity, -infinity, from_word<float>(0x7fc00000u), -0.0f, 0.017f};
    const std::vector<int> codes{0, 16, 0, 2, 0, 127, 127, 127, -128, -128, 127, -128, 0, 0, 1};
    std::vector<std::uint8_t> out(image.size());
    const shape row{1, 1, static_cast<int>(image.size())};
    kernel::read_image<int8>(row, true, image.data(), out.data(), 5);
    for (std::size_t i = 0; i < codes.size(); ++i) {
        CAPTURE(i);
        CHECK(out[i] - 128 == codes[i]);
    }
    for (int frac : {1000, -1000, std::numeric_limits<int>::max(), std::numeric_limits<int>::min()}) {
        kernel::read_image<int8>(row, false, image.data(), out.data(), frac);
        CHECK(out[0] == 128);
        CHECK(out[7] == (frac > 0 ? 255 : 128));
    }
}

TEST_CASE("int8 images of any size have the codes of round_saturate", "[kernel][elementwise]") {
    random_stream random{73, {}};
    for (const shape extents : {shape{3, 9, 31}, shape{1, 28, 28}, shape{5, 1, 1}, shape{17, 2, 33}}) {
        for (const int frac : {-3, 0, 5, 9}) {
            std::vector<float> image(static_cast<std::size_t>(extents.size()));
            for (float& v : image) v = support::random_word<float>(random, words::hostile);
            for (std::size_t i = 0; i < image.size(); i += 3) // ties and their neighbours too
                image[i] = scaled(static_cast<float>(support::below(random, 1200) - 600) * 0.25f, -frac);
            for (const bool planar : {false, true}) {
                std::vector<std::uint8_t> out(image.size());
                kernel::read_image<int8>(extents, planar, image.data(), out.data(), frac);
                int wrong = 0;
                for (int pixel = 0; pixel < extents.height * extents.width; ++pixel)
                    for (int c = 0; c < extents.channels; ++c) {
                        const int to = pixel * extents.channels + c;
                        const int from = planar ? c * extents.height * extents.width + pixel : to;
                        const float v = image[static_cast<std::size_t>(from)];
                        wrong += out[static_cast<std::size_t>(to)] - 128 != round_saturate(scaled(v, frac), -128, 127);
                    }
                CHECK(wrong == 0);
            }
        }
    }
}
