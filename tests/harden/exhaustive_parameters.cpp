// SPDX-License-Identifier: MIT
// Every single flipped bit of what a small network keeps: none reaches an answer where parameters are kept with copies or codes, nor any in those or in sums
// of filters.
#include "support/catch.hpp"
#include "support/one_by_one.hpp"

using namespace redoubt;
using namespace support;

namespace {

/// Bits of words must be found; of what is kept beside them, some are only read once words are broken.
template <class Net>
void check_every_bit(bool protects_biases = true) {
    auto struck = drawn_and_converted<Net>();
    store_for_transforms<Net>(*struck);
    encode<Net>(*struck);
    repeated_inference<Net> infer_under{*struck};
    const auto golden = words_of(infer_under());
    int wrong = 0, silent = 0;
    const auto strike = [&](std::span<std::byte> bytes, bool is_read) {
        for_each_bit_of(bytes, [&] {
            const auto got = infer_under();
            const fault_counters seen = got.status.total();
            wrong += words_of(got) == golden && seen == fault_counters{seen.detected, seen.detected, 0, 0} ? 0 : 1;
            silent += is_read && seen.detected == 0 ? 1 : 0;
        });
    };
    for (int slot = 0; slot < Net::table.slot_count; ++slot) {
        strike(std::as_writable_bytes(struck->weights(slot)), true);
        if (protects_biases) strike(std::as_writable_bytes(struck->biases(slot)), true);
        strike(struck->extra(slot), false);
    }
    CHECK(wrong == 0);
    CHECK(silent == 0);
}

template <class L> using by_channels = basic_abft<fixed_checksum<checksum_side::channels>, L>;

/// How many bits of the sums of filters are found; these are uncorrected, at each inference until the sums are made anew.
template <number N>
int found_bits_of_sums() {
    using net = small_net<N, by_channels>;
    const auto weights = drawn_and_converted<net>();
    auto struck = std::make_unique<parameters<net>>(*weights);
    repeated_inference<net> infer_under{*struck};
    const auto golden = words_of(infer_under());
    int wrong = 0, found = 0;
    for (int slot = 0; slot < net::table.slot_count; ++slot)
        for_each_bit_of(struck->checks(slot), [&] {
            for (int i = 0; i < 2; ++i) {
                const auto got = infer_under();
                const fault_counters seen = got.status.total();
                wrong += words_of(got) == golden && seen == fault_counters{seen.detected, 0, seen.detected, 0} ? 0 : 1;
                found += i == 1 && seen.detected != 0 ? 1 : 0;
            }
        });
    CHECK(wrong == 0);
    struck->checks(0)[kernel::filter_sums_plan{}.filter] ^= std::byte{0x40};
    encode<net>(*struck);
    CHECK(struck->bytes == weights->bytes);
    CHECK(infer_under().status.total() == fault_counters{});
    return found;
}

}  // namespace

TEST_CASE("no single flipped bit of parameters in three copies changes an answer", "[harden][fault]") {
    check_every_bit<small_net<float32, tmr_parameters>>();
    check_every_bit<small_net<int8, tmr_parameters>>();
}

TEST_CASE("no single flipped bit of parameters in two copies under checksums changes an answer", "[harden][fault]") {
    check_every_bit<small_net<float32, crc>>();
    check_every_bit<small_net<int8, crc>>();
}

TEST_CASE("no single flipped bit of parameters under a code, or of the code, changes an answer", "[harden][fault]") {
    check_every_bit<small_net<float32, secded>>();
    check_every_bit<small_net<int8, secded>>();
    check_every_bit<small_net<int8, zero_space>>(false);
}

TEST_CASE("a flipped bit of a sum of filters changes no answer, and where it is found it is until sums are made anew", "[harden][fault]") {
    // of int8 all: two bytes for each tap of both layers that keep sums, and the biases' sum
    CHECK(found_bits_of_sums<int8>() == 8 * (2 * 18 + 4 + 2 * 36 + 4));
    // of floats what is beyond the bound; a struck sum of magnitudes may also widen the bound, which nobody reports
    CHECK(found_bits_of_sums<float32>() > 800);
}
