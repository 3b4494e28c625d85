// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

using namespace redoubt;
using namespace support;

namespace {

template <number N, class... Layers>
using net_of = network<image<3, 6, 6>, N, Layers...>;
using conv = conv2d<conv_spec{.out = 20, .pad = 1}>;
template <number N>
using guarded = net_of<N, range_neurons<conv>, relu, max_pool<2>, linear<5>>;

/// Parameters of a guarded network with the bounds of some images.
template <class Net>
std::unique_ptr<parameters<Net>> bounded(const std::vector<std::vector<float>>& images, float margin) {
    using plain = without_protection<Net>;
    auto weights = drawn_and_converted<Net>();
    const auto bare = drawn_and_converted<plain>();
    const auto space = std::make_unique<workspace<plain>>();
    const auto seen = std::make_unique<neuron_ranges<plain>>();
    for (const auto& image : images) observe_neurons<plain>(*bare, image, *space, *seen);
    set_neuron_bounds(*seen, *weights, margin);
    set_bounds<plain, Net>(seen_on<plain>(*bare, images), *weights);
    return weights;
}

/// What a step stores.
template <class Net, class Word>
std::vector<Word> words_in(const parameters<Net>& weights, const std::vector<float>& image, int steps, int v) {
    const auto space = std::make_unique<workspace<Net>>();
    status<Net> report;
    no_faults none;
    run<Net>(weights, image, *space, report, none, 0, steps);
    const auto words = space->template value<Word>(v);
    return {words.begin(), words.end()};
}

template <number N>
void check_number() {
    using net = guarded<N>;
    using plain = without_protection<net>;
    using word = typename N::activation;
    using bound = bound_of<N>;
    const auto images = drawn_images<net>(4);
    const auto weights = bounded<net>(images, 0.0f);
    const auto bare = drawn_and_converted<plain>();
    const int out = net::table.steps[1].out;
    // what was seen keeps its bits, and each bound is the largest of its own element
    std::vector<bound> most(20 * 36, std::numeric_limits<bound>::lowest());
    for (const auto& image : images) {
        const auto got = answer_of<net>(*weights, image);
        CHECK(words_of(got) == words_of(answer_of<plain>(*bare, image)));
        CHECK(got.status.total() == fault_counters{});
        const auto words = words_in<plain, word>(*bare, image, 2, out);
        for (std::size_t i = 0; i < words.size(); ++i) most[i] = std::max(most[i], static_cast<bound>(widened(words[i])));
    }
    const auto bounds = weights->neuron_bounds(1);
    REQUIRE(bounds.size() == most.size());
    CHECK(std::equal(most.begin(), most.end(), bounds.begin()));
    CHECK(std::set<bound>(most.begin(), most.end()).size() > 10);
    for (int u : {0, 2, 3}) CHECK(weights->neuron_bounds(u).empty());
    // an image that was not seen: each element by itself
    const auto other = drawn_images<net>(1, 77)[0];
    const auto before = words_in<plain, word>(*bare, other, 2, out), after = words_in<net, word>(*weights, other, 2, out);
    std::uint32_t outside = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
        const bool over = static_cast<bound>(widened(before[i])) > most[i];
        const bound expected = over ? bound{} : static_cast<bound>(widened(before[i]));
        CHECK(static_cast<bound>(widened(after[i])) == expected);
        outside += over ? 1u : 0u;
    }
    CHECK(outside > 0);
    CHECK(outside < before.size());
    CHECK(answer_of<net>(*weights, other).status.total() == fault_counters{0, 0, 0, outside});
}

}  // namespace

TEST_CASE("each element is held below its own bound", "[harden]") {
    check_number<float32>();
    check_number<float16>();
    check_number<bfloat16>();
    check_number<int8>();
}

TEST_CASE("NaN, infinity and what is below the unit's bound become zero", "[harden]") {
    using net = net_of<float32, range_neurons<conv>, max_pool<2>, linear<5>>;
    const auto image = drawn_images<net>(1)[0];
    const auto weights = bounded<net>({image}, 0.0f);
    const float low = weights->of_unit(1).low;
    for (std::uint32_t out = 0; out < 20 * 36; out += 7) {
        const float was = words_in<net, float>(*weights, image, 2, net::table.steps[1].out)[out];
        for (const float wrong : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), low - 1.0f, was + 1.0f}) {
            fault_list list{1};
            list.policy.add(fault_at(1, out, to_word(was) ^ to_word(wrong), false));
            list.policy.sort();
            const auto space = std::make_unique<workspace<net>>();
            status<net> report;
            run<net>(*weights, image, *space, report, list.policy, 0, 2);
            CHECK(space->value<float>(net::table.steps[1].out)[out] == 0.0f);
            CHECK(report.total() == fault_counters{0, 0, 0, 1});
        }
    }
}

TEST_CASE("a margin is a share of the largest bound of the unit", "[harden]") {
    using net = guarded<float32>;
    const auto images = drawn_images<net>(2);
    const auto tight = bounded<net>(images, 0.0f), wide = bounded<net>(images, 0.5f);
    const auto a = tight->neuron_bounds(1), b = wide->neuron_bounds(1);
    const float most = *std::max_element(a.begin(), a.end());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(b[i] - a[i] - 0.5f * most) < 1e-5f * most);
    CHECK(redoubt::impl::raised(2000000000, 1.0f, 2e9) == 2147483647);
    CHECK(redoubt::impl::raised(-3, 0.5f, 10.0) == 2);
}

TEST_CASE("batches hold each image in the same bounds", "[harden]") {
    using net = net_of<int8, conv, relu, max_pool<2>, range_neurons<linear<20>>, relu, tmr_bounds<range_neurons<linear<5>>>, relu>;
    const auto weights = bounded<net>(drawn_images<net>(1), 0.0f);
    const auto images = drawn_images<net>(5, 77);
    std::vector<float> pixels;
    for (const auto& image : images) pixels.insert(pixels.end(), image.begin(), image.end());
    const auto space = std::make_unique<batch_workspace<net, 3>>();
    std::vector<answer<net>> answers(images.size());
    state<net> memory;
    infer_batch<net>(*weights, memory, std::span<const float>{pixels}, *space, std::span{answers});
    std::uint32_t outside = 0;
    for (std::size_t i = 0; i < images.size(); ++i) {
        const auto alone = answer_of<net>(*weights, images[i]);
        CHECK(words_of(answers[i]) == words_of(alone));
        CHECK(answers[i].status.total() == alone.status.total());
        outside += alone.status.total().out_of_range;
    }
    CHECK(outside > 0);
}

TEST_CASE("what several observers saw is one", "[harden]") {
    using plain = without_protection<guarded<int8>>;
    const auto images = drawn_images<plain>(3);
    const auto bare = drawn_and_converted<plain>();
    const auto space = std::make_unique<workspace<plain>>();
    const auto all = std::make_unique<neuron_ranges<plain>>(), first = std::make_unique<neuron_ranges<plain>>(), rest = std::make_unique<neuron_ranges<plain>>();
    for (std::size_t i = 0; i < images.size(); ++i) {
        observe_neurons<plain>(*bare, images[i], *space, *all);
        observe_neurons<plain>(*bare, images[i], *space, i == 0 ? *first : *rest);
    }
    rest->merge(*first);
    CHECK(rest->images == 3);
    CHECK(rest->high == all->high);
}

TEST_CASE("replicas share their bounds, which take memory once and only where they are asked for", "[harden]") {
    using net = net_of<float32, tmr<range_neurons<conv>>, relu, linear<5>>;
    using outside = net_of<float32, range_neurons<dmr<conv>>, relu, linear<5>>;
    using plain = net_of<float32, conv, relu, linear<5>>;
    using layerwise = net_of<float32, redoubt::range<conv>, relu, linear<5>>;
    STATIC_REQUIRE(parameter_bytes<layerwise> == parameter_bytes<plain>);
    STATIC_REQUIRE(parameter_bytes<net> == parameter_bytes<plain> + 20 * 36 * 4);
    STATIC_REQUIRE(parameter_bytes<outside> == parameter_bytes<net>);
    STATIC_REQUIRE(rom_layout<net> != rom_layout<plain>);
    const auto image = drawn_images<net>(1)[0];
    const auto check = [&]<class Net>(type_tag<Net>, std::uint32_t times) {
        const auto weights = bounded<Net>({image}, 0.0f);
        CHECK(answer_of<Net>(*weights, image).status.total() == fault_counters{});
        for (float& bound : weights->neuron_bounds(1)) bound = -1.0f;
        CHECK(answer_of<Net>(*weights, image).status.total() == fault_counters{0, 0, 0, times * 20 * 36});
    };
    check(type_tag<net>{}, 3);
    check(type_tag<outside>{}, 1);
}

TEST_CASE("bounds of neurons are fault sites after those of units", "[harden][fault]") {
    using net = net_of<float32, redoubt::range<conv>, relu, range_neurons<clip_weights<linear<5>>>>;
    fault::fault_spec spec{.strikes = fault::target::bounds, .count = 1};
    CHECK(fault::weight_bits<net>(spec, fault::bound_words) == 32 * (2 + 2 + 5 + 1));
    const auto weights = drawn_and_converted<net>();
    for (std::uint64_t word = 0; word < 10; ++word)
        fault::strike_place<net>(1, spec, word * 32 + 3, [&](fault::weight_fault f) {
            auto once = std::make_unique<parameters<net>>(*weights);
            fault::apply<net>(*once, f);
            const auto at = [&](parameters<net>& p) {
                if (word < 4) return word % 2 == 0 ? p.of_unit(1 + static_cast<int>(word / 2)).low : p.of_unit(1 + static_cast<int>(word / 2)).high;
                return word < 9 ? p.neuron_bounds(2)[word - 4] : p.weight_limit(1);
            };
            CHECK(to_word(at(*once)) == (to_word(at(*weights)) ^ 8u));
            fault::undo<net>(*once, f);
            CHECK(once->bytes == weights->bytes);
        });
}

TEST_CASE("the hybrid rule bounds the last activation's neurons and other activations' layers", "[harden]") {
    using plain = net_of<float32, conv, relu, residual<conv, relu, conv>, relu, max_pool<2>, conv, linear<7>, relu, linear<5>>;
    using mixed = harden<plain, hybrid_range<>>;
    const auto guard_of = [](int slot) {
        for (const step& s : mixed::table.steps)
            if (s.slot == slot) return s.guards[0] < 0 ? 0 : s.bounds_neurons ? 2 : 1;
        return -1;
    };
    for (int s : {0, 1, 2}) CHECK(guard_of(s) == 1);
    CHECK(guard_of(3) == 0);  // without an activation
    CHECK(guard_of(4) == 2);
    CHECK(guard_of(5) == 0);
    STATIC_REQUIRE(mixed::table.unit_count == plain::table.unit_count && mixed::table.step_count == plain::table.step_count);
    STATIC_REQUIRE(std::is_same_v<without_protection<mixed>, plain>);
    // an activation that is a step of its own
    using alone = harden<net_of<float32, conv, relu, max_pool<2>, hard_swish, linear<5>>, hybrid_range<>>;
    STATIC_REQUIRE(alone::table.steps[3].kind == op::activate && alone::table.steps[3].bounds_neurons && alone::table.steps[3].guards[1] < 0);
    STATIC_REQUIRE(alone::table.steps[1].guards[0] >= 0 && !alone::table.steps[1].bounds_neurons && alone::table.steps[1].guards[1] < 0);
    STATIC_REQUIRE(alone::table.steps[2].guards[0] < 0 && alone::table.steps[4].guards[0] < 0);
    const auto images = drawn_images<mixed>(3);
    const auto weights = bounded<mixed>(images, 0.0f);
    for (const auto& image : images) {
        const auto got = answer_of<mixed>(*weights, image);
        CHECK(words_of(got) == words_of(answer_of<plain>(*drawn_and_converted<plain>(), image)));
        CHECK(got.status.total() == fault_counters{});
    }
    // a channel far beyond its bounds in each step that has some
    for (int i = 1; i < mixed::table.step_count; ++i) {
        const step& s = mixed::table.steps[static_cast<std::size_t>(i)];
        if (s.guards[0] < 0) continue;
        const auto channels = static_cast<std::size_t>(s.geometry.out.channels);
        for (const float wrong : {1e9f, std::numeric_limits<float>::infinity()}) {
            CAPTURE(i, wrong);
            auto struck = std::make_unique<parameters<mixed>>(*weights);
            struck->biases(s.slot)[3] = wrong;
            const auto words = words_in<mixed, float>(*struck, images[0], i + 1, s.out);
            for (std::size_t at = 3; at < words.size(); at += channels) CHECK(words[at] == 0.0f);
            CHECK(answer_of<mixed>(*struck, images[0]).status.steps[static_cast<std::size_t>(i)].out_of_range == words.size() / channels);
        }
    }
    // and of what hardens layers already
    STATIC_REQUIRE(parameter_bytes<harden<harden<plain, protect<is_conv, secded>>, hybrid_range<>>> ==
                   parameter_bytes<harden<plain, protect<is_conv, secded>>> + 64);
}
