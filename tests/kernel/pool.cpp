// SPDX-License-Identifier: MIT
#include <redoubt/base/philox.hpp>
#include <redoubt/kernel/pool.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

using namespace redoubt;
using kernel::conv_geometry;

namespace {

template <class Word>
std::vector<Word> random_words(std::size_t count, std::uint32_t stream) {
    random_stream random{61, {stream, 0, 0, 0}};
    std::vector<Word> v(count);
    for (Word& word : v) word = from_word<Word>(static_cast<word_of<Word>>(random()));
    return v;
}

/// Position in the order of the NaN policy: NaN on top, then by value with +0 above -0.
template <class Word>
std::int64_t rank(Word word) {
    if constexpr (std::is_integral_v<Word>) {
        return word;
    } else {
        const auto v = static_cast<float>(word);
        if (v != v) return std::numeric_limits<std::int64_t>::max();
        const std::uint32_t bits = to_word(v);
        return (bits >> 31) != 0 ? -static_cast<std::int64_t>(bits & 0x7fffffffu) - 1 : std::int64_t{bits};
    }
}

template <class Word>
std::int64_t bits_of(Word word) { return static_cast<std::int64_t>(to_word(word)); }

/// `after`: padding past the last row and column, where it differs from that before the first.
template <class Word>
void check_max_pool(conv_geometry g, hw after = {-1, -1}) {
    if (after.h < 0) after = g.pad;
    const auto extent = [](int in, int before, int behind, int kernel, int stride, int dilation) {
        return (in + before + behind - (kernel - 1) * dilation - 1) / stride + 1;
    };
    g.out = {g.in.channels, extent(g.in.height, g.pad.h, after.h, g.kernel.h, g.stride.h, g.dilation.h),
             extent(g.in.width, g.pad.w, after.w, g.kernel.w, g.stride.w, g.dilation.w)};
    const auto in = random_words<Word>(static_cast<std::size_t>(g.in.size()), 1);
    std::vector<Word> out(static_cast<std::size_t>(g.out.size()));
    kernel::max_pool(g, in.data(), out.data());
    int wrong = 0;
    for (int row = 0; row < g.out.height; ++row)
        for (int column = 0; column < g.out.width; ++column)
            for (int c = 0; c < g.in.channels; ++c) {
                std::int64_t best = std::numeric_limits<std::int64_t>::min();
                for (int r = 0; r < g.kernel.h; ++r)
                    for (int k = 0; k < g.kernel.w; ++k) {
                        const int y = row * g.stride.h + r * g.dilation.h - g.pad.h;
                        const int x = column * g.stride.w + k * g.dilation.w - g.pad.w;
                        if (y < 0 || y >= g.in.height || x < 0 || x >= g.in.width) continue;
                        best = std::max(best, rank(in[static_cast<std::size_t>(g.in.index(y, x, c))]));
                    }
                const Word got = out[static_cast<std::size_t>(g.out.index(row, column, c))];
                wrong += rank(got) != best;
                if constexpr (!std::is_integral_v<Word>) {
                    const auto v = static_cast<float>(got);
                    wrong += v != v && bits_of(got) != bits_of(static_cast<Word>(from_word<float>(0x7fc00000u)));
                }
            }
    CAPTURE(g.in.channels, g.in.height, g.in.width, g.kernel.h, g.kernel.w, g.pad.h, g.pad.w);
    CHECK(wrong == 0);
}

}  // namespace

TEMPLATE_TEST_CASE("max pooling takes the largest word of each window, by the NaN policy", "[kernel][pool]", float,
                   half, brain, std::uint8_t) {
    // random bit patterns: NaN, Inf, denormals and both zeros are among them
    check_max_pool<TestType>({.in = {3, 28, 28}, .out = {}, .kernel = 2, .stride = 2});
    check_max_pool<TestType>({.in = {17, 9, 11}, .out = {}, .kernel = 3, .stride = 2});
    check_max_pool<TestType>({.in = {1, 8, 8}, .out = {}, .kernel = 2});
    check_max_pool<TestType>({.in = {5, 7, 7}, .out = {}, .kernel = 3, .stride = 3});
    check_max_pool<TestType>({.in = {2, 4, 4}, .out = {}});
    check_max_pool<TestType>({.in = {4, 6, 6}, .out = {}, .kernel = 6});
}

TEMPLATE_TEST_CASE("padding is never the largest, whatever the image holds", "[kernel][pool]", float, half, brain,
                   std::uint8_t) {
    for (int channels : {1, 3, 15, 16, 17, 64, 70}) {
        check_max_pool<TestType>({.in = {channels, 14, 14}, .out = {}, .kernel = 3, .stride = 2, .pad = 1});
        check_max_pool<TestType>({.in = {channels, 1, 1}, .out = {}, .kernel = 3, .stride = 1, .pad = 1});
        check_max_pool<TestType>({.in = {channels, 5, 6}, .out = {}, .kernel = {3, 2}, .stride = {1, 2}, .pad = {2, 1}});
        check_max_pool<TestType>({.in = {channels, 5, 7}, .out = {}, .kernel = 4, .stride = 3, .pad = {0, 3}}, {3, 0});
        check_max_pool<TestType>({.in = {channels, 9, 8}, .out = {}, .kernel = 3, .stride = 2, .pad = 1, .dilation = {2, 1}});
    }
}

TEST_CASE("max pooling: the table of special values", "[kernel][pool]") {
    const conv_geometry g{.in = {1, 1, 2}, .out = {1, 1, 1}, .kernel = {1, 2}};
    const auto largest = [&](float a, float b) {
        const float in[2] = {a, b};
        float out = 7.0f;
        kernel::max_pool(g, in, &out);
        return to_word(out);
    };
    const float infinity = std::numeric_limits<float>::infinity(), nan = from_word<float>(0xff812345u);
    CHECK(largest(-0.0f, 0.0f) == 0);
    CHECK(largest(0.0f, -0.0f) == 0);
    CHECK(largest(-0.0f, -0.0f) == 0x80000000u);
    CHECK(largest(-infinity, -1.0f) == to_word(-1.0f));
    CHECK(largest(1.0f, infinity) == to_word(infinity));
    for (float v : {0.0f, infinity, -infinity, nan}) {
        CHECK(largest(nan, v) == 0x7fc00000u);
        CHECK(largest(v, nan) == 0x7fc00000u);
    }
}

TEMPLATE_TEST_CASE("the global average is one chain a channel over rows and columns, then one division",
                   "[kernel][pool]", float, half, brain) {
    for (const shape& in : {shape{16, 8, 8}, {3, 7, 5}, {1, 1, 1}, {64, 1, 9}}) {
        const conv_geometry g{.in = in, .out = {in.channels, 1, 1}};
        random_stream random{62, {}};
        std::vector<TestType> words(static_cast<std::size_t>(in.size())), out(static_cast<std::size_t>(in.channels));
        for (auto& w : words) w = static_cast<TestType>(static_cast<float>(random.unit() * 6.0 - 3.0));
        kernel::global_average(g, words.data(), out.data());
        for (int c = 0; c < in.channels; ++c) {
            float sum = 0.0f;
            double exact = 0.0;
            for (int row = 0; row < in.height; ++row)
                for (int column = 0; column < in.width; ++column) {
                    const auto v = static_cast<float>(words[static_cast<std::size_t>(in.index(row, column, c))]);
                    sum = sum + v;
                    exact += static_cast<double>(v);
                }
            const auto mean = static_cast<TestType>(sum / static_cast<float>(in.height * in.width));
            const TestType got = out[static_cast<std::size_t>(c)];
            CHECK(to_word(got) == to_word(mean));
            CHECK(std::fabs(static_cast<double>(static_cast<float>(got)) - exact / (in.height * in.width)) <
                  (std::is_same_v<TestType, brain> ? 1.2e-2 : 3e-3));
        }
    }
}

TEST_CASE("a NaN or infinities of both signs make the average the one NaN", "[kernel][pool]") {
    const conv_geometry g{.in = {2, 1, 3}, .out = {2, 1, 1}};
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> in{1.0f, infinity, from_word<float>(0xffc12345u), 1.0f, 1.0f, -infinity};
    std::vector<float> out(2);
    kernel::global_average(g, in.data(), out.data());
    for (float v : out) CHECK(to_word(v) == 0x7fc00000u);
}

TEST_CASE("the integer average is the exact quotient, rounded to nearest even and saturated", "[kernel][pool]") {
    for (const shape& in : {shape{16, 8, 8}, {5, 7, 7}, {3, 1, 1}, {8, 2, 1}, {300, 1, 2}}) {
        const conv_geometry g{.in = in, .out = {in.channels, 1, 1}};
        for (int finer : {-30, -24, -3, -1, 0, 1, 2, 7, 24, 40}) {
            const auto words = random_words<std::uint8_t>(static_cast<std::size_t>(in.size()), 3);
            std::vector<std::uint8_t> out(static_cast<std::size_t>(in.channels));
            kernel::global_average(g, words.data(), out.data(), finer);
            for (int c = 0; c < in.channels; ++c) {
                std::int64_t sum = 0;
                for (int i = 0; i < in.height * in.width; ++i)
                    sum += words[static_cast<std::size_t>(i * in.channels + c)] - 128;
                // as fractions: value = top / bottom; shifts past 24 act as 24
                const std::int64_t top = sum * (std::int64_t{1} << std::clamp(finer, 0, 24));
                const std::int64_t bottom = std::int64_t{in.height * in.width} << std::clamp(-finer, 0, 24);
                const int code = out[static_cast<std::size_t>(c)] - 128;
                CAPTURE(finer, sum, code);
                if (code == -128) {
                    CHECK(2 * top <= -255 * bottom);
                } else if (code == 127) {
                    CHECK(2 * top >= 253 * bottom);
                } else {
                    const std::int64_t off = std::abs(2 * (top - code * bottom));
                    CHECK((off < bottom || (off == bottom && code % 2 == 0)));
                }
            }
        }
    }
}

TEMPLATE_TEST_CASE("subsampling keeps every stride-th pixel and centres the channels among zeros",
                   "[kernel][pool]", float, half, brain, std::uint8_t) {
    for (int stride : {1, 2, 3}) {
        for (int added : {0, 2, 16, 3}) {
            conv_geometry g{.in = {16, 9, 8}, .out = {}, .stride = stride};
            g.out = {16 + added, (9 - 1) / stride + 1, (8 - 1) / stride + 1};
            const auto in = random_words<TestType>(static_cast<std::size_t>(g.in.size()), 4);
            std::vector<TestType> out(static_cast<std::size_t>(g.out.size()));
            kernel::subsample(g, in.data(), out.data());
            int wrong = 0;
            for (int row = 0; row < g.out.height; ++row)
                for (int column = 0; column < g.out.width; ++column)
                    for (int c = 0; c < g.out.channels; ++c) {
                        const int from = c - added / 2;
                        TestType expected{};
                        if constexpr (std::is_integral_v<TestType>) expected = 128;
                        if (from >= 0 && from < 16)
                            expected = in[static_cast<std::size_t>(g.in.index(row * stride, column * stride, from))];
                        const TestType got = out[static_cast<std::size_t>(g.out.index(row, column, c))];
                        wrong += bits_of(got) != bits_of(expected);
                    }
            CHECK(wrong == 0);
        }
    }
}
