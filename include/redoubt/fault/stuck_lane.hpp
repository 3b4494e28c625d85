// SPDX-License-Identifier: MIT
// A broken unit of the machine: a lane of its vectors that is stuck.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/nn/policy.hpp>

#include <span>

namespace redoubt::inline v1 {

/// Every convolution and linear layer of an inference is computed on a machine of which one lane is stuck: in the accumulators that are read out of it,
/// whatever channel they are of, `bits` changes, before residual add and activation. A permanent fault, the same for every replica, step and inference: what
/// redundancy in time cannot see unless the second run is placed elsewhere (harden/diverse.hpp). Lanes are the 16 of the wide layout, whatever the registers' width, so
/// that results are the same on every instruction set. A bit stuck at 1: {~(1u << b), 1u << b}; at 0: {~(1u << b), 0}. What `abft` computes again is computed without it, as without any fault. The scalar chains that campaigns use
/// know no lanes: for infer() and run(). A scalar build, and a small device, has one unit for all lanes: there it is a model of another machine.
struct stuck_lane {
    static constexpr bool active = true;
    int lane = 0;
    word_change bits{};

    kernel::stuck_lane_hook hook(site_path) const {
        REDOUBT_EXPECTS(0 <= lane && lane < kernel::lane_count);
        return {lane, bits};
    }
    template <site>
    void touch(const auto&, site_path) const {}
};

}  // namespace redoubt::inline v1
