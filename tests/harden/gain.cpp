// SPDX-License-Identifier: MIT
// Norms kept as factors of channels: against plain networks whose weights are the products, and under faults in the factors.
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <algorithm>
#include <cmath>

using namespace redoubt;
using namespace support;

namespace {

/// Blocks that channels do not fill, of one group and of three, and a layer without a norm.
template <number N, template <class...> class P>
using net_of = network<image<5, 5, 4>, N, P<conv2d<conv_spec{.out = 24, .kernel = 3}>, batch_norm>, relu, P<conv2d<conv_spec{.out = 21, .kernel = 1, .groups = 3}>, batch_norm>, relu,
                       P<linear<7>>>;
template <template <class...> class P>
using depthwise_net = network<image<24, 5, 4>, float32, P<conv2d<conv_spec{.out = 24, .kernel = 3, .groups = 24}>, batch_norm>, relu, P<linear<19>, batch_norm>, relu>;
template <class... L> using coded = secded<norm_apart<L...>>;
template <class... L> using voted = tmr_parameters<saf<L...>>;
template <class... L> using checked = abft<norm_apart<L...>>;

/// Gains around 1 of both signs, in the number's own words.
template <network_type Net>
void draw_gains(parameters<Net>& p) {
    drawn_numbers number{5};
    for (int s = 0; s < Net::table.slot_count; ++s)
        for (int c = 0; c < Net::table.slots[static_cast<std::size_t>(s)].geometry.out.channels && !p.gains(s).empty(); ++c)
            p.gains(s)[static_cast<std::size_t>(c)] = static_cast<typename Net::number_type::bias>(number(1.5f));
    encode<Net>(p);
}

/// Plain parameters whose weights are what Net's kernels read.
template <network_type Net, class Function>
auto as_read(const parameters<Net>& p, Function&& function) {
    using plain = with_number<without_protection<Net>, std::conditional_t<decodes_weights<typename Net::number_type>, float32, typename Net::number_type>>;
    using word = typename parameters<plain>::weight;
    auto bare = std::make_unique<parameters<plain>>();
    bare->bytes.fill(std::byte{0});
    open_bounds<plain>(*bare);
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const auto& g = Net::table.slots[static_cast<std::size_t>(s)].geometry;
        for (std::size_t i = 0; i < g.weights(); ++i) {
            const std::size_t at = kernel::layout_of<float32>.index_of_logical(g, i);
            const float through = static_cast<float>(static_cast<word>(function(static_cast<float>(p.weights(s)[at]))));
            bare->weights(s)[at] = static_cast<word>(through * p.gain(s, static_cast<int>(i / static_cast<std::size_t>(g.fan_in()))));
        }
        for (std::size_t c = 0; c < p.biases(s).size(); ++c) bare->biases(s)[c] = static_cast<typename parameters<plain>::bias>(p.biases(s)[c]);
    }
    return std::pair{std::move(bare), type_tag<plain>{}};
}

template <network_type Net, class Function>
void check_products(Function&& function) {
    const auto weights = drawn_and_converted<Net>();
    draw_gains<Net>(*weights);
    CHECK(weights->gains(0).size() == 32);
    const auto [bare, tag] = as_read<Net>(*weights, function);
    using plain = typename decltype(tag)::type;
    const auto pixels = drawn_images<Net>(1, 3)[0];
    const auto got = answer_of<Net>(*weights, pixels);
    CHECK(words_of(got) == words_of(answer_of<plain>(*bare, pixels)));
    CHECK(got.status.total() == fault_counters{});
}

constexpr auto itself = [](float w) { return w; };
constexpr auto bent = [](float w) { return kernel::saturated<saturation::tanh>(w); };

}  // namespace

TEST_CASE("weights are read times their channel's factor", "[harden]") {
    check_products<net_of<float32, norm_apart>>(itself);
    check_products<depthwise_net<saf>>(bent);
    check_products<net_of<float16, saf>>(bent);
    check_products<net_of<stored<float32, fixed<2, 5>>, saf>>(bent);
    check_products<net_of<float32, coded>>(itself);
    check_products<net_of<float32, voted>>(bent);
    check_products<net_of<float32, checked>>(itself);
}

TEST_CASE("only norms of float layers are kept", "[harden]") {
    using floats = net_of<float32, saf>;
    CHECK(parameters<floats>{}.gains(0).size() == 32);
    CHECK(parameters<floats>{}.gains(2).empty());
    using integers = net_of<int8, saf>;
    CHECK(parameters<integers>{}.gains(0).empty());
    CHECK(parameters<integers>{}.gain(0, 3) == 1.0f);
}

TEST_CASE("plain weights past a function's range lose nothing under a norm", "[harden]") {
    using net = net_of<float32, saf>;
    using plain = without_protection<net>;
    const auto bare = drawn_network<plain>();
    for (float& w : bare->weights(0)) w *= 20.0f;  // past 1 in the first layer
    auto weights = converted<net, plain>(*bare, drawn_images<plain>(4));
    store_for_transforms<net>(*weights);
    encode<net>(*weights);
    float most = 0.0f;
    for (const float w : weights->weights(0)) most = std::max(most, kernel::saturated<saturation::tanh>(w));
    CHECK(most < 0.91f);
    CHECK(weights->gain(0, 0) > 1.0f);
    const auto pixels = drawn_images<net>(1, 3)[0];
    const auto got = answer_of<net>(*weights, pixels);
    const auto want = answer_of<plain>(*bare, pixels);
    for (std::size_t i = 0; i < want.logits.size(); ++i) CHECK(std::abs(got.logits[i] - want.logits[i]) < 1e-4f * std::max(1.0f, std::abs(want.logits[i])));
    // words that were trained through the function are left as they are
    auto trained_words = converted<net, plain>(*bare, drawn_images<plain>(4));
    store_for_transforms<net>(*trained_words, trained::through_transforms);
    CHECK(trained_words->weights(0)[0] == bare->weights(0)[0]);
    CHECK(trained_words->gain(0, 0) == 1.0f);
}

TEST_CASE("factors are struck with biases, and stores keep them too", "[harden]") {
    using net = net_of<float32, norm_apart>;
    constexpr int channels = 24;
    fault::fault_spec spec;
    spec.strikes = fault::target::biases;
    const std::uint64_t places = fault::weight_bits<net>(spec, fault::primary_biases);
    CHECK(places == 32u * (2 * (24 + 21) + 7));
    const auto pixels = drawn_images<net>(1, 3)[0];
    const auto strike = [&]<class Net>(type_tag<Net>, int channel, int bit) {
        const auto p = drawn_and_converted<Net>();
        draw_gains<Net>(*p);
        const auto golden = words_of(answer_of<Net>(*p, pixels));
        const auto before = p->gain(0, channel);
        fault::strike_place<Net>(1, spec, static_cast<std::uint64_t>((channels + channel) * 32 + bit), [&](fault::weight_fault& f) {
            fault::apply<Net>(*p, f);
            CHECK(p->gain(0, channel) == from_word<float>(to_word(before) ^ (1u << bit)));
        });
        const auto got = answer_of<Net>(*p, pixels);
        return std::pair{words_of(got) == golden, got.status.total()};
    };
    CHECK_FALSE(strike(type_tag<net>{}, 23, 29).first);
    const auto corrected = strike(type_tag<net_of<float32, coded>>{}, 23, 29);
    CHECK(corrected.first);
    CHECK(corrected.second.corrected > 0);
    CHECK(strike(type_tag<net_of<float32, voted>>{}, 5, 30).first);
}
