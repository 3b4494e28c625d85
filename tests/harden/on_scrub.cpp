// SPDX-License-Identifier: MIT
// Stores that are looked at when they are scrubbed: between scrubs faults act as in an unprotected network, a scrub takes them away.
#include "support/catch.hpp"
#include "support/stored.hpp"

#include <redoubt/harden/on_scrub.hpp>

using namespace redoubt;
using namespace support;

namespace {

template <number N, template <class...> class Scrubbed, template <class...> class Checked>
void check_scrubbed() {
    using net = net_of<N, Scrubbed>;
    using checked = net_of<N, Checked>;
    using plain = without_protection<net>;
    STATIC_REQUIRE(parameter_bytes<net> == parameter_bytes<checked>);
    STATIC_REQUIRE(workspace_bytes<net> == workspace_bytes<plain>);
    const auto weights = drawn_and_converted<net>();
    const auto bare = drawn_and_converted<plain>();
    const auto image = drawn_images<plain>(1, 3)[0];
    const auto clean = words_of(answer_of<plain>(*bare, image));
    CHECK(words_of(answer_of<net>(*weights, image)) == clean);
    // the same bytes as the checked form, which is scrubbed alike
    CHECK(std::equal(weights->bytes.begin(), weights->bytes.end(), drawn_and_converted<checked>()->bytes.begin()));

    // one word of each layer, in a high bit
    auto struck = std::make_unique<parameters<net>>(*weights);
    auto struck_bare = std::make_unique<parameters<plain>>(*bare);
    int faults = 0;
    for (int s = 0; s < net::table.slot_count; ++s) {
        if (net::table.slots[static_cast<std::size_t>(s)].store < 0) continue;
        struck->primary(s)[203] ^= std::byte{0x40};
        struck_bare->primary(s)[203] ^= std::byte{0x40};
        ++faults;
    }
    REQUIRE(faults == 2);
    const auto got = answer_of<net>(*struck, image);
    CHECK(words_of(got) == words_of(answer_of<plain>(*struck_bare, image)));
    CHECK(words_of(got) != clean);
    CHECK(got.status.total() == fault_counters{});

    state<net> memory;
    const fault_counters seen = scrub<net>(*struck, memory);
    CHECK(seen.detected == 2);
    CHECK(seen.corrected == 2);
    CHECK(struck->bytes == weights->bytes);
    CHECK(words_of(answer_of<net>(*struck, image)) == clean);
}

}  // namespace

TEST_CASE("codes on scrubs alone", "[harden]") {
    check_scrubbed<float32, scrubbed_secded, secded>();
    check_scrubbed<int8, scrubbed_secded, secded>();
}
TEST_CASE("copies on scrubs alone", "[harden]") {
    check_scrubbed<float32, scrubbed_tmr_parameters, tmr_parameters>();
    check_scrubbed<float16, scrubbed_crc, crc>();
}
TEST_CASE("rules reach inside what is scrubbed", "[harden]") {
    using net = network<image<2, 6, 5>, float32, on_scrub<secded, conv<18>, relu>, linear<4>>;
    using hard = harden<net, protect<is_conv, dmr>>;
    STATIC_REQUIRE(hard::table.slots[0].store >= 0);
    STATIC_REQUIRE(!hard::table.slots[0].checked_on_read);
    int convolutions = 0;
    for (int i = 0; i < hard::table.step_count; ++i)
        convolutions += hard::table.steps[static_cast<std::size_t>(i)].kind == op::convolution && hard::table.steps[static_cast<std::size_t>(i)].slot == 0 ? 1 : 0;
    CHECK(convolutions == 3);
}
