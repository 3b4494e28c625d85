// SPDX-License-Identifier: MIT
// Where checkpoints have the copies of channels that have some: files hold all first copies, then all second ones (and third ones), then the channels
// that have none; parameters hold the copies of 16 channels side by side, so that a kernel has them in one tile.
#pragma once

#include <redoubt/kernel/geometry.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace redoubt::io::inline v1 {

/// The channel of a file that a channel of the parameters is. With k channels `copies` times, `folded` = k (copies - 1), files have first copies in
/// [0, k), second ones in [k, 2k) in the same order, and the rest after the last ones. Without copies channels keep their places. No error: every
/// channel has a place.
constexpr int channel_in_file(int channel, int folded, int copies = 2) {
    const int once = folded / (copies - 1);
    if (channel >= copies * once) return channel;
    return kernel::folded_channel(channel, folded, copies) + channel / kernel::lane_count % copies * once;
}

}  // namespace redoubt::io::inline v1

namespace redoubt::io::inline REDOUBT_ABI {

namespace impl {

/// Values of a file, `row` of them for each channel, in the order of the parameters.
inline void order_as_parameters(std::vector<float>& values, std::size_t row, int folded, int copies) {
    if (folded == 0) return;
    const std::vector<float> in_file = values;
    for (std::size_t o = 0; o < values.size() / row; ++o) {
        const auto from = static_cast<std::size_t>(channel_in_file(static_cast<int>(o), folded, copies)) * row;
        std::copy_n(in_file.begin() + static_cast<std::ptrdiff_t>(from), row, values.begin() + static_cast<std::ptrdiff_t>(o * row));
    }
}

/// Says where a tensor of a misfit shape would be right for another number of channels that are there twice; empty where it would not.
inline std::string share_text(std::span<const std::size_t> came, std::span<const std::size_t> needed, int folded, int copies) {
    if (folded == 0 || copies != 2 || came.empty() || came.size() != needed.size() || !std::equal(came.begin() + 1, came.end(), needed.begin() + 1)) return {};
    const auto twice = static_cast<std::size_t>(folded), channels = needed[0] - twice;
    if (came[0] < channels || came[0] > 2 * channels) return {};
    return " (with " + std::to_string(came[0] - channels) + " of " + std::to_string(channels) + " channels twice, the network has " +
           std::to_string(twice) + " twice)";
}

}  // namespace impl

}  // namespace redoubt::io::inline REDOUBT_ABI
