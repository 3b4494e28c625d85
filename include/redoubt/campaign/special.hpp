// SPDX-License-Identifier: MIT
// The few special functions that intervals need, from base/math.hpp alone, so that a printed interval has the same
// digits with every compiler, library and instruction set. Good to some ten digits; not fast.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/base/math.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace redoubt::campaign::inline REDOUBT_ABI {

/// ln(1 - x) for x in [0, 1), good for small x too: the rounding of 1 - x is divided out again.
inline double log_complement(double x) {
    const double rest = 1.0 - x;
    return rest == 1.0 ? -x : natural_log(rest) * (x / (1.0 - rest));
}

/// ln of the gamma function for x > 0: Stirling's series from 16 up, the recurrence below.
inline double log_gamma(double x) {
    double product = 1.0;
    for (; x < 16.0; x += 1.0) product *= x;
    const double inverse = 1.0 / x, square = inverse * inverse;
    double series = std::fma(square, 1.0 / 1188.0, -1.0 / 1680.0);
    series = std::fma(series, square, 1.0 / 1260.0);
    series = std::fma(series, square, -1.0 / 360.0);
    series = std::fma(series, square, 1.0 / 12.0);
    constexpr double half_log_two_pi = 0.91893853320467274178;
    const double rest = std::fma(series, inverse, half_log_two_pi - x);
    return std::fma(x - 0.5, natural_log(x), rest) - natural_log(product);
}

/// The regularised incomplete beta function I_x(a, b): the probability that a Beta(a, b) variable is at most x. a and
/// b are positive and finite. The continued fraction of DLMF 8.17.22, evaluated forwards (modified Lentz).
inline double incomplete_beta(double a, double b, double x) {
    REDOUBT_EXPECTS(a > 0.0 && b > 0.0);
    if (x <= 0.0) return 0.0;
    if (x >= 1.0) return 1.0;
    const double log_beta = (log_gamma(a) + log_gamma(b)) - log_gamma(a + b);
    const double front = exponential(std::fma(a, natural_log(x), b * log_complement(x)) - log_beta);
    // The fraction converges fast up to about the mean; past it the other tail is computed.
    const bool mirrored = x > (a + 1.0) / (a + b + 2.0);
    if (mirrored) {
        std::swap(a, b);
        x = 1.0 - x;
    }
    const auto not_zero = [](double v) { return std::fabs(v) < 1e-300 ? 1e-300 : v; };
    double c = 1.0, d = 0.0, fraction = 1.0;
    for (int i = 1; i < 100000; ++i) {
        const double m = static_cast<double>(i / 2), place = a + static_cast<double>(i);
        const double above = i % 2 == 1 ? -((a + m) * (a + b + m)) : m * (b - m);
        const double term = above * x / ((place - 1.0) * place);
        d = 1.0 / not_zero(std::fma(term, d, 1.0));
        c = not_zero(1.0 + term / c);
        fraction *= c * d;
        if (std::fabs(std::fma(c, d, -1.0)) < 4e-16) break;
    }
    const double tail = std::min(1.0, front / (a * fraction));
    return mirrored ? 1.0 - tail : tail;
}

/// The x in [low, high] where a function that rises crosses `target`, by bisection to the last bits.
template <class Function>
double rising_root(double low, double high, double target, Function&& rising) {
    for (int i = 0; i < 1200; ++i) {
        const double middle = 0.5 * (low + high);
        if (!(middle > low && middle < high) || high - low <= 1e-15 * high) break;
        (rising(middle) < target ? low : high) = middle;
    }
    return 0.5 * (low + high);
}

/// The x between two ends where a function that falls crosses 0, given a value above 0 for `low` and one below 0 for
/// `high`: regula falsi with the value of an end that stays halved (Illinois), within 1e-12 or where the function is.
template <class Function>
double falling_root(double low, double low_value, double high, double high_value, Function&& falling) {
    for (int i = 1, kept = 0; i < 200 && high - low > 1e-12; ++i) {
        const double guess = std::fma(high - low, low_value / (low_value - high_value), low);
        // Bisection where the guess does not move, or crawls.
        const double at = guess > low && guess < high && i % 8 != 0 ? guess : 0.5 * (low + high);
        const double value = falling(at);
        if (std::fabs(value) < 1e-12) return at;
        if (value > 0.0) {
            low = at, low_value = value;
            if (kept > 0) high_value *= 0.5;
            kept = 1;
        } else {
            high = at, high_value = value;
            if (kept < 0) low_value *= 0.5;
            kept = -1;
        }
    }
    return 0.5 * (low + high);
}

/// The x with I_x(a, b) = p, p in [0, 1].
inline double beta_quantile(double p, double a, double b) {
    REDOUBT_EXPECTS(p >= 0.0 && p <= 1.0);
    return rising_root(0.0, 1.0, p, [&](double x) { return incomplete_beta(a, b, x); });
}

/// The probability that a standard normal variable exceeds x >= 0: its series up to 2.5, past it Laplace's continued
/// fraction.
inline double normal_tail(double x) {
    constexpr double root_two_pi = 2.50662827463100050242;
    const double density = exponential(-0.5 * (x * x)) / root_two_pi;
    if (x < 2.5) {
        double term = x, sum = x;
        for (double odd = 3.0; term > 1e-17 * sum; odd += 2.0) {
            term = term * (x * x) / odd;
            sum = sum + term;
        }
        return std::fma(-density, sum, 0.5);
    }
    double fraction = x;
    for (double i = 120.0; i > 0.0; i -= 1.0) fraction = x + i / fraction;
    return density / fraction;
}

/// The z that a standard normal variable stays below with probability p in [0, 1]; -Inf at 0, Inf at 1.
inline double normal_quantile(double p) {
    REDOUBT_EXPECTS(p >= 0.0 && p <= 1.0);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double tail = std::min(p, 1.0 - p);
    if (tail == 0.0) return p == 0.0 ? -infinity : infinity;
    if (tail == 0.5) return 0.0;
    const double z = rising_root(0.0, 40.0, -tail, [](double x) { return -normal_tail(x); });
    return p < 0.5 ? -z : z;
}

/// The t that a Student variable with `freedom` > 0 degrees stays below with probability p in [0, 1]; the normal
/// quantile for infinite `freedom`.
inline double student_quantile(double p, double freedom) {
    REDOUBT_EXPECTS(p >= 0.0 && p <= 1.0 && freedom > 0.0);
    if (freedom > 1e9) return normal_quantile(p);
    const double tails = 2.0 * std::min(p, 1.0 - p);
    if (tails == 0.0) return normal_quantile(p);
    // f / (f + t^2) follows Beta(f/2, 1/2). Of it and its complement the smaller is the one to solve for.
    double t = 0.0;
    if (tails < 0.5 && freedom < 100.0) {
        const double x = beta_quantile(tails, 0.5 * freedom, 0.5);
        t = std::sqrt(freedom * (1.0 - x) / x);
    } else {
        const double y = beta_quantile(1.0 - tails, 0.5, 0.5 * freedom);
        t = std::sqrt(freedom * y / (1.0 - y));
    }
    return p < 0.5 ? -t : t;
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
