// SPDX-License-Identifier: MIT
// Algorithm-based fault tolerance: checksums of convolutions and linear layers, compared before what is fused to them.
#pragma once

#include <redoubt/kernel/checksum.hpp>
#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/status.hpp>

#include <cstddef>

namespace redoubt::inline v1 {

/// Faults of computation in convolutions and linear layers, found by a checksum of each output channel over all pixels (kernel/checksum.hpp)
/// and put right by computing the 16 channels of a wrong one again. Counters count such blocks. It sees accumulators: faults of the residual
/// add, the activation, rounding to storage and of stored activations come later, faults of weights are in both sums.
///
/// int8: every wrong accumulator of a channel is found unless several cancel modulo 2^32; there is no threshold and no false alarm. Floats:
/// differences beyond the worst case of rounding are found, NaN and infinity too, so there is no false alarm either; what is smaller passes.
/// Same bits as without it. Cost: one pass over the input, two more multiply-adds for each weight, one addition for each output; a linear layer
/// is computed twice. Worst case: each block once more. No Winograd on its layers.
template <class... Layers>
struct abft : protection<Layers...> {
    struct checker {
        template <number N>
        static constexpr std::size_t bytes(const kernel::conv_geometry& g) { return kernel::checksum_plan::of<N>(g).bytes; }

        template <number N>
        static void begin(const kernel::conv_call<N>& call, std::byte* scratch) { over(call, scratch).begin(call.in); }

        template <number N, class Hook, class Kernel, class Touch>
        static void compute(const kernel::conv_call<N>& call, const Hook& hook, Kernel&& kernel, std::byte* scratch, Touch&& touch,
                            fault_counters& count) {
            std::uint32_t detected = 0, uncorrected = 0;
            over(call, scratch).compute(call, hook, kernel, touch, detected, uncorrected);
            count.detected += detected;
            count.corrected += detected - uncorrected;
            count.uncorrected += uncorrected;
        }

    private:
        template <number N>
        static kernel::checked_convolution<N> over(const kernel::conv_call<N>& call, std::byte* scratch) {
            return {call.geometry, kernel::checksum_plan::of<N>(call.geometry), scratch};
        }
    };
};

}  // namespace redoubt::inline v1
