// SPDX-License-Identifier: MIT
// Random convolutions for tests: their operands in logical order, the call that a kernel gets, and a chain written
// from the arithmetic's definition, in logical order, which knows nothing of the wide layout.
#pragma once

#include <redoubt/base/philox.hpp>
#include <redoubt/kernel/conv2d.hpp>

#include "support/activations.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

namespace support {

using redoubt::bfloat16;
using redoubt::float16;
using redoubt::float32;
using redoubt::hw;
using redoubt::int8;
using redoubt::number;
using redoubt::random_stream;

inline int below(random_stream& random, int bound) {
    return static_cast<int>(random.below(static_cast<std::uint64_t>(bound)));
}
inline int one_of(random_stream& random, std::initializer_list<int> values) {
    return values.begin()[below(random, static_cast<int>(values.size()))];
}

/// What the words of a case are drawn from.
enum class words { ordinary, hostile };

/// A float word: small and exact in few bits, or (hostile, one in six) NaN of any kind, Inf, -0, denormal, huge.
template <class Word>
Word random_float_word(random_stream& random, words kind) {
    const auto v = static_cast<Word>(static_cast<float>(random.unit() * 4.0 - 2.0));
    if (kind == words::ordinary || random.below(6) != 0) return v;
    constexpr redoubt::bit_fields f = redoubt::fields_of<Word>;
    using bits = redoubt::word_of<Word>;
    const auto exponent = ((std::uint64_t{1} << f.exponent) - 1) << f.fraction;
    const auto sign = random.below(2) << (f.bits - 1);
    const auto fraction = random() & ((std::uint64_t{1} << f.fraction) - 1);
    std::uint64_t word = 0;
    switch (random.below(6)) {
        case 0: word = exponent | fraction; break;               // NaN, quiet or signalling
        case 1: word = exponent; break;                          // infinity
        case 2: word = fraction; break;                          // denormal
        case 3: word = (exponent - (std::uint64_t{1} << f.fraction)) | fraction; break;  // near the largest
        case 4: word = 0; break;
        default: return redoubt::from_word<Word>(static_cast<bits>(random()));
    }
    return redoubt::from_word<Word>(static_cast<bits>(word | sign));
}

template <class Word>
Word random_word(random_stream& random, words kind) {
    if constexpr (!std::is_integral_v<Word>) {
        return random_float_word<Word>(random, kind);
    } else if constexpr (sizeof(Word) == 4) {
        if (kind == words::hostile && random.below(3) == 0) return static_cast<Word>(random());
        return static_cast<Word>(static_cast<std::int32_t>(random.below(20001)) - 10000);
    } else {
        if (kind == words::hostile && random.below(3) == 0)
            return random.below(2) != 0 ? std::numeric_limits<Word>::max() : std::numeric_limits<Word>::min();
        return static_cast<Word>(random.below(256));
    }
}

/// A convolution with its operands.
template <number N>
struct conv_case {
    redoubt::kernel::conv_geometry geometry;
    std::vector<typename N::activation> in;      ///< int8: with the three bytes that kernels may read
    std::vector<typename N::kernel_weight> taps;  ///< weights in logical order, [out][row][column][in]
    std::vector<typename N::kernel_weight> wide;  ///< the same for the kernel
    std::vector<typename N::bias> bias;           ///< padded to whole blocks
    std::vector<typename N::activation> residual;
    bool adds = false;
    bool to_logits = false;
    redoubt::kernel::activation act = redoubt::kernel::activation::none;
    std::int32_t limit = 0;
    std::int32_t lower = 0;
    redoubt::kernel::fraction slope{};
    redoubt::kernel::int8_scales scales{};

    using word = typename N::activation;
    using logit = typename N::logit;

    conv_case(const redoubt::kernel::conv_geometry& g, random_stream& random, words kind) : geometry{g} {
        const auto fill = [&](auto& operands, int count) {
            operands.resize(static_cast<std::size_t>(count));
            for (auto& v : operands) v = random_word<std::remove_reference_t<decltype(v)>>(random, kind);
        };
        fill(in, g.in.size() + (N::is_integer ? 3 : 0));
        fill(taps, static_cast<int>(g.weights()));
        fill(bias, g.out.channels);
        fill(residual, g.out.size());
        bias.resize(static_cast<std::size_t>(g.blocks() * redoubt::kernel::lane_count));
        pack();
        adds = random.below(2) != 0;
        to_logits = random.below(4) == 0;
        act = static_cast<redoubt::kernel::activation>(random.below(3));
        limit = 1 + below(random, 9);
        scales.input = below(random, 9);
        scales.weight = below(random, 12);
        // mostly shifts that leave something to see; hostile scales are whatever memory may hold
        scales.output = scales.input + scales.weight - 4 - below(random, 12);
        scales.residual = scales.input + scales.weight - below(random, 20) + 6;
        if (kind == words::hostile && random.below(4) == 0)
            for (std::int32_t* s : {&scales.input, &scales.weight, &scales.output, &scales.residual})
                *s = static_cast<std::int32_t>(random());
    }

    /// Puts the weights where the wide layout, as documented, has them.
    void pack() {
        const auto& g = geometry;
        const bool depthwise = g.groups > 1 && g.groups == g.in.channels && g.groups == g.out.channels;
        const int group = N::is_integer && !depthwise ? 4 : 1;
        const int inputs = g.in.channels / g.groups, outputs = g.out.channels / g.groups;
        const int groups = (inputs + group - 1) / group;
        const int blocks = depthwise ? (g.out.channels + 15) / 16 : g.groups * ((outputs + 15) / 16);
        wide.assign(static_cast<std::size_t>(blocks * g.kernel.h * g.kernel.w * groups * 16 * group), {});
        for (int o = 0; o < g.out.channels; ++o)
            for (int r = 0; r < g.kernel.h; ++r)
                for (int c = 0; c < g.kernel.w; ++c)
                    for (int i = 0; i < inputs; ++i) {
                        const int block = depthwise ? o / 16 : o / outputs * ((outputs + 15) / 16) + o % outputs / 16;
                        const int lane = depthwise ? o % 16 : o % outputs % 16;
                        const int tap = (block * g.kernel.h + r) * g.kernel.w + c;
                        const int place = ((tap * groups + i / group) * 16 + lane) * group + i % group;
                        wide[static_cast<std::size_t>(place)] = taps[logical(o, r, c, i)];
                    }
    }
    std::size_t logical(int o, int r, int c, int i) const {
        const auto& g = geometry;
        return static_cast<std::size_t>(((o * g.kernel.h + r) * g.kernel.w + c) * (g.in.channels / g.groups) + i);
    }

    redoubt::kernel::conv_call<N> call(word* out, logit* logits) const {
        redoubt::kernel::conv_call<N> c;
        c.geometry = geometry;
        c.in = in.data();
        c.weights = wide.data();
        c.bias = bias.data();
        c.residual = adds ? residual.data() : nullptr;
        c.out = to_logits ? nullptr : out;
        c.logits = to_logits ? logits : nullptr;
        c.act = act;
        c.limit = limit;
        c.lower = lower;
        c.slope = slope;
        c.scales = scales;
        c.block_end = geometry.blocks();
        return c;
    }
};

/// Bits of every output, whichever buffer they went to.
using output_bits = std::vector<std::uint32_t>;

/// Runs `kernel` on the case and returns what it stored; buffers are exactly as large as the outputs.
template <number N, class Kernel>
output_bits run(const conv_case<N>& c, Kernel&& kernel) {
    const auto count = static_cast<std::size_t>(c.geometry.out.size());
    std::vector<typename N::activation> out(c.to_logits ? 0 : count);
    std::vector<typename N::logit> logits(c.to_logits ? count : 0);
    kernel(c.call(out.data(), logits.data()));
    output_bits bits;
    bits.reserve(count);
    for (auto v : out) bits.push_back(redoubt::to_word(v));
    for (auto v : logits) bits.push_back(redoubt::to_word(v));
    return bits;
}

/// A random geometry: `largest` bounds the multiply-adds, so that slow builds stay quick.
inline redoubt::kernel::conv_geometry random_geometry(random_stream& random, long long largest = 1500000) {
    for (;;) {
        redoubt::kernel::conv_geometry g;
        g.in = {one_of(random, {1, 3, 4, 5, 16, 17, 33, 64, 70}), 1 + below(random, 12), 1 + below(random, 40)};
        if (random.below(4) == 0) g.in.height = g.in.width = 1;
        g.out.channels = one_of(random, {1, 3, 4, 5, 16, 17, 33, 64, 70, 150});
        g.kernel.h = one_of(random, {1, 2, 3, 5, 7});
        g.kernel.w = random.below(4) == 0 ? one_of(random, {1, 2, 3, 5, 7}) : g.kernel.h;
        g.stride = 1 + below(random, 3);
        if (random.below(5) == 0) g.stride.w = 1 + below(random, 3);
        if (random.below(5) == 0) g.dilation = {1 + below(random, 3), 1 + below(random, 3)};
        switch (random.below(6)) {
            case 0:  // as many groups as channels: depthwise
                g.groups = g.out.channels = g.in.channels = one_of(random, {3, 8, 16, 17, 32, 35, 70});
                break;
            case 1:  // groups that fill their blocks and groups that do not
                g.groups = one_of(random, {2, 3, 4});
                g.in.channels = g.groups * one_of(random, {1, 2, 4, 5, 16, 18});
                g.out.channels = g.groups * one_of(random, {1, 3, 16, 17, 35, 48});
                break;
            default: break;
        }
        const hw reach{(g.kernel.h - 1) * g.dilation.h + 1, (g.kernel.w - 1) * g.dilation.w + 1};
        g.pad = below(random, std::min(reach.h, reach.w));
        hw after = g.pad;
        if (random.below(4) == 0) {
            g.pad = {below(random, reach.h), below(random, reach.w)};
            after = {below(random, reach.h), below(random, reach.w)};
        }
        const int rows = g.in.height + g.pad.h + after.h - reach.h, columns = g.in.width + g.pad.w + after.w - reach.w;
        if (rows < 0 || columns < 0) continue;
        g.out.height = rows / g.stride.h + 1;
        g.out.width = columns / g.stride.w + 1;
        if (static_cast<long long>(g.fan_in()) * g.out.size() <= largest) return g;
    }
}

/// What a fault does in the oracle below.
struct oracle_fault {
    int row = 0, column = 0, channel = 0;
    bool in_feature = false;
    int step = 0;  ///< of the multiply-adds inside the image
    std::uint32_t mask = 0;
};

inline float one_nan(float v) { return v != v ? redoubt::from_word<float>(0x7fc00000u) : v; }

/// One step of a float chain: one rounding, or two at a level that cannot fuse.
inline float oracle_step(float a, float w, float sum) {
    if (redoubt::fuses) return std::fma(a, w, sum);
    const float product = a * w;
    return sum + product;
}

/// The chain of one output, floats: the bias, then row, column, channel, padding taps left out.
template <number N>
float oracle_chain(const conv_case<N>& c, int row, int column, int out, std::span<const oracle_fault> faults)
    requires(!N::is_integer)
{
    const auto& g = c.geometry;
    auto sum = static_cast<float>(c.bias[static_cast<std::size_t>(out)]);
    int step = 0;
    for (int r = 0; r < g.kernel.h; ++r)
        for (int k = 0; k < g.kernel.w; ++k)
            for (int i = 0; i < g.in.channels / g.groups; ++i) {
                const int y = row * g.stride.h + r * g.dilation.h - g.pad.h, x = column * g.stride.w + k * g.dilation.w - g.pad.w;
                const int from = out / (g.out.channels / g.groups) * (g.in.channels / g.groups) + i;
                if (y < 0 || y >= g.in.height || x < 0 || x >= g.in.width) continue;
                const auto at = static_cast<std::size_t>((y * g.in.width + x) * g.in.channels + from);
                const auto w = static_cast<float>(c.taps[c.logical(out, r, k, i)]);
                sum = oracle_step(static_cast<float>(c.in[at]), w, sum);
                for (const oracle_fault& f : faults)
                    if (!f.in_feature && f.step == step)
                        sum = redoubt::from_word<float>(redoubt::to_word(one_nan(sum)) ^ f.mask);
                ++step;
            }
    for (const oracle_fault& f : faults) {
        if (!f.in_feature) continue;
        using word = typename N::activation;
        const auto struck = redoubt::to_word(static_cast<word>(one_nan(sum))) ^ f.mask;
        sum = static_cast<float>(redoubt::from_word<word>(static_cast<redoubt::word_of<word>>(struck)));
    }
    return sum;
}

/// v / 2^n to nearest even: exact in double, which holds any 32-bit integer.
inline std::int64_t rounded_shift(std::int32_t v, int n) {
    return static_cast<std::int64_t>(__builtin_nearbyint(static_cast<double>(v) / static_cast<double>(1ll << n)));
}
inline std::int32_t wrapped(std::int64_t v) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(v)); }
inline int output_shift(const redoubt::kernel::int8_scales& s) {
    return static_cast<int>(std::clamp<std::int64_t>(std::int64_t{s.input} + s.weight - s.output, 0, 31));
}

/// The same in integers modulo 2^32; activations count as stored, padding as the stored zero 128.
inline std::int32_t oracle_chain(const conv_case<int8>& c, int row, int column, int out,
                                 std::span<const oracle_fault> faults) {
    const auto& g = c.geometry;
    std::int32_t sum = c.bias[static_cast<std::size_t>(out)];
    int step = 0;
    for (int r = 0; r < g.kernel.h; ++r)
        for (int k = 0; k < g.kernel.w; ++k)
            for (int i = 0; i < g.in.channels / g.groups; ++i) {
                const int y = row * g.stride.h + r * g.dilation.h - g.pad.h, x = column * g.stride.w + k * g.dilation.w - g.pad.w;
                const int from = out / (g.out.channels / g.groups) * (g.in.channels / g.groups) + i;
                const bool inside = y >= 0 && y < g.in.height && x >= 0 && x < g.in.width;
                const std::int64_t a =
                    inside ? c.in[static_cast<std::size_t>((y * g.in.width + x) * g.in.channels + from)] : 128;
                sum = wrapped(sum + a * c.taps[c.logical(out, r, k, i)]);
                if (!inside) continue;
                for (const oracle_fault& f : faults)
                    if (!f.in_feature && f.step == step) sum = wrapped(static_cast<std::uint32_t>(sum) ^ f.mask);
                ++step;
            }
    for (const oracle_fault& f : faults) {
        if (!f.in_feature) continue;
        if (c.to_logits) {
            sum = wrapped(static_cast<std::uint32_t>(sum) ^ f.mask);
        } else {
            const int shift = output_shift(c.scales);
            const auto code = std::clamp<std::int64_t>(rounded_shift(sum, shift), -128, 127);
            const std::int64_t struck = ((code + 128) ^ static_cast<std::int64_t>(f.mask & 0xffu)) - 128;
            sum = wrapped(struck * (std::int64_t{1} << shift));
        }
    }
    return sum;
}

/// What is stored of one chain's result, floats.
template <number N>
std::uint32_t oracle_store(const conv_case<N>& c, float sum, int index)
    requires(!N::is_integer)
{
    if (c.adds) sum = sum + static_cast<float>(c.residual[static_cast<std::size_t>(index)]);
    sum = activated({c.act, c.limit, c.lower, c.slope}, sum);
    return redoubt::to_word(static_cast<typename N::activation>(one_nan(sum)));
}

inline std::uint32_t oracle_store(const conv_case<int8>& c, std::int32_t sum, int index) {
    if (c.adds) {
        const std::int32_t code = c.residual[static_cast<std::size_t>(index)] - 128;
        const std::int64_t up = std::int64_t{c.scales.input} + c.scales.weight - c.scales.residual;
        sum = wrapped(sum + (up >= 0 ? std::int64_t{code} * (std::int64_t{1} << std::min<std::int64_t>(up, 31))
                                     : rounded_shift(code, static_cast<int>(std::min<std::int64_t>(-up, 31)))));
    }
    if (c.to_logits) return static_cast<std::uint32_t>(sum);
    const auto code = static_cast<double>(rounded_shift(sum, output_shift(c.scales)));
    const double bent = activated_code({c.act, c.limit, c.lower, c.slope}, code, c.scales.output);
    return static_cast<std::uint32_t>(std::clamp(bent, -128.0, 127.0) + 128.0);
}

/// Every output of the case, with the faults in it.
template <number N>
output_bits oracle(const conv_case<N>& c, std::span<const oracle_fault> faults = {}) {
    output_bits bits;
    const auto& out = c.geometry.out;
    for (int row = 0; row < out.height; ++row)
        for (int column = 0; column < out.width; ++column)
            for (int channel = 0; channel < out.channels; ++channel) {
                std::vector<oracle_fault> here;
                for (const oracle_fault& f : faults)
                    if (f.row == row && f.column == column && f.channel == channel) here.push_back(f);
                const auto sum = oracle_chain(c, row, column, channel, here);
                bits.push_back(oracle_store(c, sum, static_cast<int>(bits.size())));
            }
    return bits;
}

}  // namespace support
