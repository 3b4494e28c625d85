// SPDX-License-Identifier: MIT
// A program that must be caught: it prints through a stream.
// forbidden: _ZSt4cout
#include <iostream>

int main() {
    std::cout << "hello\n";
}
