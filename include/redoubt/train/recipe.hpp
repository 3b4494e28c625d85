// SPDX-License-Identifier: MIT
// All that decides a training run besides the network and the images.
#pragma once

#include <redoubt/train/augment.hpp>
#include <redoubt/train/engine.hpp>
#include <redoubt/train/optimiser.hpp>
#include <redoubt/train/schedule.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace redoubt::train::inline v1 {

/// A second forward and backward pass of each step, under faults.
struct faulty_pass {
    double share = 0.0;      ///< a of the loss (1 - a) clean + a faulty (FTT-NAS, arXiv 2003.10375); 0: no such pass, 1: no clean one
    double clamp = 0.0;      ///< elements of the faulty loss's gradient are held within +-clamp (RandBET, arXiv 2006.13977); 0: any
    double only_below = 0.0; ///< where the mean of both losses is larger, or NaN, the step is of the clean gradient alone (RandBET's start); 0: always both
    /// Norms in this pass go by statistics of its own batch, and move the running ones (FTT-NAS); else by those of the clean pass, as constants (RandBET), which is what faults meet in a
    /// deployed network, whose norms are frozen: statistics of their own take most of a fault's effect away, and training then does not see it. Needs a clean pass. Weights that are struck as
    /// int8's words, with norms folded in, need the clean ones: a cell that is stuck at the layer's largest word is unfolded by its channel's own statistics, which it would raise,
    /// step by step past all floats.
    bool own_statistics = true;
    std::vector<any_weight_map> maps{};  ///< instead of the recipe's
    feature_hook features{};             ///< instead of the recipe's
};

/// Logits of another network for one image, as it was augmented, [row][column][channel]; called from several threads.
using teacher_network = std::function<void(std::span<const float> image, std::span<float> logits)>;

/// The same recipe, seed and images give the same weights to the bit with any number of threads.
struct recipe {
    optimiser_spec optimiser{};
    schedule_spec schedule{};
    std::uint64_t epochs = 1;
    std::uint64_t batch = 128;      ///< images; those of an epoch that fill no batch are left out
    std::uint64_t seed = 1;
    unsigned threads = 1;
    double label_smoothing = 0.0;
    double clip_norm = 0.0;         ///< longest gradient; 0: any
    augmentation augment{};
    double largest_weight = 0.0;    ///< weights (not norms and biases) are held within it after each step (RandBET's weight clipping); 0: any
    std::vector<any_weight_map> maps{};       ///< of stored weights: rounding, faults. They are not part of what is exported
    std::vector<any_weight_map> functions{};  ///< after them: functions that weights are read through, then those of the network's own type; exported weights have gone through both
    feature_hook features{};
    faulty_pass faulty{};
    teacher_network teacher{};      ///< whose soft answers are learnt too (Hinton et al. 2015), where there is one
    double teacher_share = 0.5;     ///< of that loss; the labels' has the rest
    double temperature = 4.0;
    std::string name{};             ///< tells recipes apart whose maps, hooks or teachers differ: part of what a checkpoint must be of
};

}  // namespace redoubt::train::inline v1
