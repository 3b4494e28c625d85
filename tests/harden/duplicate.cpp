// SPDX-License-Identifier: MIT
// Networks with duplicated channels: the unprotected bits where nothing is wrong, faults of one copy corrected, channels in any order.
#include "support/catch.hpp"
#include "support/conv_case.hpp"
#include "support/copied_channels.hpp"

#include <cmath>
#include <limits>

using namespace redoubt;
using namespace support;

namespace {

template <class L> using twice = duplicate<wanted<L>::value, L>;
template <class L> using twice_minimum = duplicate_minimum<wanted<L>::value, L>;
template <class L> using coded = secded<twice<L>>;
template <class L> using coded_inside = twice_minimum<secded<L>>;
template <class L> using in_copies = twice<tmr_parameters<L>>;
template <class L> using clipped = clip_weights<twice<L>>;
template <class L> using ranged = redoubt::range<twice<L>>;
template <class L> using in_replicas = tmr<twice<L>>;

}  // namespace

TEST_CASE("duplicated channels change nothing where nothing is wrong", "[harden]") {
    check_clean<net_of<float32, twice>>();
    check_clean<net_of<float16, twice>>();
    check_clean<net_of<bfloat16, twice>>();
    check_clean<net_of<int8, twice>>();
    check_clean<net_of<stored<float32, fixed<2, 5>>, twice>>();
    check_clean<net_of<float32, twice_minimum>>();
    check_clean<net_of<int8, twice_minimum>>();
}

TEST_CASE("duplicated channels under and around other protections", "[harden]") {
    check_clean<net_of<float32, coded>>();
    check_clean<net_of<int8, coded_inside>>();
    check_clean<net_of<int8, in_copies>>();
    check_clean<net_of<float32, clipped>>();
    check_clean<net_of<float32, ranged>>();
    check_clean<net_of<int8, in_replicas>>();
}

TEST_CASE("a weight that explodes in either copy reaches no output", "[harden][fault]") {
    using net = net_of<float32, twice>;
    const auto images = drawn_images<net>(2, 3);
    const auto weights = with_intervals<net>(images);
    const auto clean = words_of(answer_of<net>(*weights, images[0]));
    random_stream random{5, {}};
    for (int trial = 0; trial < 40; ++trial) {
        CAPTURE(trial);
        const int slot = trial % 4;
        const auto& info = net::table.slots[static_cast<std::size_t>(slot)];
        const auto& g = info.geometry;
        CHECK(info.folded > 0);
        const int channel = below(random, 2 * info.folded);
        auto struck = std::make_unique<parameters<net>>(*weights);
        float& w = struck->weight_at(slot, channel, below(random, g.kernel.h), below(random, g.kernel.w), below(random, g.in.channels));
        w = trial % 3 == 0 ? std::numeric_limits<float>::quiet_NaN() : flip(w, bit_mask<float>(30));
        const auto got = answer_of<net>(*struck, images[0]);
        CHECK(words_of(got) == clean);
        const auto count = got.status.total();
        CHECK(count.detected > 0);
        CHECK(count.corrected == count.detected);
        CHECK(count.out_of_range == 0);
    }
}

TEST_CASE("a weight without a copy that explodes gives zeros", "[harden][fault]") {
    using net = net_of<float32, twice>;
    const auto images = drawn_images<net>(2, 3);
    const auto weights = with_intervals<net>(images);
    auto struck = std::make_unique<parameters<net>>(*weights);
    struck->weight_at(0, 40 + 32 - 1, 1, 1, 0) = 1e30f;
    const auto count = answer_of<net>(*struck, images[0]).status.total();
    CHECK(count.detected == 0);
    CHECK(count.out_of_range > 50);
}

TEST_CASE("channels are observed before what is fused to them", "[harden]") {
    // the last layer's accumulators are its logits
    using net = network<image<5, 4, 4>, float32, conv2d<conv_spec{.out = 20, .pad = 1}>>;
    using with = network<image<5, 4, 4>, float32, conv2d<conv_spec{.out = 20, .pad = 1}>, clipped_relu<1>, linear<3>>;
    const auto weights = drawn_network<net>();
    auto same = drawn_network<with>();
    std::copy(weights->weights(0).begin(), weights->weights(0).end(), same->weights(0).begin());
    std::copy(weights->biases(0).begin(), weights->biases(0).end(), same->biases(0).begin());
    channel_ranges<with> seen, other;
    std::vector<float> low(20, std::numeric_limits<float>::infinity()), high(20, -std::numeric_limits<float>::infinity());
    const auto space = std::make_unique<workspace<with>>();
    int n = 0;
    for (const auto& pixels : drawn_images<net>(4, 6)) {
        observe_channels<with>(*same, pixels, *space, ++n % 2 != 0 ? seen : other);
        const auto out = answer_of<net>(*weights, pixels).logits;
        for (std::size_t i = 0; i < out.size(); ++i) {
            low[i % 20] = std::min(low[i % 20], out[i]);
            high[i % 20] = std::max(high[i % 20], out[i]);
        }
    }
    seen.merge(other);
    CHECK(seen.images == 4);
    for (std::size_t c = 0; c < 20; ++c) {
        CHECK(seen.low[c] == low[c]);
        CHECK(seen.high[c] == high[c]);
    }
    CHECK(redoubt::impl::widened_end(2.0f, 1.0f, 0.5f) == 2.5f);
    CHECK(redoubt::impl::widened_end(1.0f, 2.0f, 0.5f) == 0.5f);
    CHECK(redoubt::impl::widened_end(2000000000, -2000000000, 0.5f) == 2147483647);
    CHECK(redoubt::impl::widened_end(3e38f, -3e38f, 0.5f) == std::numeric_limits<float>::max());
}

TEST_CASE("copies and intervals are fault sites", "[harden][fault]") {
    using net = net_of<float32, twice>;
    using plain = without_protection<net>;
    fault::fault_spec spec;
    const auto extra = [](auto of) {
        std::uint64_t sum = 0;
        for (int s = 0; s < net::table.slot_count; ++s) sum += static_cast<std::uint64_t>(of(net::table.slots[static_cast<std::size_t>(s)]));
        return sum;
    };
    CHECK(fault::weight_bits<net>(spec, fault::primary_weights) - fault::weight_bits<plain>(spec, fault::primary_weights) ==
          32 * extra([](const slot& s) { return s.folded * s.geometry.fan_in(); }));
    CHECK(fault::inference_bits<net>(spec, fault::inference_space::features, 0) - fault::inference_bits<plain>(spec, fault::inference_space::features, 0) ==
          32 * extra([](const slot& s) { return s.folded * s.geometry.out.height * s.geometry.out.width; }));
    CHECK(fault::inference_bits<net>(spec, fault::inference_space::activations, 0) == fault::inference_bits<plain>(spec, fault::inference_space::activations, 0));
    spec.strikes = fault::target::bounds;
    CHECK(fault::weight_bits<net>(spec, fault::bound_words) == 2 * 32 * (40 + 40 + 24 + 20));
    const auto weights = with_intervals<net>(drawn_images<net>(1, 3));
    for (std::uint64_t place : {std::uint64_t{5}, std::uint64_t{2 * 32 * 40 + 32 + 7}})
        fault::strike_place<net>(1, {.strikes = fault::target::bounds, .count = 1}, place, [&](fault::weight_fault f) {
            auto once = std::make_unique<parameters<net>>(*weights);
            fault::apply<net>(*once, f);
            const int slot = place < 100 ? 0 : 1;
            const auto a = slot == 0 ? weights->interval_low(0)[0] : weights->interval_high(1)[0];
            const auto b = slot == 0 ? once->interval_low(0)[0] : once->interval_high(1)[0];
            CHECK(to_word(b) == (to_word(a) ^ (1u << place % 32)));
            fault::undo<net>(*once, f);
            CHECK(once->bytes == weights->bytes);
        });
}

TEST_CASE("struck operators stay within stored values", "[harden][fault]") {
    using net = net_of<float32, twice>;
    fault_list list{65536};
    std::vector<std::uint64_t> chosen(8);
    std::size_t faults = 0;
    int outside = 0;
    for (std::uint64_t trial = 0; trial < 300; ++trial) {
        fault::fault_spec spec;
        spec.count = 1;
        spec.model.does = fault::effect::struck_operator;
        list.policy.clear();
        fault::draw_inference<net>(3, trial, 0, spec, fault::inference_space::activations, chosen, list.policy);
        for (const auto& f : list.policy.faults()) {
            const auto& s = net::table.steps[static_cast<std::size_t>(f.step)];
            outside += f.where.output < static_cast<std::uint32_t>(net::table.values[static_cast<std::size_t>(s.out)].extents.size()) ? 0 : 1;
            ++faults;
        }
    }
    CHECK(outside == 0);
    CHECK(faults > 300);
}

TEST_CASE("a network with copies is made fast with the right filters", "[harden]") {
    using from = network<image<16, 8, 8>, float32, duplicate_minimum<16, conv2d<conv_spec{.out = 64, .pad = 1}>>, relu, linear<4>>;
    using plain = without_protection<from>;
    const auto weights = drawn_and_converted<from>();
    const auto images = drawn_images<from>(2, 3);
    const auto a = converted<fast_network<plain>, from>(*weights, images);
    const auto b = converted<fast_network<plain>, plain>(*drawn_and_converted<plain>(), images);
    CHECK(a->bytes == b->bytes);
}

TEST_CASE("channels in another order answer the same", "[harden]") {
    const auto check = [&]<class Net>(std::type_identity<Net>) {
        constexpr const auto& groups = channel_groups_of<Net>;
        const auto weights = drawn_and_converted<Net>();
        auto moved = std::make_unique<parameters<Net>>();
        std::vector<std::vector<std::uint16_t>> orders;
        for (int g = 0; g < groups.count; ++g) {
            std::vector<double> scores(static_cast<std::size_t>(groups.channels[static_cast<std::size_t>(g)]));
            for (int s = 0; s < Net::table.slot_count; ++s)
                if (groups.of_slot(s) == g) add_filter_norms<Net>(*weights, s, scores);
            orders.emplace_back(scores.size());
            order_by_score(scores, orders.back());
            for (std::size_t i = 1; i < scores.size(); ++i) CHECK(scores[orders.back()[i - 1]] >= scores[orders.back()[i]]);
        }
        permute_channels<Net>(*weights, [&](int g) { return std::span<const std::uint16_t>{orders[static_cast<std::size_t>(g)]}; }, *moved);
        CHECK(moved->bytes != weights->bytes);
        for (const auto& pixels : drawn_images<Net>(3, 8))
            CHECK(words_of(answer_of<Net>(*moved, pixels)) == words_of(answer_of<Net>(*weights, pixels)));
        return groups.count;
    };
    // integers do not care in which order they are added
    CHECK(check(std::type_identity<with_number<model::resnet8<image<3, 16, 16>>, int8>>{}) == 3);
    CHECK(check(std::type_identity<model::mobilenet_v2<image<3, 32, 32>, int8, 10, model::form_for<image<3, 32, 32>>, 10>>{}) > 10);
    CHECK(check(std::type_identity<network<image<3, 8, 8>, int8, conv2d<conv_spec{.out = 20}>, relu, max_pool<2>, linear<12>, relu, linear<4>>>{}) == 2);
    const double scores[] = {1.0, std::numeric_limits<double>::quiet_NaN(), 3.0, 1.0};
    std::uint16_t order[4];
    order_by_score(scores, order);
    CHECK((order[0] == 2 && order[1] == 0 && order[2] == 3 && order[3] == 1));
}
