// SPDX-License-Identifier: MIT
// Mistakes in a description, each found at compile time with the layer, what came and what was needed.
#pragma once

#include <redoubt/tensor/shape.hpp>

namespace redoubt::inline v1 {

/// What can be wrong with a description.
enum class mistake {
    none,
    empty_input,
    kernel_exceeds_input,
    bad_spec,
    uneven_groups,
    branches_differ,
    norm_without_convolution,
    softmax_not_last,
    shortcut_outside_residual,
    branch_outside_concat,
    not_a_branch,
    too_many_branches,
    concat_differs,
    two_stores,
    two_transforms,
    two_checkers,
    duplicates_of_groups,
    too_few_to_duplicate,
    nothing_to_diversify,
    too_many_guards,
    subsample_shrinks_channels,
    too_many_replicas,
    not_a_layer,
};

/// Where: the number of the layer, counted from 0 in reading order (wrappers do not count).
template <int Number>
struct at_layer {};
template <int Channels, int Height, int Width>
struct came {};
template <int Channels, int Height, int Width>
struct needed {};

/// Instantiated with the first mistake of a network; its template arguments say where and what.
template <mistake M, class Where, class Layer, class Came, class Needed>
struct diagnosis {
    static_assert(M != mistake::empty_input, "redoubt: the input image has no elements");
    static_assert(M != mistake::kernel_exceeds_input, "redoubt: the kernel is larger than its padded input");
    static_assert(M != mistake::bad_spec, "redoubt: sizes must be positive and padding smaller than the kernel");
    static_assert(M != mistake::uneven_groups, "redoubt: groups must divide the channels that come in and go out");
    static_assert(M != mistake::branches_differ, "redoubt: the two branches of a residual have different shapes");
    static_assert(M != mistake::norm_without_convolution,
                  "redoubt: batch_norm must directly follow a convolution or linear layer");
    static_assert(M != mistake::softmax_not_last, "redoubt: softmax must be the last layer");
    static_assert(M != mistake::shortcut_outside_residual,
                  "redoubt: shortcut<...> may only stand first in a residual<...>");
    static_assert(M != mistake::branch_outside_concat, "redoubt: branch<...> may only stand in a concat<...>");
    static_assert(M != mistake::not_a_branch, "redoubt: a concat<...> consists of branch<...> or named<..., branch<...>>");
    static_assert(M != mistake::too_many_branches, "redoubt: a concat has one to eight branches; nest them for more");
    static_assert(M != mistake::concat_differs, "redoubt: the branches of a concat have different heights or widths");
    static_assert(M != mistake::two_stores, "redoubt: a layer's parameters can be kept by one protection only");
    static_assert(M != mistake::two_transforms, "redoubt: a layer's weights can be transformed by one protection only");
    static_assert(M != mistake::two_checkers, "redoubt: a layer's computation can be checked by one protection only");
    static_assert(M != mistake::duplicates_of_groups, "redoubt: channels of a convolution with groups cannot be duplicated");
    static_assert(M != mistake::nothing_to_diversify, "redoubt: diverse<...> moves the channels of replicas to other lanes, and a convolution or linear layer here is none, or there is none: diverse<dmr<...>> or dmr<diverse<...>>");
    static_assert(M != mistake::too_few_to_duplicate, "redoubt: channels are duplicated by whole blocks of 16, of which this layer has none");
    static_assert(M != mistake::too_many_guards, "redoubt: more than four output checks around one layer");
    static_assert(M != mistake::too_many_replicas, "redoubt: more than 64 replicas of one layer");
    static_assert(M != mistake::subsample_shrinks_channels, "redoubt: subsample cannot have fewer channels than come in");
    static_assert(M != mistake::not_a_layer, "redoubt: this type is not a layer description");
    static constexpr bool ok = M == mistake::none;
};

}  // namespace redoubt::inline v1
