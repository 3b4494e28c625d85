// SPDX-License-Identifier: MIT
// A watch sees every step's counters and may have a step computed again or stop; the watchdog counts, and layers are scrubbed in turn.
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <cmath>

using namespace redoubt;
using namespace support;

namespace {

using guarded = network<image<3, 6, 6>, float32, redoubt::range<conv2d<conv_spec{.out = 20, .pad = 1}>, relu>, parity<linear<12>>, relu, secded<linear<5>>>;

/// Asks for another computation of a step in which something is wrong, and stops when that does not help.
struct careful {
    static constexpr int recomputations = 2;
    std::vector<int> seen{};
    decision operator()(int step, const fault_counters& count) {
        seen.push_back(step);
        return count.uncorrected != 0 || count.out_of_range != 0 ? decision::recompute : decision::go_on;
    }
};
struct stopping {
    static constexpr int recomputations = 0;
    decision operator()(int, const fault_counters& count) const { return count == fault_counters{} ? decision::go_on : decision::stop; }
};

/// Flips a feature of one step, the first time only.
struct once {
    static constexpr bool active = true;
    kernel::output_fault fault{};
    int step = 0;
    bool struck = false;
    kernel::fault_hook hook(site_path at) {
        if (at.step != step || struck) return {};
        struck = true;
        return {{&fault, 1}};
    }
    template <site S, class Word>
    void touch(std::span<Word>, site_path) const {}
};

template <class Policy, class Watch>
answer<guarded> watched(const parameters<guarded>& weights, std::span<const float> pixels, Policy& policy, Watch& watch, state<guarded>& memory) {
    const auto space = std::make_unique<workspace<guarded>>();
    return infer<guarded>(weights, memory, pixels, *space, policy, watch);
}

}  // namespace

TEST_CASE("a watch that goes on sees every step and changes nothing", "[harden]") {
    const auto weights = drawn_and_converted<guarded>();
    const auto pixels = drawn_images<guarded>(1, 3)[0];
    no_faults none;
    careful watch;
    state<guarded> memory;
    const auto got = watched(*weights, pixels, none, watch, memory);
    CHECK(words_of(got) == words_of(answer_of<guarded>(*weights, pixels)));
    CHECK(got.stopped_at == -1);
    CHECK(memory.inferences == 1);
    CHECK(memory.untrustworthy_in_a_row == 0);
    std::vector<int> all;
    for (int i = 0; i < guarded::table.step_count; ++i) all.push_back(i);
    CHECK(watch.seen == all);
}

TEST_CASE("a step that a passing fault struck is computed again", "[harden]") {
    const auto weights = drawn_and_converted<guarded>();
    const auto pixels = drawn_images<guarded>(1, 3)[0];
    const int step = find_step<guarded>([](const redoubt::step& s) { return s.kind == op::convolution; });
    once policy{.step = step};
    policy.fault.output = 31;
    policy.fault.keep = 0;
    policy.fault.mask = 0x7f000000u;  // 1.7e38
    careful watch;
    state<guarded> memory;
    const auto got = watched(*weights, pixels, policy, watch, memory);
    CHECK(words_of(got) == words_of(answer_of<guarded>(*weights, pixels)));
    CHECK(got.status.steps[static_cast<std::size_t>(step)].out_of_range == 1);
    CHECK(std::count(watch.seen.begin(), watch.seen.end(), step) == 2);
}

TEST_CASE("what stays wrong stops the inference", "[harden]") {
    auto weights = drawn_and_converted<guarded>();
    const auto pixels = drawn_images<guarded>(1, 3)[0];
    weights->weights(1)[0] = flip(weights->weights(1)[0], bit_mask<float>(3));
    const int step = find_step<guarded>([](const redoubt::step& s) { return s.slot == 1; });
    no_faults none;
    careful watch;
    state<guarded> memory;
    for (std::uint32_t round = 1; round <= 3; ++round) {
        watch.seen.clear();
        const auto got = watched(*weights, pixels, none, watch, memory);
        CHECK(got.stopped_at == step);
        CHECK(got.top1() == no_class);
        CHECK(std::count(watch.seen.begin(), watch.seen.end(), step) == 3);
        CHECK(got.status.steps[static_cast<std::size_t>(step)].uncorrected == 3);
        CHECK(memory.untrustworthy_in_a_row == round);
    }
    weights->weights(1)[0] = flip(weights->weights(1)[0], bit_mask<float>(3));
    // a corrected one stops only who wants it
    weights->weights(2)[0] = flip(weights->weights(2)[0], bit_mask<float>(3));
    const auto fine = watched(*weights, pixels, none, watch, memory);
    CHECK(fine.stopped_at == -1);
    CHECK(fine.status.total() == fault_counters{.detected = 1, .corrected = 1});
    CHECK(memory.untrustworthy_in_a_row == 0);
    stopping strict;
    CHECK(watched(*weights, pixels, none, strict, memory).stopped_at == guarded::table.step_count - 1);
    CHECK(memory.untrustworthy_in_a_row == 1);
}

TEST_CASE("a vote without a majority is not asked again", "[harden]") {
    using net = network<image<3, 1, 1>, float32, tmr<linear<20>>, relu, linear<4>>;
    const auto weights = drawn_and_converted<net>();
    const auto pixels = drawn_images<net>(1, 3)[0];
    fault_list list{3};
    const std::uint32_t masks[] = {6, 2, 16};  // the majority of bits is the second replica's: a second vote would call that settled
    for (int replica = 0; replica < 3; ++replica)
        list.policy.add(fault_at(step_named<net>("0", replica), 7, masks[replica], true));
    list.policy.sort();
    careful watch;
    state<net> memory;
    const auto space = std::make_unique<workspace<net>>();
    const auto got = infer<net>(*weights, memory, pixels, *space, list.policy, watch);
    CHECK(got.stopped_at == find_step<net>([](const redoubt::step& s) { return s.kind == op::vote; }));
    CHECK(got.status.total().uncorrected == 1);
    CHECK(memory.untrustworthy_in_a_row == 1);
}

TEST_CASE("layers are scrubbed in turn", "[harden]") {
    const auto clean = drawn_and_converted<guarded>();
    auto weights = std::make_unique<parameters<guarded>>(*clean);
    weights->weights(2)[7] = flip(weights->weights(2)[7], bit_mask<float>(30));
    state<guarded> memory;
    fault_counters sum;
    int calls = 0;
    while (memory.scrubs == 0 && calls < 10) {
        sum += scrub_next<guarded>(*weights, memory);
        ++calls;
    }
    CHECK(calls == 3);  // the first layer has no store: 0, then 1, then 2
    const fault_counters one{.detected = 1, .corrected = 1};
    CHECK(sum == one);
    CHECK(memory.next_scrub == 1);
    CHECK(weights->bytes == clean->bytes);
}
