// SPDX-License-Identifier: MIT
// Learning rates as functions of the step.
#pragma once

#include <redoubt/base/config.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace redoubt::train::inline v1 {

enum class schedule_kind : std::uint8_t {
    constant,
    step,       ///< times `factor` at each of `milestones`
    cosine,     ///< half a wave from `rate` to `last` (Loshchilov and Hutter 2017)
    one_cycle,  ///< half a wave up from rate / `start_divisor` for the share `rising`, half a wave down to a `end_divisor`-th of the start (Smith and Topin 2018, as in PyTorch)
};

/// How the rate goes. All but one_cycle may start with `warm_up` steps in which it rises in a line from rate / warm_up.
struct schedule_spec {
    schedule_kind kind = schedule_kind::constant;
    double rate = 0.1;                 ///< the largest
    std::uint64_t warm_up = 0;
    std::vector<std::uint64_t> milestones{};  ///< of step: epochs, rising
    double factor = 0.1;               ///< of step
    double last = 0.0;                 ///< of cosine
    double rising = 0.3;               ///< of one_cycle
    double start_divisor = 25.0;       ///< of one_cycle
    double end_divisor = 1e4;          ///< of one_cycle
};

}  // namespace redoubt::train::inline v1

namespace redoubt::train::inline REDOUBT_ABI {

/// (1 + cos(pi t)) / 2 for t in [0, 1], within 1e-15: by series, because the C library's cosine may differ between machines.
inline double half_wave(double t) {
    if (!(t > 0.0)) return 1.0;
    if (!(t < 1.0)) return 0.0;
    if (t > 0.5) return 1.0 - half_wave(1.0 - t);
    // cos^2(x), x = pi t / 2 in [0, pi / 4]
    const double x = t * 1.5707963267948966, z = x * x;
    double sum = 1.0;
    for (int k = 18; k > 0; k -= 2) sum = std::fma(-z / (static_cast<double>(k) * (k - 1)), sum, 1.0);
    return sum * sum;
}

/// The rate of a step, counted from 0, of a run of `steps` with `steps_per_epoch`.
inline double rate_at(const schedule_spec& by, std::uint64_t step, std::uint64_t steps, std::uint64_t steps_per_epoch) {
    if (by.kind == schedule_kind::one_cycle) {
        const double start = by.rate / by.start_divisor, end = start / by.end_divisor, last = static_cast<double>(steps) - 1.0;
        const double top = std::fma(by.rising, static_cast<double>(steps), -1.0), at = static_cast<double>(step);
        if (at <= top) return std::fma(start - by.rate, half_wave(top > 0.0 ? at / top : 1.0), by.rate);
        return std::fma(by.rate - end, half_wave(last > top ? (at - top) / (last - top) : 1.0), end);
    }
    if (step < by.warm_up) return by.rate * static_cast<double>(step + 1) / static_cast<double>(by.warm_up);
    if (by.kind == schedule_kind::step) {
        double rate = by.rate;
        for (const std::uint64_t m : by.milestones)
            if (step / (steps_per_epoch == 0 ? 1 : steps_per_epoch) >= m) rate *= by.factor;
        return rate;
    }
    if (by.kind == schedule_kind::cosine) {
        const double whole = steps > by.warm_up ? static_cast<double>(steps - by.warm_up) : 1.0;
        return std::fma(by.rate - by.last, half_wave(static_cast<double>(step - by.warm_up) / whole), by.last);
    }
    return by.rate;
}

}  // namespace redoubt::train::inline REDOUBT_ABI
