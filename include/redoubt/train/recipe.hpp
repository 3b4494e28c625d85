// SPDX-License-Identifier: MIT
// All that decides a training run besides the network and the images.
#pragma once

#include <redoubt/train/augment.hpp>
#include <redoubt/train/engine.hpp>
#include <redoubt/train/optimiser.hpp>
#include <redoubt/train/schedule.hpp>

#include <cstdint>
#include <vector>

namespace redoubt::train::inline v1 {

/// The same recipe, seed and images give the same weights to the bit with any number of threads, on every machine that fuses (base/config.hpp)
/// and computes with vectors of the same kinds of chains.
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
    std::vector<any_weight_map> maps{};  ///< from stored weights on; what the network's own transforms read comes after them
    feature_hook features{};
};

}  // namespace redoubt::train::inline v1
