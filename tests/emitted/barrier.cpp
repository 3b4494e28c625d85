// SPDX-License-Identifier: MIT
// The same product twice: without a barrier between them the compiler keeps one.
#include <redoubt/base/barrier.hpp>

bool fenced(int a, int b);

bool fenced(int a, int b) {
    const int first = a * b;
    redoubt::opaque(a);
    const int second = a * b;
    return first == second;
}
