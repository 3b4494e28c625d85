// SPDX-License-Identifier: MIT
#include <redoubt/base/philox.hpp>

#include "support/catch.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>

using namespace redoubt;

TEST_CASE("philox4x32-10 gives the published known answers", "[base][philox]") {
    CHECK(philox({0, 0, 0, 0}, {0, 0}) == philox_counter{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
    constexpr std::uint32_t ones = 0xffffffffu;
    CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
          philox_counter{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu});
    CHECK(philox({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}) ==
          philox_counter{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u});
    static_assert(philox({0, 0, 0, 0}, {0, 0})[0] == 0x6627e8d5u);
}

TEST_CASE("streams depend on their identity only, not on the order in which they are used", "[base][philox]") {
    std::array<std::array<std::uint64_t, 5>, 3> alone{};
    for (std::uint32_t s = 0; s < 3; ++s) {
        random_stream stream{42, {s, 0, 0, 0}};
        for (auto& word : alone[s]) word = stream();
    }
    random_stream a{42, {0, 0, 0, 0}}, b{42, {1, 0, 0, 0}}, c{42, {2, 0, 0, 0}};
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(c() == alone[2][i]);
        CHECK(a() == alone[0][i]);
        CHECK(b() == alone[1][i]);
    }
}

TEST_CASE("streams of neighbouring seeds and identities share no word", "[base][philox]") {
    std::set<std::uint64_t> seen;
    std::size_t drawn = 0;
    for (std::uint64_t seed : {0u, 1u, 2u}) {
        for (std::uint32_t place = 0; place < 4; ++place) {
            for (std::uint32_t value : {1u, 2u, 0x80000000u}) {
                philox_counter identity{};
                identity[place] = value;
                random_stream stream{seed, identity};
                for (int i = 0; i < 50; ++i, ++drawn) seen.insert(stream());
            }
        }
    }
    CHECK(seen.size() == drawn);
}

TEST_CASE("below() is uniform and in range", "[base][philox]") {
    random_stream stream{7, {1, 2, 3, 4}};
    SECTION("small bounds, by chi-square") {
        constexpr std::size_t bound = 13;
        constexpr int draws = 130000;
        std::array<int, bound> hits{};
        for (int i = 0; i < draws; ++i) {
            const std::uint64_t x = stream.below(bound);
            REQUIRE(x < bound);
            ++hits[static_cast<std::size_t>(x)];
        }
        double chi_square = 0.0;
        for (int h : hits) chi_square += (h - 10000.0) * (h - 10000.0) / 10000.0;
        CHECK(chi_square < 32.9);  // 12 degrees of freedom, one in a thousand
    }
    SECTION("a bound of 3/4 of the range, where a remainder would show its bias at once") {
        constexpr std::uint64_t bound = 0xc000000000000000u;
        int low = 0;
        constexpr int draws = 30000;
        for (int i = 0; i < draws; ++i) {
            const std::uint64_t x = stream.below(bound);
            REQUIRE(x < bound);
            low += x < bound / 3 ? 1 : 0;
        }
        CHECK(std::abs(low - 10000) < 4 * 82);
    }
    SECTION("one value") {
        for (int i = 0; i < 10; ++i) CHECK(stream.below(1) == 0);
    }
}

TEST_CASE("unit() lies in (0, 1] with the mean and variance of a uniform number", "[base][philox]") {
    random_stream stream{11, {}};
    constexpr int draws = 100000;
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < draws; ++i) {
        const double u = stream.unit();
        REQUIRE((u > 0.0 && u <= 1.0));
        sum += u;
        squares += (u - 0.5) * (u - 0.5);
    }
    CHECK(std::abs(sum / draws - 0.5) < 4.0 * 0.00092);
    CHECK(std::abs(squares / draws - 1.0 / 12.0) < 0.001);
}
