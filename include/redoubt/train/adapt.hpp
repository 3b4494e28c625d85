// SPDX-License-Identifier: MIT
// A trained network made ready for functions of its weights, from which a few epochs of training go on.
#pragma once

#include <redoubt/train/trainer.hpp>

#include <cstddef>

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
void invert(std::span<float> weights, float bound, adaptation& count) {
    const float most = kernel::saturated<F>(std::numeric_limits<float>::max(), bound, 1.0f / bound);
    for (float& w : weights) {
        count.beyond += w > most || w < -most ? 1u : 0u;
        w = kernel::unsaturated<F>(w, bound);
    }
}
}  // namespace impl

/// Replaces stored weights by those that `through` takes back to them (Fuengfusin and Tamukoh, arXiv 2411.19027, adapt pre-trained networks; this start is ours).
/// Call it after start_from(), for a recipe with that function. Cost: some thirty evaluations for each weight.
template <network_type Net>
adaptation adapt(trainer<Net>& to, const saturating_map& through) {
    adaptation count;
    using kernel::saturation;
    for (const slot_range& r : to.parts().layout().slots) {
        const std::span<float> weights{to.parts().parameters.data() + r.weights, r.weight_words};
        switch (through.function) {
            case saturation::tanh: impl::invert<saturation::tanh>(weights, through.bound, count); break;
            case saturation::arctan: impl::invert<saturation::arctan>(weights, through.bound, count); break;
            case saturation::softsign: impl::invert<saturation::softsign>(weights, through.bound, count); break;
            default: impl::invert<saturation::hardtanh>(weights, through.bound, count);
        }
    }
    for (const slot& s : to.parts().plan().slots) count.weights += s.geometry.weights();
    return count;
}

}  // namespace redoubt::train::inline REDOUBT_ABI
