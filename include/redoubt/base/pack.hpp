// SPDX-License-Identifier: MIT
// Lists of types, and text as a template argument.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

namespace redoubt::inline v1 {

/// A list of types.
template <class... Ts>
struct pack {
    static constexpr int size = static_cast<int>(sizeof...(Ts));
};

/// A type as a value, so that a lambda can take it.
template <class T>
struct type_tag { using type = T; };

namespace detail {
template <std::size_t I, class T> struct indexed { using type = T; };
template <class Indices, class... Ts> struct index_map;
template <std::size_t... I, class... Ts>
struct index_map<std::index_sequence<I...>, Ts...> : indexed<I, Ts>... {};
template <std::size_t I, class T> indexed<I, T> pick(const indexed<I, T>*);

template <class Pack, int I> struct at;
template <class... Ts, int I>
struct at<pack<Ts...>, I> {
    using map = index_map<std::index_sequence_for<Ts...>, Ts...>;
    using type = typename decltype(pick<static_cast<std::size_t>(I)>(static_cast<const map*>(nullptr)))::type;
};

template <class... Packs> struct join { using type = pack<>; };
template <class... Ts> struct join<pack<Ts...>> { using type = pack<Ts...>; };
template <class... Ts, class... Us, class... Rest>
struct join<pack<Ts...>, pack<Us...>, Rest...> : join<pack<Ts..., Us...>, Rest...> {};
}  // namespace detail

/// The I-th type of a pack; flat, so that long packs stay cheap to compile.
template <class Pack, int I>
using type_at = typename detail::at<Pack, I>::type;

/// One pack after the other.
template <class... Packs>
using joined = typename detail::join<Packs...>::type;

/// Text that can be a template argument: named<"conv1", ...>.
template <std::size_t N>
struct fixed_string {
    char text[N]{};
    constexpr fixed_string(const char (&literal)[N]) {
        for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
    }
    constexpr std::string_view view() const { return {text, N - 1}; }
    constexpr bool operator==(const fixed_string&) const = default;
};

}  // namespace redoubt::inline v1
