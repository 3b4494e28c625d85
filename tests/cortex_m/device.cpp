// SPDX-License-Identifier: MIT
// LeNet-5 on a Cortex-M7: parameters and image lie in read-only memory, answers leave through semihosting.
#include "cortex_m/lenet.hpp"
#include "cortex_m/board.hpp"

namespace {

namespace rd = redoubt;

using small = cortex_m::lenet<rd::int8>;
using real = cortex_m::lenet<rd::float32>;

constinit rd::workspace<small> small_space{};
constinit rd::workspace<real> real_space{};

}  // namespace

// What the host wrote, put in by the assembler.
asm(".section .rodata.blocks, \"a\"\n"
    ".balign 64\n.global lenet_int8\nlenet_int8:\n.incbin \"lenet.int8\"\n"
    ".balign 64\n.global lenet_fp32\nlenet_fp32:\n.incbin \"lenet.fp32\"\n"
    ".balign 64\n.global image_pixels\nimage_pixels:\n.incbin \"image\"\n"
    ".text\n");

extern "C" {
extern const rd::parameters<small> lenet_int8;
extern const rd::parameters<real> lenet_fp32;
extern const float image_pixels[784];
}

int device_program() {
    cortex_m::writer out{[](const char* text) { board::write(text); }};
    cortex_m::infer_and_print<small>(lenet_int8, small_space, image_pixels, out);
    const std::size_t after_int8 = board::stack_used();
    cortex_m::infer_and_print<real>(lenet_fp32, real_space, image_pixels, out);
    out << "device: stack " << after_int8 << " bytes for int8, " << board::stack_used() << " for both\n";
    return 0;
}
