// SPDX-License-Identifier: MIT
// Every single fault of computation in a small network: none reaches an answer under TMR, DMR, checksums of int8 or three copies of channels, and none that
// would have is missed. What each leaves follows from its definition, and is shown.
#include "support/catch.hpp"
#include "support/copied_channels.hpp"
#include "support/one_by_one.hpp"

using namespace redoubt;
using namespace support;

namespace {

/// For each slot, in the order of for_each_accumulator_bit, whether a fault changes a bit of the unprotected answer.
template <class Plain>
std::vector<std::vector<bool>> changes_an_answer() {
    const auto weights = drawn_and_converted<Plain>();
    repeated_inference<Plain> infer_under{*weights};
    const auto golden = words_of(infer_under());
    std::vector<std::vector<bool>> changed(static_cast<std::size_t>(Plain::table.slot_count));
    for_each_accumulator_bit<Plain>([&](const fault::inference_fault& f, const step& s) {
        changed[static_cast<std::size_t>(s.slot)].push_back(words_of(infer_under({&f, 1})) != golden);
    });
    return changed;
}

/// Faults in each replica; a spare that does not run cannot be struck.
template <number N, template <class...> class P>
void check_replicas() {
    using net = small_net<N, P>;
    const auto changed = changes_an_answer<small_net<N, unprotected>>();
    const auto weights = drawn_and_converted<net>();
    repeated_inference<net> infer_under{*weights};
    const auto golden = words_of(infer_under());
    int wrong = 0, unseen = 0, harmful = 0, alarms = 0;
    int last_step = -1;
    std::size_t at = 0;
    const auto strike = [&](const fault::inference_fault& f) {
        const auto got = infer_under({&f, 1});
        const fault_counters seen = got.status.total();
        wrong += words_of(got) == golden && seen.corrected == seen.detected && got.status.trustworthy() ? 0 : 1;
        return seen.detected;
    };
    for_each_accumulator_bit<net>([&](const fault::inference_fault& f, const step& s) {
        at = f.step == last_step ? at + 1 : 0;
        last_step = f.step;
        const bool harms = changed[static_cast<std::size_t>(s.slot)][at], found = strike(f) != 0;
        if (s.only_if_different) {
            alarms += found ? 1 : 0;
        } else {
            harmful += harms ? 1 : 0;
            unseen += harms && !found ? 1 : 0;
        }
    });
    for_each_stored_bit<net>([&](const fault::inference_fault& f, const step& s) { unseen += (strike(f) == 1) == !s.only_if_different ? 0 : 1; });
    CHECK(wrong == 0);
    CHECK(unseen == 0);
    CHECK(alarms == 0);
    CHECK(harmful > 10000);
}

template <class L> using by_inputs = basic_abft<fixed_checksum<checksum_side::inputs>, L>;
template <class L> using by_channels = basic_abft<fixed_checksum<checksum_side::channels>, L>;

/// A flip changes a sum by a power of two below 2^32, which is not 0 modulo 2^32: every one is found, whether it would have changed an answer or not.
template <template <class...> class P>
void check_checksums() {
    using net = small_net<int8, P>;
    const auto weights = drawn_and_converted<net>();
    repeated_inference<net> infer_under{*weights};
    const auto golden = words_of(infer_under());
    int wrong = 0, faults = 0;
    for_each_accumulator_bit<net>([&](const fault::inference_fault& f, const step&) {
        const auto got = infer_under({&f, 1});
        wrong += words_of(got) == golden && got.status.total() == fault_counters{1, 1, 0, 0} ? 0 : 1;
        ++faults;
    });
    CHECK(wrong == 0);
    CHECK(faults == 32 * (49 * 2 * 4 + 49 * 4 + 36 * 3));
    // the exception: highest bits of two outputs of one sum make 2^32, which is 0; those of two sums do not
    constexpr int conv = find_step<net>([](const step& s) { return s.kind == op::convolution; });
    const auto both = [&](int one, int other) {
        const std::array<fault::inference_fault, 2> pair{accumulator_fault(conv, one, 3, 31), accumulator_fault(conv, other, 3, 31)};
        const auto got = infer_under(pair);
        return std::pair{got.status.total().detected, words_of(got) == golden};
    };
    constexpr bool of_channels = std::is_same_v<P<linear<3>>, by_channels<linear<3>>>;
    constexpr int pixel = 4, below = pixel + 3;  // in rows of three
    const int same_sum = of_channels ? pixel * 4 + 2 : below * 4 + 1, other_sum = of_channels ? below * 4 + 1 : pixel * 4 + 2;
    CHECK(both(pixel * 4 + 1, same_sum) == std::pair{0u, false});
    const auto [found, is_right] = both(pixel * 4 + 1, other_sum);
    CHECK(found == (of_channels ? 2 : 1));  // two rows; one block of channels
    CHECK(is_right);
}

/// All channels three times, so that nothing is left to intervals.
template <class L> using thrice = triplicate<16, L>;
template <number N>
using tripled = network<image<2, 2, 2>, N, thrice<conv2d<conv_spec{.out = 16, .kernel = 1}>>, relu, global_avg_pool, thrice<linear<16>>>;

template <number N>
void check_copies() {
    using net = tripled<N>;
    const auto weights = with_intervals<net>(drawn_images<net>(2, 3));
    auto struck = std::make_unique<parameters<net>>(*weights);
    repeated_inference<net> infer_under{*struck};
    const auto golden = words_of(infer_under());
    int wrong = 0, found = 0, faults = 0;
    const auto look = [&](const answer<net>& got) {
        const fault_counters seen = got.status.total();
        wrong += words_of(got) == golden && seen == fault_counters{seen.detected, seen.detected, 0, 0} ? 0 : 1;
        found += seen.detected != 0 ? 1 : 0;
        ++faults;
    };
    for_each_accumulator_bit<net>([&](const fault::inference_fault& f, const step&) { look(infer_under({&f, 1})); });
    for (int slot = 0; slot < net::table.slot_count; ++slot) {
        for_each_bit_of(std::as_writable_bytes(struck->weights(slot)), [&] { look(infer_under()); });
        for_each_bit_of(std::as_writable_bytes(struck->biases(slot)), [&] { look(infer_under()); });
    }
    CHECK(wrong == 0);
    CHECK(found > faults / 2);
}

}  // namespace

TEST_CASE("no single fault of computation changes an answer under three replicas", "[harden][fault]") {
    check_replicas<float32, tmr>();
    check_replicas<int8, tmr>();
}

TEST_CASE("two replicas find every single fault of computation that would change an answer", "[harden][fault]") {
    check_replicas<float32, dmr>();
    check_replicas<int8, dmr>();
}

TEST_CASE("int8 checksums find every flipped bit of every accumulator, but for two that cancel", "[harden][fault]") {
    check_checksums<by_inputs>();
    check_checksums<by_channels>();
}

TEST_CASE("no single fault in one of three copies of a channel changes an answer", "[harden][fault]") {
    check_copies<float32>();
    check_copies<int8>();
}
