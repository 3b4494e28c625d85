// SPDX-License-Identifier: MIT
#include <redoubt/redoubt.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <vector>

using namespace redoubt;
using namespace redoubt::fault;

namespace {

/// Layers of very different sizes; 5 and 3 of 16 lanes used, 20 in two blocks, 3 channels in groups of four.
template <number N>
using net_of = network<image<3, 6, 5>, N, conv2d<conv_spec{.out = 5, .pad = 1}>, relu, conv2d<conv_spec{.out = 20, .pad = 1}>,
                       relu, max_pool<2>, linear<3>>;
using net = net_of<float32>;
using tripled = harden<net, protect<is_weighted, tmr_parameters>>;
using checked = harden<net, protect<is_weighted, crc>>;

template <class Net>
std::vector<weight_fault> drawn(std::uint64_t seed, std::uint64_t trial, const fault_spec& spec) {
    std::vector<std::uint64_t> chosen(spec.count);
    std::vector<weight_fault> faults;
    draw_weights<Net>(seed, trial, spec, chosen, [&](const weight_fault& f) { faults.push_back(f); });
    return faults;
}

using place = std::tuple<int, int, std::uint64_t, int>;
place place_of(const weight_fault& f) { return {f.copy, f.slot, f.word, f.bit}; }

std::vector<place> places_of(const std::vector<weight_fault>& faults, int copy) {
    std::vector<place> all;
    for (const auto& f : faults)
        if (f.copy == copy) all.push_back(place_of(f));
    return all;
}

template <class Net>
std::uint64_t logical_weights(int slot) { return Net::table.slots[static_cast<std::size_t>(slot)].geometry.weights(); }

template <class Net>
std::uint64_t logical_weights() {
    std::uint64_t all = 0;
    for (int s = 0; s < Net::table.slot_count; ++s) all += logical_weights<Net>(s);
    return all;
}

/// Parameters with words of any kind, encoded.
template <class Net>
std::unique_ptr<parameters<Net>> any_parameters() {
    auto p = std::make_unique<parameters<Net>>();
    random_stream random{4, {}};
    for (int s = 0; s < Net::table.slot_count; ++s)
        for (std::byte& b : p->primary(s)) b = static_cast<std::byte>(random.below(256));
    encode<Net>(*p);
    return p;
}

/// Draws at a rate, strikes, and takes it back; looks at every record.
template <class Net>
void check_strike(const fault_spec& spec) {
    using word = typename Net::number_type::weight;
    const auto weights = any_parameters<Net>();
    auto struck = std::make_unique<parameters<Net>>(*weights);
    auto faults = drawn<Net>(3, 1, spec);
    REQUIRE(faults.size() > 0);
    bool recorded = true;
    for (weight_fault& f : faults) {
        fault::apply<Net>(*struck, f);
        recorded = recorded && (f.before ^ f.after) == std::uint32_t{1} << f.bit;
        if (f.copy != 0) continue;
        const auto& g = Net::table.slots[static_cast<std::size_t>(f.slot)].geometry;
        const word now = struck->weights(f.slot)[kernel::layout_of<typename Net::number_type>.index_of_logical(g, f.word)];
        recorded = recorded && to_word(now) == f.after;
    }
    CHECK(recorded);
    CHECK(struck->bytes != weights->bytes);
    // as many bits differ as were flipped
    std::size_t different = 0;
    for (std::size_t i = 0; i < struck->bytes.size(); ++i)
        different += static_cast<std::size_t>(std::popcount(static_cast<unsigned>(struck->bytes[i] ^ weights->bytes[i])));
    CHECK(different == faults.size());
    for (auto f = faults.rbegin(); f != faults.rend(); ++f) fault::undo<Net>(*struck, *f);
    CHECK(struck->bytes == weights->bytes);
}

/// A spec by class or position strikes these bits, all of them, and no other.
template <class Net>
void check_bits(const fault_spec& spec, std::set<int> bits) {
    std::set<int> seen;
    for (const auto& f : drawn<Net>(1, 0, spec)) seen.insert(f.bit);
    CHECK(seen == bits);
    CHECK(weight_bits<Net>(spec, 0) == logical_weights<Net>() * bits.size());
}

std::set<int> from_to(int first, int last) {
    std::set<int> bits;
    for (int b = first; b <= last; ++b) bits.insert(b);
    return bits;
}

fault_spec at_rate(double rate, bit_class bits = bit_class::any, int position = -1) {
    fault_spec spec;
    spec.rate = rate;
    spec.bits = bits;
    spec.position = position;
    return spec;
}

fault_spec exactly(std::uint64_t count) {
    fault_spec spec;
    spec.count = count;
    return spec;
}

}  // namespace

TEST_CASE("flips are recorded, and the same flips restore every byte", "[fault]") {
    for (double rate : {0.001, 0.05, 1.0}) {
        check_strike<net>(at_rate(rate));
        check_strike<net_of<float16>>(at_rate(rate));
        check_strike<net_of<int8>>(at_rate(rate));
        check_strike<net_of<stored<float32, fixed<2, 5>>>>(at_rate(rate));
        check_strike<tripled>(at_rate(rate));
        check_strike<checked>(at_rate(rate));
    }
    check_strike<checked>(exactly(2000));
}

TEST_CASE("classes and positions of bits", "[fault]") {
    const double all = 1.0;
    check_bits<net>(at_rate(all), from_to(0, 31));
    check_bits<net>(at_rate(all, bit_class::sign), {31});
    check_bits<net>(at_rate(all, bit_class::exponent), from_to(23, 30));
    check_bits<net>(at_rate(all, bit_class::fraction), from_to(0, 22));
    check_bits<net>(at_rate(all, bit_class::any, 30), {30});
    check_bits<net_of<float16>>(at_rate(all, bit_class::sign), {15});
    check_bits<net_of<float16>>(at_rate(all, bit_class::exponent), from_to(10, 14));
    check_bits<net_of<float16>>(at_rate(all, bit_class::fraction), from_to(0, 9));
    check_bits<net_of<int8>>(at_rate(all, bit_class::sign), {7});
    check_bits<net_of<int8>>(at_rate(all, bit_class::fraction), from_to(0, 6));
    check_bits<net_of<int8>>(at_rate(all), from_to(0, 7));
    // what a word does not have is not struck
    check_bits<net_of<int8>>(at_rate(all, bit_class::exponent), {});
    check_bits<net_of<int8>>(at_rate(all, bit_class::any, 8), {});
    check_bits<net_of<stored<float32, fixed<2, 5>>>>(at_rate(all, bit_class::any, 7), {7});
    // code bits have no classes
    CHECK(places_of(drawn<checked>(1, 0, at_rate(all)), -1).size() == weight_bits<checked>(at_rate(all), -1));
    CHECK(weight_bits<checked>(at_rate(all), -1) > 0);
    CHECK(weight_bits<checked>(at_rate(all, bit_class::sign), -1) == 0);
    CHECK(weight_bits<checked>(at_rate(all, bit_class::any, 3), -1) == 0);
}

TEST_CASE("a single layer can be struck", "[fault]") {
    for (int slot = 0; slot < net::table.slot_count; ++slot) {
        fault_spec spec = at_rate(0.5);
        spec.only_slot = slot;
        CHECK(weight_bits<net>(spec, 0) == 32 * logical_weights<net>(slot));
        for (const auto& f : drawn<checked>(1, 0, spec)) CHECK(f.slot == slot);
        spec = exactly(20);
        spec.only_slot = slot;
        const auto some = drawn<tripled>(1, 0, spec);
        CHECK(some.size() == 20);
        for (const auto& f : some) CHECK(f.slot == slot);
    }
}

TEST_CASE("exactly so many distinct bits, in what every network of a comparison has", "[fault]") {
    for (std::uint64_t count : {1u, 2u, 100u, 5000u}) {
        for (std::uint64_t trial = 0; trial < 10; ++trial) {
            std::set<place> places;
            const auto faults = drawn<checked>(1, trial, exactly(count));
            for (const auto& f : faults) places.insert(place_of(f));
            CHECK(places.size() == count);
            const auto plain = drawn<net>(1, trial, exactly(count));
            CHECK(places_of(plain, 0) == places_of(faults, 0));
            CHECK(plain.size() == count);
        }
    }
    // everything there is
    const std::uint64_t all = weight_bits<net>(exactly(1), 0);
    std::set<place> places;
    for (const auto& f : drawn<net>(1, 0, exactly(all))) places.insert(place_of(f));
    CHECK(places.size() == all);
}

TEST_CASE("protected and unprotected networks meet the same faults", "[fault]") {
    using voted = harden<net, protect<is_weighted, tmr>>;
    using half_kept = harden<net, protect<is_conv, tmr_parameters>, protect<is_linear, crc>>;
    for (double rate : {1e-3, 0.02}) {
        for (std::uint64_t trial = 0; trial < 5; ++trial) {
            const auto plain = drawn<net>(9, trial, at_rate(rate));
            const auto base = places_of(plain, 0);
            REQUIRE(base.size() > 5);
            CHECK(base.size() == plain.size());
            CHECK(places_of(drawn<voted>(9, trial, at_rate(rate)), 0) == base);
            CHECK(places_of(drawn<checked>(9, trial, at_rate(rate)), 0) == base);
            CHECK(places_of(drawn<half_kept>(9, trial, at_rate(rate)), 0) == base);
            const auto three = drawn<tripled>(9, trial, at_rate(rate));
            CHECK(places_of(three, 0) == base);
            // copies are struck on their own
            const auto second = places_of(three, 1), third = places_of(three, 2);
            CHECK(second.size() > 5);
            std::size_t shared = 0;
            for (const auto& [copy, slot, word, bit] : second)
                shared += std::ranges::count(base, place{0, slot, word, bit}) > 0 ? 1u : 0u;
            CHECK(shared < second.size() / 2);
            CHECK(second.size() + third.size() + base.size() == three.size());
        }
    }
    // a trial's draw is a function of seed and trial
    CHECK(places_of(drawn<net>(9, 4, at_rate(0.01)), 0) == places_of(drawn<net>(9, 4, at_rate(0.01)), 0));
    CHECK(places_of(drawn<net>(9, 4, at_rate(0.01)), 0) != places_of(drawn<net>(9, 5, at_rate(0.01)), 0));
    CHECK(places_of(drawn<net>(9, 4, at_rate(0.01)), 0) != places_of(drawn<net>(8, 4, at_rate(0.01)), 0));
}

TEST_CASE("padding lanes, biases, scales and bounds are no sites", "[fault]") {
    const auto check = []<class Net>(type_tag<Net>) {
        using number = typename Net::number_type;
        using word = typename number::weight;
        auto p = std::make_unique<parameters<Net>>();
        auto faults = drawn<Net>(1, 0, at_rate(1.0, bit_class::any, 0));
        CHECK(faults.size() == logical_weights<Net>());
        for (weight_fault& f : faults) fault::apply<Net>(*p, f);
        for (int s = 0; s < Net::table.slot_count; ++s) {
            // every word was zero: the ones now are the logical weights, wherever DESIGN's wide layout puts them
            const auto& g = Net::table.slots[static_cast<std::size_t>(s)].geometry;
            constexpr int group = sizeof(typename number::kernel_weight) == 1 ? 4 : 1;
            const int padded = (g.in.channels + group - 1) / group * group;
            std::size_t at = 0, wrong = 0;
            for (int block = 0; block < (g.out.channels + 15) / 16; ++block)
                for (int tap = 0; tap < g.kernel.h * g.kernel.w; ++tap)
                    for (int in = 0; in < padded; in += group)
                        for (int lane = 0; lane < 16; ++lane)
                            for (int part = 0; part < group; ++part, ++at) {
                                const bool logical = 16 * block + lane < g.out.channels && in + part < g.in.channels;
                                wrong += to_word(p->weights(s)[at]) == static_cast<word_of<word>>(logical ? 1 : 0) ? 0u : 1u;
                            }
            CHECK(at == p->weights(s).size());
            CHECK(wrong == 0);
            for (auto b : p->biases(s)) CHECK(to_word(b) == 0);
        }
        // no other byte of the block is struck
        std::size_t ones = 0;
        for (std::byte b : p->bytes) ones += static_cast<std::size_t>(std::popcount(static_cast<unsigned>(b)));
        CHECK(ones == logical_weights<Net>());
    };
    check(type_tag<net>{});
    check(type_tag<net_of<float16>>{});
    check(type_tag<net_of<int8>>{});
    check(type_tag<net_of<stored<float32, fixed<2, 5>>>>{});
}

TEST_CASE("layers and bits are struck in proportion to their size", "[fault]") {
    std::map<int, double> by_slot, by_bit;
    double all = 0.0;
    for (std::uint64_t trial = 0; trial < 400; ++trial) {
        for (const auto& f : drawn<net>(21, trial, trial % 2 == 0 ? exactly(40) : at_rate(3e-4))) {
            by_slot[f.slot] += 1.0;
            by_bit[f.bit] += 1.0;
            all += 1.0;
        }
    }
    double slots = 0.0, bits = 0.0;
    for (const auto& [slot, count] : by_slot) {
        const double expected = all * static_cast<double>(logical_weights<net>(slot)) / static_cast<double>(logical_weights<net>());
        slots += (count - expected) * (count - expected) / expected;
    }
    for (const auto& [bit, count] : by_bit) bits += (count - all / 32.0) * (count - all / 32.0) / (all / 32.0);
    REQUIRE(by_slot.size() == 3);
    REQUIRE(by_bit.size() == 32);
    REQUIRE(all > 9000.0);
    // the 99.9 % points of chi-square with 2 and 31 degrees of freedom
    CHECK(slots < 13.8);
    CHECK(bits < 61.1);
}
