// SPDX-License-Identifier: MIT
// What tests of both sides' checksums share: scratch that begins as garbage, faults of one accumulator, the unchecked answer.
#pragma once

#include "support/conv_case.hpp"
#include "support/kernels.hpp"

#include <algorithm>
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
    std::byte* get() { return lines.data()->bytes; }

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

}  // namespace support
