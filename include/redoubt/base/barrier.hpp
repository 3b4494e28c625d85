// SPDX-License-Identifier: MIT
// Keeps redundancy from the optimiser: to it, two runs of a pure function on the same data are one.
#pragma once

#include <redoubt/base/mutant.hpp>

namespace redoubt::inline v1 {

/// After this call the compiler knows nothing about what `value` holds, nor about any memory; no instruction is
/// emitted but a spill at most. Copies computed on both sides of it cannot be merged.
template <class T>
inline void opaque(T& value) {
    if constexpr (planted != mutant::no_barrier) {
        if constexpr (sizeof(T) <= sizeof(void*)) asm volatile("" : "+r"(value) : : "memory");
        else asm volatile("" : "+m"(value) : : "memory");
    }
}

/// The compiler forgets what it knows about memory.
inline void forget_memory() {
    if constexpr (planted != mutant::no_barrier) asm volatile("" : : : "memory");
}

}  // namespace redoubt::inline v1
