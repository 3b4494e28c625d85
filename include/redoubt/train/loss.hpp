// SPDX-License-Identifier: MIT
// Cross-entropy of the softmax of logits, with smoothed labels where asked for.
#pragma once

#include <redoubt/base/math.hpp>

#include <cmath>
#include <cstddef>
#include <span>

namespace redoubt::train::inline REDOUBT_ABI {

/// The loss of one image, -sum of target * log softmax, and `weight` times its gradient to the logits. The target is 1 at the label; with `smoothing` e
/// it is 1 - e there and e / classes added everywhere (Szegedy et al. 2016). In double, by the library's own exponential and logarithm, so
/// that the bits are the same everywhere.
template <class T>
double cross_entropy(std::span<const T> logits, int label, double smoothing, double weight, std::span<T> gradient) {
    const std::size_t classes = logits.size();
    double largest = static_cast<double>(logits[0]);
    for (const T v : logits) largest = largest < static_cast<double>(v) ? static_cast<double>(v) : largest;
    double sum = 0.0;
    for (const T v : logits) sum += exponential(static_cast<double>(v) - largest);
    const double log_sum = natural_log(sum), share = smoothing / static_cast<double>(classes);
    double loss = 0.0;
    for (std::size_t i = 0; i < classes; ++i) {
        const double log_share = static_cast<double>(logits[i]) - largest - log_sum;
        const double target = share + (static_cast<int>(i) == label ? 1.0 - smoothing : 0.0);
        if (target != 0.0) loss = std::fma(-target, log_share, loss);
        gradient[i] = static_cast<T>((exponential(log_share) - target) * weight);
    }
    return loss;
}

}  // namespace redoubt::train::inline REDOUBT_ABI
