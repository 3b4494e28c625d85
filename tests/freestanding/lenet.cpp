// SPDX-License-Identifier: MIT
// What a device ships: LeNet-5 in int8 with checked parameters that are only read, as they would lie in ROM.
#include <redoubt/redoubt.hpp>

namespace {

namespace rd = redoubt;

using net = rd::harden<rd::model::lenet5<rd::image<1, 28, 28>, rd::int8>, rd::protect<rd::is_conv, rd::range>,
                       rd::protect<rd::is_weighted, rd::crc>>;

constinit rd::parameters<net> weights{};
constinit rd::state<net> memory{};
constinit rd::workspace<net> scratch{};
constinit rd::tensor<float, 1, 28, 28> image{};

}  // namespace

int main() {
    rd::encode<net>(weights);
    const rd::parameters<net>& rom = weights;
    const auto answer = rd::infer<net>(rom, memory, image.elements, scratch);
    return answer.status.trustworthy() && answer.top1() == 0 && memory.inferences == 1 ? 0 : 1;
}
