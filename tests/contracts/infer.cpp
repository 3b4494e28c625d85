// SPDX-License-Identifier: MIT
// An image of the wrong size: an exception where broken preconditions throw, else the end of the program.
#include <redoubt/nn/run.hpp>

#include <array>
#include <cstdio>

namespace {

using net = redoubt::network<redoubt::image<1, 2, 2>, redoubt::float32, redoubt::linear<2>>;

redoubt::parameters<net> weights{};
redoubt::workspace<net> scratch{};
redoubt::state<net> memory{};

void infer(std::span<const float> image) {
    static_assert(noexcept(redoubt::infer<net>(weights, memory, image, scratch)) == !redoubt::contracts_throw);
    const auto answer = redoubt::infer<net>(weights, memory, image, scratch);
    std::printf("inferred %d with %zu pixels\n", answer.top1(), image.size());
    std::fflush(stdout);
}

}  // namespace

int main() {
    const std::array<float, 5> pixels{};
#if REDOUBT_CONTRACTS == 3
    try {
        infer(std::span{pixels}.first(4));
        infer(pixels);
    } catch (const redoubt::contract_error& e) {
        std::printf("caught: %s\n", e.what());
        return memory.inferences == 1 ? 0 : 1;
    }
    return 2;
#else
    infer(std::span{pixels}.first(4));
    infer(std::span{pixels}.first(3));
    return 0;
#endif
}
