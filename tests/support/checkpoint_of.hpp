// SPDX-License-Identifier: MIT
// Parameters as the checkpoint that they would be loaded from.
#pragma once

#include <redoubt/train/tensors.hpp>

#include <cstddef>
#include <vector>

namespace support {

/// Weights and biases of a float32 network without protections, norms folded.
template <redoubt::network_type Net>
redoubt::io::tensor_file checkpoint_of(const redoubt::parameters<Net>& weights) {
    redoubt::io::tensor_file file;
    const auto layers = redoubt::io::expected_layers<Net>();
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const auto& layer = layers[static_cast<std::size_t>(s)];
        const auto& g = layer.geometry;
        std::vector<float> w;
        for (int o = 0; o < g.out.channels; ++o)
            for (int i = 0; i < g.group_in(); ++i)
                for (int r = 0; r < g.kernel.h; ++r)
                    for (int c = 0; c < g.kernel.w; ++c) w.push_back(weights.weight_at(s, o, r, c, i));
        const auto b = weights.biases(s).first(static_cast<std::size_t>(g.out.channels));
        redoubt::train::impl::append(file, layer.name + ".weight", layer.weight_shape(), w);
        redoubt::train::impl::append(file, layer.name + ".bias", {b.size()}, b);
    }
    return file;
}

}  // namespace support
