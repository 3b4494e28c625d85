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

namespace detail {
template <class Rule, class L> struct ruled { using type = typename Rule::template apply<L>; };
template <class Rule, class Pack> struct ruled_all;
template <class Rule, class... Ls>
struct ruled_all<Rule, pack<Ls...>> { using type = joined<typename ruled<Rule, Ls>::type...>; };
template <class Rule, template <class...> class C, class... Ls>
    requires containing<C<Ls...>>
struct ruled<Rule, C<Ls...>> : refilled<C, typename ruled_all<Rule, pack<Ls...>>::type> {};
template <class Rule, fixed_string N, class... Ls>
struct ruled<Rule, named<N, Ls...>> : renamed<N, typename ruled_all<Rule, pack<Ls...>>::type> {};

template <class Net, class... Rules> struct hardened { using type = Net; };
template <class Net, class Rule, class... Rest>
struct hardened<Net, Rule, Rest...>
    : hardened<typename with_layers<Net, typename ruled_all<Rule, typename Net::layers>::type>::type, Rest...> {};
}  // namespace detail

/// Net with every rule applied in turn: later rules wrap inside earlier ones. Names and fault sites do not change.
template <network_type Net, class... Rules>
using harden = typename detail::hardened<Net, Rules...>::type;

}  // namespace redoubt::inline v1
