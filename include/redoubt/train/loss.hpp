// SPDX-License-Identifier: MIT
// Cross-entropy of the softmax of logits, with smoothed labels where asked for, and what a teacher's logits add.
#pragma once

#include <redoubt/base/math.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

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

/// Hinton, Vinyals, Dean 2015: T^2 times the divergence of softmax(logits / T) from softmax(teacher / T), the loss of one image; `weight` times its gradient to the logits,
/// T (own share - teacher's share), is added. In double as above.
template <class T>
double distillation(std::span<const T> logits, std::span<const T> teacher, double temperature, double weight, std::span<T> gradient) {
    const auto log_shares = [&](std::span<const T> of, std::size_t i, double largest, double log_sum) { return (static_cast<double>(of[i]) - largest) / temperature - log_sum; };
    const auto ends = [&](std::span<const T> of) {
        double largest = static_cast<double>(of[0]), sum = 0.0;
        for (const T v : of) largest = largest < static_cast<double>(v) ? static_cast<double>(v) : largest;
        for (const T v : of) sum += exponential((static_cast<double>(v) - largest) / temperature);
        return std::pair{largest, natural_log(sum)};
    };
    const auto [own_largest, own_sum] = ends(logits);
    const auto [its_largest, its_sum] = ends(teacher);
    double loss = 0.0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
        const double own = log_shares(logits, i, own_largest, own_sum), its = log_shares(teacher, i, its_largest, its_sum), share = exponential(its);
        loss = std::fma(share, its - own, loss);
        gradient[i] = static_cast<T>(static_cast<double>(gradient[i]) + (exponential(own) - share) * temperature * weight);
    }
    return loss * temperature * temperature;
}

}  // namespace redoubt::train::inline REDOUBT_ABI
