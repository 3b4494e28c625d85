// SPDX-License-Identifier: MIT
#include <redoubt/kernel/range.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <limits>
#include <vector>

using namespace redoubt;
using kernel::out_of_range;
using kernel::restrict_range;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
const float quiet = from_word<float>(0x7fc00000u), negative_nan = from_word<float>(0xffc12345u),
            signalling = from_word<float>(0x7f800001u);

}  // namespace

TEST_CASE("float words outside the bounds are clamped or zeroed, NaN is zeroed, both are counted", "[kernel][range]") {
    const std::vector<float> words{-infinity, -2.5f, -2.0f, -0.0f, 0.0f, 1.0f, 3.0f, 3.0000002f, 1e30f, infinity, quiet,
                                   negative_nan, signalling, from_word<float>(1u)};
    const std::vector<float> clamped{-2.0f, -2.0f, -2.0f, -0.0f, 0.0f, 1.0f, 3.0f, 3.0f, 3.0f, 3.0f, 0.0f,
                                     0.0f, 0.0f, from_word<float>(1u)};
    const std::vector<float> zeroed{0.0f, 0.0f, -2.0f, -0.0f, 0.0f, 1.0f, 3.0f, 0.0f, 0.0f, 0.0f, 0.0f,
                                    0.0f, 0.0f, from_word<float>(1u)};
    for (const auto action : {out_of_range::clamp, out_of_range::zero}) {
        auto got = words;
        CHECK(restrict_range(got.data(), got.size(), -2.0f, 3.0f, action) == 8);
        const auto& expected = action == out_of_range::clamp ? clamped : zeroed;
        for (std::size_t i = 0; i < got.size(); ++i) {
            CAPTURE(i);
            CHECK(to_word(got[i]) == to_word(expected[i]));
        }
        // a second pass finds nothing to do where zero itself is inside
        CHECK(restrict_range(got.data(), got.size(), -2.0f, 3.0f, action) == 0);
    }
}

TEST_CASE("zeroed and NaN words are +0", "[kernel][range]") {
    for (const auto action : {out_of_range::clamp, out_of_range::zero}) {
        float word = from_word<float>(0xffffffffu);
        restrict_range(&word, 1, -1.0f, 1.0f, action);
        CHECK(to_word(word) == 0);
    }
    float word = -9.0f;
    restrict_range(&word, 1, -1.0f, 1.0f, out_of_range::zero);
    CHECK(to_word(word) == 0);
}

TEMPLATE_TEST_CASE("16-bit words: bounds are values", "[kernel][range]", half, brain) {
    std::vector<TestType> words;
    const int fraction = fields_of<TestType>.fraction;
    const auto infinite = static_cast<std::uint16_t>(0x7fff >> fraction << fraction);
    const float above = static_cast<float>(TestType::from_bits(static_cast<std::uint16_t>(TestType{2.0f}.bits() + 1)));
    for (float v : {-infinity, -1.0f, 0.5f, 2.0f, above, 65504.0f, infinity}) words.push_back(TestType{v});
    for (int bits : {infinite | 1 << (fraction - 1), 0x8000 | infinite | 1, 0x8000})
        words.push_back(TestType::from_bits(static_cast<std::uint16_t>(bits)));
    for (const auto action : {out_of_range::clamp, out_of_range::zero}) {
        const bool clamps = action == out_of_range::clamp;
        const std::vector<float> expected{clamps ? -1.0f : 0.0f, -1.0f, 0.5f, 2.0f, clamps ? 2.0f : 0.0f,
                                          clamps ? 2.0f : 0.0f, clamps ? 2.0f : 0.0f, 0.0f, 0.0f, -0.0f};
        auto got = words;
        CHECK(restrict_range(got.data(), got.size(), -1.0f, 2.0f, action) == 6);
        for (std::size_t i = 0; i < got.size(); ++i) {
            CAPTURE(i);
            CHECK(to_word(static_cast<float>(got[i])) == to_word(expected[i]));
        }
    }
}

TEST_CASE("int8 words: bounds are codes without the offset", "[kernel][range]") {
    std::vector<std::uint8_t> words(256), clamped(256), zeroed(256);
    for (int i = 0; i < 256; ++i) {
        const auto at = static_cast<std::size_t>(i);
        words[at] = clamped[at] = zeroed[at] = static_cast<std::uint8_t>(i);
        const int code = i - 128;
        if (code < -7 || code > 100) zeroed[at] = 128;
        if (code < -7) clamped[at] = 121;
        if (code > 100) clamped[at] = 228;
    }
    auto got = words;
    CHECK(restrict_range(got.data(), got.size(), -7, 100, out_of_range::clamp) == 121 + 27);
    CHECK(got == clamped);
    got = words;
    CHECK(restrict_range(got.data(), got.size(), -7, 100, out_of_range::zero) == 121 + 27);
    CHECK(got == zeroed);
}

TEST_CASE("int32 logits: the whole range of the word", "[kernel][range]") {
    constexpr std::int32_t least = std::numeric_limits<std::int32_t>::min();
    constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
    const std::vector<std::int32_t> words{least, -1001, -1000, 0, 5000, 5001, most};
    auto got = words;
    CHECK(restrict_range(got.data(), got.size(), -1000, 5000, out_of_range::clamp) == 4);
    CHECK(got == std::vector<std::int32_t>{-1000, -1000, -1000, 0, 5000, 5000, 5000});
    got = words;
    CHECK(restrict_range(got.data(), got.size(), -1000, 5000, out_of_range::zero) == 4);
    CHECK(got == std::vector<std::int32_t>{0, 0, -1000, 0, 5000, 0, 0});
    got = words;
    CHECK(restrict_range(got.data(), got.size(), least, most, out_of_range::zero) == 0);
    CHECK(got == words);
}

namespace {

/// One odd word among many sound ones, in a piece of its own, against the definition word by word.
template <class Word, class Bound>
bool agrees(Word odd, Bound low, Bound high, std::size_t at) {
    Word sound{};
    if constexpr (std::is_same_v<Word, std::uint8_t>) sound = 128;
    std::vector<Word> words(2500, sound);
    words[at] = odd;
    auto expected = words;
    std::uint32_t outside = 0;
    for (Word& w : expected) outside += kernel::restrict_words(&w, 1, low, high, out_of_range::clamp);
    const bool same_count = restrict_range(words.data(), words.size(), low, high, out_of_range::clamp) == outside;
    for (std::size_t i = 0; i < words.size(); ++i)
        if (to_word(words[i]) != to_word(expected[i])) return false;
    return same_count;
}

template <class Word>
std::uint64_t wrong_words(const std::vector<float>& bounds) {
    std::uint64_t wrong = 0;
    for (const float low : bounds)
        for (const float high : bounds)
            for (std::uint32_t b = 0; b < 65536; ++b) {
                // as a whole piece, which is what the short cut decides on
                Word word = from_word<Word>(static_cast<word_of<Word>>(b)), expected = word;
                const std::uint32_t outside = kernel::restrict_words(&expected, 1, low, high, out_of_range::zero);
                const bool same = restrict_range(&word, 1, low, high, out_of_range::zero) == outside && to_word(word) == to_word(expected);
                wrong += same ? 0u : 1u;
            }
    return wrong;
}

}  // namespace

TEST_CASE("whether a piece lies inside is decided as for each word alone", "[kernel][range]") {
    const std::vector<float> bounds{-infinity, -70000.0f, -2.00003f, -1e-9f, -0.0f, 0.0f, 1e-9f, 1.0001f, 65504.0f, 1e9f, infinity, quiet};
    CHECK(wrong_words<half>(bounds) == 0);
    CHECK(wrong_words<brain>(bounds) == 0);
    std::vector<float> near;
    for (const float v : bounds)
        for (const std::uint32_t step : {0u, 1u, 0xffffffffu}) near.push_back(from_word<float>(to_word(v) + step));
    for (const float low : near)
        for (const float high : near)
            for (const float odd : near) CHECK(agrees(odd, low, high, 0));
    for (const std::size_t at : {std::size_t{0}, std::size_t{1023}, std::size_t{1024}, std::size_t{2047}, std::size_t{2499}}) {
        CHECK(agrees(7.0f, 0.0f, 6.0f, at));
        CHECK(agrees(-7.0f, -6.0f, 6.0f, at));
        CHECK(agrees(half{7.0f}, 0.0f, 6.0f, at));
        for (int code = 0; code < 256; ++code) CHECK(agrees(static_cast<std::uint8_t>(code), -3, 90, at));
    }
    for (const int low : {-1000, -128, -127, 0, 127, 128, 300})
        for (const int high : {-1000, -129, -128, 0, 126, 127, 128, 300})
            for (const int code : {0, 1, 127, 128, 129, 254, 255}) CHECK(agrees(static_cast<std::uint8_t>(code), low, high, 0));
}

TEST_CASE("long arrays are counted as short ones are", "[kernel][range]") {
    for (std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{31}, std::size_t{64}, std::size_t{1000}}) {
        std::vector<float> words(count, 1.0f);
        std::uint32_t outside = 0;
        for (std::size_t i = 0; i < count; i += 5, ++outside) words[i] = i % 2 == 0 ? quiet : -7.0f;
        CHECK(restrict_range(words.data(), count, 0.0f, 1.0f, out_of_range::zero) == outside);
    }
}
