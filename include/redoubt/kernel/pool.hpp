// SPDX-License-Identifier: MIT
// Pooling and the shortcut without weights, sixteen channels at a time.
#pragma once

#include <redoubt/kernel/lanes_int8.hpp>

#include <cstring>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Word that stands for zero.
template <class Word>
constexpr Word zero_word() {
    if constexpr (std::is_integral_v<Word>) return 128;
    else return Word{};
}

namespace impl {

/// The taps of a window that lie inside the image: rows [top, bottom) and columns [left, right) of the kernel.
struct window {
    int top, bottom, left, right;

    window(const conv_geometry& g, int row, int column)
        : top{first(g.row_at(row, 0), g.dilation.h, g.kernel.h)},
          bottom{last(g.row_at(row, 0), g.dilation.h, g.kernel.h, g.in.height)},
          left{first(g.column_at(column, 0), g.dilation.w, g.kernel.w)},
          right{last(g.column_at(column, 0), g.dilation.w, g.kernel.w, g.in.width)} {}
    int taps() const { return (bottom - top) * (right - left); }

    /// body(first word of the pixel) for each tap, by row, then column.
    template <class Word, class Body>
    void for_each(const conv_geometry& g, int row, int column, const Word* in, Body&& body) const {
        for (int r = top; r < bottom; ++r)
            for (int c = left; c < right; ++c) body(in + g.in.index(g.row_at(row, r), g.column_at(column, c), 0));
    }

private:
    // divisions only where there is a dilation
    static int over(int distance, int step) { return step == 1 ? distance : distance / step; }
    static int first(int at, int step, int extent) { return at >= 0 ? 0 : std::min(extent, over(step - 1 - at, step)); }
    static int last(int at, int step, int extent, int size) {
        return at >= size ? 0 : std::min(extent, over(size - 1 - at, step) + 1);
    }
};

/// body(row, column, window, first output word) for each output pixel.
template <class Word, class Body>
void for_each_window(const conv_geometry& g, Word* out, Body&& body) {
    for (int row = 0; row < g.out.height; ++row)
        for (int column = 0; column < g.out.width; ++column)
            body(row, column, window{g, row, column}, out + g.out.index(row, column, 0));
}

/// The largest code of a window in each of Count neighbouring channels: a loop of constant length, which compilers make a
/// vector of.
template <std::size_t Count>
void largest_codes(const conv_geometry& g, int row, int column, const window& w, const std::uint8_t* in, std::uint8_t* out) {
    std::uint8_t most[Count] = {};
    w.for_each(g, row, column, in, [&](const std::uint8_t* from) {
        for (std::size_t i = 0; i < Count; ++i) most[i] = most[i] > from[i] ? most[i] : from[i];
    });
    std::memcpy(out, most, Count);
}

/// sum * 2^finer / count to nearest even, saturated.
inline std::uint8_t mean_code(std::int64_t sum, std::int64_t count, int finer) {
    const int up = std::clamp(finer, 0, 24), down = std::clamp(-finer, 0, 24);
    const std::int64_t dividend = sum * (std::int64_t{1} << up), divisor = count << down;
    std::int64_t q = dividend / divisor, rest = dividend % divisor;
    if (rest < 0) { rest += divisor; --q; }
    if (2 * rest > divisor || (2 * rest == divisor && (q & 1) != 0)) ++q;
    return static_cast<std::uint8_t>(std::clamp<std::int64_t>(q, -128, 127) + 128);
}

}  // namespace impl

/// Largest of each window, by the NaN policy. Extents, stride and dilation from `g`; taps on padding do not exist, and
/// every window must have one that is not.
template <class Word>
void max_pool(const conv_geometry& g, const Word* in, Word* out) {
    impl::for_each_window(g, out, [&](int row, int column, const impl::window& w, Word* to) {
        for (int c = 0; c < g.in.channels; c += lane_count) {
            const int count = std::min(lane_count, g.in.channels - c);
            auto most = float_lanes::load(in + g.in.index(g.row_at(row, w.top), g.column_at(column, w.left), c), count);
            w.for_each(g, row, column, in, [&](const Word* from) { most.raise(float_lanes::load(from + c, count)); });
            most.make_canonical();
            most.store(to + c, count);
        }
    });
}
/// The same of codes.
inline void max_pool(const conv_geometry& g, const std::uint8_t* in, std::uint8_t* out) {
    impl::for_each_window(g, out, [&](int row, int column, const impl::window& w, std::uint8_t* to) {
        int c = 0;
        for (; c + 64 <= g.in.channels; c += 64) impl::largest_codes<64>(g, row, column, w, in + c, to + c);
        for (; c + 16 <= g.in.channels; c += 16) impl::largest_codes<16>(g, row, column, w, in + c, to + c);
        if (c == g.in.channels) return;
        // what is left: the last sixteen again, or one by one
        if (g.in.channels >= 16) return impl::largest_codes<16>(g, row, column, w, in + g.in.channels - 16, to + g.in.channels - 16);
        for (; c < g.in.channels; ++c) impl::largest_codes<1>(g, row, column, w, in + c, to + c);
    });
}

/// Mean of each window: one chain a channel over rows and columns from +0, then one division. Taps on padding do not
/// exist; the divisor counts them or not. Every window must have a tap inside the image.
template <class Word>
void average_pool(const conv_geometry& g, const Word* in, Word* out, count_padding counted = count_padding::yes) {
    impl::for_each_window(g, out, [&](int row, int column, const impl::window& w, Word* to) {
        const int taps = counted == count_padding::yes ? g.kernel.h * g.kernel.w : w.taps();
        for (int c = 0; c < g.in.channels; c += lane_count) {
            const int count = std::min(lane_count, g.in.channels - c);
            auto sum = float_lanes::filled(0.0f);
            w.for_each(g, row, column, in, [&](const Word* from) { sum.add(float_lanes::load(from + c, count)); });
            sum.divide(static_cast<float>(taps));
            sum.make_canonical();
            sum.store(to + c, count);
        }
    });
}
/// The same in integers, rounded to nearest even; the output may have `finer` more fraction bits than the input.
inline void average_pool(const conv_geometry& g, const std::uint8_t* in, std::uint8_t* out, int finer,
                         count_padding counted = count_padding::yes) {
    impl::for_each_window(g, out, [&](int row, int column, const impl::window& w, std::uint8_t* to) {
        const int taps = counted == count_padding::yes ? g.kernel.h * g.kernel.w : w.taps();
        for (int c = 0; c < g.in.channels; c += lane_count) {
            const int count = std::min(lane_count, g.in.channels - c);
            auto sum = int_lanes::filled(0);
            w.for_each(g, row, column, in, [&](const std::uint8_t* from) { sum.add(int_lanes::load_codes(from + c, count)); });
            std::int32_t sums[lane_count];
            sum.store(sums);
            for (int i = 0; i < count; ++i) to[c + i] = impl::mean_code(sums[i], taps, finer);
        }
    });
}

/// Mean of each channel: the average of one window that is the image.
template <class Word, class... Finer>
void global_average(const conv_geometry& g, const Word* in, Word* out, Finer... finer) {
    average_pool({.in = g.in, .out = g.out, .kernel = {g.in.height, g.in.width}}, in, out, finer...);
}

/// Every stride-th pixel, with zero channels added half before and half after.
template <class Word>
void subsample(const conv_geometry& g, const Word* in, Word* out) {
    const int before = (g.out.channels - g.in.channels) / 2;
    for (int row = 0; row < g.out.height; ++row) {
        for (int column = 0; column < g.out.width; ++column) {
            const Word* from = in + g.in.index(row * g.stride.h, column * g.stride.w, 0);
            Word* to = out + g.out.index(row, column, 0);
            for (int c = 0; c < g.out.channels; ++c) {
                const bool inside = c >= before && c - before < g.in.channels;
                to[c] = inside ? from[c - before] : zero_word<Word>();
            }
        }
    }
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
