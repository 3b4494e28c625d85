// SPDX-License-Identifier: MIT
// A batch of images spread over threads.
#pragma once

#include <redoubt/campaign/parallel.hpp>
#include <redoubt/nn/run.hpp>

#include <memory>

namespace redoubt::campaign::inline REDOUBT_ABI {

/// infer_batch() on `threads` threads, each with a workspace of its own on the heap. Answers and counters do not depend on
/// how many there are. The parameters are only read.
template <network_type Net>
void infer_all(const parameters<Net>& weights, state<Net>& memory, std::span<const float> images,
               std::span<answer<Net>> answers, unsigned threads) {
    constexpr auto pixels = static_cast<std::size_t>(Net::input_shape.size());
    REDOUBT_EXPECTS(images.size() == answers.size() * pixels);
    struct worker {
        std::unique_ptr<workspace<Net>> space = std::make_unique<workspace<Net>>();
        state<Net> own{};
    };
    parallel_for(answers.size(), threads, [] { return worker{}; }, [&](worker& w, std::size_t i) {
        answers[i] = infer<Net>(weights, w.own, images.subspan(i * pixels, pixels), *w.space);
    });
    for (const answer<Net>& a : answers) memory.tally(a.status);
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
