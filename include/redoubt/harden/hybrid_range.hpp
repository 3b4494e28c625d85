// SPDX-License-Identifier: MIT
// Bounds for each neuron where they matter most, for each layer elsewhere: the placement of ProAct (Mousavi, Ahmadilivani, Raik, Jenihhin, Daneshtalab,
// "ProAct: Progressive training for hybrid clipped activation function to enhance resilience of DNNs", arXiv 2406.06313).
#pragma once

#include <redoubt/harden/range.hpp>
#include <redoubt/harden/rule.hpp>

namespace redoubt::inline v1 {

/// Kinds of layers that are nonlinearities of single elements.
template <class L> struct is_activation { static constexpr bool value = false; };
template <> struct is_activation<relu> { static constexpr bool value = true; };
template <> struct is_activation<hard_swish> { static constexpr bool value = true; };
template <int Limit> struct is_activation<clipped_relu<Limit>> { static constexpr bool value = true; };
template <int Low, int High> struct is_activation<clip<Low, High>> { static constexpr bool value = true; };
template <int P, int Q> struct is_activation<leaky_relu<P, Q>> { static constexpr bool value = true; };

namespace detail {

/// Where activations are computed, in the numbering of rules.
struct activation_places {
    int last_slot = -1;  ///< of the last one, if its step has parameters
    int last_after = -1; ///< else how many layers with parameters come before it
};
template <class Net>
inline constexpr activation_places activation_places_of = [] {
    activation_places found;
    int slots = 0;
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.slot >= slots) slots = s.slot + 1;
        if (s.slot >= 0 && s.act != kernel::activation::none) found = {s.slot, -1};
        if (s.kind == op::activate) found = {-1, slots};
    }
    return found;
}();
/// Whether a layer with parameters has an activation joined to it.
template <class Net>
constexpr bool is_activated(int slot) {
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.slot == slot && s.act != kernel::activation::none) return true;
    }
    return false;
}

}  // namespace detail

/// A rule for harden<>: outputs of activations are held in bounds, the last one's by Last, others' by Elsewhere. What has no activation, as the layer that
/// makes the logits, is left alone. An activation joined to a layer before it is guarded there; one that joins a residual add which found no convolution is not
/// guarded.
template <template <class...> class Last = range_neurons, template <class...> class Elsewhere = range>
struct hybrid_range {
    template <bool Guarded, bool AtEnd, class L>
    struct wrapped { using type = pack<L>; };
    template <class L> struct wrapped<true, false, L> { using type = pack<Elsewhere<L>>; };
    template <class L> struct wrapped<true, true, L> { using type = pack<Last<L>>; };

    // around an activation that was joined to another step a guard has no step to guard
    template <class Net, int S, class L>
    using apply_in = typename wrapped<(is_weighted<L>::value && detail::is_activated<Net>(S)) || is_activation<L>::value,
                                      is_weighted<L>::value ? S == detail::activation_places_of<Net>.last_slot
                                                            : S == detail::activation_places_of<Net>.last_after,
                                      L>::type;
};

}  // namespace redoubt::inline v1
