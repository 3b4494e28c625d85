// SPDX-License-Identifier: MIT
// A million fault-free layers under each kind of checksum, of the shapes of ResNet-20, without one alarm. Takes some minutes, so it runs under the
// label slow.
#include "support/catch.hpp"
#include "support/checksum_case.hpp"

#include <redoubt/kernel/checksum.hpp>
#include <redoubt/kernel/pixel_checksum.hpp>

#include <cstdint>
#include <vector>

using namespace redoubt;
using support::conv_case;
using support::words;

namespace {

constexpr int weight_sets = 125, input_sets = 100;  // of each shape, kind of input and number: 125 * 100 * 5 * 4 * 4 = 1,000,000

enum class inputs { zero, random, denormal, large };

template <class Word>
Word drawn(random_stream& random, inputs kind) {
    if constexpr (std::is_integral_v<Word>) {
        switch (kind) {
            case inputs::zero: return Word{128};
            case inputs::denormal: return static_cast<Word>(127 + random.below(3));
            case inputs::large: return static_cast<Word>(random.below(2) * 255);
            default: return static_cast<Word>(random.below(256));
        }
    } else {
        const auto v = static_cast<float>(random.unit() * 2.0 - 0.5);  // mostly positive, as after ReLU
        constexpr bit_fields f = fields_of<Word>;
        switch (kind) {
            case inputs::zero: return static_cast<Word>(random.below(2) != 0 ? 0.0f : -0.0f);
            case inputs::denormal: return from_word<Word>(static_cast<word_of<Word>>(random.below(std::uint64_t{1} << f.fraction)));
            case inputs::large: return static_cast<Word>(v * (sizeof(Word) == 2 && f.exponent == 5 ? 0x1p15f : 0x1p127f));
            default: return static_cast<Word>(v);
        }
    }
}

template <number N>
void million(std::uint64_t seed) {
    const kernel::conv_geometry shapes[] = {
        {{3, 32, 32}, {16, 32, 32}, 3, 1, 1}, {{16, 32, 32}, {16, 32, 32}, 3, 1, 1}, {{16, 32, 32}, {32, 16, 16}, 3, 2, 1},
        {{64, 8, 8}, {64, 8, 8}, 3, 1, 1},    {{64, 1, 1}, {10, 1, 1}, 1, 1, 0}};
    std::uint32_t detected = 0, uncorrected = 0;
    int runs = 0;
    random_stream random{seed, {}};
    for (const auto& g : shapes) {
        std::vector<conv_case<N>> layers;
        for (int i = 0; i < weight_sets; ++i) layers.emplace_back(g, random, words::ordinary);
        const auto plan = kernel::checksum_plan::of<N>(g);
        support::aligned_bytes scratch{std::max(plan.bytes, kernel::pixel_sums_plan::of<N>(g).bytes)};
        std::vector<support::aligned_bytes> kept;
        for (const auto& layer : layers) {
            kept.emplace_back(kernel::filter_sums_plan::of<N>(g).bytes);
            kernel::sum_filters<N>(g, [&](int o, int r, int c, int i) { return layer.taps[layer.logical(o, r, c, i)]; },
                                   std::span<const typename N::bias>{layer.bias}, kept.back().get());
        }
        const auto run_kernel = [](const auto& c, const auto& hook) { kernel::dense_conv2d<N>(c, hook); };
        const auto count = static_cast<std::size_t>(g.out.size());
        std::vector<typename N::activation> out(count);
        std::vector<typename N::logit> logits(count);
        std::vector<typename N::activation> in(layers[0].in.size());
        for (const inputs kind : {inputs::zero, inputs::random, inputs::denormal, inputs::large})
            for (int x = 0; x < input_sets; ++x) {
                for (auto& v : in) v = drawn<typename N::activation>(random, kind);
                for (std::size_t n = 0; n < layers.size(); ++n) {
                    auto call = layers[n].call(out.data(), logits.data());
                    call.in = in.data();
                    const kernel::checked_convolution<N> check{call.geometry, plan, scratch.get()};
                    check.begin(call.in);
                    check.compute(call, kernel::no_hook{}, run_kernel, [](auto) {}, detected, uncorrected);
                    const kernel::pixel_checksum<N> other{call.geometry, kept[n].get(), scratch.get()};
                    other.begin();
                    run_kernel(call, other.hook(kernel::no_hook{}));
                    other.finish(call.in, [](auto) {}, [](const kernel::row_set&, const auto&) {}, detected, uncorrected);
                    ++runs;
                }
            }
    }
    CHECK(detected == 0);
    CHECK(uncorrected == 0);
    CHECK(runs == 250000);
}

}  // namespace

TEST_CASE("250,000 fault-free fp32 layers raise no alarm on either side", "[.slow]") { million<float32>(1); }
TEST_CASE("250,000 fault-free fp16 layers raise no alarm on either side", "[.slow]") { million<float16>(2); }
TEST_CASE("250,000 fault-free bf16 layers raise no alarm on either side", "[.slow]") { million<bfloat16>(3); }
TEST_CASE("250,000 fault-free int8 layers raise no alarm on either side", "[.slow]") { million<int8>(4); }
