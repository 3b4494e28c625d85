// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <algorithm>
#include <map>
#include <set>

using namespace redoubt;
using namespace redoubt::fault;
using namespace support;

namespace {

template <int Out>
using conv = conv2d<conv_spec{.out = Out, .pad = 1}>;

template <number N>
using net_of = network<image<2, 12, 10>, N, conv<5>, relu, residual<conv<5>, relu, conv<5>>, relu, max_pool<2>, linear<18>>;
using net = net_of<float32>;
using tripled = harden<net, protect<is_weighted, tmr>>;
using doubled = harden<net, protect<is_weighted, dmr>>;

/// A site as every network of the comparison has it.
struct unit_site {
    int unit;
    std::uint32_t output;
    std::uint32_t mask;
    constexpr auto operator<=>(const unit_site&) const = default;
};

template <class Net>
std::vector<inference_fault> drawn(std::uint64_t trial, const fault_spec& spec, inference_space kind, std::uint32_t item = 0) {
    std::vector<std::uint64_t> chosen(spec.count);
    fault_list list{65536};
    draw_inference<Net>(6, trial, item, spec, kind, chosen, list.policy);
    REQUIRE(list.policy.asked() == list.policy.size());
    const auto faults = list.policy.faults();
    return {faults.begin(), faults.end()};
}

template <class Net>
std::vector<unit_site> sites_of(const std::vector<inference_fault>& faults, int replica) {
    std::vector<unit_site> sites;
    for (const auto& f : faults) {
        const step& s = Net::table.steps[static_cast<std::size_t>(f.step)];
        if (s.replica == replica) sites.push_back({s.unit, f.where.output, f.where.mask});
    }
    std::ranges::sort(sites);
    return sites;
}

fault_spec at_rate(double rate) {
    fault_spec spec;
    spec.rate = rate;
    return spec;
}
fault_spec exactly(std::uint64_t count) {
    fault_spec spec;
    spec.count = count;
    return spec;
}

constexpr auto features = inference_space::features;
constexpr auto activations = inference_space::activations;

}  // namespace

TEST_CASE("the space of features is the outputs of convolutions, that of activations all but the image", "[fault]") {
    constexpr std::uint64_t map = 5 * 12 * 10, pooled = 5 * 6 * 5;
    CHECK(inference_bits<net>(at_rate(1), features, 0) == 32 * (3 * map + 18));
    CHECK(inference_bits<net>(at_rate(1), activations, 0) == 32 * (3 * map + pooled + 18));
    CHECK(inference_bits<net>(at_rate(1), features, 1) == 0);
    // integer logits are accumulators
    using integers = net_of<int8>;
    CHECK(inference_bits<integers>(at_rate(1), features, 0) == 8 * 3 * map + 32 * 18);
    // every replica has a space of its own; votes and comparisons add none
    CHECK(replicas_of<net> == 1);
    CHECK(replicas_of<tripled> == 3);
    CHECK(replicas_of<doubled> == 3);
    CHECK(inference_bits<tripled>(at_rate(1), activations, 0) == inference_bits<net>(at_rate(1), activations, 0));
    CHECK(inference_bits<tripled>(at_rate(1), activations, 2) == 32 * (3 * map + 18));
    fault_spec one = at_rate(1);
    one.only_slot = 3;
    CHECK(inference_bits<net>(one, features, 0) == 32 * 18);
    one.bits = bit_class::exponent;
    CHECK(inference_bits<net>(one, features, 0) == 8 * 18);
    one.position = 31;
    CHECK(inference_bits<net>(one, features, 0) == 18);
}

TEST_CASE("at rate 1 every bit of the space is struck once", "[fault]") {
    for (auto kind : {features, activations}) {
        const auto faults = drawn<net>(0, at_rate(1), kind);
        CHECK(faults.size() == inference_bits<net>(at_rate(1), kind, 0));
        const auto sites = sites_of<net>(faults, 0);
        CHECK(std::ranges::adjacent_find(sites) == sites.end());
        bool single = true, inside = true;
        for (const auto& f : faults) {
            single = single && std::popcount(f.where.mask) == 1 && f.in_memory == (kind == activations);
            inside = inside && f.where.output < static_cast<std::uint32_t>(
                net::table.steps[static_cast<std::size_t>(f.step)].geometry.out.size());
        }
        CHECK(single);
        CHECK(inside);
    }
    fault_spec signs = at_rate(1);
    signs.bits = bit_class::sign;
    for (const auto& f : drawn<net_of<int8>>(0, signs, features)) {
        const bool logit = net::table.steps[static_cast<std::size_t>(f.step)].stores_logits;
        CHECK(f.where.mask == (logit ? 1u << 31 : 1u << 7));
    }
}

TEST_CASE("a count is drawn exactly, in sites that every network has", "[fault]") {
    for (std::uint64_t count : {1u, 3u, 50u}) {
        for (std::uint64_t trial = 0; trial < 20; ++trial) {
            const auto plain = sites_of<net>(drawn<net>(trial, exactly(count), features), 0);
            CHECK(plain.size() == count);
            CHECK(std::ranges::adjacent_find(plain) == plain.end());
            const auto three = drawn<tripled>(trial, exactly(count), features);
            CHECK(three.size() == count);
            CHECK(sites_of<tripled>(three, 0) == plain);
        }
    }
}

TEST_CASE("replicas are struck independently, and the first as the unprotected network", "[fault]") {
    using guarded = harden<net, protect<is_conv, range>>;
    using mixed = harden<net, protect<is_conv, dmr>, protect<is_linear, tmr>>;
    for (auto kind : {features, activations}) {
        for (std::uint64_t trial = 0; trial < 5; ++trial) {
            CAPTURE(trial);
            const fault_spec spec = at_rate(2e-3);
            const auto base = sites_of<net>(drawn<net>(trial, spec, kind), 0);
            REQUIRE(base.size() > 20);
            const auto three = drawn<tripled>(trial, spec, kind);
            CHECK(sites_of<tripled>(three, 0) == base);
            CHECK(sites_of<guarded>(drawn<guarded>(trial, spec, kind), 0) == base);
            CHECK(sites_of<mixed>(drawn<mixed>(trial, spec, kind), 0) == base);
            const auto two = drawn<doubled>(trial, spec, kind);
            CHECK(sites_of<doubled>(two, 0) == base);
            // further replicas: as many, about, and others; the same for every protection that has them
            const auto second = sites_of<tripled>(three, 1), third = sites_of<tripled>(three, 2);
            CHECK(second.size() > 20);
            CHECK(second != base);
            CHECK(third != second);
            std::vector<unit_site> shared;
            std::ranges::set_intersection(second, third, std::back_inserter(shared));
            CHECK(shared.size() < second.size() / 4);
            CHECK(sites_of<doubled>(two, 1) == second);
            CHECK(sites_of<doubled>(two, 2) == third);
        }
    }
    // features and activations, images and trials have draws of their own
    const fault_spec spec = at_rate(5e-3);
    const auto one = sites_of<net>(drawn<net>(0, spec, features, 0), 0);
    CHECK(sites_of<net>(drawn<net>(0, spec, features, 0), 0) == one);
    CHECK(sites_of<net>(drawn<net>(0, spec, features, 1), 0) != one);
    CHECK(sites_of<net>(drawn<net>(1, spec, features, 0), 0) != one);
}

TEST_CASE("steps are struck in proportion to their size", "[fault]") {
    std::map<int, double> by_step;
    double all = 0.0;
    for (std::uint64_t trial = 0; trial < 300; ++trial) {
        for (const auto& f : drawn<net>(trial, trial % 2 == 0 ? exactly(40) : at_rate(1e-3), activations)) {
            by_step[f.step] += 1.0;
            all += 1.0;
        }
    }
    REQUIRE(all > 9000.0);
    REQUIRE(by_step.size() == 5);
    double squares = 0.0, words = 0.0;
    for (const auto& [i, count] : by_step) words += net::table.steps[static_cast<std::size_t>(i)].geometry.out.size();
    for (const auto& [i, count] : by_step) {
        const double expected = all * net::table.steps[static_cast<std::size_t>(i)].geometry.out.size() / words;
        squares += (count - expected) * (count - expected) / expected;
    }
    CHECK(squares < 18.5);  // the 99.9 % point of chi-square with 4 degrees of freedom
}

TEST_CASE("a policy without room says so and keeps what fits", "[fault]") {
    std::vector<inference_fault> faults(3);
    std::vector<kernel::output_fault> in_order(2);
    bit_flips policy{faults, in_order};
    CHECK(policy.add(fault_at(4, 1, 1, false)));
    CHECK(policy.add(fault_at(2, 1, 1, true)));
    CHECK_FALSE(policy.add(fault_at(1, 1, 1, true)));
    CHECK(policy.asked() == 3);
    CHECK(policy.size() == 2);
    policy.sort();
    CHECK(policy.faults()[0].step == 2);
    CHECK(policy.hook({4, 0, 0}).faults.size() == 1);
    CHECK(policy.hook({2, 0, 0}).faults.empty());
    CHECK(policy.hook({1, 0, 0}).faults.empty());
    policy.clear();
    CHECK(policy.asked() == 0);
    policy.sort();
    CHECK(policy.hook({4, 0, 0}).faults.empty());
}
