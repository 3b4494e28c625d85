// SPDX-License-Identifier: MIT
#include <redoubt/campaign/infer_all.hpp>

#include "support/catch.hpp"
#include "support/nets.hpp"

using namespace redoubt;
using namespace support;

namespace {

using net = network<image<2, 6, 5>, float32, crc<conv2d<conv_spec{.out = 5, .pad = 1}>>, relu, linear<4>>;

struct outcome {
    std::vector<answer<net>> answers;
    state<net> memory;
};

outcome on_threads(const parameters<net>& weights, std::span<const float> images, std::size_t count, unsigned threads) {
    outcome o{std::vector<answer<net>>(count), {}};
    campaign::infer_all<net>(weights, o.memory, images, std::span{o.answers}, threads);
    return o;
}

}  // namespace

TEST_CASE("images spread over threads are answered as one by one", "[campaign]") {
    constexpr std::size_t count = 23;
    const auto weights = drawn_and_converted<net>();
    // one broken word in the first layer, so that every inference has something to count
    weights->primary(0)[0] = ~weights->primary(0)[0];
    const auto images = drawn_images<net>(count, 3);
    std::vector<float> together;
    for (const auto& image : images) together.insert(together.end(), image.begin(), image.end());
    for (unsigned threads : {1u, 2u, 5u, 40u}) {
        CAPTURE(threads);
        const outcome o = on_threads(*weights, together, count, threads);
        fault_counters total;
        for (std::size_t i = 0; i < count; ++i) {
            const auto alone = answer_of<net>(*weights, images[i]);
            CHECK(words_of(o.answers[i]) == words_of(alone));
            CHECK(o.answers[i].status.steps == alone.status.steps);
            total += alone.status.total();
        }
        CHECK(o.memory.inferences == count);
        CHECK(o.memory.total == total);
        CHECK(total.corrected >= count);
    }
    CHECK(on_threads(*weights, {}, 0, 2).memory.inferences == 0);
}
