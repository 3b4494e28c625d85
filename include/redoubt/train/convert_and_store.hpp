// SPDX-License-Identifier: MIT
// From float weights to the words of a protected network of any number.
#pragma once

#include <redoubt/harden/scrub.hpp>
#include <redoubt/nn/convert.hpp>

#include <concepts>
#include <memory>

namespace redoubt::train::inline REDOUBT_ABI {

namespace impl {
template <class... W>
consteval bool any_recoding(pack<W...>) { return (requires { W::transform::recodes; } || ...); }
template <class... W>
consteval bool any_transform(pack<W...>) { return (requires { typename W::transform; } || ...); }
}  // namespace impl

/// convert() and store_for_transforms() in one, for weights that were trained plainly or exported as they are read: inverses are taken before words are rounded, so that a word of
/// eight or sixteen bits is rounded once. encode() is to follow. Cost: another copy of the parameters where To has short words under a transform.
template <network_type From, network_type To>
void convert_and_store(const parameters<From>& from, const calibration<From>& seen, parameters<To>& to) {
    using N = typename To::number_type;
    if constexpr (N::is_integer || std::same_as<typename N::weight, float> || !impl::any_transform(typename To::wrappers{}) || impl::any_recoding(typename To::wrappers{})) {
        convert<From, To>(from, seen, to);
        store_for_transforms<To>(to);
    } else {
        using wide = with_number<To, float32>;
        const auto words = std::make_unique<parameters<wide>>();
        convert<From, wide>(from, seen, *words);
        store_for_transforms<wide>(*words);
        convert<wide, To>(*words, calibration<wide>{}, to);
    }
}

}  // namespace redoubt::train::inline REDOUBT_ABI
