// SPDX-License-Identifier: MIT
// A trained network made ready for functions of its weights, from which a few epochs of training go on.
#pragma once

#include <redoubt/train/trainer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace redoubt::train::inline v1 {

/// What became of weights.
struct adaptation {
    std::size_t weights = 0;
    std::size_t beyond = 0;  ///< magnitudes past the function's range, which are now the smallest word that it takes to its bound
};

}  // namespace redoubt::train::inline v1

namespace redoubt::train::inline REDOUBT_ABI {

namespace impl {
/// Stored words that a function takes to the weights given; counts those past its range.
template <kernel::saturation F>
void invert(std::span<float> weights, float bound, float most, adaptation& count) {
    for (float& w : weights) {
        count.beyond += w > most || w < -most ? 1u : 0u;
        w = kernel::unsaturated<F>(w, bound);
    }
}
/// Brings each channel whose weights reach past `most` to nine tenths of it.
inline void fit_channels(const kernel::conv_geometry& g, std::span<float> weights, std::span<float> scale, running_norm& running, float most) {
    const auto fan_in = static_cast<std::size_t>(g.fan_in());
    for (std::size_t o = 0; o < static_cast<std::size_t>(g.out.channels); ++o) {
        const auto word = [&](std::size_t i) -> float& { return weights[kernel::wide_layout{}.index_of_logical(g, o * fan_in + i)]; };
        float largest = 0.0f;
        for (std::size_t i = 0; i < fan_in; ++i) largest = std::max(largest, std::abs(word(i)));
        const float by = kernel::fitting_factor(largest, most);
        if (by == 1.0f) continue;
        for (std::size_t i = 0; i < fan_in; ++i) word(i) *= by;
        const double before = static_cast<double>(running.variance[o]) + engine::norm_epsilon;
        running.mean[o] *= by;
        running.variance[o] *= by * by;
        // the norm divides by the root of the variance and epsilon, which does not shrink with it
        scale[o] = static_cast<float>(static_cast<double>(scale[o]) * std::sqrt((static_cast<double>(running.variance[o]) + engine::norm_epsilon) / before) / static_cast<double>(by));
    }
}
}  // namespace impl

/// Replaces stored weights by those that `through` takes back to them (Fuengfusin and Tamukoh, arXiv 2411.19027, adapt pre-trained networks; this start is ours).
/// Under a norm a channel's scale is free: one that reaches past the function's range is divided by what brings it to nine tenths of that, its running statistics
/// with it, and nothing is clipped there.
/// Call it after start_from(), for a recipe with that function. Cost: some thirty evaluations for each weight.
template <network_type Net>
adaptation adapt(trainer<Net>& to, const saturating_map& through) {
    adaptation count;
    const float most = through.most();
    using kernel::saturation;
    for (std::size_t s = 0; s < to.parts().layout().slots.size(); ++s) {
        const slot_range& r = to.parts().layout().slots[s];
        const std::span<float> weights{to.parts().parameters.data() + r.weights, r.weight_words};
        if (r.has_norm) impl::fit_channels(to.parts().plan().slots[s].geometry, weights, {to.parts().parameters.data() + r.scale, r.channels}, to.parts().running[s], most);
        switch (through.function) {
            case saturation::tanh: impl::invert<saturation::tanh>(weights, through.bound, most, count); break;
            case saturation::arctan: impl::invert<saturation::arctan>(weights, through.bound, most, count); break;
            case saturation::softsign: impl::invert<saturation::softsign>(weights, through.bound, most, count); break;
            default: impl::invert<saturation::hardtanh>(weights, through.bound, most, count);
        }
    }
    for (const slot& s : to.parts().plan().slots) count.weights += s.geometry.weights();
    return count;
}

}  // namespace redoubt::train::inline REDOUBT_ABI
