// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/nets.hpp"
#include "support/read_only.hpp"

#include <type_traits>

using namespace redoubt;
using namespace support;

namespace {

template <int Out>
using conv = conv2d<conv_spec{.out = Out, .pad = 1}>;

/// Every way to keep parameters.
template <number N>
using kept = network<image<2, 6, 5>, N, tmr_parameters<conv<5>>, relu, crc<conv<20>>, relu, conv<3>, relu,
                     tmr_parameters<tmr<linear<4>>>>;

/// The same words from another address and from pages that cannot be written.
template <class Net>
void check_from_elsewhere() {
    STATIC_REQUIRE(std::is_trivially_copyable_v<parameters<Net>>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<state<Net>>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<workspace<Net>>);
    STATIC_REQUIRE(sizeof(parameters<Net>) == parameter_bytes<Net>);
    const auto weights = drawn_and_converted<Net>();
    const auto image = drawn_images<Net>(1, 3)[0];
    const auto expected = words_of(answer_of<Net>(*weights, image));
    auto moved = std::make_unique<std::array<parameters<Net>, 2>>();
    std::memcpy(&(*moved)[1], weights.get(), sizeof *weights);
    CHECK(words_of(answer_of<Net>((*moved)[1], image)) == expected);
    const read_only<parameters<Net>> page{*weights}, inner{*weights, 64};
    CHECK(words_of(answer_of<Net>(*page, image)) == expected);
    CHECK(words_of(answer_of<Net>(*inner, image)) == expected);
}

}  // namespace

TEST_CASE("parameters can lie anywhere, also in read-only pages", "[nn]") {
    check_from_elsewhere<kept<float32>>();
    check_from_elsewhere<kept<int8>>();
    check_from_elsewhere<kept<float16>>();
}

TEST_CASE("one of three copies destroyed in read-only pages changes no word", "[nn]") {
    using net = network<image<2, 6, 5>, float32, tmr_parameters<conv<18>, relu, conv<5>, relu, linear<4>>>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1, 3)[0];
    const auto whole = answer_of<net>(*weights, image);
    CHECK(whole.status.total() == fault_counters{});
    for (int copy = 0; copy < 3; ++copy) {
        CAPTURE(copy);
        auto broken = std::make_unique<parameters<net>>(*weights);
        random_stream noise{static_cast<std::uint64_t>(copy), {}};
        for (int s = 0; s < net::table.slot_count; ++s) {
            const std::size_t size = broken->primary(s).size();
            auto bytes = copy == 0 ? broken->primary(s) : broken->extra(s).subspan(static_cast<std::size_t>(copy - 1) * size, size);
            for (std::byte& b : bytes) b = static_cast<std::byte>(noise.below(256));
        }
        const read_only<parameters<net>> page{*broken};
        const auto got = answer_of<net>(*page, image);
        CHECK(words_of(got) == words_of(whole));
        CHECK(got.status.total().detected > 1000);
        CHECK(got.status.total().corrected == got.status.total().detected);
        CHECK(got.status.trustworthy());
    }
}
