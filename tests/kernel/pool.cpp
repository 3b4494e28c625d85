// SPDX-License-Identifier: MIT
#include <redoubt/base/philox.hpp>
#include <redoubt/kernel/pool.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

using namespace redoubt;
using kernel::conv_geometry;
using kernel::count_padding;

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

namespace {

/// Drawn geometries with windows of every sort: rectangular, padded unevenly, dilated; each has a tap in the image.
std::vector<std::pair<conv_geometry, count_padding>> drawn_windows() {
    std::vector<std::pair<conv_geometry, count_padding>> all;
    random_stream random{63, {}};
    while (all.size() < 60) {
        const auto below = [&](int bound) { return static_cast<int>(random.below(static_cast<std::uint64_t>(bound))); };
        conv_geometry g;
        g.in = {1 + below(40), 1 + below(9), 1 + below(9)};
        g.kernel = {1 + below(4), 1 + below(4)};
        g.stride = {1 + below(3), 1 + below(3)};
        g.dilation = {1 + below(2), 1 + below(2)};
        g.pad = {below(g.kernel.h), below(g.kernel.w)};
        const hw after{below(g.kernel.h), below(g.kernel.w)};
        const int rows = g.in.height + g.pad.h + after.h - (g.kernel.h - 1) * g.dilation.h - 1;
        const int columns = g.in.width + g.pad.w + after.w - (g.kernel.w - 1) * g.dilation.w - 1;
        if (rows < 0 || columns < 0) continue;
        g.out = {g.in.channels, rows / g.stride.h + 1, columns / g.stride.w + 1};
        bool empty = false;
        for (int row = 0; row < g.out.height; ++row)
            for (int column = 0; column < g.out.width; ++column) empty = empty || g.taps_at(row, column) == 0;
        if (!empty) all.emplace_back(g, all.size() % 2 == 0 ? count_padding::yes : count_padding::no);
    }
    return all;
}

/// body(row, column, channel, taps inside as words, divisor).
template <class Word, class Body>
void for_each_mean(const conv_geometry& g, count_padding counted, const std::vector<Word>& in, Body&& body) {
    for (int row = 0; row < g.out.height; ++row)
        for (int column = 0; column < g.out.width; ++column)
            for (int c = 0; c < g.in.channels; ++c) {
                std::vector<Word> taps;
                for (int r = 0; r < g.kernel.h; ++r)
                    for (int k = 0; k < g.kernel.w; ++k) {
                        const int y = row * g.stride.h + r * g.dilation.h - g.pad.h;
                        const int x = column * g.stride.w + k * g.dilation.w - g.pad.w;
                        if (y >= 0 && y < g.in.height && x >= 0 && x < g.in.width)
                            taps.push_back(in[static_cast<std::size_t>(g.in.index(y, x, c))]);
                    }
                const int divisor = counted == count_padding::yes ? g.kernel.h * g.kernel.w : static_cast<int>(taps.size());
                body(g.out.index(row, column, c), taps, divisor);
            }
}

}  // namespace

TEMPLATE_TEST_CASE("average pooling is one chain and one division, padding counted or not", "[kernel][pool]", float,
                   half, brain) {
    for (const auto& [g, counted] : drawn_windows()) {
        const auto in = random_words<TestType>(static_cast<std::size_t>(g.in.size()), 5);
        std::vector<TestType> out(static_cast<std::size_t>(g.out.size()));
        kernel::average_pool(g, in.data(), out.data(), counted);
        int wrong = 0;
        for_each_mean(g, counted, in, [&](int index, const std::vector<TestType>& taps, int divisor) {
            float sum = 0.0f;
            for (TestType tap : taps) sum = sum + static_cast<float>(tap);
            sum = sum / static_cast<float>(divisor);
            if (sum != sum) sum = from_word<float>(0x7fc00000u);
            wrong += bits_of(out[static_cast<std::size_t>(index)]) != bits_of(static_cast<TestType>(sum));
        });
        CHECK(wrong == 0);
    }
}

TEST_CASE("integer average pooling rounds the exact quotient to nearest even", "[kernel][pool]") {
    for (const auto& [g, counted] : drawn_windows())
        for (int finer : {-3, 0, 1, 4}) {
            const auto in = random_words<std::uint8_t>(static_cast<std::size_t>(g.in.size()), 6);
            std::vector<std::uint8_t> out(static_cast<std::size_t>(g.out.size()));
            kernel::average_pool(g, in.data(), out.data(), finer, counted);
            int wrong = 0;
            for_each_mean(g, counted, in, [&](int index, const std::vector<std::uint8_t>& taps, int divisor) {
                double sum = 0.0;
                for (std::uint8_t tap : taps) sum += tap - 128;
                // at most 16 * 2^3: the quotient's distance from a tie is far above double's precision
                const double code = std::clamp(std::nearbyint(std::ldexp(sum, finer) / divisor), -128.0, 127.0);
                wrong += out[static_cast<std::size_t>(index)] - 128 != static_cast<int>(code);
            });
            CHECK(wrong == 0);
        }
}

TEMPLATE_TEST_CASE("pools of drawn windows: the largest word of each", "[kernel][pool]", float, half, brain,
                   std::uint8_t) {
    for (const auto& [g, counted] : drawn_windows()) {
        const auto in = random_words<TestType>(static_cast<std::size_t>(g.in.size()), 7);
        std::vector<TestType> out(static_cast<std::size_t>(g.out.size()));
        kernel::max_pool(g, in.data(), out.data());
        int wrong = 0;
        for_each_mean(g, counted, in, [&](int index, const std::vector<TestType>& taps, int) {
            std::int64_t best = std::numeric_limits<std::int64_t>::min();
            for (TestType tap : taps) best = std::max(best, rank(tap));
            wrong += rank(out[static_cast<std::size_t>(index)]) != best;
        });
        CHECK(wrong == 0);
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
