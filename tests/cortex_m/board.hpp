// SPDX-License-Identifier: MIT
// What little a program needs of the board: text out through semihosting, and how deep the stack went.
#pragma once

#include <cstddef>

namespace board {

/// Prints a C string on the debugger's (the emulator's) console.
void write(const char* text);

/// Ends the program, as the emulator's exit code.
[[noreturn]] void leave(int code);

/// Bytes of stack that were ever written to.
std::size_t stack_used();

}  // namespace board

/// The program itself; start-up calls it when memory and FPU are ready.
int device_program();
