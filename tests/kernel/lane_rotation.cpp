// SPDX-License-Identifier: MIT
// Channels summed up in other lanes: the same bits, and a lane that is stuck strikes the channels that were moved there, by the accumulators of the
// unrotated oracle.
#include "support/conv_case.hpp"

#include "support/catch.hpp"

#include <utility>

using namespace redoubt;
using kernel::conv_call;
using kernel::conv_geometry;
using kernel::lane_count;
using kernel::rotated_hook;
using kernel::stuck_lane_hook;
using support::conv_case;
using support::output_bits;
using support::words;

namespace {

/// A lane that sticks in nothing: rotation alone.
const stuck_lane_hook whole{3, {}};

template <number N, int By>
output_bits run_rotated(const conv_case<N>& c, const stuck_lane_hook& hook) {
    return run(c, [&](const conv_call<N>& call) { kernel::conv2d<N>(call, kernel::in_other_lanes<By>(hook)); });
}

/// Accumulators as logits, nothing added or bent behind them.
template <number N>
conv_case<N> of_accumulators(const conv_geometry& g, random_stream& random, words kind) {
    conv_case<N> c{g, random, kind};
    c.to_logits = true;
    c.adds = false;
    c.act = kernel::activation::none;
    return c;
}

template <number N>
output_bits stuck_in(output_bits bits, const conv_geometry& g, int lane, word_change change, int by) {
    for (std::size_t i = 0; i < bits.size(); ++i) {
        const int channel = static_cast<int>(i) % g.out.channels;
        if ((g.lane_of(channel) + lane_count - by) % lane_count == lane)
            bits[i] = to_word(changed(from_word<typename N::accumulator>(bits[i]), change));
    }
    return bits;
}

/// Single bits stuck at 1, at 0, and half of the word.
word_change drawn_change(random_stream& random) {
    const auto bit = std::uint32_t{1} << random.below(32);
    switch (random.below(3)) {
        case 0: return {~bit, bit};
        case 1: return {~bit, 0};
        default: return {0x0000ffffu, static_cast<std::uint32_t>(random()) << 16};
    }
}

template <number N, int By>
void check_stuck(int draws) {
    random_stream random{31, {static_cast<std::uint32_t>(By)}};
    int changes = 0;
    for (int draw = 0; draw < draws; ++draw) {
        const auto c = of_accumulators<N>(support::random_geometry(random, 60000), random, draw % 4 == 0 ? words::hostile : words::ordinary);
        const int lane = support::below(random, lane_count);
        const word_change change = drawn_change(random);
        CAPTURE(draw, lane, change.keep, change.flip);
        const output_bits clean = run_rotated<N, By>(c, whole), got = run_rotated<N, By>(c, {lane, change});
        const output_bits expected = stuck_in<N>(clean, c.geometry, lane, change, By);
        // a NaN that is stored becomes the one NaN again
        for (std::size_t i = 0; i < got.size(); ++i) {
            if constexpr (N::is_integer) CHECK(got[i] == expected[i]);
            else CHECK(got[i] == to_word(canonical(from_word<float>(expected[i]))));
        }
        changes += got != clean ? 1 : 0;
    }
    CHECK(changes > draws / 2);
}

template <number N, int By>
void check_bits(int draws) {
    random_stream random{30, {static_cast<std::uint32_t>(By)}};
    for (int draw = 0; draw < draws; ++draw) {
        const conv_case<N> c{support::random_geometry(random, 60000), random, draw % 2 == 0 ? words::hostile : words::ordinary};
        CAPTURE(draw);
        CHECK(run(c, [](const conv_call<N>& call) { kernel::conv2d<N>(call, kernel::in_other_lanes<By>(kernel::no_hook{})); }) == oracle(c));
    }
}

template <class Lanes, class Word, int... By>
void check_each_rotation(std::integer_sequence<int, By...>) {
    Word in[lane_count], out[lane_count];
    for (int i = 0; i < lane_count; ++i) in[i] = static_cast<Word>(1 + i);
    const auto one = [&]<int R>(std::integral_constant<int, R>) {
        kernel::rotated<R>(Lanes::load(in)).store(out);
        for (int i = 0; i < lane_count; ++i) CHECK(out[i] == in[(i + R) % lane_count]);
    };
    (one(std::integral_constant<int, By + 1>{}), ...);
}

}  // namespace

TEST_CASE("lanes move by any number of places", "[kernel][lanes]") {
    check_each_rotation<kernel::float_lanes, float>(std::make_integer_sequence<int, lane_count - 1>{});
    check_each_rotation<kernel::int_lanes, std::int32_t>(std::make_integer_sequence<int, lane_count - 1>{});
}

TEST_CASE("channels in other lanes have the same bits", "[kernel][lanes]") {
    check_bits<float32, 1>(200);
    check_bits<float32, 2>(200);
    check_bits<float16, 1>(200);
    check_bits<bfloat16, 1>(200);
    check_bits<int8, 1>(200);
    check_bits<int8, 2>(200);
}

TEST_CASE("a stuck lane strikes the channels that are computed in it", "[kernel][lanes]") {
    check_stuck<float32, 0>(200);
    check_stuck<float32, 3>(200);
    check_stuck<int8, 0>(200);
    check_stuck<int8, 3>(200);
}
