// SPDX-License-Identifier: MIT
// Time factors: base and candidates interleaved at random in one process, best against best.
#pragma once

#include <redoubt/base/philox.hpp>
#include <redoubt/campaign/subject.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace redoubt::campaign::inline REDOUBT_ABI {

/// Best seconds of one inference for each subject over `rounds` rounds, each in a new random order.
inline std::vector<double> best_times(const std::vector<const subject*>& subjects, std::span<const float> image,
                                      int rounds) {
    std::vector<double> best(subjects.size(), std::numeric_limits<double>::infinity());
    std::vector<std::size_t> order(subjects.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    random_stream draw{0, {0, 0, 0, 0x71b1e5u}};
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[draw.below(i)]);
        for (std::size_t i : order) best[i] = std::min(best[i], subjects[i]->time_once(image));
    }
    return best;
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
