// SPDX-License-Identifier: MIT
// Bounds of range restrictions against faults of their own: ProAct's experiments strike bounds as they strike weights.
#pragma once

#include <redoubt/nn/layers.hpp>

namespace redoubt::inline v1 {

/// The bounds that guards within or around these layers hold their steps' outputs in are kept three times, those of neurons too, and read by majority of bits.
/// It guards nothing itself: tmr_bounds<range<...>>. A word of which not all copies agree counts as detected, and as corrected or, where no two agree,
/// as uncorrected, at every read: of each guard, replica and image. scrub() repairs it in place. Memory: 16 bytes for each guarded step and 8 for each bound of a neuron, rounded up to 64
/// bytes. Cost: three loads for each bound instead of one.
template <class... Layers>
struct tmr_bounds : protection<Layers...> {
    using keeps_bounds = void;
};

}  // namespace redoubt::inline v1
