// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/replicas.hpp"

using namespace redoubt;
using namespace support;

TEST_CASE("TMR masks any faults in one replica of a layer, int8", "[harden]") {
    check_one_replica<bare<int8>, each<int8, tmr>>(true);
}

TEST_CASE("DMR finds and masks any faults in one replica of a network, int8", "[harden]") {
    check_one_replica<bare<int8>, together<int8, dmr>>(false);
}

TEST_CASE("without faults replicas change no word, in every number", "[harden]") {
    const auto check = []<class N>(type_tag<N>) {
        const auto weights = drawn_and_converted<bare<N>>();
        for (const auto& image : drawn_images<bare<N>>(3)) {
            const auto expected = words_of(answer_of<bare<N>>(*weights, image));
            CHECK(words_of(answer_of<each<N, tmr>>(*drawn_and_converted<each<N, tmr>>(), image)) == expected);
            CHECK(words_of(answer_of<together<N, dmr>>(*drawn_and_converted<together<N, dmr>>(), image)) == expected);
        }
    };
    check(type_tag<float16>{});
    check(type_tag<bfloat16>{});
    check(type_tag<stored<float32, fixed<2, 5>>>{});
}

TEST_CASE("replicas within replicas mask faults in any one", "[harden]") {
    using net = network<image<2, 3, 3>, int8, tmr<replica_conv<3>, relu, dmr<linear<4>>>>;
    const auto image = drawn_images<net>(1)[0];
    const auto weights = drawn_and_converted<net>();
    using plain = without_protection<net>;
    const auto expected = words_of(answer_of<plain>(*drawn_and_converted<plain>(), image));
    CHECK(words_of(answer_of<net>(*weights, image)) == expected);
    for (int i = 1; i < net::table.step_count; ++i) {
        const step& s = net::table.steps[static_cast<std::size_t>(i)];
        if (s.kind != op::convolution) continue;
        fault_list list{8};
        for (std::uint32_t word = 0; word < 4; ++word) list.policy.add(fault_at(i, word, 0x55u, true));
        list.policy.sort();
        const auto got = answer_of<net>(*weights, image, list.policy);
        CAPTURE(i);
        CHECK(words_of(got) == expected);
        CHECK(got.status.trustworthy());
        CHECK((got.status.total().corrected == 4) == !s.only_if_different);
    }
}
