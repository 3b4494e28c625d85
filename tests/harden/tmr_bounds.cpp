// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <algorithm>

using namespace redoubt;
using namespace support;

namespace {

template <number N, class... Layers>
using net_of = network<image<1, 3, 3>, N, Layers...>;
/// A pair of bounds read by two guards, and bounds of neurons; an activation keeps the last outputs from being logits.
template <number N, template <class...> class Keep>
using guarded = net_of<N, Keep<redoubt::range<range_clamp<linear<6>>>>, relu, Keep<range_neurons<linear<5>>>, relu>;
template <class... Layers> using bare = sequence<Layers...>;

template <class Net>
std::unique_ptr<parameters<Net>> bounded(const std::vector<std::vector<float>>& images) {
    using plain = without_protection<Net>;
    const auto weights = drawn_and_converted<plain>();
    const auto space = std::make_unique<workspace<plain>>();
    const auto seen = std::make_unique<neuron_ranges<plain>>();
    for (const auto& image : images) observe_neurons<plain>(*weights, image, *space, *seen);
    auto p = drawn_and_converted<Net>();
    // encode() is not called again: each of these writes the copies itself
    set_bounds<plain, Net>(seen_on<plain>(*weights, images), *p);
    set_neuron_bounds(*seen, *p, 0.0f);
    return p;
}

constexpr fault::fault_spec single{.strikes = fault::target::bounds, .count = 1};

/// Every bit of every word of the bounds, one after the other; how many change an answer.
template <class Net, class Check>
int strike_each(const parameters<Net>& weights, const std::vector<float>& image, Check&& check) {
    const auto golden = answer_of<Net>(weights, image);
    REQUIRE(golden.status.total() == fault_counters{});
    auto struck = std::make_unique<parameters<Net>>(weights);
    int changed = 0;
    for (std::uint64_t place = 0; place < fault::weight_bits<Net>(single, fault::bound_words); ++place)
        fault::strike_place<Net>(1, single, place, [&](fault::weight_fault f) {
            fault::apply<Net>(*struck, f);
            REQUIRE(struck->bytes != weights.bytes);
            const auto got = answer_of<Net>(*struck, image);
            changed += words_of(got) != words_of(golden) ? 1 : 0;
            check(f, got, *struck);
            fault::undo<Net>(*struck, f);
            REQUIRE(struck->bytes == weights.bytes);
        });
    return changed;
}

template <number N>
void check_every_bit() {
    using net = guarded<N, tmr_bounds>;
    using alone = guarded<N, bare>;
    const auto images = drawn_images<net>(1);
    const auto weights = bounded<net>(images);
    CHECK(fault::weight_bits<net>(single, fault::bound_words) == 3 * (2 + 2 + 5) * 32);
    CHECK(fault::weight_bits<alone>(single, fault::bound_words) == (2 + 2 + 5) * 32);
    state<net> memory;
    int wrong = 0;
    CHECK(strike_each<net>(*weights, images[0], [&](const fault::weight_fault& f, const answer<net>& got, const parameters<net>& struck) {
        // of the first unit two guards read the pair
        const bool first = f.word < 9 ? f.word < 2 : (f.word - 9) % 9 < 2;
        const std::uint32_t reads = first ? 2 : 1;
        wrong += got.status.total() == fault_counters{reads, reads, 0, 0} ? 0 : 1;
        auto repaired = std::make_unique<parameters<net>>(struck);
        const bool whole = f.bit % 2 == 0;
        wrong += (whole ? scrub<net>(*repaired, memory) : scrub_next<net>(*repaired, memory)) == fault_counters{1, 1, 0, 0} ? 0 : 1;
        wrong += repaired->bytes == weights->bytes ? 0 : 1;
    }) == 0);
    CHECK(wrong == 0);
    // of bounds that are kept once flips do harm, and nobody sees them
    const auto once = bounded<alone>(images);
    int counted = 0;
    CHECK(strike_each<alone>(*once, images[0], [&](const fault::weight_fault&, const answer<alone>& got, const parameters<alone>&) {
        counted += got.status.total().detected != 0 ? 1 : 0;
    }) > 20);
    CHECK(counted == 0);
}

}  // namespace

TEST_CASE("a flipped bit in one copy of a bound changes nothing, and is counted and repaired", "[harden]") {
    check_every_bit<float32>();
    check_every_bit<float16>();
    check_every_bit<int8>();
}

TEST_CASE("two copies outvote the third, and three that differ are not corrected", "[harden]") {
    using net = net_of<float32, tmr_bounds<range_neurons<linear<5>>>>;
    const auto images = drawn_images<net>(1);
    const auto weights = bounded<net>(images);
    const auto golden = answer_of<net>(*weights, images[0]);
    const float bound = weights->neuron_bounds(1)[3];
    weights->neuron_bounds(1)[3] = -1e30f;
    weights->bound_copy(1, 2)[2 + 3] = -1e30f;
    auto got = answer_of<net>(*weights, images[0]);
    CHECK(got.status.total() == fault_counters{1, 1, 0, 1});
    CHECK(got.logits[3] == 0.0f);
    // in different bits: each is right by majority, but the word counts as lost
    weights->neuron_bounds(1)[3] = flip(bound, 1u << 30);
    weights->bound_copy(1, 2)[2 + 3] = flip(bound, 1u << 31);
    got = answer_of<net>(*weights, images[0]);
    CHECK(got.status.total() == fault_counters{1, 0, 1, 0});
    CHECK(words_of(got) == words_of(golden));
    CHECK(!got.status.trustworthy());
    // what is written afterwards is copied by encode
    weights->of_unit(1).low = 50.0f;
    encode<net>(*weights);
    CHECK(answer_of<net>(*weights, images[0]).status.total() == fault_counters{0, 0, 0, 5});
}

TEST_CASE("a scrub repairs each kind of bound from two copies", "[harden]") {
    using net = guarded<float32, tmr_bounds>;
    const auto images = drawn_images<net>(1);
    const auto weights = bounded<net>(images);
    const auto struck = [&](auto&& strike) {
        auto p = std::make_unique<parameters<net>>(*weights);
        state<net> memory;
        strike(*p);
        const fault_counters seen = scrub<net>(*p, memory);
        return seen == fault_counters{1, 1, 0, 0} && p->bytes == weights->bytes;
    };
    CHECK(struck([](auto& p) { p.of_unit(1).low = 7.0f; }));
    CHECK(struck([](auto& p) { p.of_unit(2).high = 7.0f; }));
    CHECK(struck([](auto& p) { p.neuron_bounds(2)[4] = 7.0f; }));
    CHECK(struck([](auto& p) { p.bound_copy(2, 1)[5] = 7.0f; }));
}

TEST_CASE("copies of bounds are kept for guarded units alone, wherever the guard stands", "[harden]") {
    using layerwise = net_of<float32, redoubt::range<linear<6>>, relu, linear<5>>;
    using kept = net_of<float32, tmr_bounds<redoubt::range<linear<6>>, relu, linear<5>>>;
    using outside = net_of<float32, redoubt::range<tmr_bounds<linear<6>>>, relu, linear<5>>;
    using replicas = net_of<float32, redoubt::range<dmr<tmr_bounds<linear<6>>>>, relu, linear<5>>;
    using unguarded = net_of<float32, tmr_bounds<linear<6>>, relu, linear<5>>;
    STATIC_REQUIRE(parameter_bytes<kept> == parameter_bytes<layerwise> + 64);
    STATIC_REQUIRE(parameter_bytes<outside> == parameter_bytes<kept>);
    STATIC_REQUIRE(parameter_bytes<replicas> == parameter_bytes<kept>);
    STATIC_REQUIRE(parameter_bytes<unguarded> == parameter_bytes<layerwise>);
    STATIC_REQUIRE(has_kept_bounds<kept> && has_store<kept> && !has_kept_bounds<unguarded> && !has_store<unguarded>);
    STATIC_REQUIRE(rom_layout<kept> != rom_layout<layerwise>);
    const auto check = [&]<class Net>(type_tag<Net>) {
        const auto images = drawn_images<Net>(1);
        const auto weights = bounded<Net>(images);
        const auto golden = answer_of<Net>(*weights, images[0]);
        CHECK(golden.status.total() == fault_counters{});
        weights->of_unit(1).high = -1.0f;
        const auto got = answer_of<Net>(*weights, images[0]);
        CHECK(words_of(got) == words_of(golden));
        CHECK(got.status.total() == fault_counters{1, 1, 0, 0});
    };
    check(type_tag<kept>{});
    check(type_tag<outside>{});
    check(type_tag<replicas>{});
}
