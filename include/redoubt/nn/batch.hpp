// SPDX-License-Identifier: MIT
// Several images, one after the other.
#pragma once

#include <redoubt/nn/run.hpp>

namespace redoubt::inline REDOUBT_ABI {

/// One inference for each answer: `images` holds that many images of input_shape.size() pixels without gaps. All share one
/// workspace, so a batch needs no more memory than an image, and every answer has the bits of infer().
template <network_type Net>
void infer_batch(const parameters<Net>& weights, state<Net>& memory, std::span<const float> images, workspace<Net>& space,
                 std::span<answer<Net>> answers) noexcept(!contracts_throw) {
    constexpr auto pixels = static_cast<std::size_t>(Net::input_shape.size());
    REDOUBT_EXPECTS(images.size() == answers.size() * pixels);
    for (std::size_t i = 0; i < answers.size(); ++i)
        answers[i] = infer<Net>(weights, memory, images.subspan(i * pixels, pixels), space);
}

}  // namespace redoubt::inline REDOUBT_ABI
