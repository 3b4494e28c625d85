// SPDX-License-Identifier: MIT
// The two seams through which faults (and observers) reach an inference: memory and registers.
#pragma once

#include <redoubt/kernel/hook.hpp>
#include <redoubt/nn/table.hpp>

#include <concepts>
#include <span>

namespace redoubt::inline v1 {

/// Kinds of memory that a policy may touch during an inference.
enum class site {
    input,              ///< the image as stored words
    decoded_weights,    ///< a block of weights in scratch: decoded, transformed, or put right by a store
    stored_activation,  ///< a step's output as it lies in the workspace
    checksum,           ///< what a checker expects, just before it compares
};

/// Where: the step, the logical unit it belongs to, and which replica of it, or the vote over them.
struct site_path {
    int step = 0;
    int unit = 0;
    int replica = 0;
    bool voter = false;
};

/// The null policy: no faults, and no instruction for them.
struct no_faults {
    static constexpr bool active = false;
};

/// A fault policy is either inactive or provides, for a site path `at`:
///   `hook(at)`                   - kernel::no_hook{}, a kernel::fault_hook with the faults of that step or a kernel::stuck_lane_hook, and
///   `touch<site>(words, at)`     - may change the words of that memory.
template <class P>
concept fault_policy =
    (!P::active) || requires(P& p, site_path at, std::span<float> words) {
        { P::active } -> std::convertible_to<bool>;
        p.hook(at);
        p.template touch<site::stored_activation>(words, at);
    };

}  // namespace redoubt::inline v1
