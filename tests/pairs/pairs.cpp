// SPDX-License-Identifier: MIT
// Every ordered pair of protections around a convolution and a linear layer: it composes, with the bits of the inner one alone and no alarm, or it is
// refused by the diagnosis of what both want. One program for each number.
#include <redoubt/redoubt.hpp>

#include "support/nets.hpp"

#include <cstdio>
#include <string_view>

using namespace redoubt;

namespace {

using N = PAIR_NUMBER;

template <class... L> struct twice : duplicate_minimum<16, L...> {};
template <class... L> struct thrice : triplicate<16, L...> {};
template <template <class...> class P, fixed_string Name>
struct named_protection {
    template <class... L> using of = P<L...>;
    static constexpr auto name = Name;
};

using all = std::conditional_t<
    N::is_integer,
    pack<named_protection<redoubt::range, "range">, named_protection<range_neurons, "range_neurons">, named_protection<tmr_bounds, "tmr_bounds">,
         named_protection<clip_weights, "clip_weights">, named_protection<saf, "saf">,
         named_protection<zero_space, "zero_space">, named_protection<tmr_parameters, "tmr_parameters">, named_protection<crc, "crc">,
         named_protection<secded, "secded">, named_protection<parity, "parity">, named_protection<abft, "abft">, named_protection<twice, "duplicate">,
         named_protection<thrice, "triplicate">,
         named_protection<dmr, "dmr">, named_protection<tmr, "tmr">>,
    pack<named_protection<redoubt::range, "range">, named_protection<range_neurons, "range_neurons">, named_protection<tmr_bounds, "tmr_bounds">,
         named_protection<clip_weights, "clip_weights">, named_protection<saf, "saf">,
         named_protection<scale, "scale">, named_protection<tmr_parameters, "tmr_parameters">, named_protection<crc, "crc">,
         named_protection<secded, "secded">, named_protection<parity, "parity">, named_protection<abft, "abft">, named_protection<twice, "duplicate">,
         named_protection<thrice, "triplicate">,
         named_protection<dmr, "dmr">, named_protection<tmr, "tmr">>>;

using input = image<5, 6, 6>;
using conv = conv2d<conv_spec{.out = 20, .kernel = 3, .pad = 1}>;
/// The last layer's logits are compared with each other, so it is not held in a range; nor has it 16 channels.
template <template <class...> class P>
using layers = pack<P<conv>, relu, P<linear<18>>, relu, linear<5>>;
template <class Pack> struct net_of;
template <class... Ls> struct net_of<pack<Ls...>> { using type = network<input, N, Ls...>; };
template <class Pack> struct error_of;
template <class... Ls> struct error_of<pack<Ls...>> { static constexpr mistake value = detail::built<input, Ls...>().error.what; };

template <class Outer, class Inner>
struct pair {
    template <class... L> using of = typename Outer::template of<typename Inner::template of<L...>>;
};

int failures = 0, composed = 0, refused = 0;

template <class Net>
std::unique_ptr<parameters<Net>> stored_parameters() {
    auto p = support::drawn_and_converted<Net>();
    store_for_transforms<Net>(*p);
    encode<Net>(*p);
    return p;
}

template <class Outer, class Inner>
void check_pair() {
    using a = typename Outer::template of<conv>;
    using b = typename Inner::template of<conv>;
    constexpr mistake expected = storing<a> && storing<b>             ? mistake::two_stores
                                 : transforming<a> && transforming<b> ? mistake::two_transforms
                                 : checking<a> && checking<b>         ? mistake::two_checkers
                                                                      : mistake::none;
    using both = layers<pair<Outer, Inner>::template of>;
    constexpr mistake found = error_of<both>::value;
    const auto fail = [&](const char* what) {
        std::printf("%s<%s<...>>: %s\n", Outer::name.text, Inner::name.text, what);
        ++failures;
    };
    if (found != expected) return fail("not the diagnosis that was expected");
    if constexpr (found != mistake::none) {
        ++refused;
    } else {
        ++composed;
        using net = typename net_of<both>::type;
        // what changes weights for good is the reference: of two protections at most one does
        constexpr bool by_outer = transforming<a>;
        using reference = std::conditional_t<by_outer, typename net_of<layers<Outer::template of>>::type, typename net_of<layers<Inner::template of>>::type>;
        const auto weights = stored_parameters<net>();
        const auto single = stored_parameters<reference>();
        // bounds are those of the weights that are read
        if constexpr (by_outer || transforming<b>)
            set_bounds<reference, net>(support::seen_on<reference>(*single, support::drawn_images<net>(4)), *weights);
        for (const auto& pixels : support::drawn_images<net>(2, 1)) {
            const auto got = support::answer_of<net>(*weights, pixels);
            if (support::words_of(got) != support::words_of(support::answer_of<reference>(*single, pixels))) return fail("other bits than one alone");
            if (!(got.status.total() == fault_counters{})) return fail("an alarm without a fault");
        }
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
