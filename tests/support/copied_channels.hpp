// SPDX-License-Identifier: MIT
// Networks with copied channels for tests: intervals from training images, and the check that nothing changes without faults.
#pragma once

#include "support/catch.hpp"
#include "support/nets.hpp"

#include <memory>
#include <vector>

namespace support {

using namespace redoubt;

/// How many channels of a layer of net_of are copied: some in whole blocks, all of a linear one.
template <class L> struct wanted;
template <conv_spec S> struct wanted<redoubt::conv2d<S>> { static constexpr int value = S.out == 40 ? 17 : 1; };
template <int Out> struct wanted<linear<Out>> { static constexpr int value = Out; };
template <template <class...> class P, class L> struct wanted<P<L>> : wanted<L> {};
template <number N, template <class...> class P>
using net_of = network<image<5, 9, 8>, N, P<conv2d<conv_spec{.out = 40, .kernel = 3, .pad = 1}>>, relu,
                       residual<P<conv2d<conv_spec{.out = 40, .kernel = 3, .pad = 1}>>>, relu, P<conv2d<conv_spec{.out = 24, .kernel = 1}>>,
                       P<linear<20>>, relu, linear<7>>;

template <class Net>
std::unique_ptr<parameters<Net>> with_intervals(const std::vector<std::vector<float>>& images, float margin = 0.1f) {
    using plain = without_protection<Net>;
    auto weights = drawn_and_converted<Net>();
    const auto bare = drawn_and_converted<plain>();
    const auto space = std::make_unique<workspace<plain>>();
    channel_ranges<plain> seen;
    for (const auto& pixels : images) observe_channels<plain>(*bare, pixels, *space, seen);
    set_intervals<plain, Net>(seen, *weights, margin);
    return weights;
}

template <class Net>
void check_clean() {
    using plain = without_protection<Net>;
    const auto images = drawn_images<Net>(3);
    const auto weights = with_intervals<Net>(images, 0.0f);
    const auto bare = drawn_and_converted<plain>();
    for (const auto& pixels : images) {
        const auto got = answer_of<Net>(*weights, pixels);
        CHECK(words_of(got) == words_of(answer_of<plain>(*bare, pixels)));
        CHECK(got.status.total() == fault_counters{});
    }
}

}  // namespace support
