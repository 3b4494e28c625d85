// SPDX-License-Identifier: MIT
// Replicas that do not share the lanes of the machine.
#pragma once

#include <redoubt/nn/layers.hpp>

namespace redoubt::inline v1 {

/// Replicas of these layers compute each channel in another lane: diverse<dmr<conv2d<...>>>, or dmr<diverse<conv2d<...>>>, as rules make it: harden<Net,
/// protect<is_weighted, dmr>, protect<is_weighted, diverse>>. A unit that is stuck (fault/stuck_lane.hpp) strikes the same
/// outputs of plain replicas, which then agree on what is wrong; here it strikes other channels of each, and a comparison or vote sees them differ.
/// Replica r moves channels by r lanes of the wide layout (modulo 4, the sums of nested ones), so by as many of any vector register's; its outputs have the same bits
/// and lie in the same order. Moved are the sums of convolutions and linear layers; the additions of residuals, activations and pooling stay where they are. Refused where nothing
/// is replicated. Cost: one permutation a vector of weights (int8 without AVX-512 VNNI: through memory, which takes much longer; depthwise layers: of
/// inputs too), and a kernel for each replica in place of one for all. It is for vector registers: a scalar build computes all lanes in one unit, and nothing is gained. Of rules it is the last.
template <class... Layers>
struct diverse : protection<Layers...> {
    using rotates_lanes = void;
};

}  // namespace redoubt::inline v1
