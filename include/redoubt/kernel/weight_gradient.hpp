// SPDX-License-Identifier: MIT
// The gradient of a convolution to its weights: a tile of taps and input channels times blocks of sixteen output channels
// in registers, over all pixels of some images.
#pragma once

#include <redoubt/kernel/direct.hpp>
#include <redoubt/kernel/read_ahead.hpp>

#include <algorithm>
#include <cstddef>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Inputs and the loss's gradient to outputs, of `images` images one after the other; `to` is added to, in the wide layout.
struct weight_gradient_call {
    conv_geometry geometry;
    int images = 1;
    const float* in = nullptr;
    const float* gradient = nullptr;
    float* to = nullptr;
    read_ahead* ahead = nullptr;  ///< or null
};

/// Rows of pixels that weight_gradient() goes through, each a chance to read ahead.
constexpr int weight_gradient_rows(const conv_geometry& g, int images) {
    const bool three = level >= instruction_level::v4 && g.kernel.w == 3 && g.stride.w == 1;
    const int pairs = level >= instruction_level::v4 ? (g.blocks() + 1) / 2 : g.blocks(), inputs = three && g.blocks() > 1 ? 4 : level >= instruction_level::v4 ? 8 : 4;
    return g.kernel.h * (three ? 1 : g.kernel.w) * ((g.group_in() + inputs - 1) / inputs) * pairs * g.out.height * images;
}

namespace impl {

/// Numbers below `end` for which at + number * stride lies in [0, extent).
struct inside_range {
    int first, last;

    inside_range(int at, int stride, int extent, int end)
        : first{at >= 0 ? 0 : (stride - 1 - at) / stride}, last{at >= extent ? 0 : std::min(end, (extent - 1 - at) / stride + 1)} {
        if (last < first) last = first;
    }
};

/// Whether three kernel columns side by side can be one tile: the usual convolution of three columns that keeps the width.
constexpr bool has_neighbours(const conv_geometry& g) {
    return g.kernel.w == 3 && g.stride.w == 1 && g.dilation.w == 1 && g.pad.w == 1 && g.in.width == g.out.width && g.in.width >= 2;
}

/// The weights of `Taps` kernel columns (one, or three where there are neighbours), `Inputs` input channels and `Blocks` blocks.
template <int Taps, int Inputs, int Blocks>
class weight_tile {
    using registers = float_lanes[static_cast<std::size_t>(Taps)][static_cast<std::size_t>(Inputs)][static_cast<std::size_t>(Blocks)];
    const weight_gradient_call& call;
    const conv_geometry& g;
    const int block, channel, first_input, last_lanes;

public:
    weight_tile(const weight_gradient_call& c, int first_block)
        : call{c}, g{c.geometry}, block{first_block}, channel{g.first_channel(first_block)}, first_input{g.first_input(channel)},
          last_lanes{g.channels_in(first_block + Blocks - 1)} {}

    /// `input` counts within the group.
    void operator()(int r, int c, int input) const {
        registers sum;
        each([&](auto t, auto i, auto b) __attribute__((always_inline)) { sum[t()][i()][b()] = float_lanes::filled(0.0f); });
        const inside_range rows{g.row_at(0, r), g.stride.h, g.in.height, g.out.height};
        const inside_range columns{g.column_at(0, c), g.stride.w, g.in.width, g.out.width};
        // all that needs a division or a product is done here, outside of the rows
        const std::ptrdiff_t in_channels = g.in.channels, out_channels = g.out.channels, pixel = g.stride.w * in_channels;
        const std::ptrdiff_t in_line = g.stride.h * g.in.width * in_channels, out_line = g.out.width * out_channels;
        const std::ptrdiff_t in_start = (static_cast<std::ptrdiff_t>(g.row_at(rows.first, r)) * g.in.width + (Taps == 1 ? g.column_at(columns.first, c) : 0)) * in_channels +
                                        first_input + input;
        const std::ptrdiff_t out_start = rows.first * out_line + (Taps == 1 ? columns.first : 0) * out_channels + channel;
        const int width = Taps == 1 ? columns.last - columns.first : g.in.width;
        for (int image = 0; image < call.images; ++image) {
            const float* in = call.in + static_cast<std::ptrdiff_t>(image) * g.in.size() + in_start;
            const float* out = call.gradient + static_cast<std::ptrdiff_t>(image) * g.out.size() + out_start;
            for (int row = rows.first; row < rows.last; ++row, in += in_line, out += out_line) {
                if (call.ahead != nullptr) call.ahead->some();
                if constexpr (Taps == 1) {
                    const float *a = in, *d = out;
                    for (int column = 0; column < width; ++column, a += pixel, d += out_channels) add<0>(sum, a, d);
                } else {
                    neighbours(sum, in, out, in_channels, out_channels, width);
                }
            }
        }
        const std::ptrdiff_t tap = wide_layout{}.tap_size(g), whole = static_cast<std::ptrdiff_t>(wide_layout{}.block_size(g));
        float* const to = call.to + block * whole + (r * g.kernel.w + c) * tap + input * lane_count;
        each([&](auto t, auto i, auto b) __attribute__((always_inline)) {
            float* const at = to + b() * whole + t() * tap + i() * lane_count;
            float_lanes total = float_lanes::load(at);
            total.add(sum[t()][i()][b()]);
            total.make_canonical();
            if (b() + 1 < Blocks) total.store(at);
            else total.store(at, last_lanes);
        });
    }

private:
    template <class Body>
    [[gnu::always_inline]] static void each(Body&& body) {
        unrolled<Taps>([&](auto t) __attribute__((always_inline)) {
            unrolled<Inputs>([&](auto i) __attribute__((always_inline)) {
                unrolled<Blocks>([&](auto b) __attribute__((always_inline)) { body(t, i, b); });
            });
        });
    }
    [[gnu::always_inline]] float_lanes outputs(const float* out, int b) const {
        return b + 1 < Blocks ? float_lanes::load(out + b * lane_count) : float_lanes::load(out + b * lane_count, last_lanes);
    }
    /// One pixel, for one tap.
    template <int T>
    [[gnu::always_inline]] void add(registers& sum, const float* in, const float* out) const {
        float_lanes d[static_cast<std::size_t>(Blocks)];
        unrolled<Blocks>([&](auto b) __attribute__((always_inline)) { d[b()] = outputs(out, b()); });
        unrolled<Inputs>([&](auto i) __attribute__((always_inline)) {
            unrolled<Blocks>([&](auto b) __attribute__((always_inline)) { sum[T][i()][b()].add_product(in[i()], d[b()]); });
        });
    }
    /// One row: an input pixel meets the outputs of all three taps, so that it is read once for them; the first and the last one meet two.
    [[gnu::always_inline]] void neighbours(registers& sum, const float* a, const float* d, std::ptrdiff_t pixel, std::ptrdiff_t next, int width) const {
        add<0>(sum, a, d + next);
        add<1>(sum, a, d);
        for (int x = 2; x < width; ++x) {
            a += pixel;
            d += next;
            float_lanes v[static_cast<std::size_t>(Taps)][static_cast<std::size_t>(Blocks)];
            unrolled<Taps>([&](auto t) __attribute__((always_inline)) {
                unrolled<Blocks>([&](auto b) __attribute__((always_inline)) { v[t()][b()] = outputs(d + (1 - t()) * next, b()); });
            });
            const float* from = a;
            unrolled<Inputs>([&](auto i) __attribute__((always_inline)) {
                // compilers would read all inputs first, for which there are no registers: these wait for earlier sums
                if constexpr (i() >= 3 && level >= instruction_level::v4) sum[0][i() - 3][0].precede(from);
                unrolled<Taps>([&](auto t) __attribute__((always_inline)) {
                    unrolled<Blocks>([&](auto b) __attribute__((always_inline)) { sum[t()][i()][b()].add_product(from[i()], v[t()][b()]); });
                });
            });
        }
        a += pixel;
        d += next;
        add<1>(sum, a, d);
        add<2>(sum, a, d - next);
    }
};

/// All weights of the blocks [block, block + Blocks).
template <int Blocks>
void weight_blocks(const weight_gradient_call& call, int block) {
    constexpr bool wide = level >= instruction_level::v4;
    const conv_geometry& g = call.geometry;
    const int inputs = g.group_in();
    const auto columns = [&]<int Taps, int Most>(std::integral_constant<int, Taps>, std::integral_constant<int, Most>, int r, int c) {
        if (call.ahead != nullptr) call.ahead->next();
        int i = 0;
        for (; i + Most <= inputs; i += Most) weight_tile<Taps, Most, Blocks>{call, block}(r, c, i);
        // three channels are those of an image
        for (; i + 3 <= inputs; i += 3) weight_tile<Taps, 3, Blocks>{call, block}(r, c, i);
        for (; i < inputs; ++i) weight_tile<Taps, 1, Blocks>{call, block}(r, c, i);
    };
    for (int r = 0; r < g.kernel.h; ++r) {
        if constexpr (wide) {
            if (has_neighbours(g)) {
                columns(std::integral_constant<int, 3>{}, std::integral_constant<int, Blocks == 1 ? 8 : 4>{}, r, 0);
                continue;
            }
        }
        for (int c = 0; c < g.kernel.w; ++c) columns(std::integral_constant<int, 1>{}, std::integral_constant<int, wide ? 8 : 4>{}, r, c);
    }
}

/// One tap of `Blocks` blocks of a depthwise convolution.
template <int Blocks>
void channel_weights(const weight_gradient_call& call, int block, int r, int c) {
    const conv_geometry& g = call.geometry;
    const int channel = block * lane_count, last_lanes = g.channels_in(block + Blocks - 1);
    const auto load = [&](const float* p, int b) __attribute__((always_inline)) {
        return b + 1 < Blocks ? float_lanes::load(p + b * lane_count) : float_lanes::load(p + b * lane_count, last_lanes);
    };
    float_lanes sum[static_cast<std::size_t>(Blocks)];
    unrolled<Blocks>([&](auto b) __attribute__((always_inline)) { sum[b()] = float_lanes::filled(0.0f); });
    const inside_range rows{g.row_at(0, r), g.stride.h, g.in.height, g.out.height}, columns{g.column_at(0, c), g.stride.w, g.in.width, g.out.width};
    for (int image = 0; image < call.images; ++image)
        for (int row = rows.first; row < rows.last; ++row) {
            const float* in = call.in + static_cast<std::ptrdiff_t>(image) * g.in.size() + channel +
                              (static_cast<std::ptrdiff_t>(g.row_at(row, r)) * g.in.width + g.column_at(columns.first, c)) * g.in.channels;
            const float* out = call.gradient + static_cast<std::ptrdiff_t>(image) * g.out.size() + g.out.index(row, columns.first, channel);
            for (int column = columns.first; column < columns.last; ++column) {
                unrolled<Blocks>([&](auto b) __attribute__((always_inline)) { sum[b()].add_product(load(in, b()), load(out, b())); });
                in += static_cast<std::ptrdiff_t>(g.stride.w) * g.in.channels;
                out += g.out.channels;
            }
        }
    for (int b = 0; b < Blocks; ++b) {
        float* const at = call.to + static_cast<std::ptrdiff_t>(wide_layout{}.block_size(g)) * (block + b) + (r * g.kernel.w + c) * lane_count;
        float_lanes total = float_lanes::load(at);
        total.add(sum[b]);
        total.make_canonical();
        total.store(at, b + 1 < Blocks ? lane_count : last_lanes);
    }
}

}  // namespace impl

/// weight_gradient_reference() to the bit; padding lanes are left alone.
inline void weight_gradient(const weight_gradient_call& call) {
    const conv_geometry& g = call.geometry;
    if (g.is_depthwise()) {
        for (int r = 0; r < g.kernel.h; ++r)
            for (int c = 0; c < g.kernel.w; ++c) {
                int block = 0;
                for (; block + 4 <= g.blocks(); block += 4) impl::channel_weights<4>(call, block, r, c);
                for (; block < g.blocks(); ++block) impl::channel_weights<1>(call, block, r, c);
            }
        return;
    }
    for (int block = 0; block < g.blocks();) {
        const int end = (block / g.blocks_a_group() + 1) * g.blocks_a_group();
        if constexpr (level >= instruction_level::v4)
            for (; block + 2 <= end; block += 2) impl::weight_blocks<2>(call, block);
        for (; block < end; ++block) impl::weight_blocks<1>(call, block);
    }
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
