// SPDX-License-Identifier: MIT
// The scalar reference of convolution and linear layers: the oracle of every other kernel.
#pragma once

#include <redoubt/kernel/hook.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Every output by its canonical chain. Cost: one scalar fused multiply-add a tap.
template <number N, class Hook = no_hook>
void conv2d_reference(const conv_call<N>& call, const Hook& hook = {}) {
    static_assert(!Hook::sticks, "redoubt: scalar chains have no lanes that could stick");
    const shape& out = call.geometry.out;
    for (int row = 0; row < out.height; ++row) {
        for (int column = 0; column < out.width; ++column) {
            for (int channel = 0; channel < out.channels; ++channel) {
                const int block = call.geometry.block_of(channel);
                if (block < call.block_begin || block >= call.block_end) continue;
                const int index = out.index(row, column, channel);
                std::span<const output_fault> faults;
                if constexpr (Hook::active)
                    faults = hook.between(static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index) + 1);
                finish(call, chain(call, row, column, channel, faults), index);
            }
        }
    }
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
