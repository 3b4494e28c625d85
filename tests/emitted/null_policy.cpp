// SPDX-License-Identifier: MIT
// A tile of the direct kernel with the hook that HOOK names. REDOUBT_TEST_BARE_KERNEL takes the hook's code out by the
// preprocessor: the null hook must leave the same machine code.
#include <redoubt/kernel/direct.hpp>

using namespace redoubt;
using namespace redoubt::kernel;

#ifndef HOOK
#define HOOK no_hook
#endif

void float_tile(const conv_call<float32>& call, const direct_setup<float32>& setup, const HOOK& hook, int row) {
    direct_tile<float32, tile_shape<1, 4, 1>, false, HOOK>{call, setup, hook, 0}(row, 0);
}

void int8_tile(const conv_call<int8>& call, const direct_setup<int8>& setup, const HOOK& hook, int row) {
    direct_tile<int8, tile_shape<1, 4, 1>, false, HOOK>{call, setup, hook, 0}(row, 0);
}
