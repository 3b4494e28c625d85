// SPDX-License-Identifier: MIT
// Where trained parameters lie in one array: each slot's weights in the wide layout, then its biases or its norm's scale and
// shift, every part padded with zeros to whole vectors.
#pragma once

#include <redoubt/nn/table.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace redoubt::train::inline v1 {

/// Parts of one slot, as offsets in floats.
struct slot_range {
    std::size_t weights = 0;
    std::size_t weight_words = 0;  ///< padding lanes of the wide layout included
    std::size_t bias = 0;          ///< of a slot without norm
    std::size_t scale = 0;         ///< of a norm
    std::size_t shift = 0;         ///< of a norm
    std::size_t channels = 0;      ///< padded
    bool has_norm = false;
    std::size_t words() const { return padded(weight_words) + channels * (has_norm ? 2 : 1); }
    static constexpr std::size_t padded(std::size_t words) { return (words + 15) / 16 * 16; }
};

/// The array of a network.
struct parameter_layout {
    std::vector<slot_range> slots;
    std::size_t words = 0;

    parameter_layout() = default;
    /// Of slots without second copies of channels.
    explicit parameter_layout(std::span<const slot> of) {
        for (const slot& s : of) {
            slot_range r;
            r.has_norm = s.has_norm;
            r.weights = words;
            r.weight_words = kernel::wide_layout{}.size(s.geometry);
            r.channels = static_cast<std::size_t>(s.geometry.blocks()) * kernel::lane_count;
            r.bias = r.scale = r.weights + slot_range::padded(r.weight_words);
            r.shift = r.scale + r.channels;
            words += r.words();
            slots.push_back(r);
        }
    }
};

}  // namespace redoubt::train::inline v1
