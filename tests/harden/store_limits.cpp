// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/nets.hpp"

using namespace redoubt;
using namespace support;

namespace {

template <int Out>
using conv = conv2d<conv_spec{.out = Out, .pad = 1}>;

template <class Net>
std::span<std::byte> copy_of(parameters<Net>& p, int slot, int copy) {
    const std::size_t size = p.primary(slot).size();
    return copy == 0 ? p.primary(slot) : p.extra(slot).subspan(static_cast<std::size_t>(copy - 1) * size, size);
}

/// Small enough to flip every bit: 4 weights of 4 classes, in two blocks of a checksum.
template <number N>
using smallest = network<image<1, 2, 2>, N, crc<linear<4>>>;

template <number N>
void check_every_bit() {
    using net = smallest<N>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1, 3)[0];
    const auto expected = words_of(answer_of<net>(*weights, image));
    using store = crc<linear<4>>::store;
    const std::size_t primary = weights->primary(0).size(), extra = store::extra_bytes(primary);
    const std::size_t blocks = store::blocks(primary);
    auto struck = std::make_unique<parameters<net>>(*weights);
    int wrong = 0, miscounted = 0;
    for (std::size_t byte = 0; byte < primary + extra; ++byte) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::byte& b = byte < primary ? struck->primary(0)[byte] : struck->extra(0)[byte - primary];
            b ^= static_cast<std::byte>(1u << bit);
            const auto got = answer_of<net>(*struck, image);
            const fault_counters seen = got.status.total();
            wrong += words_of(got) == expected ? 0 : 1;
            // the second copy and its checksums are not looked at while the first is good
            const bool in_first = byte < primary || (byte >= 2 * primary && byte < 2 * primary + 4 * blocks);
            miscounted += seen.detected == seen.corrected && (seen.detected > 0) == in_first ? 0 : 1;
            state<net> memory;
            const fault_counters scrubbed = scrub<net>(*struck, memory);
            miscounted += scrubbed == fault_counters{1, 1, 0, 0} ? 0 : 1;
            wrong += struck->bytes == weights->bytes ? 0 : 1;
        }
    }
    CHECK(wrong == 0);
    CHECK(miscounted == 0);
}

}  // namespace

TEST_CASE("a checksum finds every single flipped bit, and the other copy repairs it", "[harden]") {
    check_every_bit<float32>();
    check_every_bit<int8>();
}

TEST_CASE("what three copies cannot settle is counted, or known as a limit", "[harden]") {
    using net = network<image<1, 2, 2>, float32, tmr_parameters<linear<4>>>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1)[0];
    const auto expected = words_of(answer_of<net>(*weights, image));
    const auto flip_in = [](parameters<net>& p, int copy, std::size_t byte, unsigned bits) {
        copy_of<net>(p, 0, copy)[byte] ^= static_cast<std::byte>(bits);
    };
    // different bits of one 64-bit word in all copies: right, but without two copies that agree
    auto apart = std::make_unique<parameters<net>>(*weights);
    flip_in(*apart, 0, 64, 1);
    flip_in(*apart, 1, 65, 2);
    flip_in(*apart, 2, 67, 64);
    const auto got = answer_of<net>(*apart, image);
    CHECK(words_of(got) == expected);
    CHECK(got.status.total() == fault_counters{1, 0, 1, 0});
    CHECK_FALSE(got.status.trustworthy());
    state<net> memory;
    CHECK(scrub<net>(*apart, memory) == fault_counters{1, 0, 1, 0});
    CHECK(apart->bytes == weights->bytes);
    // the same bit in two copies is the majority
    auto equal = std::make_unique<parameters<net>>(*weights);
    flip_in(*equal, 1, 67, 64);
    flip_in(*equal, 2, 67, 64);
    CHECK(words_of(answer_of<net>(*equal, image)) != expected);
    scrub<net>(*equal, memory);
    CHECK(equal->bytes != weights->bytes);
}

TEST_CASE("a block whose two copies are broken is used as it lies and counted", "[harden]") {
    using net = network<image<2, 6, 5>, float32, crc<conv<18>>, relu, linear<4>>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1)[0];
    const auto expected = words_of(answer_of<net>(*weights, image));
    auto struck = std::make_unique<parameters<net>>(*weights);
    // the second block holds weights only
    struck->primary(0)[300] ^= std::byte{4};
    struck->extra(0)[260] ^= std::byte{1};
    const auto got = answer_of<net>(*struck, image);
    CHECK(words_of(got) != expected);
    CHECK(got.status.total() == fault_counters{1, 0, 1, 0});
    CHECK(got.status.steps[1].uncorrected == 1);
    CHECK_FALSE(got.status.trustworthy());
    const auto before = struck->bytes;
    state<net> memory;
    CHECK(scrub<net>(*struck, memory) == fault_counters{1, 0, 1, 0});
    CHECK(struck->bytes == before);
    CHECK(memory.total.uncorrected == 1);
    // different blocks of the two copies are no problem
    struck->extra(0)[260] ^= std::byte{1};
    struck->extra(0)[700] ^= std::byte{1};
    CHECK(words_of(answer_of<net>(*struck, image)) == expected);
    CHECK(scrub<net>(*struck, memory) == fault_counters{2, 2, 0, 0});
    CHECK(struck->bytes == weights->bytes);
    // weights written on purpose need new code bits
    struck->weights(0)[0] = 0.5f;
    CHECK(answer_of<net>(*struck, image).status.total().corrected > 0);
    encode<net>(*struck);
    CHECK(answer_of<net>(*struck, image).status.total() == fault_counters{});
    CHECK(words_of(answer_of<net>(*struck, image)) != expected);
}

TEST_CASE("what a store costs", "[harden]") {
    using net = model::lenet5<image<1, 28, 28>>;
    STATIC_REQUIRE_FALSE(has_store<net>);
    STATIC_REQUIRE_FALSE(has_store<harden<net, protect<is_conv, tmr>>>);
    STATIC_REQUIRE(has_store<harden<net, protect<is_conv, tmr_parameters>>>);
    constexpr auto bytes = static_cast<double>(parameter_bytes<net>);
    STATIC_REQUIRE(static_cast<double>(parameter_bytes<harden<net, protect<is_weighted, tmr_parameters>>>) < 3.0 * bytes);
    STATIC_REQUIRE(static_cast<double>(parameter_bytes<harden<net, protect<is_weighted, crc>>>) < 2.04 * bytes);
    STATIC_REQUIRE(crc<relu>::store::block <= 256);
    STATIC_REQUIRE(crc<relu>::store::blocks(257) == 2);
    STATIC_REQUIRE(crc<relu>::store::extra_bytes(512) == 512 + 2 * 4 * 2);
}
