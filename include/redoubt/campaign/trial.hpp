// SPDX-License-Identifier: MIT
// What a trial is asked and what it answers: one fault pattern over a fixed set of images.
#pragma once

#include <redoubt/campaign/images.hpp>
#include <redoubt/fault/space.hpp>
#include <redoubt/nn/status.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace redoubt::campaign::inline v1 {

/// Which faults a cell of a campaign injects.
enum class fault_kind { weights, features, activations };

/// As the command line spells it.
constexpr std::string_view name_of(fault_kind kind) {
    switch (kind) {
        case fault_kind::features: return "features";
        case fault_kind::activations: return "activations";
        default: return "weights";
    }
}

/// One cell: a kind of fault at one rate (or count), and how many trials.
struct cell_spec {
    fault_kind kind = fault_kind::weights;
    fault::fault_spec faults{};
    std::uint64_t seed = 1;
    int trials = 20;
};

/// Counts of one trial over its images.
struct trial_result {
    std::uint32_t right = 0;    ///< top-1 is the label
    std::uint32_t changed = 0;  ///< SDC-1: top-1 is not that of the fault-free run of the same network
    std::uint32_t unusable = 0; ///< some output is NaN or infinite
    std::uint64_t faults = 0;   ///< flipped bits, over all images where each has its own
    std::uint64_t detected = 0;
    std::uint64_t corrected = 0;
    std::uint64_t uncorrected = 0;
    std::uint64_t out_of_range = 0;
    bool operator==(const trial_result&) const = default;
};

/// Fault-free answers.
struct golden_run {
    std::vector<int> top1;
    std::uint32_t right = 0;
    std::uint32_t unusable = 0;
};

/// One recorded fault, in words a person can find again.
struct fault_record {
    int trial = 0;
    int image = -1;         ///< -1 where the fault lasts for the whole trial
    int copy = 0;           ///< copy of the parameters (-1 code bits) or replica
    std::string_view layer; ///< name of the layer's parameters
    std::uint64_t word = 0; ///< logical weight ([out][row][col][in]) or output ([row][col][channel])
    int bit = 0;
    std::uint32_t before = 0;  ///< stored word; 0 for features, whose word is never stored
    std::uint32_t after = 0;
};

}  // namespace redoubt::campaign::inline v1
