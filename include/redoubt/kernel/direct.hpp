// SPDX-License-Identifier: MIT
// Direct convolution over the wide layout: a tile of pixels times blocks of sixteen channels held in registers.
#pragma once

#include <redoubt/kernel/hook.hpp>
#include <redoubt/kernel/lanes_float.hpp>
#include <redoubt/kernel/lanes_int8.hpp>

#include <cstddef>
#include <utility>

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

/// The accumulators of a tile.
template <class Lanes, int PX, int NB>
using register_tile = Lanes[static_cast<std::size_t>(PX)][static_cast<std::size_t>(NB)];

template <int... I, class Body>
[[gnu::always_inline]] inline void unrolled(std::integer_sequence<int, I...>, Body&& body) {
    (body(std::integral_constant<int, I>{}), ...);
}
/// body(0) .. body(N-1) with constant arguments, so that accumulators stay in registers.
template <int N, class Body>
[[gnu::always_inline]] inline void unrolled(Body&& body) {
    unrolled(std::make_integer_sequence<int, N>{}, body);
}

/// One kernel column of a tile: pixels [First, Last) read the image, the others padding.
template <class A, int PX, int NB, int First, int Last>
[[gnu::always_inline]] inline void accumulate(register_tile<typename A::lanes, PX, NB>& sum, const typename A::operand* in,
                                              std::ptrdiff_t pixel, const typename A::weight* weights,
                                              std::ptrdiff_t block, int groups) {
    for (int i = 0; i < groups; ++i) {
        decltype(A::load_weights(weights)) w[static_cast<std::size_t>(NB)];
        unrolled<NB>([&](auto n) __attribute__((always_inline)) { w[n()] = A::load_weights(weights + n * block); });
        unrolled<PX>([&](auto p) __attribute__((always_inline)) {
            if constexpr (p >= First && p < Last) {
                unrolled<NB>([&](auto n) __attribute__((always_inline)) { A::step(sum[p()][n()], in + p * pixel, w[n()]); });
            } else if constexpr (A::padding_counts) {
                unrolled<NB>([&](auto n) __attribute__((always_inline)) { A::step(sum[p()][n()], A::padding, w[n()]); });
            }
        });
        in += A::group;
        weights += lane_count * A::group;
    }
}

}  // namespace impl

/// A tile: PX output pixels of one row times NB blocks of output channels.
template <number N, int PX, int NB, class Hook>
struct direct_tile {
    using A = lane_arithmetic<N>;
    using lanes = typename A::lanes;
    using operand = typename A::operand;
    using registers = impl::register_tile<lanes, PX, NB>;
    static constexpr int chunk = 64;  ///< channels converted at once, where inputs are converted

    const conv_call<N>& call;
    const Hook& hook;

    /// Computes and stores the outputs [column, column + PX) of `row`, blocks [block, block + NB).
    void operator()(int row, int column, int block) const {
        const conv_geometry& g = call.geometry;
        constexpr wide_layout layout = layout_of<N>;
        const int groups = layout.groups(g);
        const auto block_stride = static_cast<std::ptrdiff_t>(layout.block_size(g));
        const auto* weights = call.weights + (block - call.block_begin) * block_stride;
        registers sum;
        impl::unrolled<NB>([&](auto n) __attribute__((always_inline)) {
            const lanes bias = A::load_bias(call.bias + (block + n) * lane_count);
            impl::unrolled<PX>([&](auto p) __attribute__((always_inline)) { sum[p()][n()] = bias; });
        });
        const int x0 = column * g.stride - g.pad;
        for (int r = 0; r < g.kernel_h; ++r) {
            const int y = row * g.stride - g.pad + r;
            const bool inside = y >= 0 && y < g.in.height;
            for (int c = 0; c < g.kernel_w; ++c, weights += groups * lane_count * A::group) {
                int first = 0, last = 0;
                if (inside) {
                    const int x = x0 + c;  // of pixel 0
                    first = x >= 0 ? 0 : (g.stride - 1 - x) / g.stride;
                    last = x >= g.in.width ? 0 : std::min(PX, (g.in.width - 1 - x) / g.stride + 1);
                    if (last < first) last = first = 0;
                }
                if (last == first && !A::padding_counts) continue;
                column_of(sum, y, x0 + c, first, last, weights, block_stride, groups);
            }
        }
#ifndef REDOUBT_TEST_BARE_KERNEL
        if constexpr (Hook::active) {
            const auto start = static_cast<std::uint32_t>(g.out.index(row, column, 0));
            const auto faults = hook.between(start, start + static_cast<std::uint32_t>(PX * g.out.channels));
            if (!faults.empty())
                through_memory(sum, [&](registers& spilled) { strike(spilled, faults, row, column, block); });
        }
#endif
        const typename A::finisher finish{call};
        impl::unrolled<PX>([&](auto p) __attribute__((always_inline)) {
            impl::unrolled<NB>([&](auto n) __attribute__((always_inline)) {
                const int channel = (block + n) * lane_count;
                finish(sum[p()][n()], g.out.index(row, column + p, channel),
                       std::min(lane_count, g.out.channels - channel));
            });
        });
    }

private:
    [[gnu::always_inline]] void column_of(registers& sum, int y, int x, int first, int last,
                                          const typename A::weight* weights, std::ptrdiff_t block,
                                          int groups) const {
        const conv_geometry& g = call.geometry;
        const std::ptrdiff_t pixel = static_cast<std::ptrdiff_t>(g.stride) * g.in.channels;
        const std::ptrdiff_t origin = (static_cast<std::ptrdiff_t>(y) * g.in.width + x) * g.in.channels;
        if constexpr (A::converts_input) {
            float buffer[static_cast<std::size_t>(PX * chunk)];
            for (int from = 0; from < groups; from += chunk) {
                const int count = std::min(chunk, groups - from);
                for (int p = first; p < last; ++p)
                    convert(call.in + origin + p * pixel + from, buffer + p * chunk, count);
                ranges(sum, buffer, chunk, first, last, weights + from * lane_count, block, count);
            }
        } else {
            ranges(sum, call.in + origin, pixel, first, last, weights, block, groups);
        }
    }
    /// Writes whole vectors of `to`.
    static void convert(const typename N::activation* from, float* to, int count) {
        if constexpr (A::converts_input) {
            int i = 0;
            for (; i + lane_count <= count; i += lane_count) lanes::load(from + i).store(to + i);
            if (i < count) lanes::load(from + i, count - i).store(to + i);
        }
    }
    /// The common ranges of pixels inside the image, each with its own unrolled loop; the rest pixel by pixel.
    [[gnu::always_inline]] static void ranges(registers& sum, const operand* in, std::ptrdiff_t pixel, int first,
                                              int last, const typename A::weight* w, std::ptrdiff_t block, int groups) {
        if (first == 0 && last == PX) {
            impl::accumulate<A, PX, NB, 0, PX>(sum, in, pixel, w, block, groups);
        } else if (PX > 1 && first == 1 && last == PX) {
            impl::accumulate<A, PX, NB, PX == 1 ? 0 : 1, PX>(sum, in, pixel, w, block, groups);
        } else if (PX > 1 && first == 0 && last == PX - 1) {
            impl::accumulate<A, PX, NB, 0, PX == 1 ? 1 : PX - 1>(sum, in, pixel, w, block, groups);
        } else if (A::padding_counts && first == last) {
            impl::accumulate<A, PX, NB, 0, A::padding_counts ? 0 : PX>(sum, in, pixel, w, block, groups);
        } else {
            through_memory(sum, [&](registers& spilled) {
                pixel_by_pixel(spilled, in, pixel, first, last, w, block, groups);
            });
        }
    }
    /// Lets `body` work on a copy of the accumulators: were their own address taken, they would live in memory.
    template <class Body>
    [[gnu::always_inline]] static void through_memory(registers& sum, Body&& body) {
        registers spilled;
        impl::unrolled<PX>([&](auto p) __attribute__((always_inline)) {
            impl::unrolled<NB>([&](auto n) __attribute__((always_inline)) { spilled[p()][n()] = sum[p()][n()]; });
        });
        body(spilled);
        impl::unrolled<PX>([&](auto p) __attribute__((always_inline)) {
            impl::unrolled<NB>([&](auto n) __attribute__((always_inline)) { sum[p()][n()] = spilled[p()][n()]; });
        });
    }
    [[gnu::noinline]] static void pixel_by_pixel(registers& sum, const operand* in, std::ptrdiff_t pixel,
                                                 int first, int last, const typename A::weight* w, std::ptrdiff_t block,
                                                 int groups) {
        for (int p = 0; p < PX; ++p) {
            auto& one = reinterpret_cast<impl::register_tile<lanes, 1, NB>&>(sum[p]);
            if (p >= first && p < last)
                impl::accumulate<A, 1, NB, 0, 1>(one, in + p * pixel, 0, w, block, groups);
            else if constexpr (A::padding_counts)
                impl::accumulate<A, 1, NB, 0, 0>(one, in, 0, w, block, groups);
        }
    }
    /// Outputs of this tile that a fault hits are computed again by the scalar chain and put back.
    [[gnu::noinline]] void strike(registers& sum, std::span<const output_fault> faults, int row, int column,
                                  int block) const {
        const shape& out = call.geometry.out;
        for (auto f = faults.begin(); f != faults.end();) {
            auto end = f;
            while (end != faults.end() && end->output == f->output) ++end;
            const int place = static_cast<int>(f->output) - out.index(row, column, 0);
            const int p = place / out.channels, channel = place % out.channels;
            const int n = channel / lane_count - block;
            if (n >= 0 && n < NB) {
                typename N::accumulator value[lane_count];
                A::spill(sum[p][n], value);
                value[channel % lane_count] = chain(call, row, column + p, channel, {f, end});
                sum[p][n] = A::fill(value);
            }
            f = end;
        }
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI
