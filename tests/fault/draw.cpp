// SPDX-License-Identifier: MIT
#include <redoubt/base/philox.hpp>
#include <redoubt/fault/draw.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <vector>

using namespace redoubt;
using namespace redoubt::fault;

namespace {

using bit_list = std::vector<std::uint64_t>;

bit_list drawn(const draw_key& key, double rate, std::uint64_t first, std::uint64_t last) {
    bit_list list;
    draw_bits(key, rate, first, last, [&](std::uint64_t bit) { list.push_back(bit); });
    return list;
}

bool strictly_rising(const bit_list& list) {
    return std::adjacent_find(list.begin(), list.end(), [](auto a, auto b) { return a >= b; }) == list.end();
}

/// How many standard deviations a count lies from its binomial mean.
double deviations(double count, double trials, double rate) {
    return (count - trials * rate) / std::sqrt(trials * rate * (1.0 - rate));
}

double chi_square(const std::vector<double>& counts, double expected) {
    double sum = 0.0;
    for (double c : counts) sum += (c - expected) * (c - expected) / expected;
    return sum;
}

/// Far out for a chi-square variable: five standard deviations of its normal approximation.
double far_out(double freedom) { return freedom + 5.0 * std::sqrt(2.0 * freedom); }

/// The faults of the sparse regime straight from its definition: every level's set in a container, libm's logarithm,
/// no shortcuts.
std::set<std::uint64_t> by_definition(const draw_key& key, double rate, std::uint64_t bits) {
    const fault::detail::draw_words words{key};
    std::set<std::uint64_t> struck;
    for (int k = 7; k <= 40; ++k) {
        const bool last = k == 40;
        const double q = last ? std::ldexp(1.0, -40) : 1.0 / (std::ldexp(1.0, k + 1) - 1.0);
        const double here = std::ldexp(1.0, -k), below = last ? 0.0 : 0.5 * here;
        const double kept = (rate - below) / (here - below);
        if (kept <= 0.0) continue;
        const std::uint64_t size = std::uint64_t{1} << std::max(16, k + 4);
        for (std::uint64_t block = 0; block * size < bits; ++block) {
            std::uint64_t place = 0;
            for (std::uint32_t index = 0;; ++index, ++place) {
                const auto [skip, keep] = words.at(k, block, index);
                const double u = static_cast<double>((skip >> 11) + 1) * 0x1p-53;
                place += static_cast<std::uint64_t>(std::log(u) / std::log1p(-q));
                if (place >= size) break;
                if (block * size + place < bits && static_cast<double>(keep) * 0x1p-64 < kept) {
                    struck.insert(block * size + place);
                }
            }
        }
    }
    return struck;
}

}  // namespace

TEST_CASE("sparse draws are those of the definition", "[fault][draw]") {
    for (double rate : {0x1p-7, 0.005, 0x1p-8, 1e-3, 1e-4, 0x1p-16, 1e-5, 1.1e-6}) {
        for (std::uint64_t trial = 0; trial < 4; ++trial) {
            const draw_key key{9, trial, 1, 2};
            const std::uint64_t bits = 700001;
            const auto expected = by_definition(key, rate, bits);
            CHECK(drawn(key, rate, 0, bits) == bit_list(expected.begin(), expected.end()));
        }
    }
    const std::uint64_t many = std::uint64_t{1} << 43;
    for (double rate : {3e-12, 0x1p-39, 1.2e-12, 0x1p-40, 5e-13, 1e-14}) {
        const auto expected = by_definition({9, 0, 1, 2}, rate, many);
        CHECK(drawn({9, 0, 1, 2}, rate, 0, many) == bit_list(expected.begin(), expected.end()));
    }
}

TEST_CASE("the number of faults fits the rate, and so does its scatter", "[fault][draw]") {
    struct plan { double rate; std::uint64_t bits; int trials; };
    const plan p = GENERATE(plan{1e-6, 4600000, 20000}, plan{1e-5, 4600000, 2000}, plan{1e-3, 100000, 1000},
                            plan{0x1p-7, 50000, 400}, plan{0x1.8p-8, 50000, 400}, plan{0.01, 20000, 500},
                            plan{0.3, 2000, 1000}, plan{0.5, 2000, 500}, plan{0.999, 2000, 500},
                            plan{3e-13, std::uint64_t{1} << 42, 5000}, plan{1e-14, std::uint64_t{1} << 45, 5000});
    CAPTURE(p.rate);
    double total = 0.0, scatter = 0.0;
    const double bits = static_cast<double>(p.bits), mean = bits * p.rate;
    for (int trial = 0; trial < p.trials; ++trial) {
        double count = 0.0;
        draw_bits({77, static_cast<std::uint64_t>(trial), 0, 0}, p.rate, p.bits, [&](std::uint64_t) { count += 1.0; });
        total += count;
        scatter += (count - mean) * (count - mean) / (mean * (1.0 - p.rate));
    }
    CHECK(std::abs(deviations(total, bits * p.trials, p.rate)) < 4.0);
    // A count's squared deviation has variance 2 + 1/mean in units of its own, about.
    CHECK(std::abs(scatter - p.trials) < 5.0 * std::sqrt(p.trials * (2.0 + 1.0 / mean)));
}

TEST_CASE("every level and the rates between levels are exact", "[fault][draw]") {
    double squares = 0.0;
    int cells = 0;
    for (int k = 7; k <= 42; ++k) {
        for (double part : {1.0, 0.99, 0.75, 0.6, 0.501}) {
            const double rate = std::ldexp(part, -k);
            const std::uint64_t bits = std::uint64_t{1} << (k + 10);
            double count = 0.0;
            constexpr int trials = 4;
            for (std::uint64_t trial = 0; trial < trials; ++trial) {
                // A space of its own per cell: nested draws would make the cells depend on each other.
                draw_bits({5, trial, static_cast<std::uint32_t>(cells), 0}, rate, bits,
                          [&](std::uint64_t) { count += 1.0; });
            }
            const double off = deviations(count, static_cast<double>(bits) * trials, rate);
            CAPTURE(k, part);
            CHECK(std::abs(off) < 4.0);
            squares += off * off;
            ++cells;
        }
    }
    CHECK(squares < far_out(cells));
}

TEST_CASE("faults are sorted, unique and in range", "[fault][draw]") {
    const double rate = GENERATE(1e-5, 1e-3, 0x1p-7, 0.02, 0.5, 1.0);
    for (std::uint64_t trial = 0; trial < 5; ++trial) {
        const bit_list list = drawn({1, trial, 0, 0}, rate, 1000, 300077);
        CHECK(strictly_rising(list));
        REQUIRE(!list.empty());
        CHECK(list.front() >= 1000);
        CHECK(list.back() < 300077);
    }
}

TEST_CASE("faults at a lower rate are among those at a higher one, within each regime", "[fault][draw]") {
    const std::vector<std::vector<double>> regimes{
        {1e-9, 1e-7, 9e-7, 0x1p-20, 1e-6, 1.5e-6, 1e-5, 1.01e-5, 1e-4, 1e-3, 0x1p-8, 0.0045, 0.007, 0x1p-7},
        {0.0079, 0.01, 0.0101, 0.1, 0.3, 0.5, 0.7, 0.99, 1.0}};
    for (const auto& rates : regimes) {
        for (std::uint64_t trial = 0; trial < 3; ++trial) {
            bit_list before;
            for (double rate : rates) {
                const bit_list now = drawn({3, trial, 0, 7}, rate, 0, 2000000);
                CHECK(std::includes(now.begin(), now.end(), before.begin(), before.end()));
                CHECK(now.size() >= before.size());
                before = now;
            }
        }
    }
}

TEST_CASE("a part of the space holds the faults that the whole has there", "[fault][draw]") {
    const double rate = GENERATE(1e-6, 1e-4, 0.003, 0x1p-7, 0.01, 0.4, 1.0);
    const draw_key key{12, 5, 6, 7};
    const std::uint64_t bits = rate < 1e-3 ? 40000000 : 300000;
    const bit_list whole = drawn(key, rate, 0, bits);
    random_stream random{8, {}};
    for (int i = 0; i < 40; ++i) {
        std::uint64_t first = random.below(bits + 1), last = random.below(bits + 1);
        if (first > last) std::swap(first, last);
        if (i < 8) last = std::min(bits, first + static_cast<std::uint64_t>(i));  // short ones, the empty one too
        if (i == 8 && !whole.empty()) first = whole.front(), last = first + 1;
        const auto from = std::lower_bound(whole.begin(), whole.end(), first);
        const auto to = std::lower_bound(whole.begin(), whole.end(), last);
        CHECK(drawn(key, rate, first, last) == bit_list(from, to));
    }
    // Cut into pieces, at block edges and elsewhere, and put together.
    bit_list pieces;
    for (std::uint64_t at = 0, step = 65536; at < bits; at += step, step = step * 2 + 1) {
        const bit_list piece = drawn(key, rate, at, std::min(bits, at + step));
        pieces.insert(pieces.end(), piece.begin(), piece.end());
    }
    CHECK(pieces == whole);
}

TEST_CASE("every position is struck alike, within a word too, and neighbours do not matter", "[fault][draw]") {
    struct plan { double rate; int trials; };
    const plan p = GENERATE(plan{1e-4, 2000}, plan{0.005, 100}, plan{0x1p-7, 100}, plan{0.05, 20}, plan{0.6, 4});
    CAPTURE(p.rate);
    constexpr std::uint64_t bits = 256 * 1024;
    std::vector<double> by_place(256), by_lane(64), by_distance(40);
    for (int trial = 0; trial < p.trials; ++trial) {
        const bit_list list = drawn({21, static_cast<std::uint64_t>(trial), 0, 0}, p.rate, 0, bits);
        REQUIRE(strictly_rising(list));
        for (std::size_t i = 0; i < list.size(); ++i) {
            by_place[static_cast<std::size_t>(list[i] / 1024)] += 1.0;
            by_lane[static_cast<std::size_t>(list[i] % 64)] += 1.0;
            for (std::size_t j = i + 1; j < list.size() && list[j] - list[i] <= by_distance.size(); ++j) {
                by_distance[static_cast<std::size_t>(list[j] - list[i] - 1)] += 1.0;
            }
        }
    }
    const double faults = static_cast<double>(bits) * p.trials * p.rate, pairs = faults * p.rate;
    CHECK(chi_square(by_place, faults / 256) < far_out(256));
    CHECK(chi_square(by_lane, faults / 64) < far_out(64));
    if (pairs > 20.0 && p.rate < 0.1) CHECK(chi_square(by_distance, pairs) < far_out(40));
}

TEST_CASE("trials, spaces, items and seeds are independent", "[fault][draw]") {
    const double rate = GENERATE(0x1p-7, 0.006, 0.05);
    constexpr std::uint64_t bits = 2000000;
    const std::vector<draw_key> keys{{1, 0, 0, 0}, {2, 0, 0, 0}, {1, 1, 0, 0}, {1, std::uint64_t{1} << 32, 0, 0},
                                     {1, 0, 1, 0}, {1, 0, 0, 1}, {1, 1, 1, 1}, {std::uint64_t{1} << 32, 0, 0, 0}};
    std::vector<bit_list> lists;
    for (const draw_key& key : keys) lists.push_back(drawn(key, rate, 0, bits));
    for (std::size_t a = 0; a < lists.size(); ++a) {
        CHECK(lists[a] == drawn(keys[a], rate, 0, bits));
        for (std::size_t b = a + 1; b < lists.size(); ++b) {
            bit_list both;
            std::set_intersection(lists[a].begin(), lists[a].end(), lists[b].begin(), lists[b].end(),
                                  std::back_inserter(both));
            CAPTURE(a, b);
            CHECK(std::abs(deviations(static_cast<double>(both.size()), static_cast<double>(bits), rate * rate)) < 4.0);
        }
    }
}

TEST_CASE("rates at the ends", "[fault][draw]") {
    const draw_key key{1, 2, 3, 4};
    CHECK(drawn(key, 0.0, 0, 1000).empty());
    CHECK(drawn(key, -0.0, 0, 1000).empty());
    CHECK(drawn(key, std::numeric_limits<double>::denorm_min(), 0, std::uint64_t{1} << 50).empty());
    for (double rate : {1.0, 2.0, std::numeric_limits<double>::infinity()}) {
        const bit_list all = drawn(key, rate, 5, 205);
        REQUIRE(all.size() == 200);
        CHECK((strictly_rising(all) && all.front() == 5 && all.back() == 204));
    }
    for (double rate : {1e-6, 0.1, 1.0}) CHECK(drawn(key, rate, 17, 17).empty());
    const double almost = std::nextafter(1.0, 0.0);
    CHECK(drawn(key, almost, 0, 1000).size() == 1000);
    const std::uint64_t top = std::uint64_t{1} << 62;
    const bit_list high = drawn(key, 1e-3, top - 100000, top);
    CHECK((strictly_rising(high) && high.size() > 50 && high.back() < top));
}

#if REDOUBT_CONTRACTS == 3
TEST_CASE("broken preconditions of draws", "[fault][draw]") {
    const auto nothing = [](std::uint64_t) {};
    CHECK_THROWS_AS(draw_bits(draw_key{}, std::nan(""), 10, nothing), contract_error);
    CHECK_THROWS_AS(draw_bits(draw_key{}, -1e-300, 10, nothing), contract_error);
    CHECK_THROWS_AS(draw_bits(draw_key{}, 0.1, 10, 9, nothing), contract_error);
    bit_list three(3);
    CHECK_THROWS_AS(draw_exactly(draw_key{}, 2, three), contract_error);
}
#endif

TEST_CASE("draws have the committed bits", "[fault][draw]") {
    // A change here makes every published campaign irreproducible.
    std::uint64_t hash = 0;
    const auto add = [&](std::uint64_t bit) { hash = (hash ^ bit) * 0x9e3779b97f4a7c15u, hash ^= hash >> 29; };
    for (double rate : {1e-9, 1e-6, 1e-4, 0x1p-9, 0.007}) draw_bits({7, 1, 2, 3}, rate, 10000000, add);
    for (double rate : {0.01, 0.3, 0.9}) draw_bits({7, 1, 2, 3}, rate, 100000, add);
    bit_list some(1000);
    draw_exactly({7, 1, 2, 3}, 1000000, some);
    for (std::uint64_t bit : some) add(bit);
    draw_exactly({7, 1, 2, 3}, 3000, some);
    for (std::uint64_t bit : some) add(bit);
    CHECK(hash == 0x9792c1b5b42d313du);
}

TEST_CASE("exactly n bits are n, distinct, sorted and in range", "[fault][draw]") {
    struct plan { std::uint64_t bits; std::size_t count; };
    const plan p = GENERATE(plan{10, 0}, plan{1, 1}, plan{10, 10}, plan{10, 9}, plan{100, 12}, plan{100, 13},
                            plan{4600000, 1}, plan{4600000, 5000}, plan{5000, 625}, plan{5000, 626}, plan{5000, 4999},
                            plan{std::uint64_t{1} << 60, 100});
    for (std::uint64_t trial = 0; trial < 5; ++trial) {
        bit_list list(p.count);
        draw_exactly({2, trial, 0, 0}, p.bits, list);
        CHECK(strictly_rising(list));
        CHECK((list.empty() || list.back() < p.bits));
        bit_list again(p.count);
        draw_exactly({2, trial, 0, 0}, p.bits, again);
        CHECK(again == list);
    }
}

TEST_CASE("every set of n bits is equally likely", "[fault][draw]") {
    struct plan { std::uint64_t bits; std::size_t count; int sets; };
    // Both methods: 24 bits and 3 are drawn and sorted, 7 and 3 are picked in passing.
    const plan p = GENERATE(plan{7, 3, 35}, plan{5, 4, 5}, plan{24, 3, 2024}, plan{16, 2, 120}, plan{8, 1, 8});
    CAPTURE(p.bits, p.count);
    std::map<bit_list, double> seen;
    const int draws = 50 * p.sets;
    for (int trial = 0; trial < draws; ++trial) {
        bit_list list(p.count);
        draw_exactly({31, static_cast<std::uint64_t>(trial), 0, 0}, p.bits, list);
        seen[list] += 1.0;
    }
    CHECK(seen.size() == static_cast<std::size_t>(p.sets));
    std::vector<double> counts;
    for (const auto& [set, count] : seen) counts.push_back(count);
    CHECK(chi_square(counts, 50.0) < far_out(p.sets - 1));
}

TEST_CASE("exact draws are nested in n up to an eighth of the space", "[fault][draw]") {
    bit_list before;
    for (std::size_t count : {1u, 2u, 10u, 99u, 100u, 125u}) {
        bit_list now(count);
        draw_exactly({4, 4, 0, 0}, 1000, now);
        CHECK(std::includes(now.begin(), now.end(), before.begin(), before.end()));
        before = now;
    }
}
