// SPDX-License-Identifier: MIT
#include <redoubt/redoubt.hpp>

#include <cstdio>

namespace rd = redoubt;

using net = rd::network<rd::image<1, 5, 5>, rd::float32,                              // one channel, 5 rows, 5 columns
    rd::tmr_parameters<rd::conv2d<rd::conv_spec{.out = 2, .kernel = 3}>>, rd::relu,   // weights kept three times
    rd::global_avg_pool>;                                                             // class 0: row, 1: column

static rd::parameters<net> weights{};
static rd::workspace<net> scratch;

int main() {
    for (int i = 0; i < 9; ++i) {  // layer 0, output channel, kernel row, kernel column, input channel
        weights.weight_at(0, 0, i / 3, i % 3, 0) = i / 3 == 1 ? 2.0f : -1.0f;
        weights.weight_at(0, 1, i / 3, i % 3, 0) = i % 3 == 1 ? 2.0f : -1.0f;
    }
    rd::encode<net>(weights);  // writes the other two copies

    float& struck = weights.weight_at(0, 1, 1, 1, 0);
    struck = rd::flip(struck, rd::bit_mask<float>(29));  // 2 becomes 3.7e19

    const float image[25] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1};  // a row in the middle
    rd::state<net> state;
    const auto answer = rd::infer<net>(weights, state, image, scratch);
    std::printf("class %d, corrected %u\n", answer.top1(), answer.status.total().corrected);
}
