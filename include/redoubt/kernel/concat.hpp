// SPDX-License-Identifier: MIT
// One value's channels put in their place among those of a larger one.
#pragma once

#include <redoubt/kernel/lanes_int8.hpp>

#include <cstring>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Copies the words of each pixel of `in` to the channels of `out` from `channel` on; heights and widths are equal. Bits
/// do not change, NaN or not.
template <class Word>
void concat_part(shape part, const Word* in, shape whole, Word* out, int channel) {
    for (int i = 0; i < part.height * part.width; ++i)
        std::memcpy(static_cast<void*>(out + i * whole.channels + channel), in + i * part.channels,
                    static_cast<std::size_t>(part.channels) * sizeof(Word));
}

/// The same of codes, brought from scale 2^in_frac to 2^out_frac: rounded to nearest even or saturated.
inline void concat_part(shape part, const std::uint8_t* in, shape whole, std::uint8_t* out, int channel,
                        std::int32_t in_frac, std::int32_t out_frac) {
    const std::int64_t finer = std::int64_t{in_frac} - out_frac;
    if (finer == 0) return concat_part(part, in, whole, out, channel);
    const rounding_shift right{static_cast<int>(std::clamp<std::int64_t>(finer, 0, 31))};
    const int left = static_cast<int>(std::clamp<std::int64_t>(-finer, 0, 8));  // by 8, all but 0 saturates
    for (int i = 0; i < part.height * part.width; ++i) {
        const std::uint8_t* from = in + i * part.channels;
        std::uint8_t* to = out + i * whole.channels + channel;
        for (int c = 0; c < part.channels; c += lane_count) {
            const int count = std::min(lane_count, part.channels - c);
            int_lanes codes = int_lanes::load_codes(from + c, count);
            codes.shift_left(left);
            codes.shift_right(right);
            codes.clamp(-128, 127);
            codes.store_codes(to + c, count);
        }
    }
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
