// SPDX-License-Identifier: MIT
// Draws and flips many at a time beside those that go one by one.
#include <redoubt/fault/flips.hpp>
#include <redoubt/redoubt.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

using namespace redoubt;
using namespace redoubt::fault;

namespace {

using bit_list = std::vector<std::uint64_t>;

bit_list in_order(const draw_key& key, double rate, std::uint64_t first, std::uint64_t last) {
    bit_list list;
    draw_bits(key, rate, first, last, [&](std::uint64_t bit) { list.push_back(bit); });
    return list;
}
bit_list unordered(const draw_key& key, double rate, std::uint64_t first, std::uint64_t last) {
    bit_list list;
    draw_unordered(key, rate, first, last, [&](std::uint64_t bit) { list.push_back(bit); });
    std::sort(list.begin(), list.end());
    return list;
}

/// Odd channels, several blocks, groups, a depthwise layer, channels that no group of four divides.
template <number N>
using mixed = network<image<3, 9, 7>, N, conv2d<conv_spec{.out = 20, .pad = 1}>, relu, conv2d<conv_spec{.out = 20, .pad = 1, .groups = 20}>,
                      conv2d<conv_spec{.out = 36, .kernel = {1, 1}}>, relu, conv2d<conv_spec{.out = 12, .pad = 1, .groups = 2}>, max_pool<2>,
                      linear<30>, linear<7>>;

template <class Net>
std::unique_ptr<parameters<Net>> any_parameters() {
    auto p = std::make_unique<parameters<Net>>();
    random_stream random{4, {}};
    for (std::byte& b : p->bytes) b = static_cast<std::byte>(random.below(256));
    return p;
}

template <class Net>
void compare(const fault_spec& spec) {
    CAPTURE(spec.rate, spec.position, spec.only_slot, static_cast<int>(spec.bits));
    const auto untouched = any_parameters<Net>();
    auto expected = std::make_unique<parameters<Net>>(*untouched), struck = std::make_unique<parameters<Net>>(*untouched);
    std::size_t faults = 0;
    draw_weights<Net>(8, 3, spec, {}, [&](weight_fault f) {
        fault::apply<Net>(*expected, f);
        ++faults;
    });
    std::vector<bit_address> log;
    flip_weights<Net>(*struck, 8, 3, spec, [&](std::span<const bit_address> some) { log.insert(log.end(), some.begin(), some.end()); });
    CHECK(struck->bytes == expected->bytes);
    CHECK(log.size() == faults);
    for (const bit_address at : log) flip_bit(*struck, at);
    CHECK(struck->bytes == untouched->bytes);

    flip_weights<Net>(*struck, 8, 3, spec);
    CHECK(struck->bytes == expected->bytes);
    flip_weights<Net>(*struck, 8, 3, spec);
    CHECK(struck->bytes == untouched->bytes);
}

template <class Net>
void compare_all() {
    for (double rate : {0.0, 1e-5, 1e-3, 0x1p-8, 0x1p-7, 0.009, 0.1, 0.75, 1.0}) compare<Net>({.rate = rate});
    for (double rate : {0.004, 0.2}) {
        compare<Net>({.rate = rate, .bits = bit_class::sign});
        if constexpr (!Net::number_type::is_integer) compare<Net>({.rate = rate, .bits = bit_class::exponent});
        compare<Net>({.rate = rate, .position = 3});
        compare<Net>({.rate = rate, .only_slot = 2});
    }
}

}  // namespace

TEST_CASE("unordered draws strike the bits of ordered ones, each once", "[fault][flips]") {
    for (double rate : {0.0, 1e-12, 3e-8, 1e-6, 1.1e-6, 0x1p-16, 1e-5, 3e-5, 1e-4, 0x1p-12, 0x1.8p-12, 1e-3, 0.005, 0x1p-8, 0x1p-7, 0.01, 0.5, 1.0}) {
        // enough for some hundred faults and, above 2^-12, for some at two levels at once; edges within blocks and windows
        const std::uint64_t span = rate >= 0.001 ? 300007 : rate >= 1e-5 ? 30000011 : 400000003;
        for (std::uint64_t first : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{65536}, std::uint64_t{12345679}}) {
            CAPTURE(rate, first);
            const draw_key key{9, first, 1, 2};
            CHECK(unordered(key, rate, first, first + span) == in_order(key, rate, first, first + span));
        }
    }
}

TEST_CASE("places that two levels strike are struck once", "[fault][flips]") {
    // At 2^-7 some 2^-16 of all bits are struck by two levels or more: without the set of places seen they would be told twice.
    const std::uint64_t bits = 4000000;
    std::size_t twice = 0;
    for (int k = 7; k <= 40; ++k) {
        const level_faults faults{{3, 0, 0, 0}, 0x1p-7, 0, bits};
        for (int j = k + 1; j <= 12; ++j) {
            level_faults other{{3, 0, 0, 0}, 0x1p-7, 0, bits};
            auto a = faults.walker(k), b = other.walker(j);
            bool more = faults.advance(a) && other.advance(b);
            while (more) {
                if (a.place == b.place) ++twice;
                more = a.place <= b.place ? faults.advance(a) : other.advance(b);
            }
        }
    }
    REQUIRE(twice > 20);
    CHECK(unordered({3, 0, 0, 0}, 0x1p-7, 0, bits) == in_order({3, 0, 0, 0}, 0x1p-7, 0, bits));
}

TEST_CASE("masks hold the bits of dense draws", "[fault][flips]") {
    for (double rate : {std::nextafter(sparse_limit, 1.0), 0.01, 0.1, 0.25, 0.5, 0.7, 0.999, std::nextafter(1.0, 0.0)}) {
        for (std::size_t words : {1u, 7u, 8u, 16u, 33u, 200u}) {
            const std::uint64_t first = 77;
            bit_list expected(words), masks(words);
            draw_bits({5, 6, 7, 8}, rate, first * 64, (first + words) * 64,
                      [&](std::uint64_t bit) { expected[static_cast<std::size_t>(bit / 64 - first)] |= std::uint64_t{1} << bit % 64; });
            mask_draw{{5, 6, 7, 8}, rate}(first, masks);
            CHECK(masks == expected);
        }
    }
}

#if REDOUBT_CONTRACTS == 3
TEST_CASE("masks are of dense rates alone", "[fault][flips]") {
    for (double rate : {0x1p-7, 1.0, std::nan("")}) CHECK_THROWS_AS((mask_draw{{5, 6, 7, 8}, rate}), contract_error);
}
#endif

TEMPLATE_TEST_CASE("flips many at a time are those of the records, and go back", "[fault][flips]", float32, float16, bfloat16, int8) {
    compare_all<mixed<TestType>>();
    compare_all<harden<mixed<TestType>, protect<is_weighted, tmr_parameters>>>();
    compare_all<harden<mixed<TestType>, protect<is_weighted, crc>>>();
}

#if REDOUBT_CONTRACTS == 3
TEST_CASE("flips without records refuse what is no plain flip at a rate", "[fault][flips]") {
    const auto p = any_parameters<mixed<float32>>();
    const auto refused = [&](const fault_spec& spec) { CHECK_THROWS_AS(flip_weights<mixed<float32>>(*p, 1, 1, spec), contract_error); };
    refused({.model = {.does = effect::zero}, .rate = 0.1});
    refused({.model = {.lies = pattern::adjacent, .bits = 2}, .rate = 0.1});
    refused({.strikes = target::biases, .rate = 0.1});
    refused({.rate = 0.0, .count = 3});
    refused({.rate = -0.1});
}
#endif
