// SPDX-License-Identifier: MIT
#include <redoubt/fault/strata.hpp>
#include <redoubt/redoubt.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <set>
#include <vector>

using namespace redoubt;
using namespace redoubt::fault;

namespace {

/// 135, 900 and 540 weights.
template <number N>
using net_of = network<image<3, 6, 5>, N, conv2d<conv_spec{.out = 5, .pad = 1}>, relu, conv2d<conv_spec{.out = 20, .pad = 1}>,
                       relu, max_pool<2>, linear<3>>;
constexpr std::uint64_t sizes[] = {3 * 9 * 5, 5 * 9 * 20, 3 * 2 * 20 * 3};

template <number N>
void check_strikes(const fault_spec& spec, int first_bit, int bits, const std::vector<int>& slots) {
    using net = net_of<N>;
    const strata_of<net> layers{spec};
    const strata all = layers.view();
    REQUIRE(all.count() == slots.size() * static_cast<std::size_t>(bits));
    int struck = 0, strays = 0;
    std::vector<std::set<std::uint64_t>> words(slots.size());
    for (std::uint64_t t = 0; t < 60000; ++t) {
        const std::uint64_t number = all.of_trial(t);
        const std::size_t layer = number / static_cast<std::uint64_t>(bits);
        strike_stratum<net>(7, t, spec, [&](const weight_fault& f) {
            ++struck;
            const bool there = f.slot == slots[layer] && f.bit == first_bit + static_cast<int>(number % static_cast<std::uint64_t>(bits)) &&
                               f.copy == 0 && f.word < all.size(number);
            strays += there ? 0 : 1;
            words[layer].insert(f.word);
        });
    }
    CHECK(struck == 60000);
    CHECK(strays == 0);
    // of the smallest layer, which has a twelfth of the trials or more, every word was met: one left out has a chance of 135 (1 - 1/135)^5000
    for (std::size_t l = 0; l < slots.size(); ++l)
        if (slots[l] == 0) CHECK(words[l].size() == sizes[0]);
}

}  // namespace

TEST_CASE("strata are layers by bits, as large as the layers", "[fault]") {
    const fault_spec any{.count = 1};
    const strata_of<net_of<float32>> layers{any};
    const strata all = layers.view();
    REQUIRE(all.count() == 96);
    CHECK(all.total() == 32 * (sizes[0] + sizes[1] + sizes[2]));
    CHECK(all.total() == weight_bits<net_of<float32>>(any, 0));
    for (std::uint64_t h = 0; h < 96; ++h) CHECK(all.size(h) == sizes[h / 32]);
    CHECK(layers.first_word(31) == 0);
    CHECK(layers.first_word(32) == sizes[0]);
    CHECK(layers.first_word(95) == sizes[0] + sizes[1]);
    CHECK(strata{}.count() == 0);
    CHECK(strata{}.total() == 0);
}

TEST_CASE("first every stratum once, then in proportion to sizes", "[fault]") {
    const std::vector<std::uint64_t> words{150, 2400, 48000, 10080, 840, 1};
    const strata all{words, 8};
    const auto total = static_cast<double>(all.total());
    std::vector<int> times(all.count());
    for (std::uint64_t t = 0; t < all.count(); ++t) {
        CHECK(all.of_trial(t) == t);
        ++times[t];
    }
    std::uint64_t t = all.count();
    double worst = 0.0;
    for (std::uint64_t n = 1; n <= (1u << 16); ++n, ++t) {
        const std::uint64_t h = all.of_trial(t);
        REQUIRE(h < all.count());
        ++times[h];
        if ((n & (n - 1)) != 0) continue;
        for (std::uint64_t s = 0; s < all.count(); ++s) {
            const double due = 1.0 + static_cast<double>(n) * static_cast<double>(all.size(s)) / total;
            worst = std::max(worst, std::abs(times[s] - due));
        }
    }
    // a power of two of trials meets each of as many equal parts of the space once, so a stratum is off by less than its two ends
    CHECK(worst < 2.0);
    // what the mirrored count says by hand: 0, 1/2, 1/4, 3/4 of the space
    const auto at = [&](double share) {
        double left = share * total;
        for (std::uint64_t s = 0;; ++s) {
            if (left < static_cast<double>(all.size(s))) return s;
            left -= static_cast<double>(all.size(s));
        }
    };
    CHECK(all.of_trial(48) == 0);
    CHECK(all.of_trial(49) == at(0.5));
    CHECK(all.of_trial(50) == at(0.25));
    CHECK(all.of_trial(51) == at(0.75));
}

TEST_CASE("a trial strikes its stratum", "[fault]") {
    check_strikes<float32>({.count = 1}, 0, 32, {0, 1, 2});
    check_strikes<int8>({.count = 1}, 0, 8, {0, 1, 2});
    check_strikes<float32>({.count = 1, .bits = bit_class::exponent}, 23, 8, {0, 1, 2});
    check_strikes<float32>({.count = 1, .position = 30}, 30, 1, {0, 1, 2});
    check_strikes<float16>({.count = 1, .only_slot = 1}, 0, 16, {1});
}
