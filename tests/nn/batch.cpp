// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <cstring>

using namespace redoubt;
using namespace support;

namespace {

template <class Net>
using inner = std::integral_constant<int, detail::linear_steps_of<Net>.to - detail::linear_steps_of<Net>.from>;

/// Seven images at a time, of 1 to 15: the answers, counters and totals of one after the other. Parameters may be struck before.
template <class Net, int Linear, class Strike>
void check_together(Strike&& strike) {
    static_assert(inner<Net>::value == Linear);
    const auto weights = drawn_and_converted<Net>();
    strike(*weights);
    const auto space = std::make_unique<batch_workspace<Net, 7>>();
    for (const int count : {0, 1, 2, 7, 8, 15}) {
        CAPTURE(count);
        const auto images = drawn_images<Net>(count, 3);
        std::vector<float> together;
        for (const auto& image : images) together.insert(together.end(), image.begin(), image.end());
        std::vector<answer<Net>> answers(images.size());
        std::memset(space.get(), 0xff, sizeof(*space));
        state<Net> memory;
        infer_batch<Net>(*weights, memory, together, *space, std::span{answers});
        fault_counters total;
        for (std::size_t i = 0; i < images.size(); ++i) {
            CAPTURE(i);
            const auto alone = answer_of<Net>(*weights, images[i]);
            CHECK(words_of(answers[i]) == words_of(alone));
            CHECK(answers[i].status.steps == alone.status.steps);
            total += alone.status.total();
        }
        CHECK(memory.inferences == images.size());
        CHECK(memory.total == total);
    }
}
template <class Net, int Linear>
void check_together() {
    check_together<Net, Linear>([](auto&) {});
}

template <class Net>
void check_batch() {
    const auto weights = drawn_and_converted<Net>();
    const auto images = drawn_images<Net>(5, 3);
    std::vector<float> together;
    for (const auto& image : images) together.insert(together.end(), image.begin(), image.end());
    const auto space = std::make_unique<workspace<Net>>();
    state<Net> memory;
    std::vector<answer<Net>> answers(images.size());
    infer_batch<Net>(*weights, memory, together, *space, std::span{answers});
    for (std::size_t i = 0; i < images.size(); ++i) {
        CAPTURE(i);
        const auto alone = answer_of<Net>(*weights, images[i]);
        CHECK(words_of(answers[i]) == words_of(alone));
        CHECK(answers[i].status.steps == alone.status.steps);
    }
    CHECK(memory.inferences == images.size());
    infer_batch<Net>(*weights, memory, {}, *space, {});
    CHECK(memory.inferences == images.size());
}

}  // namespace

TEST_CASE("a batch has the bits of its images one by one", "[nn]") {
    using net = network<image<2, 6, 5>, float32, conv2d<conv_spec{.out = 5, .pad = 1}>, relu, tmr<linear<4>>>;
    check_batch<net>();
    check_batch<with_number<net, int8>>();
}

TEST_CASE("linear layers of a batch are one product with the bits of its images one by one", "[nn]") {
    // rows of 3 x 2 pixels of 5 channels (not whole groups of int8), then a vector
    using net = network<image<2, 6, 5>, float32, conv2d<conv_spec{.out = 5, .pad = 1}>, relu, max_pool<2>, linear<37>, relu, linear<18>, relu, linear<4>>;
    check_together<net, 3>();
    check_together<with_number<net, int8>, 3>();
    check_together<with_number<net, float16>, 3>();
    check_together<with_number<net, bfloat16>, 3>();
}
TEST_CASE("layers around the linear ones of a batch", "[nn]") {
    check_together<network<image<2, 6, 5>, float32, linear<20>, relu, linear<4>>, 2>();
    check_together<network<image<2, 6, 5>, int8, conv2d<conv_spec{.out = 5, .pad = 1}>, relu, linear<20>, relu, linear<4>, softmax>, 2>();
    check_together<network<image<2, 6, 5>, float32, conv2d<conv_spec{.out = 5, .pad = 1}>, relu, global_avg_pool>, 0>();
    check_together<network<image<2, 6, 5>, float32, conv2d<conv_spec{.out = 5, .pad = 1}>, relu, linear<20>, relu, tmr<linear<4>>>, 1>();
    check_together<network<image<2, 6, 5>, float32, linear<16>, relu, residual<linear<16>>, relu, linear<4>>, 1>();
}
TEST_CASE("protections of the linear layers of a batch", "[nn]") {
    using net = network<image<2, 6, 5>, float32, conv2d<conv_spec{.out = 5, .pad = 1}>, relu, range<crc<linear<37>>, relu>, secded<linear<4>>>;
    const auto flip_some = [](auto& weights) {
        for (int slot = 0; slot < 3; ++slot) weights.primary(slot)[100] ^= std::byte{0x40};
    };
    check_together<net, 2>();
    check_together<net, 2>(flip_some);
    check_together<with_number<net, int8>, 2>(flip_some);
}
