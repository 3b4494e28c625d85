// SPDX-License-Identifier: MIT
// A network is a type: an input, a number, and layers.
#pragma once

#include <redoubt/nn/builder.hpp>
#include <redoubt/number/number.hpp>

namespace redoubt::inline v1 {

namespace detail {

template <class Input, class... Layers>
constexpr auto built() {
    table_builder<1 + step_bound<pack<Layers...>>> builder;
    builder.template build<Input, Layers...>();
    return builder.table;
}

template <class Leaves, int I> struct leaf_or_none { using type = void; };
template <class... Ls, int I>
    requires(I < static_cast<int>(sizeof...(Ls)))
struct leaf_or_none<pack<Ls...>, I> { using type = type_at<pack<Ls...>, I>; };

}  // namespace detail

/// A pure description: `Input` is image<C, H, W>, `Number` the stored words and arithmetic, `Layers` in order.
template <class Input, number Number, class... Layers>
struct network {
    using input = Input;
    using number_type = Number;
    using layers = pack<Layers...>;
    using leaves = typename detail::types_in<pack<Layers...>>::leaves;
    using wrappers = typename detail::types_in<pack<Layers...>>::wrappers;

    static constexpr auto table = detail::built<Input, Layers...>();

private:
    static constexpr found_mistake error = table.error;
    static constexpr shape a = error.came, b = error.needed;
    static_assert(diagnosis<error.what, at_layer<error.leaf>, typename detail::leaf_or_none<leaves, error.leaf>::type,
                            came<a.channels, a.height, a.width>, needed<b.channels, b.height, b.width>>::ok);

public:
    static constexpr shape input_shape = Input::extents;
    static constexpr value output = table.values[static_cast<std::size_t>(table.output)];
    /// Numbers that an inference returns.
    static constexpr int outputs = output.extents.size();
};

/// Any network<...>.
template <class N>
concept network_type = requires {
    typename N::input;
    typename N::number_type;
    typename N::layers;
    N::table;
};

namespace detail {
template <class Net, number N> struct rebound;
template <class Input, number Old, class... Ls, number N>
struct rebound<network<Input, Old, Ls...>, N> { using type = network<Input, N, Ls...>; };

template <class L> struct bare { using type = pack<L>; };
template <class Pack> struct bare_all;
template <class... Ls> struct bare_all<pack<Ls...>> { using type = joined<typename bare<Ls>::type...>; };
template <protecting L> struct bare<L> : bare_all<typename L::layers> {};
template <template <class...> class C, class Pack> struct refilled;
template <template <class...> class C, class... Ls> struct refilled<C, pack<Ls...>> { using type = pack<C<Ls...>>; };
template <class... Ls> struct bare<sequence<Ls...>> : refilled<sequence, typename bare_all<pack<Ls...>>::type> {};
template <class... Ls> struct bare<residual<Ls...>> : refilled<residual, typename bare_all<pack<Ls...>>::type> {};
template <class... Ls> struct bare<branch<Ls...>> : refilled<branch, typename bare_all<pack<Ls...>>::type> {};
template <class... Ls> struct bare<concat<Ls...>> : refilled<concat, typename bare_all<pack<Ls...>>::type> {};
template <class... Ls> struct bare<shortcut<Ls...>> : refilled<shortcut, typename bare_all<pack<Ls...>>::type> {};
template <fixed_string N, class Pack> struct renamed;
template <fixed_string N, class... Ls> struct renamed<N, pack<Ls...>> { using type = pack<named<N, Ls...>>; };
template <fixed_string N, class... Ls>
struct bare<named<N, Ls...>> : renamed<N, typename bare_all<pack<Ls...>>::type> {};
template <class Net, class Pack> struct with_layers;
template <class Input, number N, class... Old, class... Ls>
struct with_layers<network<Input, N, Old...>, pack<Ls...>> { using type = network<Input, N, Ls...>; };
}  // namespace detail

/// The same network bound to another number.
template <network_type Net, number N>
using with_number = typename detail::rebound<Net, N>::type;

/// The same network with the option to compute fast; a float32 one.
template <network_type Net>
using fast_network = with_number<Net, fast<typename Net::number_type>>;

/// The same network without any protection.
template <network_type Net>
using without_protection =
    typename detail::with_layers<Net, typename detail::bare_all<typename Net::layers>::type>::type;

/// A step's row, for `if constexpr`.
template <network_type Net, int I>
inline constexpr step step_of = Net::table.steps[static_cast<std::size_t>(I)];

/// Whether a layer of the user's own is among the steps.
template <network_type Net>
inline constexpr bool has_custom_step = [] {
    for (int i = 0; i < Net::table.step_count; ++i)
        if (Net::table.steps[static_cast<std::size_t>(i)].kind == op::custom) return true;
    return false;
}();

/// Number of the step that computes the layer of that name (its parameters' name), -1 if there is none.
template <network_type Net>
constexpr int step_named(std::string_view name, int replica = 0) {
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.slot >= 0 && s.replica == replica && Net::table.slots[static_cast<std::size_t>(s.slot)].name.view() == name)
            return i;
    }
    return -1;
}

/// Bytes of one stored element of a value.
template <number N>
constexpr std::size_t word_bytes(word_kind kind) {
    switch (kind) {
        case word_kind::logit: return sizeof(typename N::logit);
        case word_kind::real: return sizeof(float);
        default: return sizeof(typename N::activation);
    }
}

}  // namespace redoubt::inline v1
