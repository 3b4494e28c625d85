// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/nets.hpp"

using namespace redoubt;
using namespace support;

namespace {

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
