// SPDX-License-Identifier: MIT
// Input-side checksums of a convolution: the sum of a channel's outputs over all pixels, computed a second way.
//
// A convolution is linear, so the sum of channel o over all outputs is P * bias[o] + sum over taps t of X[t] * w[o][t], where P is the
// number of output pixels and X[t] the sum of what tap t reads over all of them (Huang and Abraham, "Algorithm-based fault tolerance for
// matrix operations", IEEE Trans. Computers C-33 (1984), with the column checksum on the side of the inputs). X costs one pass over
// the input, the product as much as one output pixel.
#pragma once

#include <redoubt/base/mutant.hpp>
#include <redoubt/kernel/checksum_verdict.hpp>
#include <redoubt/kernel/conv2d.hpp>

#include <cstddef>
#include <limits>

namespace redoubt::kernel::inline v1 {

/// What a checked convolution needs besides: byte offsets in scratch that is aligned to 64 bytes.
struct checksum_plan {
    std::size_t sums = 0;        ///< X: [row][column][channel]
    std::size_t magnitudes = 0;  ///< floats: the same of absolute values; int8: the bytes of X, plane by plane
    std::size_t totals = 0;      ///< sums of outputs, [block][part][16]
    std::size_t expected = 0;    ///< what these should be, [block][16]
    std::size_t bounds = 0;      ///< floats: how far apart the two may lie, [block][16]
    std::size_t bytes = 0;

    template <number N>
    static constexpr checksum_plan of(const conv_geometry& g) {
        const auto aligned = [](std::size_t n) { return (n + 63) / 64 * 64; };
        const auto taps = static_cast<std::size_t>(g.kernel.h * g.kernel.w * g.in.channels);
        const auto lanes = static_cast<std::size_t>(g.blocks() * lane_count);
        constexpr std::size_t word = sizeof(typename N::accumulator);
        checksum_plan p;
        p.magnitudes = aligned(taps * word);
        p.totals = p.magnitudes + aligned(taps * word + lane_count);  // int8 reads whole groups of bytes
        p.expected = p.totals + lanes * word * summing_hook<no_hook, typename N::accumulator>::parts;
        p.bounds = p.expected + lanes * word;
        p.bytes = p.bounds + lanes * word;
        return p;
    }
};

/// Bytes that a checksum of int8 inputs over `pixels` outputs fills.
constexpr int checksum_digits(long long pixels) {
    return pixels * 255 < 65536 ? 2 : pixels * 255 < 16777216 ? 3 : 4;
}

/// How many units in the last place (2^-24) of its magnitude a sum of floats and its expectation may lie apart without a fault.
///
/// With u = 2^-24, n the fan-in and A[t] the sum of |x| that tap t reads, the magnitude of channel o is M = P |bias| + sum A[t] |w|.
/// First-order worst-case errors, each relative to M: a chain of n multiply-adds n u (n + 1 where there is no fused one), of the outputs
/// and of the expectation; eight sums of the outputs, height * ceil(width / 8) each, and their own sum of 8; inputs summed along rows, then
/// over rows, height + width; the product P bias and the difference 2. A hundredth more covers what is of higher order, and M's own rounding,
/// as long as the whole stays below 80,000. Sums are exact where they underflow, products are off by at most half of 2^-149.
constexpr float checksum_ulps(const conv_geometry& g) {
    const int outputs = g.out.height * ((g.out.width + 7) / 8) + 8, inputs = g.out.height + g.out.width;
    return static_cast<float>(2 * (g.fan_in() + 1) + outputs + inputs + 2) * 1.01f;
}

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

/// The input columns (or rows) that one kernel column reads over all outputs, `stride` apart, those in padding left out.
struct tap_range {
    int first;
    int last;

    tap_range(int outputs, int inputs, int stride, int at) : first{at}, last{at + (outputs - 1) * stride} {
        if (first < 0) first += stride == 1 ? -first : (stride - 1 - first) / stride * stride;
        if (last >= inputs) last -= stride == 1 ? last - inputs + 1 : (last - inputs + stride) / stride * stride;
    }
    int count(int stride) const { return last < first ? 0 : (last - first) / stride + 1; }
};

/// What the channels [channel, channel + count) of some pixels add up to; of floats their magnitudes too.
template <number N>
struct input_sum {
    using A = lane_arithmetic<N>;
    using lanes = typename A::lanes;
    lanes plain = lanes::filled(0), absolute = lanes::filled(0);

    void add(const typename N::activation* p, int count) {
        const lanes v = count == lane_count ? A::load_channels(p) : A::load_channels(p, count);
        plain.add(v);
        if constexpr (!N::is_integer) absolute.add(v.magnitude());
    }
    void add(const input_sum& more) {
        plain.add(more.plain);
        absolute.add(more.absolute);
    }
};

}  // namespace impl

/// One convolution of which begin() is called with its input, then compute() for all its blocks in turn.
///
/// int8: exact modulo 2^32, so every single wrong accumulator is found and no right one; wrong ones of a channel can cancel. Floats: sums
/// that lie further apart than rounding can bring them (checksum_ulps) are a fault, NaN and infinity included; where the magnitude itself is
/// past half of the largest float, or NaN, there is no verdict. Faults of weights and biases are in both sums and not found.
template <number N>
class checked_convolution {
    using A = lane_arithmetic<N>;
    using lanes = typename A::lanes;
    using word = typename N::accumulator;
    using weight = typename A::weight;
    static constexpr int parts = summing_hook<no_hook, word>::parts;

    const conv_geometry& g_;
    word* sums_;
    std::byte* magnitudes_;
    word* totals_;
    word* expected_;
    float* bounds_;

public:
    /// Scratch is laid out by checksum_plan::of<N>. The geometry must outlive this.
    checked_convolution(const conv_geometry& g, const checksum_plan& plan, std::byte* room)
        : g_{g}, sums_{reinterpret_cast<word*>(room + plan.sums)}, magnitudes_{room + plan.magnitudes},
          totals_{reinterpret_cast<word*>(room + plan.totals)}, expected_{reinterpret_cast<word*>(room + plan.expected)},
          bounds_{reinterpret_cast<float*>(room + plan.bounds)} {}

    /// Sums up what each tap reads. In an order that does not depend on the machine: rows from the top; in a row what all taps share, in
    /// four sums, then what is left of it, then right.
    void begin(const typename N::activation* in) const {
        for (int i = 0; i < taps() * g_.in.channels; ++i) {
            sums_[i] = 0;
            if constexpr (!N::is_integer) magnitudes()[i] = 0.0f;
        }
        for (int c = 0; c < g_.kernel.w; ++c) {
            if (leader(c) != c) continue;
            const impl::tap_range shared = shared_columns(c);
            for (int y = 0; y < g_.in.height; ++y) sum_row(in + static_cast<std::ptrdiff_t>(y) * g_.in.width * g_.in.channels, y, c, shared);
        }
        if constexpr (N::is_integer) split();
    }

    /// Computes the call's blocks by kernel(call, hook) and compares. A block of 16 channels that is wrong counts as detected and is computed
    /// once more, without faults; where it is wrong still, its checksum is made anew. If that does not help, it is uncorrected.
    /// `touch` is shown the expected sums before they are compared.
    template <class Hook, class Kernel, class Touch>
    void compute(const conv_call<N>& call, const Hook& hook, Kernel&& kernel, Touch&& touch, std::uint32_t& detected,
                 std::uint32_t& uncorrected) const {
        const int at_once = blocks_at_once();
        for (int b = call.block_begin; b < call.block_end; b += at_once) {
            const conv_call<N> some = part(call, b, std::min(b + at_once, call.block_end));
            run(some, hook, kernel, totals_);
            expect(some);
            touch(std::span<word>{expected_, static_cast<std::size_t>(some.block_end - b) * lane_count});
            for (int c = b; c < some.block_end; ++c) {
                if (agrees(c, c - b)) continue;
                ++detected;
                if (!put_right(part(call, c, c + 1), kernel, c - b)) ++uncorrected;
            }
        }
    }

private:
    int taps() const { return g_.kernel.h * g_.kernel.w; }
    float* magnitudes() const { return reinterpret_cast<float*>(magnitudes_); }
    std::uint8_t* digits() const { return reinterpret_cast<std::uint8_t*>(magnitudes_); }
    long long pixels() const { return static_cast<long long>(g_.out.height) * g_.out.width; }
    impl::tap_range columns(int c) const { return {g_.out.width, g_.in.width, g_.stride.w, g_.column_at(0, c)}; }
    impl::tap_range rows(int r) const { return {g_.out.height, g_.in.height, g_.stride.h, g_.row_at(0, r)}; }
    /// The first kernel column that reads the same columns as c but for some at the edges.
    int leader(int c) const {
        if (g_.stride.w == 1) return 0;
        int first = 0;
        while ((c - first) * g_.dilation.w % g_.stride.w != 0) ++first;
        return first;
    }
    /// The columns that all kernel columns led by `c` read; where there are none, all of theirs are left of it.
    impl::tap_range shared_columns(int c) const {
        impl::tap_range shared = columns(c);
        for (int k = c + 1; k < g_.kernel.w; ++k) {
            if (leader(k) != c) continue;
            shared.first = std::max(shared.first, columns(k).first);
            shared.last = std::min(shared.last, columns(k).last);
        }
        if (shared.last < shared.first) {
            shared.first = g_.in.width;
            shared.last = -1;
        }
        return shared;
    }
    /// One input row, for the kernel columns that `c` leads.
    void sum_row(const typename N::activation* row, int y, int c, const impl::tap_range& shared) const {
        const int stride = g_.stride.w, channels = g_.in.channels;
        for (int ch = 0; ch < channels; ch += lane_count) {
            const int count = std::min(lane_count, channels - ch);
            impl::input_sum<N> common;
            {
                impl::input_sum<N> other[3];
                int x = shared.first;
                for (; x + 3 * stride <= shared.last; x += 4 * stride) {
                    const typename N::activation* const at = row + x * channels + ch;
                    common.add(at, count);
                    for (int i = 0; i < 3; ++i) other[i].add(at + (i + 1) * stride * channels, count);
                }
                for (; x <= shared.last; x += stride) common.add(row + x * channels + ch, count);
                other[0].add(other[1]);
                common.add(other[2]);
                common.add(other[0]);
            }
            for (int k = c; k < g_.kernel.w; ++k) {
                if (leader(k) != c) continue;
                const impl::tap_range own = columns(k);
                impl::input_sum<N> sum = common;
                for (int x = own.first; x <= own.last && x < shared.first; x += stride) sum.add(row + x * channels + ch, count);
                if (shared.last >= shared.first)
                    for (int x = shared.last + stride; x <= own.last; x += stride) sum.add(row + x * channels + ch, count);
                for (int r = 0; r < g_.kernel.h; ++r) {
                    const int from = y - g_.row_at(0, r);
                    if (from < 0 || from >= g_.out.height * g_.stride.h || (g_.stride.h > 1 && from % g_.stride.h != 0)) continue;
                    const int at = (r * g_.kernel.w + k) * channels + ch;
                    add_to(sums_ + at, sum.plain, count);
                    if constexpr (!N::is_integer) add_to(magnitudes() + at, sum.absolute, count);
                }
            }
        }
    }
    static void add_to(word* to, const lanes& more, int count) {
        if (count == lane_count) {
            lanes sum = lanes::load(to);
            sum.add(more);
            return sum.store(to);
        }
        word value[lane_count];
        more.store(value);
        for (int i = 0; i < count; ++i) to[i] = static_cast<word>(to[i] + value[i]);
    }
    /// X as bytes, the lowest plane first; padding is the stored zero.
    void split() const {
        const int count = checksum_digits(pixels()), plane = taps() * g_.in.channels;
        for (int r = 0; r < g_.kernel.h; ++r) {
            for (int c = 0; c < g_.kernel.w; ++c) {
                const long long inside = static_cast<long long>(rows(r).count(g_.stride.h)) * columns(c).count(g_.stride.w);
                const auto padding = static_cast<std::uint32_t>(128 * (pixels() - inside));
                const int first = (r * g_.kernel.w + c) * g_.in.channels;
                for (int i = first; i < first + g_.in.channels; ++i) {
                    const std::uint32_t sum = static_cast<std::uint32_t>(sums_[i]) + padding;
                    for (int d = 0; d < count; ++d) digits()[d * plane + i] = static_cast<std::uint8_t>(sum >> 8 * d & 0xffu);
                }
            }
        }
    }

    /// Blocks whose weights stay in the second cache from the kernel to the checksum.
    int blocks_at_once() const {
        const std::size_t block = layout_of<N>.block_size(g_) * sizeof(weight);
        int n = 4;
        while (n > 2 && static_cast<std::size_t>(n) * block > 524288) n /= 2;
        while (n < g_.blocks() && static_cast<std::size_t>(2 * n) * block <= 262144) n *= 2;
        return n;
    }
    static conv_call<N> part(const conv_call<N>& call, int begin, int end) {
        conv_call<N> some = call;
        some.weights += (begin - call.block_begin) * static_cast<std::ptrdiff_t>(layout_of<N>.block_size(call.geometry));
        some.block_begin = begin;
        some.block_end = end;
        return some;
    }
    /// Computes one block again, the at-th of scratch, then its checksum.
    template <class Kernel>
    bool put_right(const conv_call<N>& one, Kernel&& kernel, int at) const {
        const checked_convolution self = at_block(at);
        run(one, no_hook{}, kernel, self.totals_);
        if (agrees(one.block_begin, at)) return true;
        begin(one.in);
        self.expect(one);
        return agrees(one.block_begin, at);
    }
    /// The same with the at-th block's part of scratch.
    checked_convolution at_block(int at) const {
        checked_convolution c = *this;
        c.totals_ += at * parts * lane_count;
        c.expected_ += at * lane_count;
        c.bounds_ += at * lane_count;
        return c;
    }
    template <class Hook, class Kernel>
    static void run(const conv_call<N>& call, const Hook& hook, Kernel&& kernel, word* totals) {
        for (int i = 0; i < (call.block_end - call.block_begin) * parts * lane_count; ++i) totals[i] = 0;
        kernel(call, summing_hook<Hook, word>{hook, totals});
    }

    /// What the sums of the call's blocks should be.
    void expect(const conv_call<N>& call) const {
        constexpr int together = level < instruction_level::v4 ? 1 : N::is_integer ? 4 : 2;
        for (int b = call.block_begin; b < call.block_end;) {
            const bool many = !g_.is_depthwise() && b + together <= std::min(call.block_end, (b / g_.blocks_a_group() + 1) * g_.blocks_a_group());
            if (many) expect_blocks<together>(call, b);
            else expect_blocks<1>(call, b);
            b += many ? together : 1;
        }
    }
    template <int Blocks>
    void expect_blocks(const conv_call<N>& call, int b) const {
        const auto block = static_cast<std::ptrdiff_t>(layout_of<N>.block_size(g_));
        const int at = (b - call.block_begin) * lane_count;
        const weight* const weights = call.weights + (b - call.block_begin) * block;
        const typename N::bias* const bias = call.bias + g_.first_channel(b);
        if constexpr (N::is_integer) {
            switch (checksum_digits(pixels())) {
                case 2: return expect_exactly<Blocks, 2>(weights, block, bias, b, expected_ + at);
                case 3: return expect_exactly<Blocks, 3>(weights, block, bias, b, expected_ + at);
                default: return expect_exactly<Blocks, 4>(weights, block, bias, b, expected_ + at);
            }
        } else {
            expect_nearly<Blocks>(weights, block, bias, b, expected_ + at, bounds_ + at);
        }
    }
    /// Floats: two chains, of every other product, and the same of magnitudes.
    template <int Blocks>
    void expect_nearly(const weight* weights, std::ptrdiff_t block, const typename N::bias* bias, int b, float* expected, float* bounds) const {
        constexpr auto blocks = static_cast<std::size_t>(Blocks);
        const auto count = static_cast<float>(pixels());
        const int channels = g_.in.channels;
        lanes sum[2][blocks], most[2][blocks];
        impl::unrolled<Blocks>([&](auto n) __attribute__((always_inline)) {
            const lanes v = A::load_bias(bias + n() * lane_count);
            sum[0][n()] = most[0][n()] = sum[1][n()] = most[1][n()] = lanes::filled(0.0f);
            sum[0][n()].add_product(count, v);
            most[0][n()].add_product(count, v.magnitude());
        });
        if (g_.is_depthwise()) {
            const int ch = g_.first_channel(b), lane = std::min(lane_count, channels - ch);
            for (int t = 0; t < taps(); ++t) {
                const lanes w = A::load_weights(weights + t * lane_count);
                sum[0][0].add_product(lanes::load(sums_ + t * channels + ch, lane), w);
                most[0][0].add_product(lanes::load(magnitudes() + t * channels + ch, lane), w.magnitude());
            }
        } else {
            const auto product = [&](auto chain, int i, const weight* w) __attribute__((always_inline)) {
                impl::unrolled<Blocks>([&](auto n) __attribute__((always_inline)) {
                    const lanes v = A::load_weights(w + n() * block);
                    sum[chain()][n()].add_product(sums_[i], v);
                    most[chain()][n()].add_product(magnitudes()[i], v.magnitude());
                });
            };
            // without groups, all taps' channels follow each other in both
            const int runs = g_.groups == 1 ? 1 : taps(), length = g_.fan_in() / runs;
            for (int t = 0; t < runs; ++t) {
                const int first = t * channels + g_.first_input(g_.first_channel(b));
                int i = 0;
                for (; i + 2 <= length; i += 2, weights += 2 * lane_count) {
                    product(std::integral_constant<int, 0>{}, first + i, weights);
                    product(std::integral_constant<int, 1>{}, first + i + 1, weights + lane_count);
                }
                for (; i < length; ++i, weights += lane_count) product(std::integral_constant<int, 0>{}, first + i, weights);
            }
        }
        const float factor = checksum_ulps(g_) * 0x1p-24f;
        const float smallest = (count + 2.0f) * static_cast<float>(g_.fan_in() + 2) * std::numeric_limits<float>::denorm_min();
        impl::unrolled<Blocks>([&](auto n) __attribute__((always_inline)) {
            sum[0][n()].add(sum[1][n()]);
            most[0][n()].add(most[1][n()]);
            sum[0][n()].store(expected + n() * lane_count);
            float magnitude[lane_count];
            most[0][n()].store(magnitude);
            for (int i = 0; i < lane_count; ++i) {
                bounds[n() * lane_count + i] = checksum_bound(magnitude[i], factor, smallest);
            }
        });
    }
    /// int8: the bytes of X as Digits pixels, so that each vector of weights is loaded once for all.
    template <int Blocks, int Digits>
    void expect_exactly(const weight* weights, std::ptrdiff_t block, const std::int32_t* bias, int b, std::int32_t* expected) const {
        if constexpr (N::is_integer) {
            using T = tile_shape<1, Digits, Blocks>;
            constexpr unsigned all = T::mask(1u, 0, Digits);
            impl::register_tile<lanes, T> sum;
            for (auto& digit : sum)
                for (lanes& v : digit) v = lanes::filled(0);
            const int channels = g_.in.channels, plane = taps() * channels, first = g_.first_channel(b);
            if (g_.is_depthwise()) {
                const int lane = std::min(lane_count, channels - first);
                if constexpr (Blocks == 1)
                    impl::accumulate_channels<A, T, all, false>(sum, {digits() + first, plane, 0}, weights, block, taps(), channels, lane);
            } else {
                constexpr wide_layout layout = layout_of<N>;
                const int groups = layout.groups(g_);
                const bool merges = g_.groups == 1 && (groups == 1 || channels % layout.group == 0);
                const int runs = merges ? 1 : taps();
                for (int t = 0; t < runs; ++t)
                    impl::accumulate<A, T, all>(sum, {digits() + t * channels + g_.first_input(first), plane, 0},
                                                weights + t * layout.tap_size(g_), block, groups * taps() / runs,
                                                groups == 1 ? channels : layout.group);
            }
            for (int n = 0; n < Blocks; ++n) {
                std::int32_t* const to = expected + n * lane_count;
                for (int i = 0; i < lane_count; ++i)
                    to[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(pixels()) * static_cast<std::uint32_t>(bias[n * lane_count + i]));
                for (int d = 0; d < Digits; ++d) {
                    std::int32_t value[lane_count];
                    sum[d][n].store(value);
                    for (int i = 0; i < lane_count; ++i)
                        to[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(to[i]) + (static_cast<std::uint32_t>(value[i]) << 8 * d));
                }
            }
        }
    }

    /// The verdict on block b, the at-th of the call.
    bool agrees(int b, int at) const {
        if constexpr (planted == mutant::no_checksum) return true;
        const word* const part = totals_ + at * parts * lane_count;
        lanes sum = lanes::load(part);
        for (int i = 1; i < parts; ++i) sum.add(lanes::load(part + i * lane_count));
        word total[lane_count];
        sum.store(total);
        const int first = at * lane_count, count = g_.channels_in(b);
        bool good = true;
        for (int i = 0; i < count; ++i) {
            if constexpr (N::is_integer) good &= sums_agree(total[i], expected_[first + i]);
            else good &= sums_agree(total[i], expected_[first + i], bounds_[first + i]);
        }
        return good;
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI
