// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/nets.hpp"

using namespace redoubt;
using namespace support;

namespace {

template <int Out>
using conv = conv2d<conv_spec{.out = Out, .pad = 1}>;

/// The answer of a network in which one replica's word is struck, or two, or three.
template <class Net>
answer<Net> struck(const parameters<Net>& weights, const std::vector<float>& image, int step, std::uint32_t word,
                   std::array<std::uint32_t, 3> masks, std::array<int, 3> steps_on) {
    fault_list list{3};
    for (std::size_t i = 0; i < 3; ++i)
        if (masks[i] != 0) list.policy.add(fault_at(step + steps_on[i], word, masks[i], true));
    list.policy.sort();
    return answer_of<Net>(weights, image, list.policy);
}

using one_layer = network<image<2, 3, 3>, float32, conv<3>>;
using voted = network<image<2, 3, 3>, float32, tmr<conv<3>>>;
using compared = network<image<2, 3, 3>, float32, dmr<conv<3>>>;

}  // namespace

TEST_CASE("a vote counts words and takes the majority of bits", "[harden]") {
    const auto image = drawn_images<one_layer>(1)[0];
    const auto plain = answer_of<one_layer>(*drawn_network<one_layer>(), image);
    const auto weights = drawn_and_converted<voted>();
    const auto with = [&](std::array<std::uint32_t, 3> masks) {
        return struck<voted>(*weights, image, 1, 4, masks, {0, 1, 2});
    };
    CHECK(with({1u << 31, 0, 0}).status.total() == fault_counters{1, 1, 0, 0});
    CHECK(with({0, 0, ~0u}).status.steps[4] == fault_counters{1, 1, 0, 0});
    // three replicas struck in different bits: right in every bit, but nobody can know
    const auto apart = with({1u << 3, 1u << 12, 1u << 30});
    CHECK(words_of(apart) == words_of(plain));
    CHECK(apart.status.total() == fault_counters{1, 0, 1, 0});
    CHECK_FALSE(apart.status.trustworthy());
    // equal faults in two replicas outvote the third: the limit of the protection
    const auto outvoted = with({0, 1u << 30, 1u << 30});
    CHECK(words_of(outvoted) != words_of(plain));
    CHECK(outvoted.logits[4] == flip(plain.logits[4], 1u << 30));
    CHECK(outvoted.status.total() == fault_counters{1, 1, 0, 0});
    // NaN agrees with itself, and -0 is not +0
    auto zeros = std::make_unique<parameters<voted>>();
    CHECK(answer_of<voted>(*zeros, image).status.total() == fault_counters{});
    CHECK(struck<voted>(*zeros, image, 1, 0, {1u << 31, 0, 0}, {0, 1, 2}).status.total().detected == 1);
    auto nans = image;
    for (float& pixel : nans) pixel = NAN;
    const auto all_nan = answer_of<voted>(*weights, nans);
    CHECK(all_nan.status.total() == fault_counters{});
    CHECK(all_nan.top1() == no_class);
}

TEST_CASE("a comparison lets the spare decide", "[harden]") {
    const auto image = drawn_images<one_layer>(1)[0];
    const auto plain = answer_of<one_layer>(*drawn_network<one_layer>(), image);
    const auto weights = drawn_and_converted<compared>();
    // steps: input, two replicas, comparison, spare, vote
    const auto with = [&](std::array<std::uint32_t, 3> masks) {
        return struck<compared>(*weights, image, 1, 4, masks, {0, 1, 3});
    };
    const auto one = with({0, 1u << 31, 0});
    CHECK(words_of(one) == words_of(plain));
    CHECK(one.status.steps[3] == fault_counters{1, 0, 0, 0});
    CHECK(one.status.steps[5] == fault_counters{0, 1, 0, 0});
    CHECK(words_of(with({1u << 31, 0, 0})) == words_of(plain));
    // a spare that does not run cannot be struck
    CHECK(words_of(with({0, 0, 1u << 30})) == words_of(plain));
    CHECK(with({0, 0, 1u << 30}).status.total() == fault_counters{});
    // both replicas struck differently: the spare settles every bit, but no two words agree
    const auto apart = with({1u << 3, 1u << 12, 0});
    CHECK(words_of(apart) == words_of(plain));
    CHECK(apart.status.total() == fault_counters{1, 0, 1, 0});
    // equal faults in both pass undetected: the limit of the protection
    const auto equal = with({1u << 30, 1u << 30, 0});
    CHECK(equal.logits[4] == flip(plain.logits[4], 1u << 30));
    CHECK(equal.status.total() == fault_counters{});
    // a struck spare beside a struck replica: no majority
    const auto worst = with({1u << 30, 0, 1u << 30});
    CHECK(worst.logits[4] == flip(plain.logits[4], 1u << 30));
}

TEST_CASE("of two retries any two runs that agree are believed", "[harden]") {
    using twice = network<image<2, 3, 3>, float32, dmr_retries<2, conv<3>>>;
    const auto image = drawn_images<one_layer>(1)[0];
    const auto plain = answer_of<one_layer>(*drawn_network<one_layer>(), image);
    const auto weights = drawn_and_converted<twice>();
    // steps: input, two replicas, comparison, two spares, vote
    const auto with = [&](std::array<std::uint32_t, 4> masks) {
        constexpr std::array<int, 4> steps{1, 2, 4, 5};
        fault_list list{4};
        for (std::size_t i = 0; i < 4; ++i)
            if (masks[i] != 0) list.policy.add(fault_at(steps[i], 4, masks[i], true));
        list.policy.sort();
        return answer_of<twice>(*weights, image, list.policy);
    };
    CHECK(with({0, 0, 0, 0}).status.total() == fault_counters{});
    // neither spare runs where two agree
    CHECK(with({0, 0, 1u << 30, 1u << 30}).status.total() == fault_counters{});
    // one or two of four runs are wrong, each in its own way
    constexpr std::uint32_t a = 1u << 3, b = 1u << 12, c = 1u << 30;
    for (const auto& masks : {std::array{a, 0u, 0u, 0u}, std::array{0u, a, 0u, 0u}, std::array{a, b, 0u, 0u}, std::array{a, 0u, b, 0u}, std::array{0u, a, 0u, b}, std::array{c, 0u, b, 0u}}) {
        const auto got = with(masks);
        CAPTURE(masks[0], masks[1], masks[2], masks[3]);
        CHECK(words_of(got) == words_of(plain));
        CHECK(got.status.total() == fault_counters{1, 1, 0, 0});
    }
    // with one retry the fourth of these is lost: a run of each kind, no two alike
    const auto once = struck<compared>(*drawn_and_converted<compared>(), image, 1, 4, {a, 0, b}, {0, 1, 3});
    CHECK(once.status.total() == fault_counters{1, 0, 1, 0});
    // none agree, or two pairs do: reported
    CHECK(with({a, b, c, 0}).status.total() == fault_counters{1, 0, 1, 0});
    CHECK_FALSE(with({a, 0, a, 0}).status.trustworthy());
    // three that agree on what is wrong: the limit
    CHECK(words_of(with({0, c, c, c})) != words_of(plain));
}
