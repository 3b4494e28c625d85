// SPDX-License-Identifier: MIT
// Faults of whole operators: many outputs wrong at once, in the patterns that were measured on hardware.
#pragma once

#include <redoubt/fault/model.hpp>
#include <redoubt/nn/table.hpp>

#include <array>
#include <span>

namespace redoubt::fault::inline v1 {

/// How the wrong outputs of one fault lie, in a tensor read channel by channel, row by row.
enum class spatial_pattern : std::uint8_t {
    single,             ///< one output
    same_row,           ///< several of one row of one channel
    bullet_wake,        ///< one position in several channels
    skip_4,             ///< every fourth output of a run
    single_block,       ///< 10 to 64 neighbours of one channel, aligned to 16, 32 or 64
    alternated_blocks,  ///< every other block of 16 of one channel
    full_channel,       ///< at least 70 % of one channel
    multichannel_block, ///< the same block in several channels
    shattered_channel,  ///< a bullet wake, and runs of outputs in its channels
    rectangles,         ///< the same rectangle in several channels
    random_in_channel,  ///< random outputs of one channel
};

/// A pattern, how often it is met, and of its faults the shares whose values all lie in the range of the fault-free tensor, all
/// outside it, or are NaN; the rest is mixed.
struct pattern_share {
    spatial_pattern lies = spatial_pattern::single;
    double share = 0.0;
    double all_inside = 0.0, all_outside = 0.0, all_nan = 0.0;
};

/// Shares as the error models of CLASSES have them (D4De/classes; measured by instruction-level injection on a GPU; Bolchini
/// et al., arXiv 2206.02051), per operator. The patterns and their frequencies are the repository's. Of values it gives for
/// convolutions: skip-4 mostly mixed, blocks and full channels 65 to 74 % inside and 12 to 20 % outside, NaN well below 1 %; the
/// figures below lie there, and stand for the other operators too, as do cardinalities that it does not give: both are
/// our reconstruction.
inline constexpr std::array<pattern_share, 7> convolution_patterns{{
    {spatial_pattern::skip_4, 0.447, 0.15, 0.10, 0.004},
    {spatial_pattern::multichannel_block, 0.205, 0.70, 0.16, 0.004},
    {spatial_pattern::full_channel, 0.145, 0.70, 0.16, 0.004},
    {spatial_pattern::shattered_channel, 0.125, 0.70, 0.16, 0.004},
    {spatial_pattern::single_block, 0.049, 0.70, 0.16, 0.004},
    {spatial_pattern::bullet_wake, 0.020, 0.70, 0.16, 0.004},
    {spatial_pattern::rectangles, 0.009, 0.70, 0.16, 0.004},
}};
inline constexpr std::array<pattern_share, 3> activation_patterns{{
    {spatial_pattern::bullet_wake, 0.441, 0.70, 0.16, 0.004},
    {spatial_pattern::random_in_channel, 0.407, 0.70, 0.16, 0.004},  // quasi-shattered
    {spatial_pattern::shattered_channel, 0.152, 0.70, 0.16, 0.004},
}};
inline constexpr std::array<pattern_share, 7> pool_patterns{{
    {spatial_pattern::single_block, 0.383, 0.70, 0.16, 0.004},
    {spatial_pattern::multichannel_block, 0.272, 0.70, 0.16, 0.004},
    {spatial_pattern::same_row, 0.121, 0.70, 0.16, 0.004},
    {spatial_pattern::random_in_channel, 0.146, 0.70, 0.16, 0.004},  // with quasi-shattered
    {spatial_pattern::shattered_channel, 0.025, 0.70, 0.16, 0.004},
    {spatial_pattern::single, 0.021, 0.70, 0.16, 0.004},
    {spatial_pattern::alternated_blocks, 0.032, 0.70, 0.16, 0.004},
}};

/// The shares of a step: convolutions, pools, and all else as activations.
constexpr std::span<const pattern_share> patterns_of(op kind) {
    switch (kind) {
        case op::convolution: return convolution_patterns;
        case op::max_pool:
        case op::average_pool:
        case op::global_average: return pool_patterns;
        default: return activation_patterns;
    }
}

}  // namespace redoubt::fault::inline v1

namespace redoubt::fault::inline REDOUBT_ABI {

/// Calls sink(channel, row, column) for the outputs of one fault whose first output is `anchor` ([row][column][channel] order).
/// Outputs past the tensor's end are left out; each is named once.
template <class Sink>
void lay_out(spatial_pattern pattern, const shape& out, int anchor, random_stream& random, Sink&& sink) {
    const int channel = anchor % out.channels, pixel = anchor / out.channels, pixels = out.height * out.width;
    const auto pick = [&](int low, int high) { return low + static_cast<int>(random.below(static_cast<std::uint64_t>(high - low + 1))); };
    const auto at = [&](int c, int p) { sink(c, p / out.width, p % out.width); };
    const auto run = [&](int c, int first, int count) {
        for (int p = first; p < std::min(first + count, pixels); ++p) at(c, p);
    };
    const int some_channels = std::min(pick(2, 16), out.channels - channel);
    switch (pattern) {
        case spatial_pattern::single: at(channel, pixel); break;
        case spatial_pattern::same_row: {
            const int row = pixel / out.width, column = pixel % out.width, count = std::min(pick(2, 8), out.width - column);
            for (int x = 0; x < count; ++x) sink(channel, row, column + x);
            break;
        }
        case spatial_pattern::bullet_wake:
            for (int c = 0; c < some_channels; ++c) at(channel + c, pixel);
            break;
        case spatial_pattern::skip_4: {
            const int first = channel * pixels + pixel, count = pick(2, 32);
            for (int n = 0; n < count; ++n) {
                const int e = first + 4 * n;
                if (e < out.size()) at(e / pixels, e % pixels);
            }
            break;
        }
        case spatial_pattern::single_block: {
            const int length = 16 << pick(0, 2);
            run(channel, pixel / length * length, pick(10, length));
            break;
        }
        case spatial_pattern::alternated_blocks:
            for (int p = pixel / 16 * 16, blocks = pick(2, 6); blocks > 0 && p < pixels; p += 32, --blocks) run(channel, p, 16);
            break;
        case spatial_pattern::full_channel: {
            // so many are spared, each set of them as likely
            int spared = static_cast<int>(random.below(static_cast<std::uint64_t>(3 * pixels / 10 + 1)));
            int others = pixels - 1;
            for (int p = 0; p < pixels; ++p) {
                if (p != pixel && static_cast<int>(random.below(static_cast<std::uint64_t>(others--))) < spared) --spared;
                else at(channel, p);
            }
            break;
        }
        case spatial_pattern::multichannel_block: {
            const int length = 16 << pick(0, 2), count = pick(10, length);
            for (int c = 0; c < some_channels; ++c) run(channel + c, pixel / length * length, count);
            break;
        }
        case spatial_pattern::shattered_channel:
            for (int c = 0; c < some_channels; ++c) run(channel + c, pixel, random.below(2) != 0 ? pick(2, 16) : 1);
            break;
        case spatial_pattern::rectangles: {
            const int row = pixel / out.width, column = pixel % out.width, high = pick(2, 8), wide = pick(2, 8);
            for (int c = 0; c < some_channels; ++c)
                for (int y = row; y < std::min(row + high, out.height); ++y)
                    for (int x = column; x < std::min(column + wide, out.width); ++x) sink(channel + c, y, x);
            break;
        }
        case spatial_pattern::random_in_channel:
            at(channel, pixel);
            for (int p = 0; p < pixels; ++p)
                if (p != pixel && random.below(16) == 0) at(channel, p);
            break;
    }
}

/// The faults of one struck operator: calls sink(output, change) for each wrong output of the pattern anchored at `anchor`. T is
/// the stored word, `limit` its largest fault-free magnitude, `offset` what is added to int8's codes.
template <class T, class Sink>
void strike_operator(op kind, const shape& out, int anchor, float limit, int offset, random_stream random, Sink&& sink) {
    const auto shares = patterns_of(kind);
    double left = random.unit();
    const pattern_share* chosen = &shares.back();
    for (const pattern_share& s : shares) {
        left -= s.share;
        if (left <= 0.0) {
            chosen = &s;
            break;
        }
    }
    const double kind_of_value = random.unit();
    const bool nan = kind_of_value <= chosen->all_nan;
    const bool inside = !nan && kind_of_value <= chosen->all_nan + chosen->all_inside;
    const bool outside = !nan && !inside && kind_of_value <= chosen->all_nan + chosen->all_inside + chosen->all_outside;
    const auto value = [&]() -> word_of<T> {
        if constexpr (!std::is_integral_v<T>)
            if (nan) return to_word(static_cast<T>(from_word<float>(canonical_nan_word)));
        const bool within = inside || (!outside && random.below(2) != 0);
        if (!within) {
            const struck_word far = strike_word<T>({effect::out_of_range}, 0, 0, 0, limit, random_stream{random(), {}}, offset);
            return static_cast<word_of<T>>(far.change.flip);
        }
        const double real = static_cast<double>(limit) * std::fma(2.0, random.unit(), -1.0);
        if constexpr (std::is_integral_v<T>) {
            const double most = sizeof(T) == 1 ? 127.0 : 2147483000.0;
            const auto code = static_cast<std::int64_t>(std::clamp(real, -most, most));
            return to_word(static_cast<T>(code + offset));
        } else {
            return to_word(static_cast<T>(static_cast<float>(real)));
        }
    };
    lay_out(chosen->lies, out, anchor, random, [&](int c, int row, int column) {
        sink(static_cast<std::uint32_t>(out.index(row, column, c)), word_change{0, value()});
    });
}

}  // namespace redoubt::fault::inline REDOUBT_ABI
