// SPDX-License-Identifier: MIT
// Start-up of a Cortex-M7 without a C library's help: vectors, memory, the FPU, semihosting.
#include "cortex_m/board.hpp"

#include <cstddef>
#include <cstdint>

extern "C" {
extern std::uint32_t stack_top[], stack_limit[], data_begin[], data_end[], bss_begin[], bss_end[];
extern const std::uint32_t data_image[];
[[noreturn]] void reset();
[[noreturn]] void stop();
}

namespace {

constexpr std::uint32_t paint = 0xdeadbeefu;

/// A request to whoever debugs the processor: ARM's semihosting, through its breakpoint number.
std::uint32_t ask(std::uint32_t operation, const void* argument) {
    register std::uint32_t r0 asm("r0") = operation;
    register const void* r1 asm("r1") = argument;
    asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

}  // namespace

void board::write(const char* text) { ask(0x04, text); }

void board::leave(int code) {
    const std::uint32_t reason_and_code[2] = {0x20026u, static_cast<std::uint32_t>(code)};  // the application ended
    ask(0x20, reason_and_code);
    for (;;) {}
}

std::size_t board::stack_used() {
    const std::uint32_t* lowest = stack_limit;
    while (lowest != stack_top && *lowest == paint) ++lowest;
    return static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(stack_top) -
                                    reinterpret_cast<std::uintptr_t>(lowest));
}

void reset() {
    // volatile, so that no loop becomes a call that needs the stack being painted
    for (volatile std::uint32_t* p = stack_limit;
         reinterpret_cast<std::uintptr_t>(p) + 128 < reinterpret_cast<std::uintptr_t>(stack_top); ++p)
        *p = paint;
    const std::uint32_t* from = data_image;
    for (volatile std::uint32_t* p = data_begin; p != data_end; ++p) *p = *from++;
    for (volatile std::uint32_t* p = bss_begin; p != bss_end; ++p) *p = 0;
    auto* const access = reinterpret_cast<volatile std::uint32_t*>(0xe000ed88u);  // CPACR: coprocessors 10 and 11
    *access = *access | (15u << 20);
    asm volatile("dsb\nisb" : : : "memory");
    board::leave(device_program());
}

void stop() {
    board::write("device: fault\n");
    board::leave(3);
}

/// The initial stack pointer, reset, and the fifteen exceptions of the core: none is expected.
[[gnu::section(".vectors"), gnu::used]] void (*const vectors[16])() = {
    reinterpret_cast<void (*)()>(stack_top), reset, stop, stop, stop, stop, stop, stop,
    stop, stop, stop, stop, stop, stop, stop, stop};
