// SPDX-License-Identifier: MIT
// Pooling and the shortcut without weights. One plain implementation each: it is its own reference.
#pragma once

#include <redoubt/kernel/call.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Word that stands for zero.
template <class Word>
constexpr Word zero_word() {
    if constexpr (std::is_integral_v<Word>) return 128;
    else return Word{};
}

/// The larger of two stored words, by the NaN policy.
template <class Word>
constexpr Word larger(Word a, Word b) {
    if constexpr (std::is_integral_v<Word>) return a > b ? a : b;
    else return static_cast<Word>(max_of(widened(a), widened(b)));
}

/// Largest of each window; NaN if any is. Extents, stride and dilation from `g`; taps on padding do not exist, and every
/// window must have one that is not.
template <class Word>
void max_pool(const conv_geometry& g, const Word* in, Word* out) {
    for (int row = 0; row < g.out.height; ++row) {
        for (int column = 0; column < g.out.width; ++column) {
            Word* to = out + g.out.index(row, column, 0);
            bool first = true;
            for (int r = 0; r < g.kernel.h; ++r) {
                const int y = g.row_at(row, r);
                if (y < 0 || y >= g.in.height) continue;
                for (int k = 0; k < g.kernel.w; ++k) {
                    const int x = g.column_at(column, k);
                    if (x < 0 || x >= g.in.width) continue;
                    const Word* from = in + g.in.index(y, x, 0);
                    for (int c = 0; c < g.in.channels; ++c) to[c] = larger(first ? from[c] : to[c], from[c]);
                    first = false;
                }
            }
        }
    }
}

/// Mean of each channel: one chain over rows and columns, then one division.
template <class Word>
void global_average(const conv_geometry& g, const Word* in, Word* out)
    requires(!std::is_integral_v<Word>)
{
    const auto pixels = static_cast<float>(g.in.height * g.in.width);
    for (int c = 0; c < g.in.channels; ++c) {
        float sum = 0.0f;
        for (int i = 0; i < g.in.height * g.in.width; ++i) sum += widened(in[i * g.in.channels + c]);
        out[c] = static_cast<Word>(canonical(sum / pixels));
    }
}

/// The same in integers, rounded to nearest even; the output may have `finer` more fraction bits than the input.
inline void global_average(const conv_geometry& g, const std::uint8_t* in, std::uint8_t* out, int finer) {
    const std::int64_t pixels = static_cast<std::int64_t>(g.in.height) * g.in.width;
    const int up = std::clamp(finer, 0, 24), down = std::clamp(-finer, 0, 24);
    for (int c = 0; c < g.in.channels; ++c) {
        std::int64_t sum = 0;
        for (int i = 0; i < g.in.height * g.in.width; ++i) sum += widened(in[i * g.in.channels + c]);
        const std::int64_t dividend = sum * (std::int64_t{1} << up), divisor = pixels << down;
        std::int64_t q = dividend / divisor, rest = dividend % divisor;
        if (rest < 0) { rest += divisor; --q; }
        if (2 * rest > divisor || (2 * rest == divisor && (q & 1) != 0)) ++q;
        out[c] = static_cast<std::uint8_t>(std::clamp<std::int64_t>(q, -128, 127) + 128);
    }
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
