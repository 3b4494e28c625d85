// SPDX-License-Identifier: MIT
// Direct convolution over the wide layout: a tile of pixels times blocks of sixteen channels held in registers.
#pragma once

#include <redoubt/kernel/hook.hpp>
#include <redoubt/kernel/lane_rotation.hpp>
#include <redoubt/kernel/lanes_float.hpp>
#include <redoubt/kernel/lanes_int8.hpp>

#include <cstddef>
#include <utility>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// What a register tile holds: Rows x Columns output pixels times Blocks blocks of sixteen channels.
template <int Rows, int Columns, int Blocks>
struct tile_shape {
    static constexpr int rows = Rows, columns = Columns, blocks = Blocks;
    static constexpr int pixels = Rows * Columns;

    /// One bit a pixel: those of the rows in `row_mask` and the columns [first, last).
    static constexpr unsigned mask(unsigned row_mask, int first, int last) {
        unsigned bits = 0;
        for (int p = 0; p < pixels; ++p)
            if ((row_mask >> (p / Columns) & 1u) != 0 && p % Columns >= first && p % Columns < last) bits |= 1u << p;
        return bits;
    }
    static constexpr unsigned all_rows = (1u << Rows) - 1u;
};

namespace impl {

/// The accumulators of a tile.
template <class Lanes, class T>
using register_tile = Lanes[static_cast<std::size_t>(T::pixels)][static_cast<std::size_t>(T::blocks)];

template <int... I, class Body>
[[gnu::always_inline]] inline void unrolled(std::integer_sequence<int, I...>, Body&& body) {
    (body(std::integral_constant<int, I>{}), ...);
}
/// body(0) .. body(N-1) with constant arguments, so that accumulators stay in registers.
template <int N, class Body>
[[gnu::always_inline]] inline void unrolled(Body&& body) {
    unrolled(std::make_integer_sequence<int, N>{}, body);
}

/// Where the pixels of a tile lie in memory: pixel (0, 0), and the way to the next column and row.
template <class Operand>
struct pixel_grid {
    const Operand* origin;
    std::ptrdiff_t column;
    std::ptrdiff_t row;
};

/// The same for a loop: two addresses and four distances, of which x86 makes those of all pixels without arithmetic. The
/// compiler must not know how they hang together, or it keeps one register a pixel, which are not there.
template <class Operand, class T>
class pixel_cursor {
    static constexpr int half = T::rows == 2 ? T::columns : 8;
    static_assert(half <= 8 && T::pixels <= 2 * half);
    static constexpr bool one_side = T::pixels <= half;
    const char* side_[2];
    std::ptrdiff_t once_, thrice_, five_times_, seven_times_;

public:
    explicit pixel_cursor(const pixel_grid<Operand>& g)
        : side_{reinterpret_cast<const char*>(g.origin),
                reinterpret_cast<const char*>(g.origin + (one_side ? 0 : T::rows == 2 ? g.row : half * g.column))},
          once_{g.column * static_cast<std::ptrdiff_t>(sizeof(Operand))}, thrice_{3 * once_}, five_times_{5 * once_},
          seven_times_{7 * once_} {}
    [[gnu::always_inline]] void advance(std::ptrdiff_t bytes) {
        side_[0] += bytes;
        if constexpr (!one_side) side_[1] += bytes;
    }
    /// To be called in each round.
    [[gnu::always_inline]] void hide() {
        if constexpr (T::pixels == 1) return;
        asm("" : "+r"(side_[0]));
        if constexpr (!one_side) asm("" : "+r"(side_[1]));
        if constexpr (T::columns > 1) asm("" : "+r"(once_));
        if constexpr (T::columns > 3) asm("" : "+r"(thrice_));
        if constexpr (T::columns > 5) asm("" : "+r"(five_times_));
        if constexpr (T::columns > 7) asm("" : "+r"(seven_times_));
    }
    template <int P>
    [[gnu::always_inline]] const Operand* at() const {
        constexpr int k = P % half;
        std::ptrdiff_t way = 0;
        if constexpr (k == 1 || k == 2 || k == 4) way = k * once_;
        if constexpr (k == 3 || k == 6) way = k / 3 * thrice_;
        if constexpr (k == 5) way = five_times_;
        if constexpr (k == 7) way = seven_times_;
        return reinterpret_cast<const Operand*>(side_[P / half] + way);
    }
};

/// The weights of a run of taps: `groups` input groups (depthwise: taps), whose inputs are `step` words apart.
template <class Weight>
struct weight_run {
    const Weight* first;
    std::ptrdiff_t block;
    int groups;
    std::ptrdiff_t step;
    int last_lanes;  ///< channels in the last block
};

/// A run of taps: the pixels in Mask read the image, the others padding.
template <class A, class T, unsigned Mask>
[[gnu::always_inline]] inline void accumulate(register_tile<typename A::lanes, T>& sum,
                                              pixel_grid<typename A::operand> in, const typename A::weight* weights,
                                              std::ptrdiff_t block, int groups, std::ptrdiff_t step) {
    pixel_cursor<typename A::operand, T> pixels{in};
    const std::ptrdiff_t bytes = step * static_cast<std::ptrdiff_t>(sizeof(typename A::operand));
    for (int i = 0; i < groups; ++i) {
        pixels.hide();
        decltype(A::load_weights(weights)) w[static_cast<std::size_t>(T::blocks)];
        unrolled<T::blocks>([&](auto n) __attribute__((always_inline)) { w[n()] = A::load_weights(weights + n * block); });
        unrolled<T::pixels>([&](auto p) __attribute__((always_inline)) {
            if constexpr ((Mask >> p() & 1u) != 0) {
                unrolled<T::blocks>([&](auto n) __attribute__((always_inline)) {
                    A::step(sum[p()][n()], pixels.template at<p()>(), w[n()]);
                });
            } else if constexpr (A::padding_counts) {
                unrolled<T::blocks>(
                    [&](auto n) __attribute__((always_inline)) { A::step(sum[p()][n()], A::padding, w[n()]); });
            }
        });
        pixels.advance(bytes);
        weights += lane_count * A::group;
    }
}

/// The same of a depthwise convolution; Whole: all lanes of the last block are channels, else `lanes` of them.
template <class A, class T, unsigned Mask, bool Whole>
[[gnu::always_inline]] inline void accumulate_channels(register_tile<typename A::lanes, T>& sum,
                                                       pixel_grid<typename A::stored> in,
                                                       const typename A::weight* weights, std::ptrdiff_t block,
                                                       int taps, std::ptrdiff_t step, int lanes) {
    pixel_cursor<typename A::stored, T> pixels{in};
    const std::ptrdiff_t bytes = step * static_cast<std::ptrdiff_t>(sizeof(typename A::stored));
    for (int i = 0; i < taps; ++i) {
        pixels.hide();
        unrolled<T::blocks>([&](auto n) __attribute__((always_inline)) {
            const auto w = A::load_channel_weights(weights + n() * block);
            unrolled<T::pixels>([&](auto p) __attribute__((always_inline)) {
                if constexpr ((Mask >> p() & 1u) != 0) {
                    const auto* from = pixels.template at<p()>() + n() * lane_count;
                    if constexpr (Whole || n() + 1 < T::blocks) A::step_channels(sum[p()][n()], A::load_channels(from), w);
                    else A::step_channels(sum[p()][n()], A::load_channels(from, lanes), w);
                } else if constexpr (A::padding_counts) {
                    A::step_channels(sum[p()][n()], A::padding_channels(), w);
                }
            });
        });
        pixels.advance(bytes);
        weights += lane_count;
    }
}

}  // namespace impl

/// What all tiles of a call share: divisions and products done once.
template <number N>
struct direct_setup {
    std::ptrdiff_t block;  ///< weights of a block
    std::ptrdiff_t tap;    ///< weights of one tap of a block
    std::ptrdiff_t pixel;  ///< from the pixel that one output reads to that of the next in its row
    std::ptrdiff_t row;    ///< the same in the next row
    std::ptrdiff_t step;   ///< from an input group to the next
    int groups;            ///< input groups at a tap
    bool merges;           ///< whether neighbouring taps are one run of input groups

    explicit direct_setup(const conv_geometry& g) {
        constexpr wide_layout layout = layout_of<N>;
        block = static_cast<std::ptrdiff_t>(layout.block_size(g));
        tap = layout.tap_size(g);
        groups = layout.groups(g);
        pixel = static_cast<std::ptrdiff_t>(g.stride.w) * g.in.channels;
        row = static_cast<std::ptrdiff_t>(g.stride.h) * g.in.width * g.in.channels;
        const bool one_group = groups == 1;
        step = one_group ? static_cast<std::ptrdiff_t>(g.dilation.w) * g.in.channels : layout.group;
        merges = (g.groups == 1 || g.is_depthwise()) && (one_group || (g.dilation.w == 1 && g.in.channels % layout.group == 0));
    }
};

/// Computes and stores tiles of the blocks [block, block + T::blocks).
template <number N, class T, bool Depthwise, class Hook>
class direct_tile {
    static_assert(!(Hook::active && Hook::sticks), "redoubt: a stuck lane and single faults do not strike together: outputs are computed again by scalar chains");
    using A = typename arithmetic_of<N, Hook::rotation>::type;
    using lanes = typename A::lanes;
    using registers = impl::register_tile<lanes, T>;
    using weight = typename A::weight;
    using run = impl::weight_run<weight>;
    static constexpr int chunk = 64;  ///< channels converted at once, where inputs are converted

    const conv_call<N>& call;
    const direct_setup<N>& setup;
    const Hook& hook;
    const int block, channel, first_input;
    const int last_lanes;  ///< channels in the last block
    const weight* const weights;

public:
    direct_tile(const conv_call<N>& c, const direct_setup<N>& s, const Hook& h, int first_block)
        : call{c}, setup{s}, hook{h}, block{first_block}, channel{c.geometry.first_channel(first_block)},
          first_input{Depthwise ? channel : c.geometry.first_input(channel)},
          last_lanes{c.geometry.channels_in(first_block + T::blocks - 1)},
          weights{c.weights + (first_block - c.block_begin) * s.block} {}

    /// The outputs [row, row + T::rows) x [column, column + T::columns), of which another tile has computed the first `again` columns.
    void operator()(int row, int column, [[maybe_unused]] int again = 0) const {
        const conv_geometry& g = call.geometry;
        registers sum;
        impl::unrolled<T::blocks>([&](auto n) __attribute__((always_inline)) {
            const lanes bias = A::load_bias(call.bias + channel + n * lane_count);
            impl::unrolled<T::pixels>([&](auto p) __attribute__((always_inline)) { sum[p()][n()] = bias; });
        });
        const kernel_columns full = full_columns(column);
        for (int r = 0; r < g.kernel.h; ++r) {
            const unsigned rows = rows_inside(row, r);
            const weight* const line = weights + r * g.kernel.w * setup.tap;
            if (rows == 0) {
                if constexpr (A::padding_counts)
                    add<0u>(sum, impl::pixel_grid<typename N::activation>{call.in, 0, 0},
                            {line, setup.block, g.kernel.w * setup.groups, 0, last_lanes});
                continue;
            }
            const int y = g.row_at(row, r);
            for (int c = 0; c < full.first; ++c)
                taps_of<side::left>(sum, y, g.column_at(column, c), rows, columns_inside(column, c), line + c * setup.tap, 1);
            // full taps side by side in memory are one long one
            const int together = setup.merges ? full.last - full.first : 1;
            for (int c = full.first; c < full.last; c += together)
                taps_of<side::none>(sum, y, g.column_at(column, c), rows, {0, T::columns}, line + c * setup.tap, together);
            for (int c = full.last; c < g.kernel.w; ++c)
                taps_of<side::right>(sum, y, g.column_at(column, c), rows, columns_inside(column, c), line + c * setup.tap, 1);
        }
        if constexpr (Hook::sticks) through_memory(sum, [&](registers& spilled) { stick(spilled); });
        if constexpr (Hook::rotation != 0)
            impl::unrolled<T::pixels>([&](auto p) __attribute__((always_inline)) {
                impl::unrolled<T::blocks>([&](auto n) __attribute__((always_inline)) { sum[p()][n()] = rotated<lane_count - Hook::rotation>(sum[p()][n()]); });
            });
#ifndef REDOUBT_TEST_BARE_KERNEL
        if constexpr (Hook::active) {
            for (int i = 0; i < T::rows; ++i) {
                const auto start = static_cast<std::uint32_t>(g.out.index(row + i, column, 0));
                const auto faults = hook.between(start, start + static_cast<std::uint32_t>(T::columns * g.out.channels));
                if (!faults.empty())
                    through_memory(sum, [&](registers& spilled) { strike(spilled, faults, row + i, i, column); });
            }
        }
#endif
        if constexpr (Hook::sums) {
            if (hook.way == sums_over::channels) add_to_pixels(sum, row, column, again);
            else add_up(sum, column, again);
        }
        if constexpr (Hook::looks) look(sum);
        finish_tile(sum, row, column, again);
    }

private:
    /// Columns of the tile that read the image at one kernel column.
    struct pixel_columns { int first = 0, last = 0; };
    /// Where, at one kernel column, pixels of the tile may read padding.
    enum class side { none, left, right };
    /// Kernel columns at which all of the tile reads the image.
    struct kernel_columns { int first = 0, last = 0; };

    kernel_columns full_columns(int column) const {
        const conv_geometry& g = call.geometry;
        const int left = g.column_at(column, 0), right = left + (T::columns - 1) * g.stride.w, d = g.dilation.w;
        kernel_columns full{0, g.kernel.w};
        if (left < 0) full.first = std::min(d == 1 ? -left : (d - 1 - left) / d, g.kernel.w);
        const int room = g.in.width - 1 - right;
        if (room < (g.kernel.w - 1) * d) full.last = room < 0 ? 0 : (d == 1 ? room : room / d) + 1;
        if (full.last < full.first) full.last = full.first;
        return full;
    }
    unsigned rows_inside(int row, int r) const {
        const conv_geometry& g = call.geometry;
        unsigned inside = 0;
        for (int i = 0; i < T::rows; ++i) {
            const int y = g.row_at(row + i, r);
            inside |= static_cast<unsigned>(y >= 0 && y < g.in.height) << i;
        }
        return inside;
    }
    pixel_columns columns_inside(int column, int c) const {
        const conv_geometry& g = call.geometry;
        const int x = g.column_at(column, c), s = g.stride.w, room = g.in.width - 1 - x;
        if (room < 0) return {};
        const int first = x >= 0 ? 0 : s == 1 ? -x : (s - 1 - x) / s;
        const int last = std::min(T::columns, (s == 1 ? room : room / s) + 1);
        if (last <= first) return {};
        return {first, last};
    }
    /// Stores the outputs: straight from the registers in the plain case, else through memory and a loop, which
    /// unrolled would be most of the code.
    [[gnu::always_inline]] void finish_tile(const registers& sum, int row, int column, [[maybe_unused]] int again) const {
        const conv_geometry& g = call.geometry;
        const typename A::finisher finish{call};
        const int pixel = call.stored_channels(), line = g.out.width * pixel;
        const int origin = (row * g.out.width + column) * pixel + stored_channel();
        constexpr int stored = Hook::copies > 1 ? 1 : T::blocks;
        // nothing to correct is the rule, and found out without leaving the registers
        const bool settled = is_settled(sum);
        const auto plain = [&](auto adds) __attribute__((always_inline)) {
            impl::unrolled<T::pixels>([&](auto p) __attribute__((always_inline)) {
                const int at = origin + p() / T::columns * line + p() % T::columns * pixel;
                impl::unrolled<stored>([&](auto n) __attribute__((always_inline)) {
                    finish.template plain<adds()>(sum[p()][n()], at + n() * lane_count);
                });
            });
        };
        const bool whole = last_lanes == lane_count || stored < T::blocks;
        if (settled && finish.is_plain() && whole) [[likely]] return finish.adds() ? plain(std::true_type{}) : plain(std::false_type{});
        registers done;
        copy(done, sum);
        if (!settled) [[unlikely]] correct(done, again);
        for (int p = 0; p < T::pixels; ++p) {
            const int at = origin + p / T::columns * line + p % T::columns * pixel;
            for (int n = 0; n < stored; ++n)
                finish(done[p][n], at + n * lane_count, n + 1 < T::blocks ? lane_count : last_lanes);
        }
    }
    /// Whether the hook would store the outputs as they are and count nothing.
    [[gnu::always_inline]] bool is_settled(const registers& sum) const {
        if constexpr (Hook::corrects) {
            bool settled = true;
            const int from = stored_channel();
            if constexpr (Hook::copies > 1) {
                const auto bounds = hook.template bounds_at<A>(from);
                impl::unrolled<T::pixels>([&](auto p) __attribute__((always_inline)) {
                    if constexpr (Hook::copies == 2) settled &= bounds.settle(sum[p()][0], sum[p()][1]);
                    else settled &= bounds.settle(sum[p()][0], sum[p()][1], sum[p()][2]);
                });
            } else {
                impl::unrolled<T::blocks>([&](auto n) __attribute__((always_inline)) {
                    const auto bounds = hook.template bounds_at<A>(from + n() * lane_count);
                    impl::unrolled<T::pixels>([&](auto p) __attribute__((always_inline)) { settled &= bounds.settle(sum[p()][n()]); });
                });
            }
            return settled;
        } else {
            return true;
        }
    }
    /// Where a block's first channel is stored.
    int stored_channel() const {
        if constexpr (Hook::corrects) return Hook::copies > 1 ? channel / Hook::copies : channel - call.folded;
        else return channel;
    }
    /// What the hook makes of the outputs: the first block of each two, or all.
    [[gnu::noinline, gnu::cold]] void correct(registers& done, int again) const {
        if constexpr (Hook::corrects) {
            for (int p = 0; p < T::pixels; ++p)
                for (int n = 0; n < (Hook::copies > 1 ? 1 : T::blocks); ++n) {
                    const int count = Hook::copies > 1 || n + 1 < T::blocks ? lane_count : last_lanes;
                    done[p][n] = hook.template corrected<A>(done[p] + n, stored_channel() + n * lane_count, count, p % T::columns >= again);
                }
        }
    }
    /// Shows the hook the outputs.
    void look(const registers& sum) const {
        registers done;
        copy(done, sum);
        for (int p = 0; p < T::pixels; ++p)
            for (int n = 0; n < T::blocks; ++n) {
                typename N::accumulator value[lane_count];
                A::spill(done[p][n], value);
                hook.see(value, channel + n * lane_count, n + 1 < T::blocks ? lane_count : last_lanes);
            }
    }
    /// Adds the outputs to the hook's sums, each once.
    [[gnu::always_inline]] void add_up(const registers& sum, int column, int again) const {
        constexpr int parts = Hook::parts;
        auto* const totals = hook.totals + (block - call.block_begin) * parts * lane_count;
        const auto add_to = [&](int n, int part, const lanes& more) __attribute__((always_inline)) {
            auto* const at = totals + (n * parts + part) * lane_count;
            lanes total = lanes::load(at);
            total.add(more);
            total.store(at);
        };
        impl::unrolled<T::blocks>([&](auto n) __attribute__((always_inline)) {
            if (parts == 1 && again == 0) {
                lanes all = sum[0][n()];
                impl::unrolled<T::pixels - 1>([&](auto p) __attribute__((always_inline)) { all.add(sum[p() + 1][n()]); });
                return add_to(n(), 0, all);
            }
            impl::unrolled<T::pixels>([&](auto p) __attribute__((always_inline)) {
                constexpr int x = p() % T::columns;
                if (x >= again) add_to(n(), (column + x) % parts, sum[p()][n()]);
            });
        });
    }
    /// Adds the outputs to the hook's sums of pixels, each once.
    [[gnu::always_inline]] void add_to_pixels(const registers& sum, int row, int column, int again) const {
        if (last_lanes < lane_count) {
            registers done;
            copy(done, sum);
            return add_part_to_pixels(done, row, column, again);
        }
        auto* const totals = hook.totals + (row * call.geometry.out.width + column) * lane_count;
        impl::unrolled<T::pixels>([&](auto p) __attribute__((always_inline)) {
            constexpr int x = p() % T::columns;
            if (x < again) return;
            auto* const at = totals + (p() / T::columns * call.geometry.out.width + x) * lane_count;
            lanes total = lanes::load(at);
            impl::unrolled<T::blocks>([&](auto n) __attribute__((always_inline)) { total.add(sum[p()][n()]); });
            total.store(at);
        });
    }
    /// The same where the last block's upper lanes are no channels, and may hold NaN.
    [[gnu::noinline, gnu::cold]] void add_part_to_pixels(const registers& done, int row, int column, int again) const {
        for (int p = 0; p < T::pixels; ++p) {
            if (p % T::columns < again) continue;
            auto* const at = hook.totals + ((row + p / T::columns) * call.geometry.out.width + column + p % T::columns) * lane_count;
            lanes total = lanes::load(at);
            for (int n = 0; n < T::blocks; ++n) {
                typename N::accumulator value[lane_count];
                A::spill(done[p][n], value);
                for (int i = n + 1 < T::blocks ? lane_count : last_lanes; i < lane_count; ++i) value[i] = 0;
                total.add(A::fill(value));
            }
            total.store(at);
        }
    }
    [[gnu::always_inline]] static void copy(registers& to, const registers& from) {
        impl::unrolled<T::pixels>([&](auto p) __attribute__((always_inline)) {
            impl::unrolled<T::blocks>([&](auto n) __attribute__((always_inline)) { to[p()][n()] = from[p()][n()]; });
        });
    }

    /// `taps` neighbouring kernel columns, of which the first reads image row y and column x for pixel (0, 0).
    template <side Side>
    [[gnu::always_inline]] void taps_of(registers& sum, int y, int x, unsigned rows_inside, pixel_columns columns,
                                        const weight* w, int taps) const {
        if (!A::padding_counts && columns.first == columns.last) return;
        const conv_geometry& g = call.geometry;
        const auto origin = (static_cast<std::ptrdiff_t>(y) * g.in.width + x) * g.in.channels + first_input;
        if constexpr (A::converts_input && !Depthwise) {
            const int groups = taps * setup.groups;
            float buffer[static_cast<std::size_t>(T::pixels * chunk)];
            for (int from = 0; from < groups; from += chunk) {
                const int count = std::min(chunk, groups - from);
                for (int i = 0; i < T::rows; ++i) {
                    if ((rows_inside >> i & 1u) == 0) continue;
                    for (int p = columns.first; p < columns.last; ++p)
                        convert(call.in + origin + i * setup.row + p * setup.pixel + from * setup.step, setup.step,
                                buffer + (i * T::columns + p) * chunk, count);
                }
                const impl::pixel_grid<float> grid{buffer, chunk, static_cast<std::ptrdiff_t>(T::columns) * chunk};
                by_rows<Side>(sum, grid, rows_inside, columns, {w + static_cast<std::ptrdiff_t>(from) * lane_count, setup.block, count, 1, lane_count});
            }
        } else {
            by_rows<Side>(sum, impl::pixel_grid<typename N::activation>{call.in + origin, setup.pixel, setup.row}, rows_inside,
                    columns, {w, setup.block, taps * setup.groups, setup.step, last_lanes});
        }
    }
    /// Converts `count` words, `step` apart; writes whole vectors of `to`.
    static void convert(const typename N::activation* from, std::ptrdiff_t step, float* to, int count) {
        if constexpr (A::converts_input) {
            int i = 0;
            if (step != 1) {
                for (; i < count; ++i) to[i] = widened(from[i * step]);
                return;
            }
            for (; i + lane_count <= count; i += lane_count) lanes::load(from + i).store(to + i);
            if (i < count) lanes::load(from + i, count - i).store(to + i);
        }
    }
    template <unsigned Mask, class Grid>
    [[gnu::always_inline]] static void add(registers& sum, const Grid& in, const run& w) {
        if constexpr (Depthwise) {
            if (w.last_lanes == lane_count)
                impl::accumulate_channels<A, T, Mask, true>(sum, in, w.first, w.block, w.groups, w.step, w.last_lanes);
            else impl::accumulate_channels<A, T, Mask, false>(sum, in, w.first, w.block, w.groups, w.step, w.last_lanes);
        }
        else impl::accumulate<A, T, Mask>(sum, in, w.first, w.block, w.groups, w.step);
    }
    template <side Side, class Grid>
    [[gnu::always_inline]] static void by_rows(registers& sum, const Grid& in, unsigned rows_inside,
                                               pixel_columns columns, const run& w) {
        if (T::rows == 1 || rows_inside == T::all_rows) by_columns<T::all_rows, Side>(sum, in, rows_inside, columns, w);
        else if (rows_inside == 1u) by_columns<1u, Side>(sum, in, rows_inside, columns, w);
        else by_columns<T::rows == 1 ? 1u : 2u, Side>(sum, in, rows_inside, columns, w);
    }
    /// All pixels, or all but the outermost one, have an unrolled loop each; other ranges go pixel by pixel. One loop a side:
    /// with all of them everywhere, compilers run out of registers for the accumulators.
    template <unsigned Rows, side Side, class Grid>
    [[gnu::always_inline]] static void by_columns(registers& sum, const Grid& in, unsigned rows_inside,
                                                  pixel_columns columns, const run& w) {
        constexpr int first = Side == side::left ? 1 : 0, last = Side == side::right ? T::columns - 1 : T::columns;
        if constexpr (first < last) {
            if (Side == side::none || (columns.first == first && columns.last == last))
                return add<T::mask(Rows, first, last)>(sum, in, w);
        }
        if constexpr (Side != side::none)
            through_memory(sum, [&](registers& spilled) { pixel_by_pixel(spilled, in, rows_inside, columns, w); });
    }
    /// Lets `body` work on a copy of the accumulators: were their own address taken, they would live in memory.
    template <class Body>
    [[gnu::always_inline]] static void through_memory(registers& sum, Body&& body) {
        registers spilled;
        copy(spilled, sum);
        body(spilled);
        copy(sum, spilled);
    }
    template <class Grid>
    [[gnu::noinline]] static void pixel_by_pixel(registers& sum, Grid in, unsigned rows_inside, pixel_columns columns,
                                                 const run& w) {
        using single = tile_shape<1, 1, T::blocks>;
        using tile = direct_tile<N, single, Depthwise, Hook>;
        for (int p = 0; p < T::pixels; ++p) {
            auto& one = reinterpret_cast<impl::register_tile<lanes, single>&>(sum[p]);
            const int row = p / T::columns, column = p % T::columns;
            const Grid here{in.origin + row * in.row + column * in.column, 0, 0};
            if ((rows_inside >> row & 1u) != 0 && column >= columns.first && column < columns.last)
                tile::template add<1u>(one, here, w);
            else if constexpr (A::padding_counts) tile::template add<0u>(one, here, w);
        }
    }
    template <number, class, bool, class> friend class direct_tile;

    /// What a stuck lane makes of all accumulators in it.
    [[gnu::noinline]] void stick(registers& sum) const {
        for (auto& pixel : sum)
            for (lanes& one : pixel) {
                typename N::accumulator value[lane_count];
                A::spill(one, value);
                auto& stuck = value[hook.lane];
                if constexpr (!N::is_integer) stuck = canonical(stuck);
                stuck = changed(stuck, hook.bits);
                one = A::fill(value);
            }
    }

    /// Outputs of the tile's row `i` that a fault hits are computed again by the scalar chain and put back.
    [[gnu::noinline]] void strike(registers& sum, std::span<const output_fault> faults, int row, int i, int column) const {
        const conv_geometry& g = call.geometry;
        for (auto f = faults.begin(); f != faults.end();) {
            auto end = f;
            while (end != faults.end() && end->output == f->output) ++end;
            const int place = static_cast<int>(f->output) - g.out.index(row, column, 0);
            const int p = place / g.out.channels, struck_channel = place % g.out.channels;
            const int n = g.block_of(struck_channel) - block;
            if (n >= 0 && n < T::blocks) {
                lanes& struck = sum[i * T::columns + p][n];
                typename N::accumulator value[lane_count];
                A::spill(struck, value);
                value[g.lane_of(struck_channel)] = chain(call, row, column + p, struck_channel, {f, end});
                struck = A::fill(value);
            }
            f = end;
        }
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI
