// SPDX-License-Identifier: MIT
// Output-channel checksums of a convolution: the sum of a pixel's outputs over all channels, computed a second way.
//
// A convolution is linear, so the sum of a pixel over all its channels is what one filter gives that is the sum of all filters (Huang and Abraham,
// IEEE Trans. Computers C-33 (1984); of convolutions Zhao et al., "FT-CNN", arXiv 2003.12203). The sum of the filters is kept with the
// parameters, so faults of weights are seen too. The product costs as much as one or two channels more; the other side's sums
// (kernel/checksum.hpp) as much as one or two pixels more.
#pragma once

#include <redoubt/base/mutant.hpp>
#include <redoubt/kernel/checksum_verdict.hpp>
#include <redoubt/kernel/conv2d.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace redoubt::kernel::inline v1 {

/// Signed bytes that a sum of a layer's int8 weights over its output channels takes: from -128 to 127 each, the lowest first.
constexpr int filter_digits(const conv_geometry& g) {
    return g.out.channels <= 257 ? 2 : g.out.channels <= 65793 ? 3 : 4;
}

/// What a pixel checksum keeps with the parameters: just before the 64th byte the sum of biases (floats: and of their magnitudes), then that of
/// the filters.
struct filter_sums_plan {
    std::size_t bias = 0;
    std::size_t filter = 64;    ///< [row][column][in], of all groups; int8: digit by digit
    std::size_t absolute = 0;   ///< floats: the sums of magnitudes
    std::size_t end = 0;        ///< of what means something
    std::size_t bytes = 0;

    template <number N>
    static constexpr filter_sums_plan of(const conv_geometry& g) {
        const auto taps = static_cast<std::size_t>(g.kernel.h * g.kernel.w * g.in.channels);
        filter_sums_plan p;
        if constexpr (N::is_integer) {
            p.bias = p.filter - sizeof(std::uint32_t);
            p.end = p.filter + taps * static_cast<std::size_t>(filter_digits(g));
            p.bytes = p.end + 64;  // whole vectors are read
        } else {
            p.bias = p.filter - 2 * sizeof(float);
            p.absolute = p.filter + taps * sizeof(float);
            p.bytes = p.end = p.absolute + taps * sizeof(float);
        }
        return p;
    }
};

/// Scratch of a pixel checksum, aligned to 64 bytes.
struct pixel_sums_plan {
    std::size_t totals = 0;    ///< sums of outputs, [pixel][16]
    std::size_t expected = 0;  ///< what these should be, [pixel]
    std::size_t bounds = 0;    ///< floats: how far apart the two may lie, [pixel]
    std::size_t bytes = 0;

    template <number N>
    static constexpr pixel_sums_plan of(const conv_geometry& g) {
        const auto pixels = static_cast<std::size_t>(g.out.height * g.out.width);
        pixel_sums_plan p;
        p.expected = pixels * lane_count * sizeof(typename N::accumulator);
        p.bounds = p.expected + pixels * sizeof(typename N::accumulator);
        p.bytes = p.bounds + (N::is_integer ? 0 : pixels * sizeof(float));
        return p;
    }
};

/// How many units in the last place (2^-24) of its magnitude a pixel's sum and its expectation may lie apart without a fault.
///
/// With u = 2^-24 and n the fan-in, the magnitude of a pixel is M = sum of |bias| + sum over taps |x| * (sum over channels |w|). First-order
/// worst-case errors, each relative to M: a chain of n multiply-adds n u (n + 1 where there is no fused one); sums of the outputs, one addition a block
/// and four of the 16 lanes; the expectation's chains, one product for 16 taps (two errors where it is not fused), one addition a kernel row, four of lanes, the bias; the
/// roundings of the filters' sum, of the biases' and of the difference. A hundredth more covers what is of higher order, and M's own rounding.
constexpr float pixel_checksum_ulps(const conv_geometry& g) {
    const int run = g.dilation.w == 1 ? g.kernel.w * g.in.channels : g.in.channels;
    const int products = g.kernel.h * (g.dilation.w == 1 ? 1 : g.kernel.w) * ((run + lane_count - 1) / lane_count);
    return static_cast<float>(g.fan_in() + 1 + g.blocks() + 4 + products + 1 + g.kernel.h + 4 + 1 + 3) * 1.01f;
}

/// Some of the rows [first, first + most) of an output.
class row_set {
public:
    static constexpr int most = 64;

    explicit constexpr row_set(int first) : first_{first} {}
    constexpr void add(int row) { rows_ |= std::uint64_t{1} << (row - first_); }
    constexpr bool is_empty() const { return rows_ == 0; }
    /// body(row), from the top.
    template <class Body>
    constexpr void for_each(Body&& body) const {
        for (std::uint64_t left = rows_; left != 0; left &= left - 1) body(first_ + std::countr_zero(left));
    }

private:
    int first_;
    std::uint64_t rows_ = 0;
};

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

/// A sum over output channels as a pixel checksum keeps it, from the first channel on: exact for integers, else in double, rounded once, and beside it that
/// of magnitudes.
template <number N>
struct channel_sum {
    std::conditional_t<N::is_integer, std::uint32_t, double> total{};
    double absolute = 0.0;

    void add(auto word) {
        if constexpr (N::is_integer) {
            total += static_cast<std::uint32_t>(word);
        } else {
            const auto v = static_cast<double>(widened(word));
            total += v;
            absolute += v < 0.0 ? -v : v;
        }
    }
    /// The magnitude. Below the smallest normal number rounding is no longer relative: it then covers the sum's.
    float magnitude() const { return absolute > 0.0 && absolute < 0x1p-126 ? 0x1p-126f : static_cast<float>(absolute); }
};

}  // namespace impl

/// Sums up filters and biases for pixel_checksum. `weight(out, row, column, in)` is a weight as kernels read it, `in` within its group.
template <number N, class Weight>
void sum_filters(const conv_geometry& g, Weight&& weight, std::span<const typename N::bias> biases, std::byte* kept) {
    const filter_sums_plan plan = filter_sums_plan::of<N>(g);
    for (std::size_t i = 0; i < plan.bytes; ++i) kept[i] = std::byte{0};
    const int taps = g.kernel.h * g.kernel.w * g.in.channels;
    for (int tap = 0; tap < taps; ++tap) {
        const int i = tap % g.in.channels, at = tap / g.in.channels, first = i / g.group_in() * g.group_out();
        impl::channel_sum<N> sum;
        for (int o = first; o < first + g.group_out(); ++o) sum.add(weight(o, at / g.kernel.w, at % g.kernel.w, i % g.group_in()));
        if constexpr (N::is_integer) {
            auto rest = static_cast<std::int32_t>(sum.total);
            for (int d = 0; d < filter_digits(g); ++d) {
                const auto digit = static_cast<std::int8_t>(static_cast<std::uint8_t>(rest & 0xff));
                reinterpret_cast<std::int8_t*>(kept + plan.filter)[d * taps + tap] = digit;
                rest = (rest - digit) / 256;
            }
        } else {
            reinterpret_cast<float*>(kept + plan.filter)[tap] = static_cast<float>(sum.total);
            reinterpret_cast<float*>(kept + plan.absolute)[tap] = sum.magnitude();
        }
    }
    impl::channel_sum<N> sum;
    for (int o = 0; o < g.out.channels; ++o) sum.add(biases[static_cast<std::size_t>(o)]);
    if constexpr (N::is_integer) {
        *reinterpret_cast<std::uint32_t*>(kept + plan.bias) = sum.total;
    } else {
        auto* const to = reinterpret_cast<float*>(kept + plan.bias);
        to[0] = static_cast<float>(sum.total);
        to[1] = sum.magnitude();
    }
}

/// One convolution of which begin() is called first, then the kernel over all its blocks with hook(), then finish().
///
/// int8: exact modulo 2^32, so every single wrong accumulator is found and no right one; wrong ones of a pixel can cancel. Floats: sums
/// that lie further apart than rounding can bring them (pixel_checksum_ulps) are a fault, NaN and infinity included; where the magnitude itself is
/// past half of the largest float, or NaN, there is no verdict. Faults of weights and biases are in one of the sums: they are found, and
/// stay uncorrected. Sums are made in an order that does not depend on the machine.
template <number N>
class pixel_checksum {
    using A = lane_arithmetic<N>;
    using lanes = typename A::lanes;
    using word = typename N::accumulator;
    using stored = typename N::activation;

    const conv_geometry& g_;
    const std::byte* kept_;
    word* totals_;
    word* expected_;
    float* bounds_;
    float factor_, smallest_;  ///< of a float's bound, for each unit of magnitude and at least

public:
    /// Scratch is laid out by pixel_sums_plan::of<N>, what is kept by filter_sums_plan. The geometry must outlive this.
    pixel_checksum(const conv_geometry& g, const std::byte* kept, std::byte* room)
        : g_{g}, kept_{kept}, totals_{reinterpret_cast<word*>(room)},
          expected_{reinterpret_cast<word*>(room + pixel_sums_plan::of<N>(g).expected)},
          bounds_{reinterpret_cast<float*>(room + pixel_sums_plan::of<N>(g).bounds)}, factor_{pixel_checksum_ulps(g) * 0x1p-24f},
          smallest_{static_cast<float>(g.out.channels + 2) * static_cast<float>(g.fan_in() + 2) * std::numeric_limits<float>::denorm_min()} {}

    void begin() const { clear(0, g_.out.height); }

    template <class Hook>
    summing_hook<Hook, word> hook(const Hook& by) const { return {by, totals_, sums_over::channels}; }

    /// Compares. A row of pixels with a wrong one counts as detected and is computed once more: again(rows, hook) runs the kernel for each of some rows with
    /// hook(row), without faults. Where it is wrong still, it is uncorrected. `touch` is shown the expected sums before they are compared.
    template <class Touch, class Again>
    void finish(const stored* in, Touch&& touch, Again&& again, std::uint32_t& detected, std::uint32_t& uncorrected) const {
        for (int row = 0; row < g_.out.height; ++row) expect(in, row);
        touch(std::span<word>{expected_, static_cast<std::size_t>(g_.out.height * g_.out.width)});
        for (int first = 0; first < g_.out.height; first += row_set::most) {
            row_set wrong{first};
            for (int row = first; row < std::min(first + row_set::most, g_.out.height); ++row)
                if (!agrees(row)) wrong.add(row);
            if (wrong.is_empty()) continue;
            wrong.for_each([&](int row) { clear(row, row + 1); });
            again(wrong, [&](int row) {
                return summing_hook<no_hook, word>{no_hook{}, totals_ + row * g_.out.width * lane_count, sums_over::channels};
            });
            wrong.for_each([&](int row) {
                ++detected;
                expect(in, row);
                if (!agrees(row)) ++uncorrected;
            });
        }
    }

private:
    void clear(int row, int end) const {
        for (int i = row * g_.out.width * lane_count; i < end * g_.out.width * lane_count; ++i) totals_[i] = 0;
    }
    int taps() const { return g_.kernel.h * g_.kernel.w * g_.in.channels; }

    /// Sums of some pixels; of floats their magnitudes too, of int8 one for each digit.
    template <int Pixels, int Parts>
    using pixel_sums = lanes[static_cast<std::size_t>(Parts)][static_cast<std::size_t>(Pixels)];

    /// Kernel columns [first, last) of an output column that read the image.
    struct inside { int first, last; };
    inside columns_inside(int column) const {
        const int x = g_.column_at(column, 0), d = g_.dilation.w, room = g_.in.width - 1 - x;
        const int first = x >= 0 ? 0 : d == 1 ? -x : (d - 1 - x) / d;
        const int last = room < 0 ? 0 : std::min(g_.kernel.w, (d == 1 ? room : room / d) + 1);
        return {std::min(first, last), last};
    }

    /// Adds the products of `length` neighbouring words of each pixel with the filter from `tap` on.
    template <int Pixels, int Parts>
    [[gnu::always_inline]] void add_run(pixel_sums<Pixels, Parts>& sum, const stored* in, std::ptrdiff_t apart, int tap, int length) const {
        using filter_word = std::conditional_t<N::is_integer, std::int8_t, float>;
        const auto* const filter = reinterpret_cast<const filter_word*>(kept_ + filter_sums_plan{}.filter) + tap;
        const std::ptrdiff_t plane = taps();
        int i = 0;
        if constexpr (N::is_integer) {
            const auto some = [&](auto&& load) __attribute__((always_inline)) {
                typename lanes::weights w[static_cast<std::size_t>(Parts)];
                impl::unrolled<Parts>([&](auto d) __attribute__((always_inline)) { w[d()] = A::load_weights(filter + d() * plane + i); });
                impl::unrolled<Pixels>([&](auto p) __attribute__((always_inline)) {
                    const auto bytes = load(in + p() * apart + i);
                    impl::unrolled<Parts>([&](auto d) __attribute__((always_inline)) { sum[d()][p()].add_products(bytes, w[d()]); });
                });
            };
            for (; i + 64 <= length; i += 64) some([](const stored* p) __attribute__((always_inline)) { return lanes::load_quads(p); });
            if (i < length) some([&](const stored* p) __attribute__((always_inline)) { return lanes::load_quads(p, length - i); });
        } else {
            const auto some = [&](const lanes& f, const lanes& m, auto&& load) __attribute__((always_inline)) {
                impl::unrolled<Pixels>([&](auto p) __attribute__((always_inline)) {
                    const lanes x = load(in + p() * apart + i);
                    sum[0][p()].add_product(x, f);
                    sum[1][p()].add_product(x.magnitude(), m);
                });
            };
            for (; i + lane_count <= length; i += lane_count)
                some(lanes::load(filter + i), lanes::load(filter + plane + i), [](const stored* p) __attribute__((always_inline)) { return A::load_channels(p); });
            if (const int rest = length - i; rest > 0)
                some(lanes::load(filter + i, rest), lanes::load(filter + plane + i, rest),
                     [&](const stored* p) __attribute__((always_inline)) { return A::load_channels(p, rest); });
        }
    }
    /// int8: the same of padding, the stored zero.
    template <int Pixels, int Parts>
    [[gnu::noinline]] void add_padding(pixel_sums<Pixels, Parts>& sum, int tap, int length) const {
        if constexpr (N::is_integer) {
            stored zeros[64];
            for (stored& z : zeros) z = 128;
            for (; length > 0; length -= 64, tap += 64) add_run<Pixels, Parts>(sum, zeros, 0, tap, std::min(length, 64));
        }
    }
    /// What the sums of a row of pixels should be: four at once where all kernel columns read the image, the last ones twice if need be.
    [[gnu::noinline]] void expect(const stored* in, int row) const {
        if constexpr (N::is_integer) {
            switch (filter_digits(g_)) {
                case 2: return expect_row<2>(in, row);
                case 3: return expect_row<3>(in, row);
                default: return expect_row<4>(in, row);
            }
        } else {
            expect_row<2>(in, row);
        }
    }
    template <int Parts>
    void expect_row(const stored* in, int row) const {
        constexpr int together = 4;
        int first = 0, last = g_.out.width;
        while (first < last && g_.column_at(first, 0) < 0) ++first;
        while (last > first && g_.column_at(last - 1, g_.kernel.w - 1) >= g_.in.width) --last;
        const bool many = last - first >= together;
        for (int column = 0; column < g_.out.width; ++column)
            if (!many || column < first || column >= last) expect_pixels<1, Parts>(in, row, column, columns_inside(column));
        if (many)
            for (int column = first; column < last; column += together)
                expect_pixels<together, Parts>(in, row, std::min(column, last - together), {0, g_.kernel.w});
    }
    /// Some pixels of a row that read the same kernel columns of the image.
    template <int Pixels, int Parts>
    void expect_pixels(const stored* in, int row, int column, inside at) const {
        pixel_sums<Pixels, Parts> sum;
        const auto clear_all = [](auto& sums) __attribute__((always_inline)) {
            for (auto& part : sums)
                for (lanes& v : part) v = lanes::filled(0);
        };
        clear_all(sum);
        const int channels = g_.in.channels, together = g_.dilation.w == 1 ? at.last - at.first : 1;
        if constexpr (N::is_integer) {
            // before the rest, which keeps the sums in registers
            for (int r = 0; r < g_.kernel.h; ++r) {
                const int tap = r * g_.kernel.w * channels, y = g_.row_at(row, r);
                if (y < 0 || y >= g_.in.height) {
                    add_padding<Pixels, Parts>(sum, tap, g_.kernel.w * channels);
                } else {
                    if (at.first > 0) add_padding<Pixels, Parts>(sum, tap, at.first * channels);
                    if (at.last < g_.kernel.w) add_padding<Pixels, Parts>(sum, tap + at.last * channels, (g_.kernel.w - at.last) * channels);
                }
            }
        }
        const std::ptrdiff_t apart = static_cast<std::ptrdiff_t>(g_.stride.w) * channels;
        for (int r = 0; r < g_.kernel.h; ++r) {
            const int tap = r * g_.kernel.w * channels, y = g_.row_at(row, r);
            if (y < 0 || y >= g_.in.height) continue;
            // a kernel row begins its own chains: a pixel that is alone has no others to overlap with
            pixel_sums<Pixels, Parts> own;
            clear_all(own);
            for (int c = at.first; c < at.last; c += together)
                add_run<Pixels, Parts>(own, in + g_.in.index(y, g_.column_at(column, c), 0), apart, tap + c * channels, together * channels);
            for (int i = 0; i < Parts; ++i)
                for (int p = 0; p < Pixels; ++p) sum[i][p].add(own[i][p]);
        }
        for (int p = 0; p < Pixels; ++p) {
            const int pixel = row * g_.out.width + column + p;
            if constexpr (N::is_integer) {
                for (int d = 1; d < Parts; ++d) {
                    sum[d][p].shift_left(8 * d);
                    sum[0][p].add(sum[d][p]);
                }
                const std::uint32_t bias = *reinterpret_cast<const std::uint32_t*>(kept_ + filter_sums_plan{}.filter - sizeof bias);
                expected_[pixel] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum_of(sum[0][p])) + bias);
            } else {
                const auto* const bias = reinterpret_cast<const float*>(kept_ + filter_sums_plan{}.filter) - 2;
                expected_[pixel] = sum_of(sum[0][p]) + bias[0];
                const float magnitude = sum_of(sum[1][p]) + bias[1];
                bounds_[pixel] = checksum_bound(magnitude, factor_, smallest_);
            }
        }
    }
    /// Halves onto each other until one is left.
    static word sum_of(const lanes& v) {
        if constexpr (requires { v.total(); }) return v.total();
        word part[lane_count];
        v.store(part);
        for (int half = lane_count / 2; half > 0; half /= 2)
            for (int i = 0; i < half; ++i) {
                if constexpr (N::is_integer) part[i] = static_cast<word>(static_cast<std::uint32_t>(part[i]) + static_cast<std::uint32_t>(part[i + half]));
                else part[i] = part[i] + part[i + half];
            }
        return part[0];
    }
    /// The verdict on a row.
    [[gnu::noinline]] bool agrees(int row) const {
        if constexpr (planted == mutant::no_checksum) return true;
        bool good = true;
        for (int pixel = row * g_.out.width; pixel < (row + 1) * g_.out.width; ++pixel) {
            const word total = sum_of(lanes::load(totals_ + pixel * lane_count));
            if constexpr (N::is_integer) good &= sums_agree(total, expected_[pixel]);
            else good &= sums_agree(total, expected_[pixel], bounds_[pixel]);
        }
        return good;
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI
