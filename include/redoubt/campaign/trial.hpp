// SPDX-License-Identifier: MIT
// What a trial is asked and what it answers: one fault pattern over a fixed set of images.
#pragma once

#include <redoubt/campaign/images.hpp>
#include <redoubt/fault/space.hpp>
#include <redoubt/nn/status.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::campaign::inline v1 {

/// Which faults a cell of a campaign injects.
enum class fault_kind { weights, biases, scales, bounds, features, activations, macs };

/// As the command line spells them, in the order of fault_kind.
inline constexpr std::array<std::string_view, 7> fault_kind_names{"weights", "biases", "scales", "bounds",
                                                                  "features", "activations", "macs"};
constexpr std::string_view name_of(fault_kind kind) { return fault_kind_names[static_cast<std::size_t>(kind)]; }
/// Whether faults of that kind lie in the parameters and last for a trial, rather than being drawn for each image.
constexpr bool in_parameters(fault_kind kind) { return kind <= fault_kind::bounds; }

/// How the faults of trials are chosen.
enum class sampling {
    uniform,     ///< independently for each trial, in proportion to the fault space
    exhaustive,  ///< trial t strikes place t, and only that; parameters alone
    stratified,  ///< trial t strikes a random place of stratum strata::of_trial(t), strata being (layer, bit); parameters alone
};

/// The strata of a stratified cell.
struct cell_strata {
    std::vector<std::uint64_t> words;  ///< of each layer
    int per_word = 0;                  ///< places in a word

    fault::strata view() const { return {words, per_word}; }
};

/// When a cell ends before its last trial: as soon as the interval of its SDC-1 rate, one that holds at every look at once, is at
/// most two margins wide. 0: not asked for.
struct stopping_rule {
    double margin = 0.0;    ///< in the rate, 0.01 being one point
    double relative = 0.0;  ///< in shares of the rate

    constexpr bool asked() const { return margin > 0.0 || relative > 0.0; }
};

/// One cell: a kind of fault at one rate (or count), and how many trials.
struct cell_spec {
    fault_kind kind = fault_kind::weights;
    fault::fault_spec faults{};
    std::uint64_t seed = 1;
    int trials = 20;     ///< where the campaign stops at a margin, the most
    sampling by = sampling::uniform;
    stopping_rule stop{};
};

/// Counts of one trial over its images, in the words of the glossary.
struct trial_result {
    std::uint64_t faults = 0;    ///< struck places, over all images where each has its own
    std::uint64_t detected = 0;
    std::uint64_t corrected = 0;
    std::uint64_t uncorrected = 0;
    std::uint64_t out_of_range = 0;
    std::uint32_t right = 0;     ///< top-1 is the label
    std::uint32_t changed = 0;   ///< SDC-1: top-1 is not that of the fault-free run of the same network
    std::uint32_t sdc5 = 0;      ///< the fault-free top-1 is not among the five largest outputs
    std::uint32_t sdc10 = 0;     ///< the score of the fault-free top-1 moved by more than a tenth of it
    std::uint32_t masked = 0;    ///< every output has its fault-free bits
    std::uint32_t critical = 0;  ///< SDC-1 with finite outputs and nothing uncorrected to tell
    std::uint32_t due = 0;       ///< detected and not corrected
    std::uint32_t unusable = 0;  ///< some output is NaN or infinite
    bool operator==(const trial_result&) const = default;

    /// Calls visit(name, member) for each count; what journals and tables go by.
    template <class Self, class Visit>
    static void for_each(Self& r, Visit&& visit) {
        visit("faults", r.faults);
        visit("detected", r.detected);
        visit("corrected", r.corrected);
        visit("uncorrected", r.uncorrected);
        visit("out_of_range", r.out_of_range);
        visit("right", r.right);
        visit("sdc1", r.changed);
        visit("sdc5", r.sdc5);
        visit("sdc10", r.sdc10);
        visit("masked", r.masked);
        visit("critical", r.critical);
        visit("due", r.due);
        visit("unusable", r.unusable);
    }
};

/// Takes the result of one trial; called by any thread, one at a time, in no particular order.
using trial_sink = std::function<void(int trial, const trial_result&)>;

/// Fault-free answers.
struct golden_run {
    std::vector<int> top1;
    std::vector<float> outputs;  ///< [image][class]
    std::vector<float> scores;   ///< of the top-1: its output after softmax
    std::vector<fault_counters> seen;  ///< what was counted without faults: test images may leave their bounds
    std::uint32_t right = 0;
    std::uint32_t unusable = 0;
};

/// One recorded fault, in words a person can find again.
struct fault_record {
    int trial = 0;
    int image = -1;         ///< -1 where the fault lasts for the whole trial
    int copy = 0;           ///< part of the parameters (fault::part) or replica; the step where `layer` is "-"
    std::string_view layer; ///< name of the layer's parameters, "-" for a step without
    std::uint64_t word = 0; ///< logical weight ([out][row][col][in]) or output ([row][col][channel])
    int bit = 0;            ///< lowest struck bit
    int step = -1;          ///< multiply-add after which an accumulator was struck
    int add = 0;            ///< units added to a feature first
    int unit = 0;           ///< floats: a unit is 2^unit
    std::uint32_t before = 0;  ///< stored word; for faults of inferences the bits that stay
    std::uint32_t after = 0;   ///< and then the bits that are flipped
};

/// A record that was read back.
struct named_fault {
    int image = -1;
    int copy = 0;
    std::string layer;
    std::uint64_t word = 0;
    int step = -1, add = 0, unit = 0;
    std::uint32_t before = 0, after = 0;
};

}  // namespace redoubt::campaign::inline v1
