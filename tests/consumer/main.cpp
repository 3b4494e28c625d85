// SPDX-License-Identifier: MIT
// A stranger's program.
#if __has_include(<redoubt/redoubt.hpp>)
#include <redoubt/redoubt.hpp>
#else
#include <redoubt/base/bits.hpp>
#include <redoubt/base/config.hpp>
#endif

#include <cstdio>

static_assert(REDOUBT_VERSION_MAJOR == 0);

int main() {
    if (redoubt::flip(1.0f, redoubt::bit_mask<float>(31)) != -1.0f) return 1;
    std::puts("consumer works");
}
