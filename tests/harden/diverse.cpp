// SPDX-License-Identifier: MIT
// A broken lane of the machine strikes replicas alike: without diversity they agree on what is wrong.
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <redoubt/fault/stuck_lane.hpp>
#include <redoubt/harden/diverse.hpp>

using namespace redoubt;
using namespace support;

namespace {

template <int Out, int Groups = 1>
using conv = conv2d<conv_spec{.out = Out, .pad = 1, .groups = Groups}>;

/// A convolution, a depthwise one in a residual, a linear layer, each under a protection of its own.
template <number N, template <class...> class Outer, template <class...> class Inner>
using net_of = network<image<3, 6, 5>, N, Outer<Inner<conv<20>, relu>>, residual<Outer<Inner<conv<20, 20>>>>, max_pool<2>, Outer<Inner<linear<18>>>>;
template <class... Layers> using nothing = sequence<Layers...>;

template <class Net>
auto answer_on(stuck_lane machine) {
    const auto weights = drawn_and_converted<Net>();
    return answer_of<Net>(*weights, drawn_images<Net>(1, 3)[0], machine);
}
constexpr word_change stuck_at_one(int bit) { return {~(1u << bit), 1u << bit}; }
constexpr word_change stuck_at_zero(int bit) { return {~(1u << bit), 0}; }

/// What lanes do to plain replicas and to diverse ones, over all lanes and some bits.
template <class Plain, class Alike, class Diverse>
void check_lanes(std::initializer_list<word_change> changes) {
    const auto clean = words_of(answer_on<Plain>({0, {}}));
    CHECK(words_of(answer_on<Alike>({0, {}})) == clean);
    CHECK(words_of(answer_on<Diverse>({0, {}})) == clean);
    CHECK(answer_on<Diverse>({0, {}}).status.total() == fault_counters{});
    int wrong = 0, cases = 0;
    for (int lane = 0; lane < kernel::lane_count; ++lane) {
        for (const word_change& bits : changes) {
            CAPTURE(lane, bits.keep, bits.flip);
            const auto struck = words_of(answer_on<Plain>({lane, bits}));
            const auto alike = answer_on<Alike>({lane, bits});
            CHECK(words_of(alike) == struck);
            CHECK(alike.status.total() == fault_counters{});
            const auto diverse = answer_on<Diverse>({lane, bits});
            CHECK(words_of(diverse) == clean);
            const fault_counters seen = diverse.status.total();
            CHECK(seen.uncorrected == 0);
            CHECK(seen.corrected == seen.detected);
            ++cases;
            if (struck == clean) continue;
            ++wrong;
            CHECK(seen.detected > 0);
        }
    }
    CHECK(wrong > cases / 2);
}

}  // namespace

TEST_CASE("diverse replicas find and outvote a stuck lane", "[harden]") {
    check_lanes<net_of<float32, nothing, nothing>, net_of<float32, nothing, dmr>, net_of<float32, diverse, dmr>>(
        {stuck_at_one(30), stuck_at_one(22), stuck_at_zero(29)});
}
TEST_CASE("diverse triples outvote a stuck lane, int8", "[harden]") {
    check_lanes<net_of<int8, nothing, nothing>, net_of<int8, nothing, tmr>, net_of<int8, diverse, tmr>>({stuck_at_one(14), stuck_at_zero(12)});
}

TEST_CASE("what checks or corrects within diverse replicas is moved with them", "[harden]") {
    using plain = network<image<3, 6, 5>, float32, conv<20>, relu, linear<18>>;
    using hard = network<image<3, 6, 5>, float32, diverse<dmr<duplicate<16, conv<20>>, relu>>, diverse<tmr<abft<linear<18>>>>>;
    const auto image = drawn_images<plain>(1, 3)[0];
    const auto bare = drawn_and_converted<plain>();
    const auto weights = drawn_and_converted<hard>();
    channel_ranges<plain> channels;
    const auto space = std::make_unique<workspace<plain>>();
    for (const auto& pixels : drawn_images<plain>(4, 3)) observe_channels<plain>(*bare, pixels, *space, channels);
    set_intervals<plain, hard>(channels, *weights, 1.0f);
    encode<hard>(*weights);
    const auto clean = words_of(answer_of<plain>(*bare, image));
    CHECK(words_of(answer_of<hard>(*weights, image)) == clean);
    int found = 0;
    for (int lane = 0; lane < kernel::lane_count; ++lane) {
        CAPTURE(lane);
        stuck_lane machine{lane, stuck_at_one(30)};
        const auto got = answer_of<hard>(*weights, image, machine);
        CHECK(words_of(got) == clean);
        found += got.status.total().detected > 0 ? 1 : 0;
    }
    CHECK(found > kernel::lane_count / 2);
}

/// Of each convolution and linear layer.
template <class Net>
std::vector<int> rotations_of() {
    std::vector<int> all;
    for (int i = 0; i < Net::table.step_count; ++i)
        if (const step& s = Net::table.steps[static_cast<std::size_t>(i)]; s.kind == op::convolution) all.push_back(s.rotation);
    return all;
}

TEST_CASE("replicas of replicas are moved by the sum of both", "[harden]") {
    CHECK(rotations_of<network<image<1, 4, 4>, float32, diverse<dmr<dmr<conv<4>>>>>>() == std::vector<int>{0, 1, 2, 1, 2, 3, 2, 3, 0});
    // outside of it nothing moves, and what follows is where it was
    CHECK(rotations_of<network<image<1, 4, 4>, float32, tmr<conv<4>>, diverse<dmr<conv<4>>>, tmr<conv<4>>>>() == std::vector<int>{0, 0, 0, 0, 1, 2, 0, 0, 0});
    // a rule puts it inside
    using ruled = harden<network<image<1, 4, 4>, float32, conv<4>, linear<3>>, protect<is_weighted, tmr>, protect<is_conv, diverse>>;
    CHECK(rotations_of<ruled>() == std::vector<int>{0, 1, 2, 0, 0, 0});
}
