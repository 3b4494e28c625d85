// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/integers.hpp"
#include "support/plain.hpp"

#include <initializer_list>
#include <string_view>
#include <type_traits>

using namespace redoubt;
using namespace support;

namespace {

template <int Out, int Kernel = 3>
using conv = conv2d<conv_spec{.out = Out, .kernel = Kernel, .pad = Kernel / 2}>;

template <class... Layers>
using on_image = network<image<4, 6, 5>, float32, Layers...>;

/// Branches of every sort: nothing, a pool, convolutions, another concat; channels that end within a vector.
template <number N>
using inception = network<image<3, 7, 6>, N, conv<17>, leaky_relu<1, 10>,
                          concat<branch<>, branch<max_pool<3, 1, 1>, conv<5, 1>, clip<0, 1>>,
                                 named<"wide", branch<conv<18>, clip<-4, 4>, concat<branch<conv<3, 1>>, branch<relu>>>>>,
                          relu, avg_pool<2>, concat<branch<conv<4>>, branch<conv<4, 1>, relu>>, linear<5>>;

template <class Net>
constexpr bool has_steps(std::initializer_list<op> kinds) {
    if (Net::table.step_count != static_cast<int>(kinds.size())) return false;
    int i = 0;
    for (op kind : kinds)
        if (Net::table.steps[static_cast<std::size_t>(i++)].kind != kind) return false;
    return true;
}

template <class... Layers>
constexpr found_mistake mistake_in(pack<Layers...>) {
    return redoubt::v1::detail::built<image<4, 6, 5>, Layers...>().error;
}

}  // namespace

TEST_CASE("a concat is its branches' steps and one that joins them", "[nn]") {
    using net = on_image<conv<4>, concat<branch<relu, conv<3>>, branch<>, branch<conv<2, 1>, relu>>, relu, linear<3>>;
    STATIC_REQUIRE(has_steps<net>({op::input, op::convolution, op::activate, op::convolution, op::convolution, op::concat,
                                   op::activate, op::convolution}));
    constexpr step join = step_of<net, 5>;
    STATIC_REQUIRE(join.geometry.out == shape{9, 6, 5});
    STATIC_REQUIRE(join.parts[0] == step_of<net, 3>.out);
    STATIC_REQUIRE(join.parts[1] == step_of<net, 1>.out);
    STATIC_REQUIRE(join.parts[2] == step_of<net, 4>.out);
    STATIC_REQUIRE(join.parts[3] == -1);
    // every branch starts from the same value, and nothing in one joins that value's maker
    STATIC_REQUIRE(step_of<net, 2>.in == step_of<net, 1>.out);
    STATIC_REQUIRE(step_of<net, 4>.in == step_of<net, 1>.out);
    STATIC_REQUIRE(step_of<net, 1>.act == kernel::activation::none);
    STATIC_REQUIRE(step_of<net, 4>.act == kernel::activation::relu);
    // names: the concat's place, the branch, the place within it
    STATIC_REQUIRE(step_named<net>("0") == 1);
    STATIC_REQUIRE(step_named<net>("1.0.1") == 3);
    STATIC_REQUIRE(step_named<net>("1.2.0") == 4);
    STATIC_REQUIRE(step_named<net>("3") == 7);
    using named_net = on_image<named<"mixed", concat<named<"a", branch<conv<3>>>, branch<named<"b.conv", conv<3>>>>>, linear<3>>;
    STATIC_REQUIRE(step_named<named_net>("mixed.a.0") == 1);
    STATIC_REQUIRE(step_named<named_net>("mixed.1.b.conv") == 2);
    STATIC_REQUIRE(step_named<named_net>("1") == 4);
}

TEST_CASE("mistakes in a concat", "[nn]") {
    constexpr found_mistake sides = mistake_in(pack<concat<branch<conv<3>>, branch<max_pool<2>>>, linear<2>>{});
    STATIC_REQUIRE(sides.what == mistake::concat_differs);
    STATIC_REQUIRE(sides.leaf == 1);
    STATIC_REQUIRE(sides.came == shape{4, 3, 2});
    STATIC_REQUIRE(sides.needed == shape{4, 6, 5});
    STATIC_REQUIRE(mistake_in(pack<branch<relu>>{}).what == mistake::branch_outside_concat);
    STATIC_REQUIRE(mistake_in(pack<concat<relu>>{}).what == mistake::not_a_branch);
    STATIC_REQUIRE(mistake_in(pack<concat<>>{}).what == mistake::too_many_branches);
    using b = branch<relu>;
    STATIC_REQUIRE(mistake_in(pack<concat<b, b, b, b, b, b, b, b, b>>{}).what == mistake::too_many_branches);
    STATIC_REQUIRE(mistake_in(pack<concat<b, b, b, b, b, b, b, b>>{}).what == mistake::none);
    STATIC_REQUIRE(mistake_in(pack<concat<branch<softmax>, b>>{}).what == mistake::softmax_not_last);
    STATIC_REQUIRE(mistake_in(pack<conv<2>, concat<branch<batch_norm>, b>>{}).what == mistake::norm_without_convolution);
}

TEST_CASE("a network with concats equals the layers written out", "[nn]") {
    using net = inception<float32>;
    const auto layers = drawn_layers<net>();
    const auto weights = network_of<net>(layers);
    for (const auto& image : drawn_images<net>(5))
        CHECK(words_of(answer_of<net>(*weights, image)) == words_of(plain_answer<net>(layers, image)));
}

TEST_CASE("a network that ends in a concat answers with its words", "[nn]") {
    using net = on_image<concat<branch<linear<3>>, branch<linear<2>>>>;
    const auto layers = drawn_layers<net>();
    const auto image = drawn_images<net>(1)[0];
    CHECK(words_of(answer_of<net>(*network_of<net>(layers), image)) == words_of(plain_answer<net>(layers, image)));
    using integers = with_number<net, int8>;
    const auto got = answer_of<integers>(*drawn_and_converted<integers>(), image);
    const auto real = plain_answer<net>(layers, image);
    for (std::size_t i = 0; i < real.size(); ++i) CHECK(std::abs(got.logits[i] - real[i]) < 0.1f);
}

TEST_CASE("int8 branches are brought to the scale of the whole", "[nn]") {
    using base = inception<float32>;
    using net = inception<int8>;
    auto layers = drawn_layers<base>();
    for (float& w : layers[1].weights) w *= 0.25f;  // one branch far smaller than the others
    for (float& b : layers[1].biases) b *= 0.25f;
    const auto weights = converted<net, base>(*network_of<base>(layers), drawn_images<base>(6));
    constexpr int head = net::table.step_count - 1;
    const int frac = weights->of_unit(step_of<net, head - 1>.unit).frac + weights->weight_frac(step_of<net, head>.slot);
    bool rescaled = false;
    for (const step& s : net::table.steps) {
        if (s.kind != op::concat) continue;
        for (const std::int16_t part : s.parts)
            for (const step& t : net::table.steps)
                if (t.out == part && part > 0)
                    rescaled = rescaled || weights->of_unit(t.unit).frac != weights->of_unit(s.unit).frac;
    }
    CHECK(rescaled);
    for (const auto& image : drawn_images<net>(10, 79)) {
        const auto got = answer_of<net>(*weights, image);
        const auto expected = integer_logits<net>(*weights, image);
        const auto real = plain_answer<base>(layers, image);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CHECK(static_cast<double>(got.logits[i]) == Approx(std::ldexp(static_cast<double>(expected[i]), -frac)).margin(0.0).epsilon(1e-6));
            CHECK(std::abs(got.logits[i] - real[i]) < 0.25f);
        }
    }
}

TEMPLATE_TEST_CASE("protections around and within branches change no word and mask faults", "[nn]", float32, int8) {
    using bare = inception<TestType>;
    using around = network<image<3, 7, 6>, TestType, conv<17>, leaky_relu<1, 10>,
                           tmr<concat<branch<>, branch<max_pool<3, 1, 1>, conv<5, 1>, clip<0, 1>>,
                                      named<"wide", branch<conv<18>, clip<-4, 4>, concat<branch<conv<3, 1>>, branch<relu>>>>>>,
                           relu, avg_pool<2>, dmr<concat<branch<conv<4>>, branch<conv<4, 1>, relu>>>, linear<5>>;
    using within = harden<bare, protect<is_conv, tmr>, protect<is_weighted, crc>>;
    STATIC_REQUIRE(std::is_same_v<without_protection<around>, bare>);
    STATIC_REQUIRE(std::is_same_v<without_protection<within>, bare>);
    STATIC_REQUIRE(within::table.slot_count == bare::table.slot_count);
    STATIC_REQUIRE(within::table.step_count == bare::table.step_count + 3 * (bare::table.slot_count - 1));
    STATIC_REQUIRE(std::is_same_v<with_number<with_number<bare, float16>, TestType>, bare>);
    for (const auto& image : drawn_images<bare>(2)) {
        const auto expected = words_of(answer_of<bare>(*drawn_and_converted<bare>(), image));
        const auto weights = drawn_and_converted<around>();
        CHECK(words_of(answer_of<around>(*weights, image)) == expected);
        CHECK(words_of(answer_of<within>(*drawn_and_converted<within>(), image)) == expected);
        // every step of one replica struck in memory, a concat's output among them
        for (int i = 1; i < around::table.step_count; ++i) {
            const step& s = around::table.steps[static_cast<std::size_t>(i)];
            if (s.depth == 0 || s.replica != 1 || s.kind == op::vote || s.kind == op::compare) continue;
            fault_list list{4};
            list.policy.add(fault_at(i, 3, 1u << 6, true));
            list.policy.sort();
            const auto got = answer_of<around>(*weights, image, list.policy);
            CAPTURE(i);
            CHECK(words_of(got) == expected);
            CHECK(got.status.trustworthy());
        }
    }
}

TEST_CASE("a network with concats run in parts gives the same words", "[nn]") {
    using net = inception<int8>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1)[0];
    const auto whole = words_of(answer_of<net>(*weights, image));
    const auto space = std::make_unique<workspace<net>>();
    no_faults none;
    for (int k = 0; k <= net::table.step_count; ++k) {
        space->bytes.fill(std::byte{0xa5});
        status<net> report;
        run<net>(*weights, image, *space, report, none, 0, k);
        run<net>(*weights, image, *space, report, none, k, net::table.step_count);
        CHECK(words_of(read_answer<net>(*weights, *space, report)) == whole);
    }
}

TEST_CASE("a concat's output is a fault site, as large as its words", "[nn]") {
    using net = inception<float32>;
    std::uint64_t bits = 0;
    for (int i = 1; i < net::table.step_count; ++i)
        bits += 32u * static_cast<std::uint64_t>(net::table.steps[static_cast<std::size_t>(i)].geometry.out.size());
    CHECK(fault::inference_bits<net>({}, fault::inference_space::activations, 0) == bits);
}
