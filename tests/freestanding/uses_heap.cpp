// SPDX-License-Identifier: MIT
// A program that must be caught: it asks for memory.
// forbidden: _Znwm
// forbidden: malloc
#include <cstdlib>
#include <new>

int* volatile kept;

int main() {
    kept = new int{7};
    void* volatile raw = std::malloc(16);
    return raw == nullptr ? 1 : *kept - 7;
}
