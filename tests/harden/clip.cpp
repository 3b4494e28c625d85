// SPDX-License-Identifier: MIT
// Weights beyond their layer's largest magnitude are read as it; without faults nothing changes.
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <cmath>
#include <limits>

using namespace redoubt;
using namespace support;

namespace {

/// By the definition, through double.
template <class Word>
float clipped_by_definition(Word word, Word limit, bool& outside) {
    const double v = static_cast<double>(static_cast<float>(word)), most = std::abs(static_cast<double>(static_cast<float>(limit)));
    outside = !(std::abs(v) <= most);
    if (std::isnan(v)) return 0.0f;
    return static_cast<float>(outside ? std::copysign(most, v) : v);
}

template <class Word>
void check_kernel(const std::vector<Word>& words) {
    int wrong = 0;
    for (const Word limit : words) {
        const bool whole = !std::isnan(static_cast<float>(limit));
        if (!whole) continue;
        std::vector<Word> out(words.size());
        std::uint32_t expected_count = 0;
        const std::uint32_t count = kernel::clip_magnitude(words.data(), words.size(), limit, out.data());
        for (std::size_t i = 0; i < words.size(); ++i) {
            bool outside = false;
            const float kept = clipped_by_definition(words[i], limit, outside);
            expected_count += outside ? 1u : 0u;
            // 128 is no code
            const Word as_word = std::is_same_v<Word, std::int8_t> && kept > 127.0f ? static_cast<Word>(127) : static_cast<Word>(kept);
            wrong += std::memcmp(&out[i], &as_word, sizeof(Word)) == 0 ? 0 : 1;
            wrong += kernel::all_within(&words[i], 1, limit) == !outside ? 0 : 1;
        }
        CHECK(count == expected_count);
        CHECK(kernel::all_within(words.data(), words.size(), limit) == (count == 0));
    }
    CHECK(wrong == 0);
}

template <class Word>
std::vector<Word> hostile_floats() {
    using limits = std::numeric_limits<float>;
    std::vector<Word> all;
    for (float v : {0.0f, 1.0f, 0.25f, 0.3f, 1e-3f, 100.0f, 6e4f, limits::infinity(), limits::denorm_min(), limits::min(), limits::max(), 1e-7f})
        for (float sign : {1.0f, -1.0f}) all.push_back(static_cast<Word>(sign * v));
    all.push_back(static_cast<Word>(limits::quiet_NaN()));
    all.push_back(static_cast<Word>(-limits::quiet_NaN()));
    return all;
}

/// 18 blocks, so that groups and blocks within them occur; the weight count of some words past 1,024.
template <number N, template <class...> class... Around>
struct nets;
template <number N>
struct nets<N> {
    template <class L> using wrapped = clip_weights<L>;
};
template <number N, template <class...> class Outer>
struct nets<N, Outer> {
    template <class L> using wrapped = Outer<clip_weights<L>>;
};
template <number N, template <class...> class... Around>
using net_of = network<image<64, 3, 3>, N, typename nets<N, Around...>::template wrapped<conv2d<conv_spec{.out = 280, .pad = 1}>>, relu,
                       typename nets<N, Around...>::template wrapped<linear<9>>>;

/// Faults in the primary copy behave as if the clipped value had been stored.
template <class Net>
void check_network(std::uint32_t reads, bool stored_once = true) {
    using plain = without_protection<Net>;
    using word = typename parameters<Net>::weight;
    const auto weights = drawn_and_converted<Net>();
    const auto bare = drawn_and_converted<plain>();
    const auto image = drawn_images<Net>(1, 3)[0];
    const auto clean = answer_of<Net>(*weights, image);
    CHECK(words_of(clean) == words_of(answer_of<plain>(*bare, image)));
    CHECK(clean.status.total() == fault_counters{});
    for (int slot = 0; slot < 2; ++slot) {
        float most = 0.0f;
        for (const word& w : weights->weights(slot)) most = std::max(most, std::abs(static_cast<float>(w)));
        CHECK(static_cast<float>(weights->weight_limit(slot)) == most);
    }
    if (!stored_once) return;
    random_stream random{17, {}};
    for (int trial = 0; trial < 12; ++trial) {
        CAPTURE(trial);
        const int slot = trial % 3 == 2 ? 1 : 0;
        const auto& g = Net::table.slots[static_cast<std::size_t>(slot)].geometry;
        auto struck = std::make_unique<parameters<Net>>(*weights);
        auto expected = std::make_unique<parameters<plain>>(*bare);
        std::uint32_t beyond = 0;
        for (int n = 0; n < 1 + trial; ++n) {
            const std::size_t at = kernel::layout_of<typename Net::number_type>.index_of_logical(g, random.below(g.weights()));
            word& w = struck->weights(slot)[at];
            w = from_word<word>(static_cast<word_of<word>>(random()));
            const float most = static_cast<float>(weights->weight_limit(slot)), v = static_cast<float>(w);
            const bool outside = !(std::abs(v) <= most);
            beyond += outside ? 1u : 0u;
            if (outside) expected->weights(slot)[at] = std::isnan(v) ? static_cast<word>(0.0f) : static_cast<word>(v < 0.0f ? -most : most);
            else expected->weights(slot)[at] = w;
        }
        const auto got = answer_of<Net>(*struck, image);
        CHECK(words_of(got) == words_of(answer_of<plain>(*expected, image)));
        // counted at each read; a place may have been drawn twice
        const std::uint32_t counted = got.status.total().out_of_range;
        CHECK(counted % reads == 0);
        CHECK(counted / reads <= beyond);
        if (beyond != 0) CHECK(counted > 0);
    }
}

using guarded = network<image<64, 3, 3>, float32, clip_weights<linear<9>>, relu, redoubt::range<clip_weights<linear<4>>, relu>>;

}  // namespace

TEST_CASE("words are held within a magnitude, NaN and infinities too", "[harden]") {
    check_kernel(hostile_floats<float>());
    check_kernel(hostile_floats<half>());
    check_kernel(hostile_floats<brain>());
    std::vector<std::int8_t> codes;
    std::vector<fixed<2, 5>> fixed_codes;
    for (int c = -128; c < 128; ++c) codes.push_back(static_cast<std::int8_t>(c)), fixed_codes.push_back(fixed<2, 5>::from_code(static_cast<std::int8_t>(c)));
    check_kernel(codes);
    int wrong = 0;
    for (const auto limit : fixed_codes)
        for (const auto w : fixed_codes) {
            float out = 9.0f;
            bool outside = false;
            const float kept = clipped_by_definition(w, limit, outside);
            wrong += kernel::clip_magnitude(&w, 1, limit, &out) == (outside ? 1u : 0u) && out == kept ? 0 : 1;
        }
    CHECK(wrong == 0);
    CHECK(kernel::largest_magnitude(codes.data(), codes.size()) == -128);
    CHECK(kernel::largest_magnitude(codes.data(), 0) == 0);
}

TEST_CASE("weights beyond their layer's magnitude are read as it, fp32", "[harden]") { check_network<net_of<float32>>(1); }
TEST_CASE("weights beyond their layer's magnitude are read as it, fp16", "[harden]") { check_network<net_of<float16>>(1); }
TEST_CASE("weights beyond their layer's magnitude are read as it, bf16", "[harden]") { check_network<net_of<bfloat16>>(1); }
TEST_CASE("weights beyond their layer's magnitude are read as it, int8", "[harden]") { check_network<net_of<int8>>(1); }
TEST_CASE("weights beyond their layer's magnitude are read as it, decoded", "[harden]") {
    check_network<net_of<stored<float32, fixed<2, 5>>>>(1);
    check_network<net_of<stored<float32, half>>>(1);
}

TEST_CASE("clipped weights under other protections", "[harden]") {
    // a flip is put right before anything is clipped
    using coded = net_of<float32, secded>;
    check_network<coded>(1, false);
    check_network<net_of<int8, tmr_parameters>>(1, false);
    check_network<net_of<float32, tmr>>(3);
    const auto weights = drawn_and_converted<coded>();
    const auto image = drawn_images<coded>(1, 3)[0];
    const auto clean = words_of(answer_of<coded>(*weights, image));
    for (std::size_t at : {std::size_t{5}, weights->weights(0).size() - 1}) {
        auto struck = std::make_unique<parameters<coded>>(*weights);
        struck->weights(0)[at] = flip(struck->weights(0)[at], bit_mask<float>(30));
        const auto got = answer_of<coded>(*struck, image);
        CHECK(words_of(got) == clean);
        CHECK(got.status.total().corrected >= 1);
        CHECK(got.status.total().out_of_range == 0);
        // a second flip in its codeword is past the code, and the huge weight is clipped after all
        struck->weights(0)[at ^ 64] = flip(struck->weights(0)[at ^ 64], bit_mask<float>(30));
        const auto twice = answer_of<coded>(*struck, image);
        CHECK(twice.status.total().uncorrected >= 1);
        CHECK(twice.status.total().out_of_range >= 1);
    }
}

TEST_CASE("a struck bound of weights is defined and a fault site", "[harden][fault]") {
    using net = net_of<float32>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1, 3)[0];
    fault::fault_spec spec;
    spec.strikes = fault::target::bounds;
    CHECK(fault::weight_bits<net>(spec, fault::bound_words) == 2 * 32);
    CHECK(fault::weight_bits<without_protection<net>>(spec, fault::bound_words) == 0);
    CHECK(fault::weight_bits<guarded>(spec, fault::bound_words) == (2 + 2) * 32);
    auto struck = std::make_unique<parameters<net>>(*weights);
    for (float bound : {0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e-30f}) {
        struck->weight_limit(0) = bound;
        const auto got = answer_of<net>(*struck, image);
        const bool all = std::isnan(bound) || std::isinf(bound);
        CHECK((got.status.total().out_of_range == 0) == (all || std::abs(bound) >= weights->weight_limit(0)));
    }
    // places 0 and 1 of the part are the two bounds, and faults there are taken back
    for (std::uint64_t place : {std::uint64_t{3}, std::uint64_t{35}})
        fault::strike_place<net>(1, {.strikes = fault::target::bounds, .count = 1}, place, [&](fault::weight_fault f) {
            auto once = std::make_unique<parameters<net>>(*weights);
            fault::apply<net>(*once, f);
            const int slot = place < 32 ? 0 : 1;
            CHECK(to_word(once->weight_limit(slot)) == (to_word(weights->weight_limit(slot)) ^ 8u));
            CHECK(once->weight_limit(1 - slot) == weights->weight_limit(1 - slot));
            fault::undo<net>(*once, f);
            CHECK(once->bytes == weights->bytes);
        });
}
