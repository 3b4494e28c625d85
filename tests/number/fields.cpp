// SPDX-License-Identifier: MIT
#include <redoubt/number/number.hpp>

#include "support/catch.hpp"

#include <cstdint>

using namespace redoubt;

static_assert(number<float32> && number<float16> && number<bfloat16> && number<int8> && number<stored<float32, fixed<2, 5>>>);
static_assert(!decodes_weights<float32> && !decodes_weights<int8> && decodes_weights<stored<float32, fixed<2, 5>>>);
static_assert(stored<float32, fixed<2, 5>>::name == "q2.5");
static_assert(bfloat16::name == "bf16" && stored<float32, brain>::name == "fp32wb16");
static_assert(decodes_weights<stored<float32, brain>> && !decodes_weights<bfloat16>);

namespace {

/// Every bit of a word lies in exactly one of sign, exponent and fraction, and the contiguous ranges say the same.
template <class T>
void check_classes(int fraction, int exponent) {
    constexpr bit_fields f = fields_of<T>;
    CHECK(f.bits == bits_in<T>);
    CHECK(bits_of_class(f, bit_class::any) == f.bits);
    CHECK(bits_of_class(f, bit_class::sign) == 1);
    CHECK(bits_of_class(f, bit_class::exponent) == exponent);
    CHECK(bits_of_class(f, bit_class::fraction) == fraction);
    for (int bit = 0; bit < f.bits; ++bit) {
        CAPTURE(bit);
        const auto in = [&](bit_class c) {
            return bit >= first_bit(f, c) && bit < first_bit(f, c) + bits_of_class(f, c);
        };
        CHECK(in(bit_class::any));
        CHECK(in(bit_class::sign) == f.is_sign(bit));
        CHECK(in(bit_class::exponent) == f.is_exponent(bit));
        CHECK(in(bit_class::fraction) == f.is_fraction(bit));
        CHECK(int{f.is_sign(bit)} + int{f.is_exponent(bit)} + int{f.is_fraction(bit)} == 1);
    }
}

}  // namespace

TEST_CASE("each stored type's bits are sign, exponent and fraction", "[number][fields]") {
    check_classes<float>(23, 8);
    check_classes<half>(10, 5);
    check_classes<brain>(7, 8);
    check_classes<std::int8_t>(7, 0);
    check_classes<std::uint8_t>(7, 0);
    check_classes<std::int32_t>(31, 0);
    check_classes<fixed<2, 5>>(7, 0);
}

TEST_CASE("the classes are where the values change as their names say", "[number][fields]") {
    CHECK(flip(1.5f, bit_mask<float>(31)) == -1.5f);
    CHECK(flip(1.5f, bit_mask<float>(23)) == 0.75f);
    CHECK(flip(1.5f, bit_mask<float>(22)) == 1.0f);
    CHECK(static_cast<float>(flip(half{1.5f}, bit_mask<half>(10))) == 0.75f);
    CHECK(static_cast<float>(flip(half{1.5f}, bit_mask<half>(15))) == -1.5f);
    CHECK(static_cast<float>(flip(brain{1.5f}, bit_mask<brain>(7))) == 0.75f);
    CHECK(static_cast<float>(flip(brain{1.5f}, bit_mask<brain>(15))) == -1.5f);
    CHECK(static_cast<float>(flip(fixed<2, 5>{1.5f}, bit_mask<fixed<2, 5>>(7))) == -2.5f);
}

TEST_CASE("bit classes are named as the command line spells them", "[number][fields]") {
    CHECK(name_of(bit_class::any) == "any");
    CHECK(name_of(bit_class::sign) == "sign");
    CHECK(name_of(bit_class::exponent) == "exponent");
    CHECK(name_of(bit_class::fraction) == "fraction");
}

TEST_CASE("widened() gives the value in the accumulator's type", "[number]") {
    CHECK(widened(std::uint8_t{0}) == -128);
    CHECK(widened(std::uint8_t{128}) == 0);
    CHECK(widened(std::uint8_t{255}) == 127);
    CHECK(widened(std::int8_t{-128}) == -128);
    CHECK(widened(half{0.1f}) == 0x1.998p-4f);
    CHECK(widened(brain{0.1f}) == 0x1.9ap-4f);
}
