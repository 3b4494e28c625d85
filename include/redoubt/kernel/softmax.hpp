// SPDX-License-Identifier: MIT
// Softmax with the library's own exponential, so that every machine gives the same bits.
#pragma once

#include <redoubt/base/math.hpp>
#include <redoubt/number/number.hpp>

#include <cstddef>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Value of a logit: int8's are accumulators at scale 2^frac.
template <class Logit>
float logit_value(Logit word, int frac) {
    if constexpr (std::is_integral_v<Logit>) return scaled(static_cast<float>(widened(word)), -frac);
    else return widened(word);
}

/// exp(x - max) / sum, in order. Any NaN, or no finite largest logit, gives NaN throughout.
template <class Logit>
void softmax(const Logit* logits, float* out, std::size_t count, int frac) {
    float largest = logit_value(logits[0], frac);
    for (std::size_t i = 1; i < count; ++i) largest = max_of(largest, logit_value(logits[i], frac));
    float sum = 0.0f;
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = exponential(logit_value(logits[i], frac) - largest);
        sum += out[i];
    }
    for (std::size_t i = 0; i < count; ++i) out[i] = canonical(out[i] / sum);
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
