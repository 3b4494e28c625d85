// SPDX-License-Identifier: MIT
// Checksums of convolutions: right ones agree whatever they are fed, wrong accumulators are found and put right.
#include "support/catch.hpp"
#include "support/checksum_case.hpp"

#include <redoubt/kernel/checksum.hpp>

using namespace redoubt;
using namespace support;
using kernel::conv_call;
using kernel::fault_hook;
using kernel::no_hook;
using kernel::output_fault;

namespace {

/// The case computed under checksums; scratch begins as garbage.
template <number N, class Hook, class Kernel, class Touch>
support::output_bits checked(const conv_case<N>& c, const Hook& hook, found& what, Kernel&& kernel, Touch&& touch) {
    const auto plan = kernel::checksum_plan::of<N>(c.geometry);
    aligned_bytes scratch{plan.bytes};
    return run(c, [&](const conv_call<N>& call) {
        const kernel::checked_convolution<N> check{call.geometry, plan, scratch.get()};
        check.begin(call.in);
        check.compute(call, hook, kernel, touch, what.detected, what.uncorrected);
    });
}
template <number N, class Hook>
support::output_bits checked(const conv_case<N>& c, const Hook& hook, found& what) {
    return checked(c, hook, what, plain_kernel, [](auto) {});
}

/// Sums of channels over all pixels.
struct input_side {
    template <number N, class Hook>
    static support::output_bits checked(const conv_case<N>& c, const Hook& hook, found& what) { return ::checked(c, hook, what); }
    template <number N>
    static sum_by_definition definition(const conv_case<N>& c, int output) {
        const shape& out = c.geometry.out;
        sum_by_definition all;
        for (int row = 0; row < out.height; ++row)
            for (int column = 0; column < out.width; ++column) all.add(c, row, column, output % out.channels);
        return all;
    }
    static float ulps(const kernel::conv_geometry& g) { return kernel::checksum_ulps(g); }
};
using asked = checksum_questions<input_side>;

template <number N>
void check_expectation(std::uint64_t seed) {
    random_stream random{seed, {}};
    for (int i = 0; i < 12; ++i) {
        CAPTURE(i);
        const conv_case<N> c{support::random_geometry(random, 60000), random, words::ordinary};
        found what;
        int block = 0;
        const auto look = [&](std::span<float> expected) {
            const auto blocks = static_cast<int>(expected.size()) / kernel::lane_count;
            for (int b = block; b < block + blocks; ++b)
                for (int lane = 0; lane < c.geometry.channels_in(b); ++lane) {
                    const auto value = static_cast<double>(expected[static_cast<std::size_t>((b - block) * kernel::lane_count + lane)]);
                    CHECK(asked::is_near(c, value, c.geometry.first_channel(b) + lane));
                }
            block += blocks;
        };
        (void)checked(c, no_hook{}, what, plain_kernel, look);
        CHECK(block == c.geometry.blocks());
    }
}

}  // namespace

TEST_CASE("checksums find nothing where nothing is wrong and change no bit") {
    SECTION("fp32") { asked::finds_nothing<float32>(words::ordinary, 60, 1); }
    SECTION("fp16") { asked::finds_nothing<float16>(words::ordinary, 20, 2); }
    SECTION("bf16") { asked::finds_nothing<bfloat16>(words::ordinary, 20, 3); }
    SECTION("int8") { asked::finds_nothing<int8>(words::ordinary, 60, 4); }
}

TEST_CASE("checksums of NaN, infinity, denormals and the largest numbers raise no alarm") {
    SECTION("fp32") { asked::finds_nothing<float32>(words::hostile, 60, 5); }
    SECTION("fp16") { asked::finds_nothing<float16>(words::hostile, 20, 6); }
    SECTION("bf16") { asked::finds_nothing<bfloat16>(words::hostile, 20, 7); }
    SECTION("int8") { asked::finds_nothing<int8>(words::hostile, 60, 8); }
}

TEST_CASE("what a checksum expects is the sum of the outputs") {
    SECTION("fp32") { check_expectation<float32>(9); }
    SECTION("fp16") { check_expectation<float16>(10); }
}

TEST_CASE("an int8 checksum finds every flipped bit of an accumulator") { asked::finds_every_bit_of_an_integer(11); }

TEST_CASE("a float checksum finds what is beyond its bound and puts it right") { asked::finds_floats_beyond_the_bound(12); }

TEST_CASE("two int8 faults of one channel that cancel are not found") {
    kernel::conv_geometry g;
    g.in = {4, 3, 3};
    g.out = {5, 3, 3};
    random_stream random{13, {}};
    conv_case<int8> c{g, random, words::ordinary};
    std::fill(c.in.begin(), c.in.end(), std::uint8_t{0});
    std::fill(c.bias.begin(), c.bias.end(), 0);
    c.bias[2] = 1;  // bit 1 is clear in every output of the channel; set in one and, with bit 31, taken off in two others
    std::vector<output_fault> faults(2);
    for (std::uint32_t i = 0; i < 2; ++i) {
        faults[i].output = i * 5 + 2;
        faults[i].mask = 1u << 31;  // 2^31 twice is 2^32
        faults[i].step = 3;
    }
    found what;
    (void)checked(c, fault_hook{faults}, what);
    CHECK(what == found{});
    faults.pop_back();
    (void)checked(c, fault_hook{faults}, what);
    CHECK(what == found{1, 0});
}

TEST_CASE("a struck checksum costs a computation and changes nothing") {
    random_stream random{14, {}};
    const auto one_number = [&]<number N>(std::type_identity<N>, int bit) {
        for (int i = 0; i < 10; ++i) {
            const conv_case<N> c{with_a_tap(random), random, words::ordinary};
            found what;
            bool struck = false;
            const auto strike = [&](auto expected) {
                if (struck) return;
                struck = true;
                expected[0] = from_word<typename N::accumulator>(to_word(expected[0]) ^ (1u << bit));
            };
            CHECK(checked(c, no_hook{}, what, plain_kernel, strike) == unchecked(c));
            CHECK(what == found{1, 0});
        }
    };
    one_number(std::type_identity<int8>{}, 0);
    one_number(std::type_identity<float32>{}, 30);
}

TEST_CASE("a fault that comes back is uncorrected") {
    random_stream random{15, {}};
    for (int i = 0; i < 10; ++i) {
        const conv_case<int8> c{with_a_tap(random), random, words::ordinary};
        output_fault f = random_fault(random, c);
        f.step = 0;
        const auto stuck = [&](const conv_call<int8>& call, const auto& hook) {
            kernel::conv2d<int8>(call, kernel::summing_hook<fault_hook, std::int32_t>{fault_hook{{&f, 1}}, hook.totals});
        };
        found what;
        (void)checked(c, no_hook{}, what, stuck, [](auto) {});
        CHECK(what == found{1, 1});
    }
}
