// SPDX-License-Identifier: MIT
#include <redoubt/base/philox.hpp>
#include <redoubt/kernel/concat.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

using namespace redoubt;

namespace {

template <class Word>
std::vector<Word> random_words(int count, std::uint32_t stream) {
    random_stream random{91, {stream, 0, 0, 0}};
    std::vector<Word> v(static_cast<std::size_t>(count));
    for (Word& word : v) word = from_word<Word>(static_cast<word_of<Word>>(random()));
    return v;
}

}  // namespace

TEMPLATE_TEST_CASE("a concat moves words and touches no others", "[kernel][concat]", float, half, brain) {
    for (const auto& [first, channels, after] : {std::array{0, 3, 0}, {5, 16, 1}, {1, 17, 40}, {64, 1, 0}}) {
        const shape part{channels, 3, 4}, whole{first + channels + after, 3, 4};
        const auto in = random_words<TestType>(part.size(), 1), before = random_words<TestType>(whole.size(), 2);
        auto out = before;
        kernel::concat_part(part, in.data(), whole, out.data(), first);
        int wrong = 0;
        for (int i = 0; i < 12; ++i)
            for (int c = 0; c < whole.channels; ++c) {
                const auto at = static_cast<std::size_t>(i * whole.channels + c);
                const bool inside = c >= first && c < first + channels;
                const TestType expected = inside ? in[static_cast<std::size_t>(i * channels + c - first)] : before[at];
                wrong += to_word(out[at]) != to_word(expected);
            }
        CHECK(wrong == 0);
    }
}

TEST_CASE("a concat of codes rescales, rounding to nearest even and saturating", "[kernel][concat]") {
    constexpr std::int32_t least = std::numeric_limits<std::int32_t>::min(), most = std::numeric_limits<std::int32_t>::max();
    const shape part{37, 2, 3}, whole{50, 2, 3};
    const auto in = random_words<std::uint8_t>(part.size(), 3), before = random_words<std::uint8_t>(whole.size(), 4);
    for (const auto& [from, to] : {std::pair{4, 4}, {5, 4}, {7, 4}, {3, 5}, {-2, 4}, {20, -20}, {-20, 20}, {least, most}, {most, least}}) {
        auto out = before;
        kernel::concat_part(part, in.data(), whole, out.data(), 9, from, to);
        int wrong = 0;
        for (int i = 0; i < 6; ++i)
            for (int c = 0; c < 50; ++c) {
                const auto at = static_cast<std::size_t>(i * 50 + c);
                int expected = before[at];
                if (c >= 9 && c < 46) {
                    const int code = in[static_cast<std::size_t>(i * 37 + c - 9)] - 128;
                    const auto shift = static_cast<int>(std::clamp(std::int64_t{to} - from, std::int64_t{-60}, std::int64_t{60}));
                    expected = static_cast<int>(std::clamp(std::nearbyint(std::ldexp(code, shift)), -128.0, 127.0)) + 128;
                }
                wrong += out[at] != expected;
            }
        CAPTURE(from, to);
        CHECK(wrong == 0);
    }
}
