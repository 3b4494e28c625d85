// SPDX-License-Identifier: MIT
// One rule that protects layers by kind: it rewrites the type of a network.
#pragma once

#include <redoubt/nn/network.hpp>

namespace redoubt::inline v1 {

/// Kinds of layers that a rule can pick.
template <class L> struct is_conv { static constexpr bool value = false; };
template <conv_spec S> struct is_conv<conv2d<S>> { static constexpr bool value = true; };
template <class L> struct is_linear { static constexpr bool value = false; };
template <int Out> struct is_linear<linear<Out>> { static constexpr bool value = true; };
/// Convolutions and linear layers: all that have parameters.
template <class L> struct is_weighted { static constexpr bool value = is_conv<L>::value || is_linear<L>::value; };

/// Wrap every layer for which Kind<L>::value holds in Protection<...>.
template <template <class> class Kind, template <class...> class Protection>
struct protect {
    template <class L>
    using apply = std::conditional_t<Kind<L>::value, pack<Protection<L>>, pack<L>>;
};

/// Wrap every convolution and linear layer but the last, which makes the logits: those are compared with each other, so a bound would change answers.
template <template <class...> class Protection>
struct protect_hidden {
    template <class Net, int S, class L>
    using apply_in = std::conditional_t<is_weighted<L>::value && (S + 1 < Net::table.slot_count), pack<Protection<L>>, pack<L>>;
};

/// Wrap the convolution or linear layer of that number, counted from 0 in reading order.
template <int Slot, template <class...> class Protection>
struct protect_number {
    template <class Net, int S, class L>
    struct wrapped {
        static_assert(Slot >= 0 && Slot < Net::table.slot_count, "redoubt: no layer of the network has that number");
        using type = std::conditional_t<is_weighted<L>::value && S == Slot, pack<Protection<L>>, pack<L>>;
    };
    template <class Net, int S, class L>
    using apply_in = typename wrapped<Net, S, L>::type;
};

/// Wrap the convolution or linear layer whose parameters have that name (Net::table.slots[i].name: what stands in an unnamed container has its position before the name, as in
/// "3.body"); a name that no layer has does not compile.
template <fixed_string Name, template <class...> class Protection>
struct protect_named {
    template <class Net>
    static constexpr int slot = [] {
        constexpr int at = step_named<Net>(Name.view());
        static_assert(at >= 0, "redoubt: no layer of the network has that name; in an unnamed container its position comes first, as in 3.body");
        if constexpr (at < 0) return 0;  // one error is enough
        else return int{step_of<Net, at>.slot};
    }();
    template <class Net, int S, class L>
    using apply_in = typename protect_number<slot<Net>, Protection>::template apply_in<Net, S, L>;
};

namespace detail {
/// Layers with parameters in a description.
template <class Pack> inline constexpr int weighted_in = 0;
template <class... Ls> inline constexpr int weighted_in<pack<Ls...>> = (0 + ... + (is_weighted<Ls>::value ? 1 : 0));
template <class L> inline constexpr int slots_in = weighted_in<typename types_in<L>::leaves>;

/// What a rule makes of a leaf that is the First-th layer with parameters, if it is one.
template <class Rule, class Net, int First, class L> struct ruled { using type = typename Rule::template apply<L>; };
template <class Rule, class Net, int First, class L>
    requires(!containing<L>) && requires { typename Rule::template apply_in<Net, First, L>; }
struct ruled<Rule, Net, First, L> { using type = typename Rule::template apply_in<Net, First, L>; };
template <class Rule, class Net, int First, class Pack> struct ruled_all { using type = pack<>; };
template <class Rule, class Net, int First, class L, class... Ls>
struct ruled_all<Rule, Net, First, pack<L, Ls...>> {
    using type = joined<typename ruled<Rule, Net, First, L>::type, typename ruled_all<Rule, Net, First + slots_in<L>, pack<Ls...>>::type>;
};
template <class Rule, class Net, int First, template <class...> class C, class... Ls>
    requires containing<C<Ls...>>
struct ruled<Rule, Net, First, C<Ls...>> : refilled<C, typename ruled_all<Rule, Net, First, pack<Ls...>>::type> {};
template <class Rule, class Net, int First, fixed_string N, class... Ls>
struct ruled<Rule, Net, First, named<N, Ls...>> : renamed<N, typename ruled_all<Rule, Net, First, pack<Ls...>>::type> {};
/// Protections with other template arguments before their layers say themselves how they stand around others: `around`.
template <class L> inline constexpr bool has_layers_only = false;
template <template <class...> class C, class... Ls> inline constexpr bool has_layers_only<C<Ls...>> = true;
template <class Rule, class Net, int First, class L>
    requires(protecting<L> && !has_layers_only<L>) && requires { typename L::template around<relu>; }
struct ruled<Rule, Net, First, L> {
    template <class Pack> struct again;
    template <class... New> struct again<pack<New...>> { using type = pack<typename L::template around<New...>>; };
    using type = typename again<typename ruled_all<Rule, Net, First, typename L::layers>::type>::type;
};

/// One without that rules cannot reach into: what is in it would be left unprotected without a word.
template <class Rule, class Net, int First, class L>
    requires(protecting<L> && !has_layers_only<L>) && (!requires { typename L::template around<relu>; })
struct ruled<Rule, Net, First, L> {
    static_assert(requires { typename L::template around<relu>; },
                  "redoubt: a protection with template arguments before its layers needs `template <class... New> using around`, itself around others, so that rules reach inside");
    using type = pack<L>;
};

template <class Net, class... Rules> struct hardened { using type = Net; };
template <class Net, class Rule, class... Rest>
struct hardened<Net, Rule, Rest...>
    : hardened<typename with_layers<Net, typename ruled_all<Rule, Net, 0, typename Net::layers>::type>::type, Rest...> {};
}  // namespace detail

/// Net with every rule applied in turn: later rules wrap inside earlier ones. Names and fault sites do not change.
template <network_type Net, class... Rules>
using harden = typename detail::hardened<Net, Rules...>::type;

}  // namespace redoubt::inline v1
