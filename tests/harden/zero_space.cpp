// SPDX-License-Identifier: MIT
// Int8 weights with a code in their spare bits: every single and double fault of a word, and networks.
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <cmath>

using namespace redoubt;
using namespace support;

namespace {

template <class L> using tripled = tmr_parameters<zero_space<L>>;
template <template <class...> class P>
using net_of = network<image<5, 9, 8>, int8, P<conv2d<conv_spec{.out = 24, .kernel = 3, .pad = 1}>>, relu,
                       P<conv2d<conv_spec{.out = 24, .kernel = 3, .stride = 2, .groups = 24}>>, P<conv2d<conv_spec{.out = 12, .kernel = 1, .groups = 2}>>,
                       P<linear<20>>, relu, P<linear<7>>>;

std::vector<std::int8_t> drawn_codes(std::size_t count, std::uint64_t seed) {
    random_stream random{seed, {}};
    std::vector<std::int8_t> codes(count);
    for (auto& c : codes) c = static_cast<std::int8_t>(random.below(256));
    return codes;
}
std::int8_t held(std::int8_t v, std::size_t i) { return i % 8 == 7 ? v : std::clamp<std::int8_t>(v, -64, 63); }

}  // namespace

TEST_CASE("weights of seven bits come back from words with check bits", "[harden]") {
    const auto plain = drawn_codes(8 * 333, 1);
    auto stored = plain;
    std::size_t expected = 0;
    for (std::size_t i = 0; i < plain.size(); ++i) expected += held(plain[i], i) != plain[i] ? 1u : 0u;
    CHECK(kernel::zero_space_write(stored.data(), stored.size()) == expected);
    std::vector<std::int8_t> read(stored.size());
    const auto seen = kernel::zero_space_read(stored.data(), stored.size(), read.data());
    CHECK(seen.corrected + seen.uncorrected == 0);
    int wrong = 0;
    for (std::size_t i = 0; i < plain.size(); ++i) wrong += read[i] == held(plain[i], i) ? 0 : 1;
    CHECK(wrong == 0);
}

TEST_CASE("every flipped bit of a word of small weights is corrected and every two are found", "[harden]") {
    int wrong = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        auto stored = drawn_codes(8, seed);
        kernel::zero_space_write(stored.data(), 8);
        std::array<std::int8_t, 8> clean{}, read{};
        kernel::zero_space_read(stored.data(), 8, clean.data());
        const auto flip_bit = [&](int bit) { stored[static_cast<std::size_t>(bit / 8)] = static_cast<std::int8_t>(stored[static_cast<std::size_t>(bit / 8)] ^ (1 << bit % 8)); };
        for (int a = 0; a < 64; ++a) {
            flip_bit(a);
            const auto one = kernel::zero_space_read(stored.data(), 8, read.data());
            wrong += one.corrected == 1 && one.uncorrected == 0 && read == clean ? 0 : 1;
            for (int b = 0; b < a; ++b) {
                flip_bit(b);
                const auto two = kernel::zero_space_read(stored.data(), 8, read.data());
                wrong += two.corrected == 0 && two.uncorrected == 1 ? 0 : 1;
                flip_bit(b);
            }
            flip_bit(a);
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("a network whose weights carry their code answers as with smaller weights", "[harden]") {
    using net = net_of<zero_space>;
    using plain = without_protection<net>;
    auto weights = drawn_and_converted<net>();
    const auto bare = drawn_and_converted<plain>();
    const auto original = drawn_and_converted<plain>();
    store_for_transforms<net>(*weights);
    encode<net>(*weights);
    // the plain network with the same weights, its biases by their definition
    for (int s = 0; s < net::table.slot_count; ++s) {
        const auto& g = net::table.slots[static_cast<std::size_t>(s)].geometry;
        for (std::size_t i = 0; i < bare->weights(s).size(); ++i) bare->weights(s)[i] = held(bare->weights(s)[i], i);
        for (int o = 0; o < g.out.channels; ++o) {
            std::int32_t less = 0;
            for (int r = 0; r < g.kernel.h; ++r)
                for (int c = 0; c < g.kernel.w; ++c)
                    for (int i = 0; i < g.group_in(); ++i) less += original->weight_at(s, o, r, c, i) - bare->weight_at(s, o, r, c, i);
            bare->biases(s)[static_cast<std::size_t>(o)] += 128 * less;
        }
    }
    for (const auto& pixels : drawn_images<net>(3, 3)) {
        const auto got = answer_of<net>(*weights, pixels);
        CHECK(words_of(got) == words_of(answer_of<plain>(*bare, pixels)));
        CHECK(got.status.total() == fault_counters{});
    }
    const auto pixels = drawn_images<net>(1, 3)[0];
    const auto clean = words_of(answer_of<net>(*weights, pixels));
    random_stream random{4, {}};
    for (int trial = 0; trial < 20; ++trial) {
        const int s = trial % net::table.slot_count;
        const auto words = weights->weights(s);
        auto& w = words[static_cast<std::size_t>(random.below(words.size()))];
        const std::int8_t before = w;
        w = static_cast<std::int8_t>(w ^ (1 << random.below(8)));
        const auto got = answer_of<net>(*weights, pixels);
        CHECK(words_of(got) == clean);
        const fault_counters one{.detected = 1, .corrected = 1};
        CHECK(got.status.total() == one);
        w = before;
    }
}

TEST_CASE("weights that carry their code in three copies", "[harden]") {
    using net = net_of<tripled>;
    auto weights = drawn_and_converted<net>();
    store_for_transforms<net>(*weights);
    encode<net>(*weights);
    const auto pixels = drawn_images<net>(1, 3)[0];
    const auto clean = words_of(answer_of<net>(*weights, pixels));
    for (auto& w : weights->weights(0).first(100)) w = static_cast<std::int8_t>(~w);
    CHECK(words_of(answer_of<net>(*weights, pixels)) == clean);
}

TEST_CASE("int8 weights through a function keep answers", "[harden]") {
    using net = network<image<5, 9, 8>, int8, saf<conv2d<conv_spec{.out = 24, .kernel = 3, .pad = 1}>>, relu, saf<linear<7>>>;
    using plain = without_protection<net>;
    auto weights = drawn_and_converted<net>();
    const auto bare = drawn_and_converted<plain>();
    store_for_transforms<net>(*weights);
    encode<net>(*weights);
    for (const auto& pixels : drawn_images<net>(3, 3)) {
        const auto got = answer_of<net>(*weights, pixels);
        const auto expected = answer_of<plain>(*bare, pixels);
        for (std::size_t i = 0; i < got.logits.size(); ++i) CHECK(std::abs(got.logits[i] - expected.logits[i]) < 0.2f);
    }
}

TEST_CASE("int8 weights trained through a function answer as in floats", "[harden]") {
    using net = network<image<5, 9, 8>, float32, saf<conv2d<conv_spec{.out = 24, .kernel = 3, .pad = 1}>>, relu, saf<linear<7>>>;
    using small = with_number<net, int8>;
    auto floats = drawn_network<net>();
    for (int s = 0; s < net::table.slot_count; ++s)
        for (float& w : floats->weights(s)) w = w * 3.0f;  // where tanh bends
    const auto images = drawn_images<net>(4);
    auto weights = std::make_unique<parameters<small>>();
    convert<net, small>(*floats, seen_on<net>(*floats, images), *weights);
    store_for_transforms<small>(*weights, trained::through_transforms);
    encode<small>(*weights);
    for (const auto& pixels : images) {
        const auto got = answer_of<small>(*weights, pixels);
        const auto expected = answer_of<net>(*floats, pixels);
        float most = 0.0f;
        for (const float v : expected.logits) most = std::max(most, std::abs(v));
        for (std::size_t i = 0; i < got.logits.size(); ++i) CHECK(std::abs(got.logits[i] - expected.logits[i]) < 0.08f * most);
    }
}

TEST_CASE("images of parameters tell transforms apart", "[harden]") {
    using of_codes = network<image<4, 1, 1>, int8, zero_space<linear<5>>>;
    using clipped = network<image<4, 1, 1>, int8, clip_weights<linear<5>>>;
    using bent = network<image<4, 1, 1>, int8, saf<linear<5>>>;
    using bent_otherwise = network<image<4, 1, 1>, int8, basic_saf<saturation::tanh, 1, 2, linear<5>>>;
    STATIC_REQUIRE(parameter_bytes<of_codes> == parameter_bytes<clipped>);
    STATIC_REQUIRE(rom_layout<of_codes> != rom_layout<clipped>);
    STATIC_REQUIRE(rom_layout<bent> != rom_layout<clipped>);
    STATIC_REQUIRE(rom_layout<bent> != rom_layout<bent_otherwise>);
}
