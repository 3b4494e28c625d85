// SPDX-License-Identifier: MIT
// Sixteen floats in registers: conversions and activations give what the scalar definitions give, lane by lane.
#include <redoubt/base/philox.hpp>
#include <redoubt/kernel/lanes_float.hpp>
#include <redoubt/kernel/multiply_add.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

using namespace redoubt;
using kernel::float_lanes;
using kernel::lane_count;

namespace {

/// Words of `values` for which the lanes give another half than the class does; NaN is made the one NaN first.
int wrongly_narrowed(const std::vector<float>& values) {
    int wrong = 0;
    for (std::size_t i = 0; i + lane_count <= values.size(); i += lane_count) {
        float_lanes lanes = float_lanes::load(values.data() + i);
        lanes.make_canonical();
        half stored[lane_count];
        lanes.store(stored);
        for (int lane = 0; lane < lane_count; ++lane)
            wrong += stored[lane].bits() != half{values[i + static_cast<std::size_t>(lane)]}.bits() ? 1 : 0;
    }
    return wrong;
}

std::vector<float> random_floats(std::size_t count) {
    random_stream random{41, {}};
    std::vector<float> values(count);
    for (float& v : values) v = from_word<float>(static_cast<std::uint32_t>(random()));
    return values;
}

}  // namespace

TEST_CASE("every binary16 word is widened to its value", "[kernel][lanes]") {
    int wrong = 0;
    for (std::uint32_t bits = 0; bits < 0x10000u; bits += lane_count) {
        half words[lane_count];
        float values[lane_count];
        for (std::uint32_t lane = 0; lane < lane_count; ++lane) words[lane] = half::from_bits(static_cast<std::uint16_t>(bits + lane));
        float_lanes lanes = float_lanes::load(words);
        lanes.make_canonical();
        lanes.store(values);
        for (int lane = 0; lane < lane_count; ++lane)
            wrong += to_word(values[lane]) != to_word(static_cast<float>(words[lane])) ? 1 : 0;
    }
    CHECK(wrong == 0);
}

TEST_CASE("the first words of a vector are widened, the others are left alone", "[kernel][lanes]") {
    for (int count = 0; count <= lane_count; ++count) {
        std::vector<half> words;
        for (int i = 0; i < count; ++i) words.push_back(half{static_cast<float>(i + 1)});
        float values[lane_count];
        float_lanes::load(words.data(), count).store(values);
        for (int i = 0; i < count; ++i) CHECK(values[i] == static_cast<float>(i + 1));
    }
}

TEST_CASE("floats are narrowed to the binary16 that the class gives", "[kernel][lanes]") {
    // every binary16 value, the ties between neighbours, and one unit of binary32 to either side of both
    std::vector<float> values;
    for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
        const float v = static_cast<float>(half::from_bits(static_cast<std::uint16_t>(bits)));
        const float next = static_cast<float>(half::from_bits(static_cast<std::uint16_t>(bits + 1)));
        const float tie = std::isfinite(v) && std::isfinite(next) ? v / 2 + next / 2 : std::copysign(65520.0f, v);
        for (float middle : {v, tie})
            for (std::uint32_t off : {0u, 1u, 0xffffffffu}) values.push_back(from_word<float>(to_word(middle) + off));
    }
    CHECK(values.size() % lane_count == 0);
    CHECK(wrongly_narrowed(values) == 0);
    CHECK(wrongly_narrowed(random_floats(1 << 18)) == 0);
}

TEST_CASE("a product is added with the bits of the scalar step", "[kernel][lanes]") {
    const std::vector<float> values = random_floats(3 * lane_count * 4000);
    int wrong = 0;
    for (std::size_t i = 0; i + 3 * lane_count <= values.size(); i += 3 * lane_count) {
        const float* a = values.data() + i;
        const float *weights = a + lane_count, *sums = weights + lane_count;
        float_lanes lanes = float_lanes::load(sums);
        lanes.add_product(a[0], float_lanes::load(weights));
        lanes.make_canonical();
        float stored[lane_count];
        lanes.store(stored);
        for (int lane = 0; lane < lane_count; ++lane) {
            const float expected = kernel::multiply_add(a[0], weights[lane], sums[lane]);
            wrong += to_word(stored[lane]) != to_word(canonical(expected)) ? 1 : 0;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("a step is fused where the level says so, else rounded twice", "[kernel][lanes]") {
    // (1 + 2^-12)^2 - 1 needs 25 bits: a rounded product loses the last
    const float a = 1.0f + 0x1p-12f;
    const float step = kernel::multiply_add(a, a, -1.0f);
    CHECK(step == (fuses ? 0x1p-11f + 0x1p-24f : 0x1p-11f));
}
