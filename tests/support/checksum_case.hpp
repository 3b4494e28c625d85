// SPDX-License-Identifier: MIT
// What tests of both sides' checksums share: scratch that begins as garbage, faults of one accumulator, the unchecked answer, and the questions that both
// must answer alike.
#pragma once

#include "support/catch.hpp"
#include "support/conv_case.hpp"
#include "support/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace support {

struct found {
    std::uint32_t detected = 0, uncorrected = 0;
    bool operator==(const found&) const = default;
};

/// Aligned to 64 bytes, full of garbage.
struct aligned_bytes {
    explicit aligned_bytes(std::size_t size) : lines(size / 64 + 1) { std::fill_n(get(), lines.size() * 64, std::byte{0xa5}); }
    std::byte* get() { return reinterpret_cast<std::byte*>(lines.data()); }

private:
    struct alignas(64) line {
        std::byte bytes[64];
    };
    std::vector<line> lines;
};

inline constexpr auto plain_kernel = []<number N>(const redoubt::kernel::conv_call<N>& call, const auto& hook) { redoubt::kernel::conv2d<N>(call, hook); };

template <number N>
output_bits unchecked(const conv_case<N>& c) {
    return run(c, [](const auto& call) { redoubt::kernel::conv2d<N>(call); });
}

/// Strikes one accumulator.
template <number N>
redoubt::kernel::output_fault random_fault(random_stream& random, const conv_case<N>& c) {
    for (;;) {
        const auto& out = c.geometry.out;
        const int row = below(random, out.height), column = below(random, out.width);
        if (c.geometry.taps_at(row, column) == 0) continue;
        redoubt::kernel::output_fault f;
        f.output = static_cast<std::uint32_t>(out.index(row, column, below(random, out.channels)));
        f.step = static_cast<std::uint32_t>(below(random, c.geometry.taps_at(row, column)));
        f.mask = 1u << random.below(32);
        return f;
    }
}
template <number N>
double accumulator(const conv_case<N>& c, const redoubt::kernel::output_fault& f, bool struck) {
    const int at = static_cast<int>(f.output), pixel = at / c.geometry.out.channels, width = c.geometry.out.width;
    const oracle_fault same{pixel / width, pixel % width, at % c.geometry.out.channels, false, static_cast<int>(f.step), f.mask};
    return static_cast<double>(oracle_chain(c, same.row, same.column, same.channel,
                                            std::span<const oracle_fault>{&same, struck ? 1u : 0u}));
}

inline redoubt::kernel::conv_geometry with_a_tap(random_stream& random) {
    for (;;) {
        const redoubt::kernel::conv_geometry g = random_geometry(random, 200000);
        if (g.executed_macs() > 0) return g;
    }
}

/// Accumulators added up by their definition, and the magnitudes of all that they are made of.
struct sum_by_definition {
    double sum = 0.0, magnitude = 0.0;

    template <number N>
    void add(const conv_case<N>& c, int row, int column, int out) {
        const auto& g = c.geometry;
        add(static_cast<double>(static_cast<float>(c.bias[static_cast<std::size_t>(out)])));
        for (int r = 0; r < g.kernel.h; ++r)
            for (int k = 0; k < g.kernel.w; ++k)
                for (int i = 0; i < g.group_in(); ++i) {
                    const int y = g.row_at(row, r), x = g.column_at(column, k);
                    if (y < 0 || y >= g.in.height || x < 0 || x >= g.in.width) continue;
                    const auto at = static_cast<std::size_t>(g.in.index(y, x, g.first_input(out) + i));
                    add(static_cast<double>(static_cast<float>(c.in[at])) * static_cast<double>(static_cast<float>(c.taps[c.logical(out, r, k, i)])));
                }
    }

private:
    void add(double term) {
        sum += term;
        magnitude += std::abs(term);
    }
};

/// What either side's checksum must do. Side has
///   `checked(case, hook, found&)`      - the outputs computed under checksums, with what they found;
///   `definition(case, output)`         - the sum that an output is part of;
///   `ulps(geometry)`                   - the bound of rounding.
template <class Side>
struct checksum_questions {
    template <number N>
    static void finds_nothing(words kind, int cases, std::uint64_t seed) {
        random_stream random{seed, {}};
        for (int i = 0; i < cases; ++i) {
            CAPTURE(i);
            const conv_case<N> c{random_geometry(random), random, kind};
            found what;
            CHECK(Side::checked(c, redoubt::kernel::no_hook{}, what) == unchecked(c));
            CHECK(what == found{});
        }
    }

    /// Whether an expectation is within half of the bound of the sum that `output` is part of.
    template <number N>
    static bool is_near(const conv_case<N>& c, double expected, int output) {
        const auto [sum, magnitude] = Side::definition(c, output);
        return std::abs(expected - sum) <= 0.5 * static_cast<double>(Side::ulps(c.geometry)) * 0x1p-24 * magnitude;
    }

    static void finds_every_bit_of_an_integer(std::uint64_t seed) {
        random_stream random{seed, {}};
        for (int i = 0; i < 40; ++i) {
            CAPTURE(i);
            const conv_case<int8> c{with_a_tap(random), random, i % 2 != 0 ? words::hostile : words::ordinary};
            const auto expected = unchecked(c);
            for (int trial = 0; trial < 16; ++trial) {
                const redoubt::kernel::output_fault f = random_fault(random, c);
                found what;
                CHECK(Side::checked(c, redoubt::kernel::fault_hook{{&f, 1}}, what) == expected);
                CHECK(what == found{1, 0});
            }
        }
    }

    static void finds_floats_beyond_the_bound(std::uint64_t seed) {
        random_stream random{seed, {}};
        int seen = 0, passed = 0;
        for (int i = 0; i < 40; ++i) {
            CAPTURE(i);
            const conv_case<float32> c{with_a_tap(random), random, words::ordinary};
            const auto expected = unchecked(c);
            for (int trial = 0; trial < 16; ++trial) {
                const redoubt::kernel::output_fault f = random_fault(random, c);
                const double before = accumulator(c, f, false), after = accumulator(c, f, true), change = std::abs(after - before);
                const double bound = static_cast<double>(Side::ulps(c.geometry)) * 0x1p-24 * Side::definition(c, static_cast<int>(f.output)).magnitude;
                found what;
                const auto got = Side::checked(c, redoubt::kernel::fault_hook{{&f, 1}}, what);
                if (!(change <= 2.0 * bound)) {  // the sums themselves may lie a bound apart
                    CHECK(what == found{1, 0});
                    ++seen;
                }
                if (change == 0.0) CHECK(what == found{});
                if (what.detected != 0) CHECK(got == expected);
                else ++passed;
            }
        }
        CHECK(seen > 100);
        CHECK(passed > 10);
    }
};

}  // namespace support
