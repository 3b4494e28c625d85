// SPDX-License-Identifier: MIT
// Checksums of pixels over all output channels: right ones agree whatever they are fed, wrong accumulators are found and put right, wrong weights found.
#include "support/catch.hpp"
#include "support/checksum_case.hpp"

#include <redoubt/kernel/pixel_checksum.hpp>

using namespace redoubt;
using namespace support;
using kernel::conv_call;
using kernel::fault_hook;
using kernel::no_hook;
using kernel::output_fault;

namespace {

template <number N>
aligned_bytes sums_of(const conv_case<N>& c) {
    aligned_bytes kept{kernel::filter_sums_plan::of<N>(c.geometry).bytes};
    kernel::sum_filters<N>(c.geometry, [&](int out, int row, int column, int in) { return c.taps[c.logical(out, row, column, in)]; },
                           std::span<const typename N::bias>{c.bias}, kept.get());
    return kept;
}

/// The case computed under checksums with sums of its own or another's; scratch begins as garbage. Each wrong row is computed again through a
/// copy of the outputs, of which only that row is taken over, so that nothing but the row may depend on it.
template <number N, class Hook, class Kernel, class Touch>
support::output_bits checked(const conv_case<N>& c, const Hook& hook, found& what, aligned_bytes kept, Kernel&& kernel, Touch&& touch) {
    aligned_bytes scratch{kernel::pixel_sums_plan::of<N>(c.geometry).bytes};
    return run(c, [&](const conv_call<N>& call) {
        const kernel::pixel_checksum<N> check{call.geometry, kept.get(), scratch.get()};
        check.begin();
        kernel(call, check.hook(hook));
        const auto one_row = [&](int row, const auto& sums) {
            const auto& g = call.geometry;
            // the kernel sums over the whole image; only this row's sums and outputs are kept
            std::vector<typename N::accumulator> totals(static_cast<std::size_t>(g.out.height * g.out.width * kernel::lane_count));
            conv_call<N> whole = call;
            std::vector<typename N::activation> out(static_cast<std::size_t>(g.out.size()));
            std::vector<typename N::logit> logits(static_cast<std::size_t>(g.out.size()));
            if (call.logits != nullptr) whole.logits = logits.data();
            else whole.out = out.data();
            kernel(whole, kernel::summing_hook<no_hook, typename N::accumulator>{no_hook{}, totals.data(), kernel::sums_over::channels});
            const int first = row * g.out.width, line = g.out.width * g.out.channels;
            std::copy_n(totals.begin() + first * kernel::lane_count, g.out.width * kernel::lane_count, sums.totals);
            if (call.logits != nullptr) std::copy_n(logits.begin() + row * line, line, call.logits + row * line);
            else std::copy_n(out.begin() + row * line, line, call.out + row * line);
        };
        const auto again = [&](const kernel::row_set& rows, const auto& sums_of_row) { rows.for_each([&](int row) { one_row(row, sums_of_row(row)); }); };
        check.finish(call.in, touch, again, what.detected, what.uncorrected);
    });
}
template <number N, class Hook>
support::output_bits checked(const conv_case<N>& c, const Hook& hook, found& what) {
    return checked(c, hook, what, sums_of(c), plain_kernel, [](auto) {});
}

/// Sums of pixels over all channels.
struct channel_side {
    template <number N, class Hook>
    static support::output_bits checked(const conv_case<N>& c, const Hook& hook, found& what) { return ::checked(c, hook, what); }
    template <number N>
    static sum_by_definition definition(const conv_case<N>& c, int output) {
        const shape& out = c.geometry.out;
        const int pixel = output / out.channels;
        sum_by_definition all;
        for (int channel = 0; channel < out.channels; ++channel) all.add(c, pixel / out.width, pixel % out.width, channel);
        return all;
    }
    static float ulps(const kernel::conv_geometry& g) { return kernel::pixel_checksum_ulps(g); }
};
using asked = checksum_questions<channel_side>;

template <number N>
void check_expectation(std::uint64_t seed) {
    random_stream random{seed, {}};
    for (int i = 0; i < 12; ++i) {
        CAPTURE(i);
        const conv_case<N> c{support::random_geometry(random, 60000), random, words::ordinary};
        const shape& out = c.geometry.out;
        found what;
        int pixels = 0;
        const auto look = [&](std::span<float> expected) {
            for (const float value : expected) {
                CHECK(asked::is_near(c, static_cast<double>(value), pixels * out.channels));
                ++pixels;
            }
        };
        (void)checked(c, no_hook{}, what, sums_of(c), plain_kernel, look);
        CHECK(pixels == out.height * out.width);
    }
}

}  // namespace

TEST_CASE("checksums of pixels find nothing where nothing is wrong and change no bit") {
    SECTION("fp32") { asked::finds_nothing<float32>(words::ordinary, 60, 1); }
    SECTION("fp16") { asked::finds_nothing<float16>(words::ordinary, 20, 2); }
    SECTION("bf16") { asked::finds_nothing<bfloat16>(words::ordinary, 20, 3); }
    SECTION("int8") { asked::finds_nothing<int8>(words::ordinary, 60, 4); }
}

TEST_CASE("checksums of pixels of NaN, infinity, denormals and the largest numbers raise no alarm") {
    SECTION("fp32") { asked::finds_nothing<float32>(words::hostile, 60, 5); }
    SECTION("fp16") { asked::finds_nothing<float16>(words::hostile, 20, 6); }
    SECTION("bf16") { asked::finds_nothing<bfloat16>(words::hostile, 20, 7); }
    SECTION("int8") { asked::finds_nothing<int8>(words::hostile, 60, 8); }
}

TEST_CASE("denormal weights with large inputs raise no alarm") {
    random_stream random{9, {}};
    for (int i = 0; i < 20; ++i) {
        conv_case<float32> c{support::random_geometry(random), random, words::ordinary};
        for (float& w : c.taps) w = scaled(w, -148);
        for (float& x : c.in) x = scaled(x, 100);
        c.pack();
        found what;
        CHECK(checked(c, no_hook{}, what) == unchecked(c));
        CHECK(what == found{});
    }
}

TEST_CASE("sums of many int8 filters need a third digit") {
    kernel::conv_geometry g;
    g.in = {7, 2, 3};
    g.out = {300, 2, 3};
    random_stream random{10, {}};
    conv_case<int8> c{g, random, words::ordinary};
    for (const std::int8_t w : {std::int8_t{-128}, std::int8_t{127}}) {
        std::fill(c.taps.begin(), c.taps.end(), w);
        c.pack();
        found what;
        CHECK(checked(c, no_hook{}, what) == unchecked(c));
        CHECK(what == found{});
    }
}

TEST_CASE("what a checksum of pixels expects is the sum of the outputs") {
    SECTION("fp32") { check_expectation<float32>(11); }
    SECTION("fp16") { check_expectation<float16>(12); }
}

TEST_CASE("an int8 checksum of pixels finds every flipped bit of an accumulator") { asked::finds_every_bit_of_an_integer(13); }

TEST_CASE("a float checksum of pixels finds what is beyond its bound and puts it right") { asked::finds_floats_beyond_the_bound(14); }

TEST_CASE("wrong rows are computed again wherever they are") {
    kernel::conv_geometry g;
    g.in = {5, 130, 2};
    g.out = {20, 130, 2};
    random_stream random{17, {}};
    const conv_case<int8> c{g, random, words::ordinary};
    std::vector<output_fault> faults;
    for (const int row : {0, 1, 62, 63, 64, 127, 128, 129}) {
        output_fault f;
        f.output = static_cast<std::uint32_t>(g.out.index(row, row % 2, row % 20));
        f.step = 2;
        f.mask = 1u << row % 32;
        faults.push_back(f);
    }
    found what;
    CHECK(checked(c, fault_hook{faults}, what) == unchecked(c));
    CHECK(what == found{8, 0});
}

TEST_CASE("a struck checksum of a pixel costs a row and changes nothing") {
    random_stream random{15, {}};
    const auto one_number = [&]<number N>(std::type_identity<N>, int bit) {
        for (int i = 0; i < 10; ++i) {
            const conv_case<N> c{with_a_tap(random), random, words::ordinary};
            found what;
            const auto strike = [&](auto expected) { expected[0] = from_word<typename N::accumulator>(to_word(expected[0]) ^ (1u << bit)); };
            CHECK(checked(c, no_hook{}, what, sums_of(c), plain_kernel, strike) == unchecked(c));
            CHECK(what == found{1, 0});
        }
    };
    one_number(std::type_identity<int8>{}, 0);
    one_number(std::type_identity<float32>{}, 30);
}

TEST_CASE("a wrong weight, or a wrong sum of filters, is found and stays uncorrected") {
    random_stream random{16, {}};
    std::uint32_t wrong = 0;
    for (int i = 0; i < 10; ++i) {
        conv_case<int8> c{with_a_tap(random), random, words::ordinary};
        std::fill(c.in.begin(), c.in.end(), std::uint8_t{200});
        const aligned_bytes kept = sums_of(c);
        auto broken = kept;
        broken.get()[kernel::filter_sums_plan{}.filter - 1] ^= std::byte{0x40};  // of the biases
        found what;
        CHECK(checked(c, no_hook{}, what, broken, plain_kernel, [](auto) {}) == unchecked(c));
        CHECK(what == found{static_cast<std::uint32_t>(c.geometry.out.height), static_cast<std::uint32_t>(c.geometry.out.height)});
        for (auto& w : c.taps) w = static_cast<std::int8_t>(w ^ 1);
        c.pack();
        what = {};
        (void)checked(c, no_hook{}, what, kept, plain_kernel, [](auto) {});
        // a pixel with as many weights raised as lowered is right by chance
        CHECK(what.uncorrected == what.detected);
        wrong += what.detected;
    }
    CHECK(wrong > 0);
}
