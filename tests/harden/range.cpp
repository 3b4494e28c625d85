// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <algorithm>
#include <cmath>

using namespace redoubt;
using namespace support;

namespace {

template <number N, class... Layers>
using net_of = network<image<1, 2, 2>, N, Layers...>;
using bare = net_of<float32, linear<6>>;

/// What is left of a value outside [low, high].
float restricted(float v, float low, float high, bool zero) {
    if (v >= low && v <= high) return v;
    if (zero || std::isnan(v)) return 0.0f;
    return v < low ? low : high;
}

/// Any word of a float layer struck in a register, in any bits: inside its bounds it stays, outside it is replaced.
template <class Net>
void check_struck(bool zero) {
    const auto image = drawn_images<Net>(1)[0];
    const auto weights = drawn_and_converted<Net>();
    const auto plain = answer_of<bare>(*drawn_network<bare>(), image);
    const float low = weights->of_unit(1).low, high = weights->of_unit(1).high;
    random_stream random{3, {}};
    int outside = 0, nans = 0;
    for (int i = 0; i < 400; ++i) {
        const auto word = static_cast<std::uint32_t>(random.below(6));
        // a single bit, any bits, or all exponent bits: NaN
        std::uint32_t mask = i % 3 == 0 ? 1u << random.below(32) : static_cast<std::uint32_t>(random());
        if (i % 3 == 2) mask = (to_word(plain.logits[word]) & 0x7f800000u) ^ 0x7f800000u;
        if (mask == 0) continue;
        fault_list list{1};
        list.policy.add(fault_at(1, word, mask, false));
        list.policy.sort();
        const float struck = flip(plain.logits[word], mask);
        const auto got = answer_of<Net>(*weights, image, list.policy);
        auto expected = plain.logits;
        expected[word] = canonical(restricted(struck, low, high, zero));
        CHECK(words_of(got) == words_of(answer<bare>{expected, {}}));
        const bool out = !(struck >= low && struck <= high);
        CHECK(got.status.steps[1] == fault_counters{0, 0, 0, out ? 1u : 0u});
        outside += out ? 1 : 0;
        nans += std::isnan(struck) ? 1 : 0;
    }
    CHECK(outside > 100);
    CHECK(nans > 50);
}

template <number N>
void check_codes() {
    // an activation keeps the outputs from being logits
    using net = net_of<N, range<linear<6>>, relu>;
    using clamped = net_of<N, range_clamp<linear<6>>, relu>;
    const auto image = drawn_images<net>(1)[0];
    const auto run_with = [&]<class Net>(type_tag<Net>, bound_of<N> low, bound_of<N> high) {
        const auto weights = drawn_and_converted<Net>();
        weights->of_unit(1).low = low;
        weights->of_unit(1).high = high;
        return answer_of<Net>(*weights, image);
    };
    const auto weights = drawn_and_converted<net>();
    const float unit = N::is_integer ? scaled(1.0f, -weights->of_unit(1).frac) : 1.0f / 16.0f;
    const auto whole = answer_of<net>(*weights, image);
    const auto bound = static_cast<bound_of<N>>(N::is_integer ? 9.0f : 9.0f / 16.0f);
    std::uint32_t over = 0;
    for (float v : whole.logits) over += v > 9.0f * unit ? 1u : 0u;
    REQUIRE(over > 0);
    const auto zero = run_with(type_tag<net>{}, 0, bound);
    const auto near = run_with(type_tag<clamped>{}, 0, bound);
    CHECK(zero.status.total() == fault_counters{0, 0, 0, over});
    CHECK(near.status.total() == fault_counters{0, 0, 0, over});
    for (std::size_t i = 0; i < 6; ++i) {
        const float v = whole.logits[i];
        CHECK(zero.logits[i] == (v > 9.0f * unit ? 0.0f : v));
        CHECK(near.logits[i] == std::min(v, 9.0f * unit));
    }
    // zero itself below the bounds: the lower bound where clamped
    const auto above = static_cast<bound_of<N>>(N::is_integer ? 100.0f : 100.0f / 16.0f);
    for (float v : run_with(type_tag<clamped>{}, bound, above).logits) CHECK(v >= 9.0f * unit);
}

}  // namespace

TEST_CASE("range restriction sets what leaves its bounds to zero", "[harden]") {
    check_struck<net_of<float32, range<linear<6>>>>(true);
}
TEST_CASE("range restriction by clamping takes the nearer bound, and zero for NaN", "[harden]") {
    check_struck<net_of<float32, range_clamp<linear<6>>>>(false);
}
TEST_CASE("bounds of codes and halves", "[harden]") {
    check_codes<int8>();
    check_codes<float16>();
    check_codes<bfloat16>();
}

TEST_CASE("the outermost check comes last", "[harden]") {
    using net = net_of<float32, range<range_clamp<linear<6>>>>;
    const auto image = drawn_images<net>(1)[0];
    const auto weights = drawn_and_converted<net>();
    weights->of_unit(1).low = -0.01f;
    weights->of_unit(1).high = 0.01f;
    const auto got = answer_of<net>(*weights, image);
    CHECK(got.status.total().out_of_range == 6);  // clamped by the inner one, inside for the outer one
    for (float v : got.logits) CHECK(std::abs(v) == 0.01f);
}

TEST_CASE("a check around replicas sees their value whether they differ or not", "[harden]") {
    using net = net_of<float32, range<dmr<linear<6>>>>;
    using tripled = net_of<float32, range<tmr<linear<6>>>>;
    const auto image = drawn_images<net>(1)[0];
    const auto check = [&]<class Net>(type_tag<Net>) {
        const auto weights = drawn_and_converted<Net>();
        CHECK(answer_of<Net>(*weights, image).status.total() == fault_counters{});
        weights->of_unit(1).low = 100.0f;
        weights->of_unit(1).high = 101.0f;
        const auto got = answer_of<Net>(*weights, image);
        CHECK(got.status.total() == fault_counters{0, 0, 0, 6});
        for (float v : got.logits) CHECK(v == 0.0f);
        fault_list list{1};
        list.policy.add(fault_at(1, 2, 1u << 30, true));
        list.policy.sort();
        const auto struck = answer_of<Net>(*weights, image, list.policy);
        CHECK(struck.status.total() == fault_counters{1, 1, 0, 6});
        for (float v : struck.logits) CHECK(v == 0.0f);
    };
    check(type_tag<net>{});
    check(type_tag<tripled>{});
    // within a spare that never runs, nothing is checked, and what lies in its buffer does not count
    using spare = net_of<float32, dmr<range<dmr<linear<6>>>>>;
    const auto weights = drawn_and_converted<spare>();
    weights->of_unit(1).low = 100.0f;
    weights->of_unit(1).high = 101.0f;
    CHECK(answer_of<spare>(*weights, image).status.total() == fault_counters{0, 0, 0, 2 * 6});
}

TEST_CASE("probabilities are not restricted", "[harden]") {
    using net = net_of<int8, range<linear<6>, softmax>>;
    using plain = net_of<int8, linear<6>, softmax>;
    const auto image = drawn_images<net>(1)[0];
    const auto got = answer_of<net>(*drawn_and_converted<net>(), image);
    CHECK(words_of(got) == words_of(answer_of<plain>(*drawn_and_converted<plain>(), image)));
    CHECK(got.status.total() == fault_counters{});
}

TEST_CASE("a protected network takes another number as the plain one does", "[harden]") {
    using net = model::resnet8<image<1, 28, 28>>;
    using guard = harden<net, protect<is_conv, range>>;
    STATIC_REQUIRE(std::is_same_v<with_number<guard, int8>, harden<with_number<net, int8>, protect<is_conv, range>>>);
    STATIC_REQUIRE(std::is_same_v<without_protection<with_number<guard, int8>>, with_number<net, int8>>);
    STATIC_REQUIRE(std::is_same_v<with_number<with_number<guard, int8>, float32>, guard>);
}
