// SPDX-License-Identifier: MIT
#include <redoubt/base/philox.hpp>
#include <redoubt/kernel/vote.hpp>
#include <redoubt/number/number.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <vector>

using namespace redoubt;
using kernel::count_different;
using kernel::vote_words;

namespace {

template <class T>
std::vector<T> random_words(std::size_t count) {
    random_stream random{41, {}};
    std::vector<T> v(count);
    for (T& word : v) word = from_word<T>(static_cast<word_of<T>>(random()));
    return v;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (to_word(a[i]) != to_word(b[i])) return false;
    return a.size() == b.size();
}

}  // namespace

TEMPLATE_TEST_CASE("any damage to one copy is outvoted, whatever it holds", "[kernel][vote]", float, half, std::uint8_t,
                   std::int8_t, std::int32_t) {
    const auto good = random_words<TestType>(333);
    for (int damaged = 0; damaged < 3; ++damaged) {
        std::vector<TestType> copies[3] = {good, good, good};
        std::uint32_t struck = 0;
        for (std::size_t i = 0; i < good.size(); i += 3, ++struck) {
            auto& word = copies[damaged][i];
            word = from_word<TestType>(static_cast<word_of<TestType>>(~to_word(word)));
        }
        CHECK(count_different(good.data(), copies[damaged].data(), good.size()) == struck);
        std::vector<TestType> out(good.size());
        const auto tally = vote_words(copies[0].data(), copies[1].data(), copies[2].data(), out.data(), out.size());
        CHECK(same_bits(out, good));
        CHECK(tally.different == struck);
        CHECK(tally.no_majority == 0);
        // the output may be one of the copies
        vote_words(copies[0].data(), copies[1].data(), copies[2].data(), copies[damaged].data(), out.size());
        CHECK(same_bits(copies[damaged], good));
    }
}

TEST_CASE("NaN agrees with itself, and -0 is not +0", "[kernel][vote]") {
    const std::vector<float> a{from_word<float>(0x7fc00000u), 0.0f, 1.0f}, b = a;
    CHECK(count_different(a.data(), b.data(), 3) == 0);
    std::vector<float> out(3);
    auto tally = vote_words(a.data(), b.data(), a.data(), out.data(), 3);
    CHECK(tally.different == 0);
    CHECK(same_bits(out, a));

    const std::vector<float> negative{from_word<float>(0x7fc00001u), -0.0f, 1.0f};
    CHECK(count_different(a.data(), negative.data(), 3) == 2);
    tally = vote_words(negative.data(), a.data(), b.data(), out.data(), 3);
    CHECK(tally.different == 2);
    CHECK(tally.no_majority == 0);
    CHECK(same_bits(out, a));
}

TEST_CASE("words in which no two copies agree are counted, and still voted bit by bit", "[kernel][vote]") {
    const std::vector<std::uint8_t> a{0x0f, 0x01, 7, 1}, b{0x3c, 0x02, 7, 1}, c{0xf0, 0x04, 7, 2};
    std::vector<std::uint8_t> out(4);
    const auto tally = vote_words(a.data(), b.data(), c.data(), out.data(), 4);
    CHECK(tally.different == 3);
    CHECK(tally.no_majority == 2);
    CHECK(out == std::vector<std::uint8_t>{0x3c, 0x00, 7, 1});
}

TEST_CASE("nothing to vote on is no difference", "[kernel][vote]") {
    const float word = 1.0f;
    float out = 0.0f;
    CHECK(count_different(&word, &word, 0) == 0);
    CHECK(vote_words(&word, &word, &word, &out, 0).different == 0);
    CHECK(out == 0.0f);
}
