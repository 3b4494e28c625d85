// SPDX-License-Identifier: MIT
// Defects that other fault injectors have or had, each with a test that would find it here.
#include <redoubt/campaign/interval.hpp>
#include <redoubt/campaign/sequential.hpp>
#include <redoubt/campaign/trial_interval.hpp>
#include <redoubt/fault/flips.hpp>

#include "support/catch.hpp"
#include "support/nets.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

using namespace redoubt;
using namespace support;

namespace {

using lenet = model::lenet5<image<1, 28, 28>>;

/// The one weight fault of each of many trials.
template <class Net>
std::vector<fault::weight_fault> single_faults(std::uint64_t seed, std::uint64_t trials, const fault::fault_spec& spec = {.count = 1}) {
    std::vector<fault::weight_fault> faults;
    std::array<std::uint64_t, 1> chosen{};
    for (std::uint64_t t = 0; t < trials; ++t)
        fault::draw_weights<Net>(seed, t, spec, chosen, [&](const fault::weight_fault& f) { faults.push_back(f); });
    return faults;
}

double off_by(double count, double trials, double share) {
    return std::abs(count - trials * share) / std::sqrt(trials * share * (1.0 - share));
}

}  // namespace

// PyTorchFI, TensorFI2: in LeNet-5 a weight of conv1 is then 320 times as likely to be hit as one of fc1.
TEST_CASE("known defect: a layer is drawn first, then a site in it", "[defects]") {
    constexpr double trials = 20000.0;
    std::array<double, 5> hits{};
    for (const auto& f : single_faults<lenet>(1, static_cast<std::uint64_t>(trials))) hits[static_cast<std::size_t>(f.slot)] += 1.0;
    const std::array<double, 5> weights{150.0, 2400.0, 48000.0, 10080.0, 840.0};
    double all = 0.0;
    for (double w : weights) all += w;
    CHECK(all == 61470.0);
    for (std::size_t s = 0; s < hits.size(); ++s) {
        CAPTURE(s);
        CHECK(off_by(hits[s], trials, weights[s] / all) < 4.5);
    }

    // features: 6x28x28, 16x10x10, 120, 84, 10
    std::map<int, double> struck;
    std::array<std::uint64_t, 1> chosen{};
    for (std::uint64_t t = 0; t < 5000; ++t) {
        fault_list list{1};
        fault::draw_inference<lenet>(1, t, 0, {.count = 1}, fault::inference_space::features, chosen, list.policy);
        REQUIRE(list.policy.size() == 1);
        struck[list.policy.faults()[0].step] += 1.0;
    }
    REQUIRE(struck.size() >= 3);
    const std::array<double, 5> outputs{4704.0, 1600.0, 120.0, 84.0, 10.0};
    CHECK(off_by(struck.begin()->second, 5000.0, outputs[0] / 6518.0) < 4.5);
    CHECK(off_by(std::next(struck.begin())->second, 5000.0, outputs[1] / 6518.0) < 4.5);
}

// PyTorchFI: three times the profiled maximum reads as minus the maximum.
TEST_CASE("known defect: a quantiser that wraps instead of saturating", "[defects]") {
    const std::array<float, 8> pixels{1.0f, 3.0f, -1.0f, -3.0f, 1e30f, -1e30f, INFINITY, NAN};
    std::array<std::uint8_t, 8> codes{};
    kernel::read_image<int8>({1, 1, 8}, false, pixels.data(), codes.data(), 6);  // 1.0 is 64 of 127
    CHECK(codes == std::array<std::uint8_t, 8>{128 + 64, 255, 128 - 64, 0, 255, 0, 255, 128});
    // weights, at conversion: the largest magnitude itself keeps its sign and its size
    using base = network<image<1, 4, 4>, float32, conv2d<conv_spec{.out = 1, .kernel = 1}>>;
    for (float largest : {1.0f, 0.999f, 127.0f, 3e-5f}) {
        std::vector<drawn_layer> layers{{{largest}, {0.0f}}};
        const auto codes_of = converted<with_number<base, int8>>(*network_of<base>(layers), drawn_images<base>(2));
        const float back = scaled(static_cast<float>(codes_of->weights(0)[0]), -codes_of->weight_frac(0));
        CHECK(std::abs(back - largest) <= largest / 63.0f);
    }
}

// PyTorchFI copies the model for each fault. Here a fault touches the page of its word and no other: the rest may not even be read.
TEST_CASE("known defect: the whole model is copied for every fault", "[defects]") {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t size = (sizeof(parameters<lenet>) + page - 1) / page * page;
    void* const pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(pages != MAP_FAILED);
    auto* const p = new (pages) parameters<lenet>{*drawn_network<lenet>()};
    for (auto& f : single_faults<lenet>(3, 50)) {
        const auto* const word = fault::impl::address_of(*p, f);
        const std::size_t at = static_cast<std::size_t>(word - static_cast<std::byte*>(pages)) / page * page;
        REQUIRE(::mprotect(pages, size, PROT_NONE) == 0);
        REQUIRE(::mprotect(static_cast<std::byte*>(pages) + at, page, PROT_READ | PROT_WRITE) == 0);
        fault::apply<lenet>(*p, f);
        fault::undo<lenet>(*p, f);
        CHECK(f.before != f.after);
    }
    REQUIRE(::mprotect(pages, size, PROT_READ | PROT_WRITE) == 0);
    CHECK(p->bytes == drawn_network<lenet>()->bytes);
    ::munmap(pages, size);
}

// IterativeFI: 0 failures in 664 give about [0, 1e-7] by Wald's formula, and the campaign stops.
TEST_CASE("known defect: an interval of no width where nothing failed", "[defects]") {
    const auto bounds = campaign::clopper_pearson(0.0, 664.0, 0.99);
    CHECK(bounds.low == 0.0);
    CHECK(bounds.high == Approx(1.0 - std::pow(0.005, 1.0 / 664.0)));
    CHECK(bounds.high > 0.0079);
    CHECK(campaign::wilson(0.0, 664.0, 0.99).high > 0.0079);
    const std::vector<double> clean(664, 0.0);
    CHECK(campaign::cluster_interval(clean, 100.0).high > 0.004);
    CHECK(campaign::trial_interval(clean, 1.0).high > 0.004);
    campaign::sequential_mean sequence{0.99};
    for (double trial : clean) sequence.add(trial);
    CHECK_FALSE(campaign::within({sequence.rate(), sequence.bounds()}, 0.003));
    CHECK_FALSE(campaign::within_relative({sequence.rate(), sequence.bounds()}, 0.5));
}

// TensorFI, rad_ml, MRFI: a bit drawn twice is flipped back.
TEST_CASE("known defect: multi-bit faults that draw a bit twice and cancel", "[defects]") {
    using net = network<image<1, 3, 3>, float32, linear<2>>;  // 18 weights: 576 bits
    std::vector<std::uint64_t> chosen(500);
    for (std::uint64_t count : {2u, 40u, 71u, 300u, 500u}) {
        for (std::uint64_t trial = 0; trial < 50; ++trial) {
            std::set<std::pair<std::uint64_t, int>> bits;
            fault::draw_weights<net>(1, trial, {.count = count}, chosen, [&](const fault::weight_fault& f) { bits.emplace(f.word, f.bit); });
            CHECK(bits.size() == count);
        }
    }
    for (int n : {2, 3, 16, 31, 32}) {
        const fault::fault_spec spec{.model = {.lies = fault::pattern::scattered, .bits = n}, .rate = 0.5};
        for (std::uint64_t trial = 0; trial < 50; ++trial) {
            fault::draw_weights<net>(1, trial, spec, {}, [&](const fault::weight_fault& f) {
                CHECK(std::popcount(f.does.change.flip) == n);
                CHECK(f.does.change.keep == ~0u);
            });
        }
    }
    // at a rate: no place is told twice, though the levels of the sampler know nothing of each other
    std::set<std::uint64_t> seen;
    std::size_t told = 0;
    fault::draw_unordered({3, 0, 0, 0}, fault::sparse_limit, 0, 1000000, [&](std::uint64_t bit) { seen.insert(bit), ++told; });
    CHECK(seen.size() == told);
}

// SentinelNN: 0 is encoded as 1.0 before its bit is flipped.
TEST_CASE("known defect: a zero weight that is struck as if it were another number", "[defects]") {
    auto zeros = std::make_unique<parameters<lenet>>();
    for (auto& f : single_faults<lenet>(5, 400)) {
        fault::apply<lenet>(*zeros, f);
        CHECK(f.before == 0u);
        CHECK(f.after == std::uint32_t{1} << f.bit);
        fault::undo<lenet>(*zeros, f);
    }
}

// SentinelNN: masks multiply, so that 0 x Inf = NaN poisons the good copy.
TEST_CASE("known defect: infinity in one copy poisons the others", "[defects]") {
    using plain = network<image<2, 4, 4>, float32, conv2d<conv_spec{.out = 3, .pad = 1}>, relu>;
    const auto pixels = drawn_images<plain>(1)[0];
    const auto expected = words_of(answer_of<plain>(*drawn_network<plain>(), pixels));
    const auto check = [&]<class Net>(std::type_identity<Net>) {
        const auto weights = drawn_and_converted<Net>();
        for (float value : {INFINITY, -INFINITY, NAN}) {
            for (int step = 1; step < 4; ++step) {
                fault_list list{1};
                auto f = fault_at(step, 7, to_word(value), true);
                f.where.keep = 0;
                list.policy.add(f);
                list.policy.sort();
                const auto got = answer_of<Net>(*weights, pixels, list.policy);
                CHECK(words_of(got) == expected);
                CHECK(got.status.trustworthy());
            }
        }
    };
    check(std::type_identity<network<image<2, 4, 4>, float32, tmr<conv2d<conv_spec{.out = 3, .pad = 1}>>, relu>>{});
    // range restriction replaces, it does not multiply
    using restricted = network<image<2, 4, 4>, float32, range<conv2d<conv_spec{.out = 3, .pad = 1}>>, relu>;
    const auto weights = drawn_and_converted<restricted>();
    fault_list list{1};
    auto f = fault_at(1, 7, to_word(INFINITY), false);
    f.where.keep = 0;
    list.policy.add(f);
    list.policy.sort();
    const auto got = answer_of<restricted>(*weights, pixels, list.policy);
    for (std::size_t i = 0; i < got.logits.size(); ++i) CHECK(std::isfinite(got.logits[i]));
    CHECK(got.status.total().out_of_range == 1);
}

// SentinelNN: the counter of detected and unrecoverable errors can never fire.
TEST_CASE("known defect: a counter of unrecoverable faults that cannot fire", "[defects]") {
    using net = network<image<2, 3, 3>, float32, tmr<conv2d<conv_spec{.out = 3, .pad = 1}>>>;
    const auto weights = drawn_and_converted<net>();
    const auto pixels = drawn_images<net>(1)[0];
    fault_list list{3};
    for (int replica = 0; replica < 3; ++replica) list.policy.add(fault_at(1 + replica, 4, 1u << (3 + 9 * replica), true));
    list.policy.sort();
    const auto got = answer_of<net>(*weights, pixels, list.policy);
    CHECK(got.status.total().uncorrected == 1);
    CHECK_FALSE(got.status.trustworthy());
}

// LLTFI: the seed does not reach the choice of the bit. PyTorchALFI: 100,000 seeds only, the last index is never drawn.
TEST_CASE("known defect: a seed that reaches only a part of the draw", "[defects]") {
    // one trial under many seeds: every bit position as often as any other, every half of the space too
    constexpr std::uint64_t seeds = 6400;
    std::array<double, 32> positions{};
    double upper = 0.0;
    std::array<std::uint64_t, 1> chosen{};
    for (std::uint64_t seed = 0; seed < seeds; ++seed)
        fault::draw_weights<lenet>(seed, 0, {.count = 1}, chosen, [&](const fault::weight_fault& f) {
            positions[static_cast<std::size_t>(f.bit)] += 1.0;
            upper += f.slot > 2 || (f.slot == 2 && f.word >= 48000 / 2) ? 1.0 : 0.0;
        });
    double chi = 0.0;
    for (double n : positions) chi += (n - 200.0) * (n - 200.0) / 200.0;
    CHECK(chi < 31.0 + 5.0 * std::sqrt(62.0));
    CHECK(off_by(upper, static_cast<double>(seeds), (24000.0 + 10080.0 + 840.0) / 61470.0) < 4.5);
    // all 64 bits of a seed matter
    const auto of = [](std::uint64_t seed) {
        std::vector<std::uint64_t> bits;
        fault::draw_bits({seed, 0, 0, 0}, 1e-3, 100000, [&](std::uint64_t bit) { bits.push_back(bit); });
        return bits;
    };
    std::set<std::vector<std::uint64_t>> different{of(1)};
    for (int bit = 0; bit < 64; ++bit) different.insert(of(std::uint64_t{1} ^ (std::uint64_t{1} << bit)));
    different.insert(of(100001));
    CHECK(different.size() == 66);
    // the first and the last place are drawn, at a rate and by count
    constexpr std::uint64_t places = 300;
    std::array<int, places> by_count{}, by_rate{};
    for (std::uint64_t trial = 0; trial < 12000; ++trial) {
        std::array<std::uint64_t, 1> one{};
        fault::draw_exactly({9, trial, 0, 0}, places, one);
        by_count[static_cast<std::size_t>(one[0])] += 1;
        fault::draw_bits({9, trial, 1, 0}, 1.0 / 300.0, places, [&](std::uint64_t bit) { by_rate[static_cast<std::size_t>(bit)] += 1; });
    }
    for (const auto& counts : {by_count, by_rate}) {
        CHECK(off_by(counts.front(), 12000.0, 1.0 / 300.0) < 4.5);
        CHECK(off_by(counts.back(), 12000.0, 1.0 / 300.0) < 4.5);
        CHECK(std::find(counts.begin(), counts.end(), 0) == counts.end());
    }
}

// rad_ml: compared with ==, NaN never agrees with itself.
TEST_CASE("known defect: a voter that cannot agree on NaN", "[defects]") {
    const float nan = NAN;
    std::array<float, 3> a{nan, 0.0f, nan}, b{nan, -0.0f, 1.0f}, c{nan, -0.0f, 1.0f}, out{};
    const auto tally = kernel::vote_words(a.data(), b.data(), c.data(), out.data(), 3);
    CHECK(tally.different == 2);
    CHECK(tally.no_majority == 0);
    CHECK(to_word(out[0]) == to_word(nan));
    CHECK(to_word(out[1]) == to_word(-0.0f));
    CHECK(out[2] == 1.0f);
    CHECK(kernel::count_different(a.data(), a.data(), 3) == 0);
}

// MRFI: the live maximum sets the quantisation range, so that an earlier fault changes the scale of everything after it.
TEST_CASE("known defect: a fault changes the scale of words that it does not reach", "[defects]") {
    using net = network<image<1, 12, 12>, int8, conv2d<conv_spec{.out = 2, .pad = 1}>, relu, conv2d<conv_spec{.out = 1, .pad = 1}>>;
    const auto weights = drawn_and_converted<net>();
    const auto before = weights->bytes;
    const auto pixels = drawn_images<net>(1)[0];
    const auto golden = answer_of<net>(*weights, pixels);
    const int conv1 = find_step<net>([](const step& s) { return s.slot == 0; });
    fault_list list{1};
    auto f = fault_at(conv1, (5 * 12 + 6) * 2, 255u, true);  // row 5, column 6, the first channel, as large as a code gets
    f.where.keep = 0;
    list.policy.add(f);
    list.policy.sort();
    const auto got = answer_of<net>(*weights, pixels, list.policy);
    int reached = 0;
    for (int y = 0; y < 12; ++y) {
        for (int x = 0; x < 12; ++x) {
            const auto at = static_cast<std::size_t>(y * 12 + x);
            if (std::abs(y - 5) <= 1 && std::abs(x - 6) <= 1) reached += got.logits[at] != golden.logits[at] ? 1 : 0;
            else CHECK(got.logits[at] == golden.logits[at]);
        }
    }
    CHECK(reached > 4);
    CHECK(weights->bytes == before);
}
