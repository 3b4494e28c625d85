// SPDX-License-Identifier: MIT
// Convolutions with duplicated channels against the definition of the correction, with faults in either copy.
#include "support/conv_case.hpp"

#include "support/catch.hpp"
#include "support/kernels.hpp"

#include <redoubt/kernel/duplicate.hpp>

#include <map>

using namespace redoubt;
using kernel::correction;
using kernel::fault_hook;
using kernel::output_fault;
using support::conv_case;
using support::oracle_fault;
using support::words;

namespace {

/// A case of at least 16 channels whose further copies hold the first ones' filters.
template <number N>
struct duplicated_case {
    int folded, copies;
    conv_case<N> c;
    std::vector<typename N::accumulator> low, high;

    duplicated_case(random_stream& random, words kind, int of_each) : folded{0}, copies{of_each}, c{drawn(random, folded, of_each), random, kind} {
        const auto& g = c.geometry;
        for (int o = 0; o < g.out.channels; ++o) {
            const int first = kernel::first_copy(kernel::folded_channel(o, folded, copies), folded, copies);
            for (int i = 0; i < g.fan_in(); ++i)
                c.taps[static_cast<std::size_t>(o * g.fan_in() + i)] = c.taps[static_cast<std::size_t>(first * g.fan_in() + i)];
            c.bias[static_cast<std::size_t>(o)] = c.bias[static_cast<std::size_t>(first)];
        }
        c.pack();
        // from half to all of what a channel's outputs are
        low.resize(static_cast<std::size_t>(g.out.channels + 16));
        high.resize(low.size());
        for (int o = 0; o < g.out.channels - folded; ++o) {
            auto& from = low[static_cast<std::size_t>(o)];
            auto& to = high[static_cast<std::size_t>(o)];
            bool first = true;
            for (int row = 0; row < g.out.height; ++row)
                for (int column = 0; column < g.out.width; ++column) {
                    const auto v = oracle_chain(c, row, column, kernel::first_copy(o, folded, copies), {});
                    if (!(v == v)) continue;
                    from = first || v < from ? v : from;
                    to = first || v > to ? v : to;
                    first = false;
                }
            if (random.below(4) == 0) to = from;
        }
    }
    static kernel::conv_geometry drawn(random_stream& random, int& folded, int copies) {
        for (;;) {
            kernel::conv_geometry g = support::random_geometry(random, 100000);
            if (g.groups != 1 || g.out.channels < 16 || g.executed_macs() == 0) continue;
            folded = kernel::duplicated_channels(1 + support::below(random, g.out.channels), g.out.channels) * (copies - 1);
            g.out.channels += folded;
            return g;
        }
    }
};

struct tally {
    std::uint32_t different = 0, guessed = 0, outside = 0;
    bool operator==(const tally&) const = default;
};

/// By the definition (METHODS of the paper, form of detection intervals, or the minimum).
template <correction Form, class T>
T corrected(T m, T d, bool copied, T low, T high, tally& count) {
    const auto is_nan = [](T v) { return !(v == v); };
    // NaN is one value
    const bool differ = copied && !(is_nan(m) && is_nan(d)) && std::memcmp(&m, &d, sizeof(T)) != 0;
    count.different += differ ? 1u : 0u;
    if (Form == correction::minimum) {
        count.guessed += differ ? 1u : 0u;
        if (!copied || is_nan(d)) return m;
        return is_nan(m) || d < m ? d : m;
    }
    const auto inside = [&](T v) { return !is_nan(v) && low <= v && v <= high; };
    if (differ) {
        count.guessed += inside(m) == inside(d) ? 1u : 0u;
        if (inside(m) && inside(d)) return d < m ? d : m;
        return inside(m) ? m : inside(d) ? d : T{};
    }
    if (inside(m)) return m;
    ++count.outside;
    return T{};
}

/// Three copies: what two agree on, else the middle one, NaN as the largest.
template <class T>
T voted(T a, T b, T c, tally& count) {
    const auto same = [](T x, T y) { return (!(x == x) && !(y == y)) || std::memcmp(&x, &y, sizeof(T)) == 0; };
    if (same(a, b) && same(b, c)) return a;
    ++count.different;
    if (same(a, b) || same(a, c)) return a;
    if (same(b, c)) return b;
    ++count.guessed;
    T sorted[] = {a, b, c};
    std::stable_sort(sorted, sorted + 3, [](T x, T y) { return x == x && (!(y == y) || x < y); });
    return sorted[1];
}

template <correction Form, number N>
void check_case(const duplicated_case<N>& d, std::vector<output_fault> faults) {
    std::sort(faults.begin(), faults.end());
    const auto& c = d.c;
    const shape& out = c.geometry.out;
    const int stored = out.channels - d.folded;
    std::map<std::uint32_t, std::vector<oracle_fault>> struck;
    for (const output_fault& f : faults) {
        const int at = static_cast<int>(f.output), pixel = at / out.channels;
        const bool in_feature = f.step == output_fault::feature;
        struck[f.output].push_back({pixel / out.width, pixel % out.width, at % out.channels, in_feature, in_feature ? 0 : static_cast<int>(f.step), f.mask});
    }
    tally expected_count;
    support::output_bits expected;
    for (int row = 0; row < out.height; ++row)
        for (int column = 0; column < out.width; ++column)
            for (int channel = 0; channel < stored; ++channel) {
                const auto at = static_cast<std::size_t>(channel);
                const auto value = [&](int physical) {
                    const auto it = struck.find(static_cast<std::uint32_t>(out.index(row, column, physical)));
                    return it == struck.end() ? oracle_chain(c, row, column, physical, {}) : oracle_chain(c, row, column, physical, it->second);
                };
                const bool copied = channel < d.folded / (d.copies - 1);
                const int first = kernel::first_copy(channel, d.folded, d.copies);
                const auto m = value(first), other = copied ? value(first + 16) : m;
                auto kept = m;
                if (Form == correction::vote && copied) kept = voted(m, other, value(first + 32), expected_count);
                else kept = corrected<Form>(m, other, copied, d.low[at], d.high[at], expected_count);
                expected.push_back(oracle_store(c, kept, static_cast<int>(expected.size())));
            }
    tally count;
    auto got = run(c, [&](kernel::conv_call<N> call) {
        call.folded = d.folded;
        call.low = d.low.data();
        call.high = d.high.data();
        const auto seen = kernel::duplicated_conv2d<N, Form>(call, fault_hook{faults});
        count = {seen.different, seen.guessed, seen.outside};
    });
    got.resize(expected.size());
    CHECK(got == expected);
    CHECK(count == expected_count);
}

/// Some faults in any channels; where a case has three copies, some strike two of them.
template <number N>
std::vector<output_fault> drawn_faults(const duplicated_case<N>& d, random_stream& random) {
    std::vector<output_fault> faults;
    for (int n = 0; n < 6; ++n) {
        output_fault f;
        const auto& out = d.c.geometry.out;
        const int row = support::below(random, out.height), column = support::below(random, out.width);
        const int channel = support::below(random, out.channels);
        f.output = static_cast<std::uint32_t>(out.index(row, column, channel));
        const int taps = d.c.geometry.taps_at(row, column);
        if (taps > 0 && random.below(2) != 0) f.step = static_cast<std::uint32_t>(support::below(random, taps));
        const bool in_feature = f.step == output_fault::feature;
        f.mask = 1u << random.below(in_feature && !d.c.to_logits ? static_cast<std::uint64_t>(bits_in<typename N::activation>) : 32);
        if (in_feature && d.c.to_logits) f.mask = 1u << random.below(static_cast<std::uint64_t>(bits_in<typename N::logit>));
        faults.push_back(f);
        if (d.copies == 3 && random.below(2) != 0 && channel + 16 < out.channels) {
            f.output += 16;
            if (random.below(2) != 0) f.mask = 1u << random.below(8);
            faults.push_back(f);
        }
    }
    return faults;
}

template <number N>
void check(words kind, int cases, std::uint64_t seed) {
    random_stream random{seed, {}};
    for (int i = 0; i < cases; ++i) {
        CAPTURE(i);
        const duplicated_case<N> d{random, kind, 2};
        check_case<correction::intervals>(d, {});
        const auto faults = drawn_faults(d, random);
        check_case<correction::intervals>(d, faults);
        // the two kinds of arithmetic suffice for the simpler form: each is two kernels more to compile
        if constexpr (std::is_same_v<N, float32> || std::is_same_v<N, int8>) check_case<correction::minimum>(d, faults);
    }
}
template <number N>
void check_votes(words kind, int cases, std::uint64_t seed) {
    random_stream random{seed, {}};
    for (int i = 0; i < cases; ++i) {
        CAPTURE(i);
        const duplicated_case<N> d{random, kind, 3};
        check_case<correction::vote>(d, {});
        check_case<correction::vote>(d, drawn_faults(d, random));
    }
}

}  // namespace

TEST_CASE("duplicated channels are corrected as defined") {
    SECTION("fp32") { check<float32>(words::ordinary, 40, 1); }
    SECTION("fp16") { check<float16>(words::ordinary, 15, 2); }
    SECTION("bf16") { check<bfloat16>(words::ordinary, 15, 3); }
    SECTION("int8") { check<int8>(words::ordinary, 40, 4); }
}

TEST_CASE("duplicated channels of hostile values are corrected as defined") {
    SECTION("fp32") { check<float32>(words::hostile, 25, 5); }
    SECTION("int8") { check<int8>(words::hostile, 25, 6); }
}

TEST_CASE("three copies of a channel are voted on") {
    SECTION("fp32") { check_votes<float32>(words::ordinary, 40, 7); }
    SECTION("fp32, hostile") { check_votes<float32>(words::hostile, 25, 8); }
    SECTION("int8") { check_votes<int8>(words::ordinary, 40, 9); }
}

TEST_CASE("channels of the geometry and stored ones map to each other") {
    for (int channels : {16, 17, 40, 64, 100})
        for (int wanted = 1; wanted <= channels; ++wanted) {
            const int folded = kernel::duplicated_channels(wanted, channels);
            CHECK(folded % 16 == 0);
            CHECK(folded <= channels);
            CHECK((folded >= wanted || folded == channels / 16 * 16));
            std::vector<int> times(static_cast<std::size_t>(channels));
            for (int c = 0; c < channels + folded; ++c) ++times[static_cast<std::size_t>(kernel::folded_channel(c, folded))];
            for (int c = 0; c < channels; ++c) {
                CHECK(times[static_cast<std::size_t>(c)] == (c < folded ? 2 : 1));
                CHECK(kernel::folded_channel(kernel::first_copy(c, folded), folded) == c);
                if (c < folded) CHECK(kernel::folded_channel(kernel::first_copy(c, folded) + 16, folded) == c);
                for (int copy = 0; copy < (c < folded ? 3 : 1); ++copy)
                    CHECK(kernel::folded_channel(kernel::first_copy(c, 2 * folded, 3) + 16 * copy, 2 * folded, 3) == c);
            }
        }
    CHECK(kernel::duplicated_channels(5, 15) == 0);
}
