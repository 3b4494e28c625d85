// SPDX-License-Identifier: MIT
// Guarantees: p-values against sums, and how often the promise is broken where the truth is known.
#include <redoubt/analyze/learn_then_test.hpp>
#include <redoubt/base/philox.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <vector>

using namespace redoubt;

namespace {

/// P(at most `bad` of n) by adding up.
double summed(std::uint64_t bad, std::uint64_t n, double p) {
    double sum = 0.0, term = std::pow(1.0 - p, static_cast<double>(n));
    for (std::uint64_t k = 0; k <= bad; ++k) {
        sum += term;
        term *= static_cast<double>(n - k) / static_cast<double>(k + 1) * p / (1.0 - p);
    }
    return sum;
}

}  // namespace

TEST_CASE("p-values are those of the binomial distribution, and bounds lie above them") {
    for (const std::uint64_t n : {1u, 7u, 100u, 1000u})
        for (const double alpha : {0.01, 0.02, 0.3})
            for (std::uint64_t bad = 0; bad <= n; bad += 1 + n / 50) {
                const double p = analyze::binomial_p_value(bad, n, alpha), exact = bad == n ? 1.0 : summed(bad, n, alpha);
                CAPTURE(n, alpha, bad);
                CHECK(std::abs(p - exact) <= 1e-10 + 1e-9 * exact);
                const double bound = analyze::hoeffding_bentkus_p_value(static_cast<double>(bad) / static_cast<double>(n), n, alpha);
                CHECK((bound >= p * (1.0 - 1e-9) && bound <= 1.0));
            }
}

TEST_CASE("choices are taken up to the first that cannot be told safe") {
    const std::vector<std::uint64_t> bad{0, 5, 11, 30, 2};
    // of 1000 at 0.02: 12 have a p-value of 0.039, 13 of 0.066, 14 of 0.104
    CHECK(analyze::choices_with_guarantee(bad, 1000, {0.02, 0.1}) == 3);
    CHECK(analyze::choices_with_guarantee(std::vector<std::uint64_t>{13, 14}, 1000, {0.02, 0.1}) == 1);
    CHECK(analyze::choices_with_guarantee(std::vector<std::uint64_t>{20}, 1000, {0.02, 0.1}) == 0);
    CHECK(analyze::choices_with_guarantee({}, 1000, {}) == 0);
    CHECK(analyze::choices_with_guarantee(std::vector<std::uint64_t>{0}, 10, {0.02, 0.1}) == 0);
}

TEST_CASE("the promise is broken no more often than it says, and nearly as often at the boundary") {
    // risks of choices cross alpha between the fourth and the fifth, which is only just above
    const double risks[] = {0.0, 0.005, 0.01, 0.02, 0.0201, 0.03, 0.05};
    random_stream draw{11, {}};
    int broken = 0;
    constexpr int splits = 2000;
    for (int split = 0; split < splits; ++split) {
        std::vector<std::uint64_t> bad(std::size(risks));
        for (int image = 0; image < 1000; ++image) {
            const double u = draw.unit();  // the same images for all choices: losses hang together as in pruning
            for (std::size_t c = 0; c < bad.size(); ++c) bad[c] += u < risks[c] ? 1u : 0u;
        }
        const std::size_t taken = analyze::choices_with_guarantee(bad, 1000, {0.02, 0.1});
        if (taken > 0 && risks[taken - 1] > 0.02) ++broken;
    }
    INFO(broken);
    CHECK(broken <= 0.1 * splits + 3.0 * std::sqrt(0.09 * splits));
    CHECK(broken >= 0.03 * splits);
}
