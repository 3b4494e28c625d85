// SPDX-License-Identifier: MIT
// Faults in registers: through the tile hook, a flip at (output, step, bit) gives what the scalar chain with the same
// flip gives, and no other output changes.
#include "support/conv_case.hpp"

#include "support/catch.hpp"
#include "support/kernels.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

using namespace redoubt;
using kernel::conv_call;
using kernel::conv_geometry;
using kernel::fault_hook;
using kernel::output_fault;
using support::conv_case;
using support::oracle_fault;
using support::output_bits;
using support::words;

namespace {

/// A place to strike: half of the time at the image's border.
struct place { int row, column, channel; };

place random_place(random_stream& random, const shape& out) {
    place p{support::below(random, out.height), support::below(random, out.width),
            support::below(random, out.channels)};
    switch (random.below(8)) {
        case 0: p.row = 0; break;
        case 1: p.row = out.height - 1; break;
        case 2: p.column = 0; break;
        case 3: p.column = out.width - 1; break;
        default: break;
    }
    return p;
}

/// Bits of the word that a fault in the feature strikes.
template <number N>
int feature_bits(const conv_case<N>& c) {
    return c.to_logits ? bits_in<typename N::logit> : bits_in<typename N::activation>;
}

template <number N>
output_fault random_fault(random_stream& random, const conv_case<N>& c, const place& p) {
    output_fault f;
    f.output = static_cast<std::uint32_t>(c.geometry.out.index(p.row, p.column, p.channel));
    const bool in_feature = random.below(3) == 0;
    if (!in_feature)
        f.step = static_cast<std::uint32_t>(support::below(random, c.geometry.taps_at(p.row, p.column)));
    f.mask = 1u << random.below(static_cast<std::uint64_t>(in_feature ? feature_bits(c) : 32));
    return f;
}

template <number N>
output_bits expected_with(const conv_case<N>& c, const std::vector<output_fault>& faults) {
    std::vector<oracle_fault> same;
    const shape& out = c.geometry.out;
    for (const output_fault& f : faults) {
        const int at = static_cast<int>(f.output), pixel = at / out.channels;
        const bool in_feature = f.step == output_fault::feature;
        same.push_back({pixel / out.width, pixel % out.width, at % out.channels, in_feature,
                        in_feature ? 0 : static_cast<int>(f.step), f.mask});
    }
    return oracle(c, same);
}

/// Both kernels, with the faults sorted as a call owes them.
template <number N>
void check_faults(const conv_case<N>& c, std::vector<output_fault> faults) {
    std::sort(faults.begin(), faults.end());
    const fault_hook hook{faults};
    const output_bits expected = expected_with(c, faults);
    CHECK(run(c, [&](const auto& call) { kernel::conv2d<N>(call, hook); }) == expected);
    CHECK(run(c, [&](const auto& call) { kernel::conv2d_reference<N>(call, hook); }) == expected);
}

int differences(const output_bits& a, const output_bits& b) {
    int count = 0;
    for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1 : 0;
    return count;
}

}  // namespace

TEMPLATE_TEST_CASE("1,000 single flips equal the scalar chain with the same flip, borders included",
                   "[kernel][hook]", float32, float16, bfloat16, int8) {
    random_stream random{21, {}};
    int seen = 0, at_border = 0;
    for (int draw = 0; draw < 1000; ++draw) {
        const conv_case<TestType> c{support::random_geometry(random, 60000), random,
                                    draw % 5 == 0 ? words::hostile : words::ordinary};
        const conv_geometry& g = c.geometry;
        const place p = random_place(random, g.out);
        const output_fault f = random_fault(random, c, p);
        CAPTURE(draw, f.output, f.step, f.mask, p.row, p.column, p.channel);
        const output_bits expected = expected_with(c, {f});
        const fault_hook hook{{&f, 1}};
        CHECK(run(c, [&](const auto& call) { kernel::conv2d<TestType>(call, hook); }) == expected);
        CHECK(run(c, [&](const auto& call) { kernel::conv2d_reference<TestType>(call, hook); }) == expected);

        const output_bits clean = run(c, [](const auto& call) { kernel::conv2d<TestType>(call); });
        CHECK(differences(clean, expected) <= 1);
        seen += differences(clean, expected);
        at_border += g.taps_at(p.row, p.column) < g.fan_in() ? 1 : 0;
    }
    CHECK(seen > 300);  // rounding, saturation and activations mask the others
    CHECK(at_border > 300);
}

TEMPLATE_TEST_CASE("many faults in one call, one tile or one output", "[kernel][hook]", float32, float16, bfloat16,
                   int8) {
    random_stream random{22, {}};
    for (int draw = 0; draw < 200; ++draw) {
        const conv_case<TestType> c{support::random_geometry(random, 60000), random,
                                    draw % 5 == 0 ? words::hostile : words::ordinary};
        std::vector<output_fault> faults;
        place p = random_place(random, c.geometry.out);
        for (int i = 0; i < 12; ++i) {
            switch (random.below(3)) {
                case 0: p = random_place(random, c.geometry.out); break;
                case 1: p.column = std::min(p.column + 1, c.geometry.out.width - 1); break;
                default: break;  // the same output again
            }
            faults.push_back(random_fault(random, c, p));
        }
        for (output_fault& f : faults)
            if (f.step != output_fault::feature && random.below(3) == 0) f.mask = static_cast<std::uint32_t>(random());
        faults.push_back(faults.front());  // twice the same flip
        CAPTURE(draw);
        check_faults(c, faults);
    }
}

TEMPLATE_TEST_CASE("every output struck at once", "[kernel][hook]", float32, float16, bfloat16, int8) {
    random_stream random{23, {}};
    for (const conv_geometry& g :
         {conv_geometry{.in = {5, 4, 31}, .out = {37, 4, 31}, .kernel = 3, .pad = 1},
          conv_geometry{.in = {20, 1, 1}, .out = {150, 1, 1}}}) {
        const conv_case<TestType> c{g, random, words::ordinary};
        std::vector<output_fault> faults;
        for (int row = 0; row < g.out.height; ++row)
            for (int column = 0; column < g.out.width; ++column)
                for (int channel = 0; channel < g.out.channels; ++channel)
                    faults.push_back(random_fault(random, c, {row, column, channel}));
        check_faults(c, faults);
    }
}

TEMPLATE_TEST_CASE("a step past the last multiply-add of an output strikes nothing", "[kernel][hook]", float32,
                   float16, bfloat16, int8) {
    random_stream random{24, {}};
    const conv_case<TestType> c{{.in = {6, 3, 9}, .out = {18, 3, 9}, .kernel = 3, .pad = 1}, random,
                                words::ordinary};
    const output_bits clean = run(c, [](const auto& call) { kernel::conv2d<TestType>(call); });
    const auto corner = static_cast<std::uint32_t>(c.geometry.taps_at(0, 0));
    CHECK(corner == 2 * 2 * 6);
    for (std::uint32_t step : {corner, corner + 1, output_fault::feature - 1}) {
        const std::vector<output_fault> faults{{0, step, 0x40000000u}};
        const fault_hook hook{faults};
        CHECK(run(c, [&](const auto& call) { kernel::conv2d<TestType>(call, hook); }) == clean);
        check_faults(c, faults);
    }
    // a feature fault behind it still strikes
    check_faults(c, {{0, corner, 0x40000000u}, {0, output_fault::feature, 1u}});
}

TEMPLATE_TEST_CASE("a hook without faults changes nothing", "[kernel][hook]", float32, float16, bfloat16, int8) {
    random_stream random{25, {}};
    for (int i = 0; i < 40; ++i) {
        const conv_case<TestType> c{support::random_geometry(random, 60000), random, words::hostile};
        CHECK(run(c, [](const auto& call) { kernel::conv2d<TestType>(call, fault_hook{}); }) ==
              run(c, [](const auto& call) { kernel::conv2d<TestType>(call); }));
    }
}

TEMPLATE_TEST_CASE("faults find their outputs when blocks are computed one at a time", "[kernel][hook]", float32,
                   float16, bfloat16, int8) {
    random_stream random{26, {}};
    for (const conv_geometry& g :
         {conv_geometry{.in = {5, 3, 20}, .out = {70, 3, 20}, .kernel = 3, .pad = 1},
          conv_geometry{.in = {20, 1, 1}, .out = {150, 1, 1}}}) {
        const conv_case<TestType> c{g, random, words::ordinary};
        std::vector<output_fault> faults;
        for (int i = 0; i < 60; ++i) faults.push_back(random_fault(random, c, random_place(random, g.out)));
        std::sort(faults.begin(), faults.end());
        const auto block_size = static_cast<std::ptrdiff_t>(c.wide.size()) / g.blocks();
        const output_bits stored = run(c, [&](conv_call<TestType> call) {
            for (int block = 0; block < g.blocks(); ++block) {
                call.block_begin = block;
                call.block_end = block + 1;
                call.weights = c.wide.data() + block * block_size;
                kernel::conv2d<TestType>(call, fault_hook{faults});
            }
        });
        CHECK(stored == expected_with(c, faults));
    }
}

TEST_CASE("a flip that makes a NaN, and one that strikes a NaN, work on the one NaN", "[kernel][hook]") {
    random_stream random{27, {}};
    conv_case<float32> c{{.in = {1, 1, 1}, .out = {1, 1, 1}}, random, words::ordinary};
    c.adds = c.to_logits = false;
    c.act = kernel::activation::none;
    c.in = {from_word<float>(0xffc12345u)};
    const auto stored = [&](std::vector<output_fault> faults) {
        return run(c, [&](const auto& call) { kernel::conv2d<float32>(call, fault_hook{faults}); }).front();
    };
    CHECK(stored({}) == 0x7fc00000u);
    CHECK(stored({{0, 0, 0x40000000u}}) == 0x3fc00000u);  // 0x7fc00000 with that bit flipped
    CHECK(stored({{0, output_fault::feature, 0x40000000u}}) == 0x3fc00000u);
    CHECK(stored({{0, 0, 0x80000000u}}) == 0x7fc00000u);
    c.in = {1.0f};
    c.bias[0] = 0.5f;
    c.taps = {1.0f};
    c.pack();
    CHECK(stored({{0, 0, 0x40000000u}}) == 0x7fc00000u);  // 1.5 becomes a NaN
    CHECK(stored({{0, 0, 0x00400000u}}) == to_word(1.0f));
}

TEST_CASE("faults are found by output", "[kernel][hook]") {
    const std::vector<output_fault> faults{{1, 5, 1}, {1, 7, 1}, {4, 0, 1}, {9, 0, 1}};
    const fault_hook hook{faults};
    CHECK(hook.between(0, 1).empty());
    CHECK(hook.between(1, 2).size() == 2);
    CHECK(hook.between(2, 4).empty());
    CHECK(hook.between(1, 9).size() == 3);
    CHECK(hook.between(0, 100).size() == 4);
    CHECK(hook.between(10, 10).empty());
}
