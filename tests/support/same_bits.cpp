// SPDX-License-Identifier: MIT
// Prints hashes of what must have the same bits in every build: logarithms and exponentials, draws, statistics. The
// script same_bits.py builds it with several options and compares its line with this one.
// expected: math 76f7e08dc5d49a19 draws 6c32b891c29c19ec wide 946a2cf83e8dd691 intervals e575712f3249bfb8 statistics be7a26d034dda01a
#include <redoubt/campaign/fit.hpp>
#include <redoubt/campaign/interval.hpp>
#include <redoubt/campaign/paired.hpp>
#include <redoubt/campaign/planning.hpp>
#include <redoubt/campaign/sequential.hpp>
#include <redoubt/campaign/stratified.hpp>
#include <redoubt/campaign/trial_interval.hpp>
#include <redoubt/fault/wide_draw.hpp>

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

/// The same draws many at a time: their order is open, so hashes of the places are summed.
std::uint64_t hash_of_wide_draws() {
    using namespace redoubt;
    const auto hash_of = [](std::uint64_t v) {
        test::bit_hash hash;
        hash.add(v);
        return hash.value();
    };
    std::uint64_t sum = 0;
    for (double rate : {1e-5, 1e-4, 0.0019, 0.007, 0x1p-7})
        fault::draw_unordered({7, 1, 2, 3}, rate, 70001, 9000000, [&](std::uint64_t bit) { sum += hash_of(bit); });
    std::array<std::uint64_t, 777> masks;
    for (double rate : {0.01, 0.3, 0.999}) {
        fault::mask_draw{{7, 1, 2, 3}, rate}(5, masks);
        for (std::uint64_t mask : masks) sum = hash_of(sum + mask);
    }
    return sum;
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

std::uint64_t hash_of_statistics() {
    using namespace redoubt::campaign;
    redoubt::test::bit_hash hash;
    // Widths too: a sum into which a product could be contracted.
    const auto add = [&](const interval& i) {
        for (const double v : {i.low, i.high, i.high - i.low, 1.0 - i.low}) hash.add(redoubt::to_word(v));
    };
    redoubt::random_stream random{8, {}};
    for (int i = 0; i < 40; ++i) {
        sequential_mean sequence;
        std::array<double, 23> first{}, second{};
        for (double& v : first) sequence.add(v = random.unit());
        for (double& v : second) v = random.unit() * random.unit();
        add(mean_interval(first));
        add(trial_interval(second, 1.5, 0.9));
        add(sequence.bounds());
        add(compare_trials(first, second, 1.0).bounds);
        const double a = static_cast<double>(random.below(50)), b = static_cast<double>(random.below(50));
        add(compare_faults(120.0, a, b).bounds);
        hash.add(redoubt::to_word(mcnemar(a, b)));
        const std::array<stratum, 2> strata{stratum{1000.0 * random.unit(), 60.0, a}, stratum{700.0, 55.0, b}};
        const estimate e = stratified_estimate(strata);
        add(e.bounds);
        // One draw a statement: the order of a call's arguments is the compiler's.
        const double x = random.unit(), y = random.unit();
        const field_rate field = fit_of(upset_rate::per_megabit(70.0 * x), 1e6 * y, e);
        hash.add(redoubt::to_word(field.fit_high - field.fit_low));
        hash.add(redoubt::to_word(field.hours_high - field.hours));
        hash.add(redoubt::to_word(1.0 + trials_for_margin(0.2 * x, 0.5 * y)));
        hash.add(redoubt::to_word(1.0 - zero_failure_bound(1e6 * random.unit())));
        hash.add(redoubt::to_word(sample_size({.margin = 0.1 * random.unit(), .population = 1e5, .rate = random.unit()})));
        const std::array<curve_point, 3> curve{{{1e-6 * random.unit(), 0.9}, {1e-4, random.unit()}, {1e-3, 0.1}}};
        hash.add(redoubt::to_word(1.0 - area_under(curve)));
    }
    return hash.value();
}

}  // namespace

int main() {
    std::printf("math %016" PRIx64 " draws %016" PRIx64 " wide %016" PRIx64 " intervals %016" PRIx64 " statistics %016" PRIx64 "\n",
                redoubt::test::hash_of_math(), hash_of_draws(), hash_of_wide_draws(), hash_of_intervals(), hash_of_statistics());
}
