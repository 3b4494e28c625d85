// SPDX-License-Identifier: MIT
// Networks with and without replicas, and faults in all of one replica.
#pragma once

#include "support/catch.hpp"
#include "support/nets.hpp"

namespace support {

using namespace redoubt;

template <int Out>
using replica_conv = conv2d<conv_spec{.out = Out, .pad = 1}>;

template <number N>
using bare = network<image<2, 6, 5>, N, replica_conv<5>, relu, residual<replica_conv<5>, relu, replica_conv<5>>, relu,
                     max_pool<2>, linear<4>>;
/// Each layer by itself, and several under one vote.
template <number N, template <class...> class Protection>
using each = network<image<2, 6, 5>, N, Protection<replica_conv<5>>, relu, residual<Protection<replica_conv<5>>, relu, Protection<replica_conv<5>>>,
                     relu, Protection<max_pool<2>>, Protection<linear<4>>>;
template <number N, template <class...> class Protection>
using together = network<image<2, 6, 5>, N,
                         Protection<replica_conv<5>, relu, residual<replica_conv<5>, relu, replica_conv<5>>, relu, max_pool<2>, linear<4>>>;

/// Words of a step's output, and bits of each.
template <class Net>
struct output_words {
    std::uint32_t count;
    int bits;
};
template <class Net>
output_words<Net> output_of(int i) {
    const step& s = Net::table.steps[static_cast<std::size_t>(i)];
    constexpr auto features = fault::inference_space::features;
    return {static_cast<std::uint32_t>(s.geometry.out.size()), fault::impl::word_fields<Net>(s, features).bits};
}

/// Strikes every bit of one replica with this probability.
template <class Net>
void strike_replica(fault_list& list, int replica, double rate, bool in_memory, std::uint64_t seed) {
    random_stream random{seed, {}};
    list.policy.clear();
    for (int i = 1; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.replica != replica || s.depth == 0 || s.kind == op::vote || s.kind == op::compare) continue;
        if (!in_memory && s.kind != op::convolution) continue;
        const auto [count, bits] = output_of<Net>(i);
        for (std::uint32_t word = 0; word < count; ++word) {
            std::uint32_t mask = 0;
            for (int bit = 0; bit < bits; ++bit)
                if (random.unit() < rate) mask |= std::uint32_t{1} << bit;
            if (mask != 0) list.policy.add(fault_at(i, word, mask, in_memory));
        }
    }
    list.policy.sort();
}

inline constexpr double rates[] = {0.001, 0.03, 0.5, 1.0};

template <class Plain, class Protected>
void check_one_replica(bool detected_in_third) {
    const auto image = drawn_images<Plain>(1, 3)[0];
    const auto expected = words_of(answer_of<Plain>(*drawn_and_converted<Plain>(), image));
    const auto weights = drawn_and_converted<Protected>();
    const auto whole = answer_of<Protected>(*weights, image);
    CHECK(words_of(whole) == expected);
    CHECK(whole.status.total() == fault_counters{});
    fault_list list{4000};
    for (int replica = 0; replica < 3; ++replica) {
        for (double rate : rates) {
            for (bool in_memory : {false, true}) {
                CAPTURE(replica, rate, in_memory);
                strike_replica<Protected>(list, replica, rate, in_memory, 99);
                REQUIRE(list.policy.size() > 0);
                REQUIRE(list.policy.size() == list.policy.asked());
                const auto got = answer_of<Protected>(*weights, image, list.policy);
                CHECK(words_of(got) == expected);
                const fault_counters seen = got.status.total();
                CHECK(seen.corrected == seen.detected);
                CHECK(got.status.trustworthy());
                // few faults in registers may all fall on outputs that the activation sets to zero
                if (replica < 2 || detected_in_third) {
                    if (rate > 0.01) CHECK(seen.detected > 0);
                } else {
                    CHECK(seen.detected == 0);
                }
            }
        }
    }
}

}  // namespace support
