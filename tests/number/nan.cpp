// SPDX-License-Identifier: MIT
#include <redoubt/number/nan.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <iterator>

using namespace redoubt;

namespace {

constexpr std::uint32_t one = 0x3f800000u, minus_one = 0xbf800000u, infinity = 0x7f800000u,
                        minus_infinity = 0xff800000u, minus_zero = 0x80000000u, denormal = 1u,
                        minus_denormal = 0x80000001u, six = 0x40c00000u, nan_word = 0x7fc00000u;
/// Quiet and signalling, both signs, with and without payload.
constexpr std::uint32_t nans[] = {0x7fc00000u, 0xffc00000u, 0x7f800001u, 0xff800001u, 0x7fffffffu, 0xffffffffu};

float value(std::uint32_t word) { return from_word<float>(word); }

}  // namespace

TEST_CASE("is_nan and canonical tell every NaN from everything else", "[number][nan]") {
    for (std::uint32_t word : nans) {
        CHECK(is_nan(value(word)));
        CHECK(to_word(canonical(value(word))) == nan_word);
    }
    for (std::uint32_t word : {0u, minus_zero, denormal, minus_denormal, one, minus_one, infinity, minus_infinity,
                               0x7f7fffffu}) {
        CHECK_FALSE(is_nan(value(word)));
        CHECK(to_word(canonical(value(word))) == word);
    }
}

TEST_CASE("relu: the table of special values", "[number][nan]") {
    struct row { std::uint32_t in, out; };
    for (const auto& [in, out] : {row{0u, 0u}, {minus_zero, 0u}, {one, one}, {minus_one, 0u}, {infinity, infinity},
                                  {minus_infinity, 0u}, {denormal, denormal}, {minus_denormal, 0u}}) {
        CAPTURE(in);
        CHECK(to_word(relu_of(value(in))) == out);
    }
    for (std::uint32_t word : nans) CHECK(to_word(canonical(relu_of(value(word)))) == nan_word);
}

TEST_CASE("clipped relu: the table of special values", "[number][nan]") {
    struct row { std::uint32_t in, out; };
    for (const auto& [in, out] : {row{0u, 0u}, {minus_zero, 0u}, {one, one}, {minus_one, 0u}, {infinity, six},
                                  {minus_infinity, 0u}, {denormal, denormal}, {0x40c00001u, six}, {six, six}}) {
        CAPTURE(in);
        CHECK(to_word(clipped_relu_of(value(in), 6.0f)) == out);
    }
    for (std::uint32_t word : nans) CHECK(to_word(canonical(clipped_relu_of(value(word), 6.0f))) == nan_word);
}

TEST_CASE("max: any NaN wins, +0 is above -0, and order does not matter", "[number][nan]") {
    constexpr std::uint32_t rising[] = {minus_infinity, minus_one, minus_denormal, minus_zero, 0u, denormal, one, six,
                                        infinity};
    for (std::size_t i = 0; i < std::size(rising); ++i) {
        for (std::size_t j = i; j < std::size(rising); ++j) {
            CHECK(to_word(max_of(value(rising[i]), value(rising[j]))) == rising[j]);
            CHECK(to_word(max_of(value(rising[j]), value(rising[i]))) == rising[j]);
        }
        for (std::uint32_t word : nans) {
            CHECK(to_word(max_of(value(rising[i]), value(word))) == nan_word);
            CHECK(to_word(max_of(value(word), value(rising[i]))) == nan_word);
        }
    }
    for (std::uint32_t a : nans)
        for (std::uint32_t b : nans) CHECK(to_word(max_of(value(a), value(b))) == nan_word);
}
