// SPDX-License-Identifier: MIT
// Prints hashes of what kernels store, with and without faults: the same on every instruction set, compiler and
// contraction setting. The script same_bits.py builds it with several options and compares its line with this one. Without
// fused multiply-add float32 has bits of its own; the others, products of binary16 being exact in binary32, have not.
// expected: float32 bc54d1e532d42f1d float16 0d5906e6efa47684 bfloat16 6e83f42c72bb36b3 int8 94cdf926e9c5c592 softmax 3313b2ec20598ee3
// expected-without-fma: float32 6c371e62c7e8e4a6 float16 0d5906e6efa47684 bfloat16 f80067d997e40a82 int8 94cdf926e9c5c592 softmax 3313b2ec20598ee3
#include "support/conv_case.hpp"
#include "support/math_bits.hpp"

#include <redoubt/kernel/softmax.hpp>

#include <cinttypes>
#include <cstdio>

namespace {

using namespace redoubt;
using test::bit_hash;

template <number N>
std::uint64_t hash_of_convolutions() {
    bit_hash hash;
    random_stream random{81, {}};
    for (int i = 0; i < 120; ++i) {
        const support::conv_case<N> c{support::random_geometry(random, 100000), random,
                                      i % 2 == 0 ? support::words::ordinary : support::words::hostile};
        for (std::uint32_t bits : run(c, [](const auto& call) { kernel::conv2d<N>(call); })) hash.add(bits);

        const auto output = static_cast<std::uint32_t>(support::below(random, c.geometry.out.size()));
        const auto step = static_cast<std::uint32_t>(support::below(random, c.geometry.fan_in()));
        const kernel::output_fault faults[] = {{output, step, 1u << random.below(32)},
                                               {output, kernel::output_fault::feature, 1u << random.below(8)}};
        const kernel::fault_hook hook{faults};
        for (std::uint32_t bits : run(c, [&](const auto& call) { kernel::conv2d_reference<N>(call, hook); }))
            hash.add(bits);
    }
    return hash.value();
}

std::uint64_t hash_of_softmax() {
    bit_hash hash;
    random_stream random{82, {}};
    float logits[100], out[100];
    for (int i = 0; i < 200; ++i) {
        for (float& v : logits) v = static_cast<float>((random.unit() - 0.5) * (i % 2 == 0 ? 8.0 : 200.0));
        kernel::softmax(logits, out, 100, 0);
        for (float v : out) hash.add(to_word(v));
    }
    return hash.value();
}

}  // namespace

int main() {
    std::printf("float32 %016" PRIx64 " float16 %016" PRIx64 " bfloat16 %016" PRIx64 " int8 %016" PRIx64 " softmax %016" PRIx64 "\n",
                hash_of_convolutions<float32>(), hash_of_convolutions<float16>(), hash_of_convolutions<bfloat16>(),
                hash_of_convolutions<int8>(), hash_of_softmax());
}
