// SPDX-License-Identifier: MIT
// How one batch is computed, and who changes its features on the way.
#pragma once

#include <redoubt/nn/table.hpp>
#include <redoubt/train/weight_map.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace redoubt::train::inline v1 {

/// Which outputs a feature hook is given: those of one image, after convolution and norm, before residual add and activation.
struct feature_place {
    int slot = 0;
    const redoubt::slot* info = nullptr;  ///< geometry and names
    std::size_t image = 0;   ///< in the batch
    std::uint64_t seed = 0;
    std::uint64_t step = 0;
};
/// Changes features in place, [row][column][channel]. It is called again with the same place where outputs are made again, and must then do the same:
/// draws are keyed by the place. Gradients pass it straight through.
using feature_hook = std::function<void(const feature_place&, std::span<float>)>;

/// How one batch is computed.
struct batch_options {
    double label_smoothing = 0.0;
    std::uint64_t seed = 0;   ///< for maps and hooks
    std::uint64_t step = 0;
    std::span<const any_weight_map> maps{};  ///< from stored weights on
    const feature_hook* features = nullptr;
    bool keeps_statistics = false;          ///< norms take those that the pass before has made of the same batch, as constants, and running ones do not move; else their own
    bool is_second = false;                 ///< a second pass over a batch: maps are told the gains of the first
    std::span<const float> teacher{};       ///< logits of another network for the same images, [image][class]; empty: there is none
    double teacher_share = 0.0;             ///< of its loss, the labels' has the rest
    double temperature = 1.0;               ///< by which both networks' logits are divided there
};

}  // namespace redoubt::train::inline v1
