// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/stored.hpp"

using namespace redoubt;
using namespace support;

namespace {

/// Flips each bit of some bytes with this probability; returns how many.
int strike(std::span<std::byte> bytes, double rate, random_stream& random) {
    int struck = 0;
    for (std::byte& b : bytes)
        for (unsigned bit = 0; bit < 8; ++bit)
            if (random.unit() < rate) {
                b ^= static_cast<std::byte>(1u << bit);
                ++struck;
            }
    return struck;
}

template <class Net>
std::span<std::byte> copy_of(parameters<Net>& p, int slot, int copy) {
    const std::size_t size = p.primary(slot).size();
    return copy == 0 ? p.primary(slot) : p.extra(slot).subspan(static_cast<std::size_t>(copy - 1) * size, size);
}

/// All faults in one copy: the answer is right while they are there, and every byte is right after a scrub.
template <class Net>
void check_one_copy(int copies, double highest_rate) {
    const auto weights = drawn_and_converted<Net>();
    const auto image = drawn_images<Net>(1, 3)[0];
    using plain = without_protection<Net>;
    const auto expected = words_of(answer_of<plain>(*drawn_and_converted<plain>(), image));
    const auto whole = answer_of<Net>(*weights, image);
    CHECK(words_of(whole) == expected);
    CHECK(whole.status.total() == fault_counters{});
    random_stream random{5, {}};
    for (int copy = 0; copy < copies; ++copy) {
        for (double rate : {1e-3, 0.02, 0.5}) {
            if (rate > highest_rate) continue;
            CAPTURE(copy, rate);
            auto struck = std::make_unique<parameters<Net>>(*weights);
            int faults = 0;
            for (int s = 0; s < Net::table.slot_count; ++s)
                if (Net::table.slots[static_cast<std::size_t>(s)].store >= 0) faults += strike(copy_of<Net>(*struck, s, copy), rate, random);
            REQUIRE(faults > 0);
            const auto got = answer_of<Net>(*struck, image);
            CHECK(words_of(got) == expected);
            CHECK(got.status.trustworthy());
            CHECK(got.status.total().corrected == got.status.total().detected);
            state<Net> memory;
            const fault_counters seen = scrub<Net>(*struck, memory);
            CHECK(struck->bytes == weights->bytes);
            CHECK(seen.detected > 0);
            CHECK(seen.detected <= static_cast<std::uint32_t>(faults));
            CHECK(seen.corrected == seen.detected);
            CHECK(memory.scrubs == 1);
            CHECK(memory.total == seen);
            CHECK(scrub<Net>(*struck, memory) == fault_counters{});
            CHECK(memory.scrubs == 2);
        }
    }
}

}  // namespace

TEST_CASE("three copies of parameters mask any faults in one, fp32", "[harden]") {
    check_one_copy<net_of<float32, tmr_parameters>>(3, 0.5);
}
TEST_CASE("three copies of parameters mask any faults in one, int8", "[harden]") {
    check_one_copy<net_of<int8, tmr_parameters>>(3, 0.5);
}
TEST_CASE("three copies of parameters mask any faults in one, fixed point", "[harden]") {
    check_one_copy<net_of<stored<float32, fixed<2, 5>>, tmr_parameters>>(3, 0.5);
}
TEST_CASE("two copies under checksums mask any faults in one, fp32", "[harden]") {
    check_one_copy<net_of<float32, crc>>(2, 0.5);
}
TEST_CASE("two copies under checksums mask any faults in one, fp16", "[harden]") {
    check_one_copy<net_of<float16, crc>>(2, 0.5);
}
