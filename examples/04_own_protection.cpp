// SPDX-License-Identifier: MIT
// A protection of one's own: a guard that puts zero in place of NaN and infinity. It needs no bounds, so no calibration.
#include <redoubt/redoubt.hpp>

#include <algorithm>
#include <cstdio>
#include <span>

namespace rd = redoubt;

/// A layer description around others; each output of their steps passes through the guard before anything reads it.
template <class... Layers>
struct finite_only : rd::protection<Layers...> {
    struct guard {
        /// `words` are stored words: float, half, or the codes of int8, which are always finite.
        template <class Word, class Bound>
        static void apply(std::span<Word> words, Bound, Bound, rd::fault_counters& count) {
            if constexpr (rd::fields_of<Word>.exponent > 0) {
                for (Word& word : words) {
                    const float value = rd::widened(word);
                    if (value - value == 0.0f) continue;  // not so for NaN and infinity
                    word = Word{};
                    ++count.out_of_range;
                }
            }
        }
    };
};

using net = rd::network<rd::image<1, 8, 8>, rd::float32,
    rd::conv2d<rd::conv_spec{.out = 4, .kernel = 3}>, rd::relu, rd::max_pool<2>, rd::linear<3>>;
using guarded = rd::harden<net, rd::protect<rd::is_conv, finite_only>>;

static rd::parameters<net> weights{};
static rd::parameters<guarded> guarded_weights{};

template <class Net>
static void show(const char* name, const rd::parameters<Net>& p, std::span<const float> image) {
    static rd::workspace<Net> scratch;
    rd::state<Net> state;
    const auto answer = rd::infer<Net>(p, state, image, scratch);
    std::printf("%-20s class %2d, outputs replaced %u\n", name, answer.top1(), answer.status.total().out_of_range);
}

int main() {
    rd::random_stream draw{3, {}};
    for (int s = 0; s < net::table.slot_count; ++s) {
        for (float& w : weights.weights(s)) w = static_cast<float>(draw.unit()) - 0.5f;
        // both networks have the same layers, so the words lie in the same order
        std::copy(weights.weights(s).begin(), weights.weights(s).end(), guarded_weights.weights(s).begin());
    }
    float image[64];
    for (float& pixel : image) pixel = static_cast<float>(draw.unit());

    show<net>("clean", weights, image);
    show<guarded>("clean, guarded", guarded_weights, image);
    const float huge = rd::from_word<float>(0x7f7fffffu);  // the largest finite number
    for (int i = 0; i < 9; ++i) {
        weights.weight_at(0, 2, i / 3, i % 3, 0) = huge;
        guarded_weights.weight_at(0, 2, i / 3, i % 3, 0) = huge;
    }
    show<net>("struck", weights, image);
    show<guarded>("struck, guarded", guarded_weights, image);
}
