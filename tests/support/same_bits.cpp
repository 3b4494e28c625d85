// SPDX-License-Identifier: MIT
// Prints hashes of what must have the same bits in every build: logarithms and exponentials, draws, intervals. The
// script same_bits.py builds it with several options and compares its line with this one.
// expected: math 76f7e08dc5d49a19 draws 6c32b891c29c19ec intervals e575712f3249bfb8
#include <redoubt/campaign/interval.hpp>
#include <redoubt/fault/draw.hpp>

#include "support/math_bits.hpp"

#include <array>
#include <cinttypes>
#include <cstdio>

namespace {

std::uint64_t hash_of_draws() {
    redoubt::test::bit_hash hash;
    const auto add = [&](std::uint64_t bit) { hash.add(bit); };
    for (double rate : {1e-9, 1e-6, 1e-4, 0.0019, 0.007, 0.01, 0.3}) {
        redoubt::fault::draw_bits({7, 1, 2, 3}, rate, 1000000, add);
    }
    return hash.value();
}

std::uint64_t hash_of_intervals() {
    using namespace redoubt::campaign;
    redoubt::test::bit_hash hash;
    const auto add = [&](const interval& i) { hash.add(redoubt::to_word(i.low)), hash.add(redoubt::to_word(i.high)); };
    redoubt::random_stream random{6, {}};
    for (int i = 0; i < 60; ++i) {
        const double n = 1.0 + 300.0 * random.unit(), k = n * random.unit();
        add(clopper_pearson(k, n));
        add(wilson(k, n, 0.9));
        std::array<double, 7> trials{};
        for (double& t : trials) t = static_cast<double>(random.below(101));
        add(cluster_interval(trials, 100.0));
        hash.add(redoubt::to_word(student_quantile(random.unit(), n)));
        hash.add(redoubt::to_word(normal_quantile(random.unit())));
    }
    return hash.value();
}

}  // namespace

int main() {
    std::printf("math %016" PRIx64 " draws %016" PRIx64 " intervals %016" PRIx64 "\n", redoubt::test::hash_of_math(),
                hash_of_draws(), hash_of_intervals());
}
