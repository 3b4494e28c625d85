// SPDX-License-Identifier: MIT
// The steps of a network as plain data: one row a fusion group, replica, vote or comparison.
#pragma once

#include <redoubt/kernel/call.hpp>
#include <redoubt/nn/diagnosis.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace redoubt::inline v1 {

/// What a step does.
enum class op : std::uint8_t {
    input,           ///< image to stored words
    convolution,     ///< convolution or linear, with folded norm, residual add and activation
    max_pool,
    average_pool,
    global_average,
    subsample,
    concat,          ///< the channels of several values one after the other
    add,             ///< a residual add that found no convolution to join, with its activation
    activate,        ///< an activation that found no step to join
    softmax,
    custom,
    compare,         ///< finds out whether two replicas differ
    vote,            ///< writes the majority of the replicas over the first
};

/// How the elements of a value are stored.
enum class word_kind : std::uint8_t { activation, logit, real };

/// Dotted name of a layer's parameters, in fixed storage.
struct path_name {
    static constexpr std::size_t capacity = 63;
    std::array<char, capacity + 1> text{};
    std::uint8_t size = 0;

    constexpr std::string_view view() const { return {text.data(), size}; }
    constexpr void append(std::string_view more) {
        for (char c : more)
            if (size < capacity) text[size++] = c;
    }
    /// This name, a dot where it is not empty, and one more part.
    constexpr path_name operator/(std::string_view part) const {
        path_name name = *this;
        if (name.size != 0) name.append(".");
        name.append(part);
        return name;
    }
    constexpr path_name operator/(int number) const {
        char digits[12]{};
        std::size_t at = sizeof digits;
        do {
            digits[--at] = static_cast<char>('0' + number % 10);
            number /= 10;
        } while (number != 0);
        return *this / std::string_view{digits + at, sizeof digits - at};
    }
};

/// Branches of one concat.
inline constexpr std::size_t most_branches = 8;

/// One step. Numbers of leaves, wrappers, units, slots and values index the tables of the network; -1 is none.
struct step {
    op kind = op::input;
    kernel::conv_geometry geometry{};  ///< in and out shapes; kernel extents of convolutions and pools
    kernel::activation act = kernel::activation::none;
    bool stores_logits = false;
    bool only_if_different = false;    ///< a spare replica or its vote: runs when `comparison` found a difference
    bool has_norm = false;
    kernel::count_padding counted = kernel::count_padding::yes;  ///< of average_pool
    std::int16_t limit = 0;            ///< of clipped_relu and clip
    std::int16_t lower = 0;            ///< of clip
    kernel::fraction slope{};          ///< of leaky_relu
    std::int16_t leaf = -1;            ///< layer type
    std::int16_t unit = -1;            ///< the logical step that replicas share
    std::int16_t slot = -1;            ///< parameters, shared by replicas
    std::int16_t replica = 0;          ///< which copy of the unit this is
    std::int16_t depth = 0;            ///< replicating wrappers around it
    std::int16_t in = -1;
    std::int16_t residual = -1;
    std::int16_t out = -1;
    std::int16_t comparison = -1;      ///< step of the comparison that decides whether this one runs
    std::int16_t voter = -1;           ///< wrapper type of a vote or comparison
    std::array<std::int16_t, 4> voted{-1, -1, -1, -1};  ///< values of the replicas
    std::array<std::int16_t, most_branches> parts{-1, -1, -1, -1, -1, -1, -1, -1};  ///< values that a concat joins
    std::array<std::int16_t, 4> guards{-1, -1, -1, -1}; ///< wrapper types, innermost first
    std::int16_t rotation = 0;         ///< lanes by which kernels move channels, so that replicas do not share broken ones
    std::int32_t folded = 0;           ///< channels of geometry.out that are further copies: the value has so many less
    bool keeps_bounds = false;         ///< the bounds that guards read are kept three times
    bool bounds_neurons = false;       ///< a guard holds each element below a bound of its own

    constexpr kernel::activation_spec nonlinearity() const { return {act, limit, lower, slope}; }
    /// The outputs that faults strike: all that are computed, or those that lie in memory, which further copies do not.
    constexpr shape struck_shape(bool in_memory) const {
        shape struck = geometry.out;
        if (in_memory) struck.channels -= folded;
        return struck;
    }
};

/// A tensor between steps.
struct value {
    shape extents{};
    word_kind words = word_kind::activation;
};

/// Parameters of one convolution or linear layer.
struct slot {
    kernel::conv_geometry geometry{};
    std::int16_t unit = -1;
    std::int16_t store = -1;      ///< wrapper type that keeps the parameters
    bool checked_on_read = false; ///< its store looks at them before every read, not only when they are scrubbed
    std::int16_t transform = -1;  ///< wrapper type that changes the weights on their way to a kernel
    std::int16_t checker = -1;    ///< wrapper type that checks what kernels compute
    std::int32_t folded = 0;      ///< channels of geometry.out that are further copies (kernel/duplicate.hpp)
    std::int16_t copies = 2;      ///< copies of a channel, where it has some
    bool has_intervals = false;   ///< keeps an interval for each stored channel
    bool keeps_gain = false;      ///< its transform asks for a norm's scale beside the weights instead of in them
    bool has_norm = false;
    bool is_linear = false;
    path_name name{};
    path_name norm_name{};
};

/// The first mistake found while building.
struct found_mistake {
    mistake what = mistake::none;
    int leaf = 0;
    shape came{};
    shape needed{};
};

/// All steps of a network.
template <int Capacity>
struct step_table {
    std::array<step, static_cast<std::size_t>(Capacity)> steps{};
    std::array<value, static_cast<std::size_t>(Capacity)> values{};
    std::array<slot, static_cast<std::size_t>(Capacity)> slots{};
    int step_count = 0;
    int value_count = 0;
    int slot_count = 0;
    int unit_count = 0;
    int output = 0;  ///< value that holds the answer
    found_mistake error{};
};

}  // namespace redoubt::inline v1
