// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/nets.hpp"

using namespace redoubt;
using namespace support;

namespace {

template <int Out>
using conv = conv2d<conv_spec{.out = Out, .pad = 1}>;

/// Replicas of every sort around a residual.
template <number N>
using replicated = network<image<2, 6, 5>, N, tmr<conv<5>>, relu, residual<conv<5>, relu, dmr<conv<5>>>, relu,
                           tmr<max_pool<2>, conv<6>, relu>, dmr<linear<4>>>;

/// All steps at once, and cut in two at every place: the same words and the same counters.
template <class Net>
void check_every_cut(const parameters<Net>& weights, std::span<const float> image, fault::bit_flips* faults) {
    const auto space = std::make_unique<workspace<Net>>();
    const auto part = [&](status<Net>& report, int from, int to) {
        no_faults none;
        if (faults != nullptr) run<Net, fault::bit_flips>(weights, image, *space, report, *faults, from, to);
        else run<Net>(weights, image, *space, report, none, from, to);
    };
    const auto whole = faults != nullptr ? answer_of<Net>(weights, image, *faults) : answer_of<Net>(weights, image);
    for (int k = 0; k <= Net::table.step_count; ++k) {
        CAPTURE(k);
        space->bytes.fill(std::byte{0xa5});
        status<Net> report;
        part(report, 0, k);
        part(report, k, Net::table.step_count);
        const auto got = read_answer<Net>(weights, *space, report);
        CHECK(words_of(got) == words_of(whole));
        CHECK(got.status.steps == whole.status.steps);
    }
    // one step at a time
    status<Net> report;
    for (int k = 0; k < Net::table.step_count; ++k) part(report, k, k + 1);
    CHECK(words_of(read_answer<Net>(weights, *space, report)) == words_of(whole));
}

template <number N>
void check_cuts() {
    using net = replicated<N>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1, 3)[0];
    check_every_cut<net>(*weights, image, nullptr);
    if constexpr (std::same_as<N, float16> || std::same_as<N, bfloat16>) return;
    // a fault in one replica of the first DMR: its spare runs, in whichever part it is
    const int struck = find_step<net>([](const step& s) { return s.only_if_different; }) - 2;
    fault_list list{4};
    list.policy.add(fault_at(struck, 3, 1u << 6, true));
    list.policy.sort();
    check_every_cut<net>(*weights, image, &list.policy);
    CHECK(answer_of<net>(*weights, image, list.policy).status.total().corrected > 0);
}

}  // namespace

TEST_CASE("steps run in parts give the same words, fp32", "[nn]") { check_cuts<float32>(); }

TEST_CASE("steps run in parts give the same words, int8", "[nn]") { check_cuts<int8>(); }

TEST_CASE("steps run in parts give the same words, fp16", "[nn]") { check_cuts<float16>(); }

TEST_CASE("steps run in parts give the same words, bf16", "[nn]") { check_cuts<bfloat16>(); }

TEST_CASE("a state counts inferences and what they detected", "[nn]") {
    using net = replicated<float32>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1)[0];
    const auto space = std::make_unique<workspace<net>>();
    state<net> memory;
    infer<net>(*weights, memory, image, *space);
    CHECK(memory.inferences == 1);
    CHECK(memory.total == fault_counters{});
    fault_list list{1};
    list.policy.add(fault_at(1, 0, 1u, true));
    list.policy.sort();
    infer<net>(*weights, memory, image, *space, list.policy);
    CHECK(memory.inferences == 2);
    CHECK(memory.total == fault_counters{1, 1, 0, 0});
}
