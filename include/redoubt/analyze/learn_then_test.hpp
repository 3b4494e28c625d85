// SPDX-License-Identifier: MIT
// How far a choice may go with a guarantee: a bound on the risk that holds with a given confidence, whatever the images are like.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/base/math.hpp>
#include <redoubt/campaign/special.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace redoubt::analyze::inline v1 {

/// What is asked of a choice: P(risk <= alpha) >= 1 - delta, over draws of the calibration images.
struct guarantee {
    double alpha = 0.02;  ///< largest risk: the expected loss of an image
    double delta = 0.1;   ///< how often it may be larger
};

}  // namespace redoubt::analyze::inline v1

namespace redoubt::analyze::inline REDOUBT_ABI {

/// A p-value of "the risk is above alpha" for losses of 0 and 1: the probability of at most `bad` ones among `images` independent ones at a risk of alpha. It is
/// exact, and so smaller than Hoeffding's bound for losses between.
inline double binomial_p_value(std::uint64_t bad, std::uint64_t images, double alpha) {
    REDOUBT_EXPECTS(images > 0 && bad <= images && alpha > 0.0 && alpha < 1.0);
    if (bad == images) return 1.0;
    return campaign::incomplete_beta(static_cast<double>(images - bad), static_cast<double>(bad) + 1.0, 1.0 - alpha);
}

/// One for losses from 0 to 1 by their mean: the smaller of Hoeffding's and Bentkus' bounds. Bates, Angelopoulos, Lei, Malik, Jordan, "Distribution-free, risk-controlling prediction sets"
/// (JACM 2021), section 3.1.
inline double hoeffding_bentkus_p_value(double mean, std::uint64_t images, double alpha) {
    REDOUBT_EXPECTS(images > 0 && mean >= 0.0 && mean <= 1.0 && alpha > 0.0 && alpha < 1.0);
    const auto n = static_cast<double>(images);
    const double a = std::min(mean, alpha);
    const double first = a > 0.0 ? a * natural_log(a / alpha) : 0.0, second = a < 1.0 ? (1.0 - a) * natural_log((1.0 - a) / (1.0 - alpha)) : 0.0;
    const auto bad = std::min(images, static_cast<std::uint64_t>(std::ceil(n * mean - 1e-9)));
    return std::min({1.0, exponential(-n * (first + second)), exponential(1.0) * binomial_p_value(bad, images, alpha)});
}

/// Learn-then-Test with fixed-sequence testing, as for the ratio of pruning in arXiv 2408.04759: choices come from the one that is safest to the boldest, and are taken until the
/// first whose p-value is above delta. Gives how many were taken: the last of them has a risk of at most alpha with probability 1 - delta, whatever the choices' true risks are, if the
/// calibration images are independent of how choices were ordered and made. Angelopoulos, Bates, Candès, Jordan, Lei, "Learn then test" (arXiv 2110.01052), section 3.
/// bad[i] images of `images` have loss 1 with choice i.
inline std::size_t choices_with_guarantee(std::span<const std::uint64_t> bad, std::uint64_t images, const guarantee& asked) {
    REDOUBT_EXPECTS(asked.alpha > 0.0 && asked.alpha < 1.0 && asked.delta > 0.0 && asked.delta < 1.0);
    std::size_t taken = 0;
    while (taken < bad.size() && binomial_p_value(bad[taken], images, asked.alpha) <= asked.delta) ++taken;
    return taken;
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
