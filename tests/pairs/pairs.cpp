// SPDX-License-Identifier: MIT
// Every ordered pair of protections around a convolution and a linear layer: it composes, with the bits of the inner one alone and no alarm, or it is
// refused by the diagnosis of what both want. Hybrid bounds are a rule and join as one. One program for each number.
#include <redoubt/redoubt.hpp>

#include "support/nets.hpp"

#include <cstdio>
#include <string_view>

using namespace redoubt;

namespace {

using N = PAIR_NUMBER;

using input = image<5, 6, 6>;
using conv = conv2d<conv_spec{.out = 20, .kernel = 3, .pad = 1}>;
using hidden = linear<18>;
/// The last layer's logits are compared with each other, so it is not held in a range; nor has it 16 channels.
using base = network<input, N, conv, relu, hidden, relu, linear<5>>;

/// A protection of the first two layers.
template <class L> struct is_hidden { static constexpr bool value = std::is_same_v<L, conv> || std::is_same_v<L, hidden>; };
template <template <class...> class P, fixed_string Name>
struct by_wrapper {
    using around_conv = P<conv>;
    template <class Net> using apply = harden<Net, protect<is_hidden, P>>;
    static constexpr auto name = Name;
};
/// The rule, whose wrappers are `range` and `range_neurons`.
struct by_hybrid_rule {
    using around_conv = conv;
    template <class Net> using apply = harden<Net, hybrid_range<>>;
    static constexpr fixed_string name{"hybrid_range"};
};
template <class... L> struct twice : duplicate<16, L...> {};
template <class... L> struct thrice : triplicate<16, L...> {};
/// Alone it is refused.
template <class... L> struct diverse_dmr : diverse<dmr<L...>> {};

using for_this_number = std::conditional_t<N::is_integer, pack<by_wrapper<zero_space, "zero_space">>, pack<by_wrapper<scale, "scale">>>;
using all = joined<pack<by_wrapper<redoubt::range, "range">, by_wrapper<range_neurons, "range_neurons">, by_hybrid_rule, by_wrapper<tmr_bounds, "tmr_bounds">,
                        by_wrapper<clip_weights, "clip_weights">, by_wrapper<saf, "saf">, by_wrapper<tmr_parameters, "tmr_parameters">, by_wrapper<crc, "crc">,
                        by_wrapper<secded, "secded">, by_wrapper<parity, "parity">, by_wrapper<abft, "abft">, by_wrapper<twice, "duplicate">,
                        by_wrapper<thrice, "triplicate">, by_wrapper<dmr, "dmr">, by_wrapper<tmr, "tmr">,
                        by_wrapper<scrubbed_secded, "scrubbed_secded">, by_wrapper<diverse_dmr, "diverse_dmr">>,
                   for_this_number>;

template <class Net> struct error_of;
template <class... Ls> struct error_of<network<input, N, Ls...>> { static constexpr mistake value = detail::built<input, Ls...>().error.what; };

int failures = 0, composed = 0, refused = 0;

/// Bounds of neurons and intervals of channels are those of these images; wider where a transform changes the weights of whoever is observed.
template <class Net>
std::unique_ptr<parameters<Net>> stored_parameters(const std::vector<std::vector<float>>& images, float margin) {
    using plain = without_protection<Net>;
    auto p = support::drawn_and_converted<Net>();
    const auto bare = support::drawn_and_converted<plain>();
    const auto space = std::make_unique<workspace<plain>>();
    const auto neurons = std::make_unique<neuron_ranges<plain>>();
    const auto channels = std::make_unique<channel_ranges<plain>>();
    for (const auto& pixels : images) {
        observe_neurons<plain>(*bare, pixels, *space, *neurons);
        observe_channels<plain>(*bare, pixels, *space, *channels);
    }
    set_neuron_bounds(*neurons, *p, margin);
    set_intervals<plain, Net>(*channels, *p, margin);
    store_for_transforms<Net>(*p);
    encode<Net>(*p);
    return p;
}

template <class Outer, class Inner>
void check_pair() {
    using a = typename Outer::around_conv;
    using b = typename Inner::around_conv;
    constexpr mistake expected = storing<a> && storing<b>             ? mistake::two_stores
                                 : transforming<a> && transforming<b> ? mistake::two_transforms
                                 : checking<a> && checking<b>         ? mistake::two_checkers
                                                                      : mistake::none;
    // later rules wrap inside earlier ones
    using net = typename Inner::template apply<typename Outer::template apply<base>>;
    constexpr mistake found = error_of<net>::value;
    const auto fail = [&](const char* what) {
        std::printf("%s<%s<...>>: %s\n", Outer::name.text, Inner::name.text, what);
        ++failures;
    };
    if (found != expected) return fail("not the diagnosis that was expected");
    if constexpr (found != mistake::none) {
        ++refused;
    } else {
        // what changes weights for good is the reference: of two protections at most one does
        constexpr bool by_outer = transforming<a>, changes = by_outer || transforming<b>;
        using reference = typename std::conditional_t<by_outer, Outer, Inner>::template apply<base>;
        const auto images = support::drawn_images<net>(4);
        const auto weights = stored_parameters<net>(images, changes ? 1.0f : 0.0f);
        const auto single = stored_parameters<reference>(images, changes ? 1.0f : 0.0f);
        // bounds are those of the weights that are read
        if constexpr (changes) set_bounds<reference, net>(support::seen_on<reference>(*single, images), *weights);
        for (const auto& pixels : images) {
            const auto got = support::answer_of<net>(*weights, pixels);
            if (support::words_of(got) != support::words_of(support::answer_of<reference>(*single, pixels))) return fail("other bits than one alone");
            if (!(got.status.total() == fault_counters{})) return fail("an alarm without a fault");
        }
        ++composed;
    }
}

template <class Outer, class... Inner>
void check_row(pack<Inner...>) { (check_pair<Outer, Inner>(), ...); }
template <class... Outer>
void check_all(pack<Outer...>) { (check_row<Outer>(pack<Outer...>{}), ...); }

}  // namespace

int main() {
    check_all(all{});
    std::printf("%.*s: %d pairs compose, %d are refused, %d fail\n", static_cast<int>(N::name.size()), N::name.data(), composed, refused, failures);
    return failures != 0 || composed + refused != all::size * all::size ? 1 : 0;
}
