// SPDX-License-Identifier: MIT
#include <redoubt/redoubt.hpp>

#include "support/catch.hpp"

#include <type_traits>

using namespace redoubt;

namespace {

template <class... Layers>
using net = network<image<4, 8, 8>, float32, Layers...>;
template <int Out>
using conv = conv2d<conv_spec{.out = Out, .pad = 1}>;

/// A kind of one's own.
template <class L> struct is_large { static constexpr bool value = false; };
template <conv_spec S> struct is_large<conv2d<S>> { static constexpr bool value = S.out > 4; };
template <class L> struct is_pool { static constexpr bool value = std::is_same_v<L, max_pool<2>>; };

/// Slots, units and names of the two are the same.
template <class A, class B>
constexpr bool same_sites() {
    if (A::table.slot_count != B::table.slot_count || A::table.unit_count != B::table.unit_count) return false;
    for (std::size_t s = 0; s < static_cast<std::size_t>(A::table.slot_count); ++s) {
        const slot &a = A::table.slots[s], &b = B::table.slots[s];
        if (a.name.view() != b.name.view() || a.norm_name.view() != b.norm_name.view() || a.unit != b.unit) return false;
        if (a.geometry.weights() != b.geometry.weights() || a.has_norm != b.has_norm) return false;
    }
    return true;
}

template <class Net>
constexpr bool keeps_sites() {
    return same_sites<Net, harden<Net, protect<is_conv, tmr>>>() && same_sites<Net, harden<Net, protect<is_weighted, dmr>>>() &&
           same_sites<Net, harden<Net, protect<is_weighted, crc>, protect<is_linear, range>>>();
}

}  // namespace

TEST_CASE("a rule wraps the layers of its kind", "[harden]") {
    using plain = net<conv<4>, relu, max_pool<2>, conv<8>, linear<3>>;
    STATIC_REQUIRE(std::is_same_v<harden<plain, protect<is_conv, range>>,
                                  net<range<conv<4>>, relu, max_pool<2>, range<conv<8>>, linear<3>>>);
    STATIC_REQUIRE(std::is_same_v<harden<plain, protect<is_linear, tmr>>,
                                  net<conv<4>, relu, max_pool<2>, conv<8>, tmr<linear<3>>>>);
    STATIC_REQUIRE(std::is_same_v<harden<plain, protect<is_weighted, dmr>>,
                                  net<dmr<conv<4>>, relu, max_pool<2>, dmr<conv<8>>, dmr<linear<3>>>>);
    STATIC_REQUIRE(std::is_same_v<harden<plain, protect<is_large, tmr>, protect<is_pool, dmr>>,
                                  net<conv<4>, relu, dmr<max_pool<2>>, tmr<conv<8>>, linear<3>>>);
    STATIC_REQUIRE(std::is_same_v<harden<plain>, plain>);
}

TEST_CASE("a rule for hidden layers leaves out the last by its place, not by its type", "[harden]") {
    STATIC_REQUIRE(std::is_same_v<harden<net<linear<8>, relu, linear<8>>, protect_hidden<range>>, net<range<linear<8>>, relu, linear<8>>>);
    STATIC_REQUIRE(std::is_same_v<harden<net<conv<4>, relu, linear<3>, softmax>, protect_hidden<range>>, net<range<conv<4>>, relu, linear<3>, softmax>>);
    STATIC_REQUIRE(std::is_same_v<harden<net<residual<conv<4>, relu, conv<4>>, relu, conv<4>, global_avg_pool>, protect<is_weighted, crc>, protect_hidden<range>>,
                                  net<residual<crc<range<conv<4>>>, relu, crc<range<conv<4>>>>, relu, crc<conv<4>>, global_avg_pool>>);
    STATIC_REQUIRE(std::is_same_v<harden<net<linear<3>>, protect_hidden<range>>, net<linear<3>>>);
}

TEST_CASE("a rule wraps a layer by its number or name", "[harden]") {
    using plain = net<conv<4>, relu, residual<conv<4>, relu, named<"deep", conv<4>>>, max_pool<2>, linear<3>>;
    STATIC_REQUIRE(std::is_same_v<harden<plain, protect_number<1, tmr>>,
                                  net<conv<4>, relu, residual<tmr<conv<4>>, relu, named<"deep", conv<4>>>, max_pool<2>, linear<3>>>);
    STATIC_REQUIRE(std::is_same_v<harden<plain, protect_number<3, tmr>>,
                                  net<conv<4>, relu, residual<conv<4>, relu, named<"deep", conv<4>>>, max_pool<2>, tmr<linear<3>>>>);
    STATIC_REQUIRE(std::is_same_v<harden<plain, protect_named<"2.deep", crc>, protect_number<2, dmr>>,
                                  net<conv<4>, relu, residual<conv<4>, relu, named<"deep", crc<dmr<conv<4>>>>>, max_pool<2>, linear<3>>>);
    STATIC_REQUIRE(std::is_same_v<harden<plain, protect_named<"4", crc>>,
                                  net<conv<4>, relu, residual<conv<4>, relu, named<"deep", conv<4>>>, max_pool<2>, crc<linear<3>>>>);
}

TEST_CASE("a plan says how many channels each layer duplicates", "[harden]") {
    static constexpr std::array<int, 3> plan{16, 0, 20};
    using plain = net<conv<40>, relu, conv<16>, conv<40>, linear<30>>;
    using planned = harden<plain, duplicate_counts<plan>>;
    STATIC_REQUIRE(std::is_same_v<planned, net<duplicate<16, conv<40>>, relu, conv<16>, duplicate<20, conv<40>>, linear<30>>>);
    STATIC_REQUIRE(planned::table.slots[0].folded == 16);
    STATIC_REQUIRE(planned::table.slots[1].folded == 0);
    STATIC_REQUIRE(planned::table.slots[2].folded == 32);
    // another rule reaches inside
    STATIC_REQUIRE(std::is_same_v<harden<planned, protect_number<2, crc>>,
                                  net<duplicate<16, conv<40>>, relu, conv<16>, duplicate<20, crc<conv<40>>>, linear<30>>>);
    using quarter = net<basic_saf<saturation::tanh, 1, 4, conv<4>>, basic_range<out_of_range::clamp, conv<4>>>;
    STATIC_REQUIRE(std::is_same_v<harden<quarter, protect<is_conv, crc>>,
                                  net<basic_saf<saturation::tanh, 1, 4, crc<conv<4>>>, basic_range<out_of_range::clamp, crc<conv<4>>>>>);
    STATIC_REQUIRE(std::is_same_v<harden<plain, duplicate_share<15>>, net<duplicate<6, conv<40>>, relu, duplicate<2, conv<16>>, duplicate<6, conv<40>>, linear<30>>>);
}

TEST_CASE("a rule reaches into every container", "[harden]") {
    using plain = net<named<"a", conv<4>>, residual<shortcut<conv<4>, batch_norm>, sequence<conv<4>, relu>, conv<4>>,
                      named<"b", conv<4>, tmr<conv<4>, relu>>>;
    STATIC_REQUIRE(std::is_same_v<
        harden<plain, protect<is_conv, range>>,
        net<named<"a", range<conv<4>>>,
            residual<shortcut<range<conv<4>>, batch_norm>, sequence<range<conv<4>>, relu>, range<conv<4>>>,
            named<"b", range<conv<4>>, tmr<range<conv<4>>, relu>>>>);
    STATIC_REQUIRE(std::is_same_v<without_protection<harden<plain, protect<is_conv, range>>>,
                                  net<named<"a", conv<4>>, residual<shortcut<conv<4>, batch_norm>, sequence<conv<4>, relu>, conv<4>>,
                                      named<"b", conv<4>, conv<4>, relu>>>);
}

TEST_CASE("later rules wrap inside earlier ones", "[harden]") {
    using plain = net<conv<4>, linear<3>>;
    STATIC_REQUIRE(std::is_same_v<harden<plain, protect<is_conv, tmr>, protect<is_weighted, crc>>,
                                  net<tmr<crc<conv<4>>>, crc<linear<3>>>>);
    STATIC_REQUIRE(std::is_same_v<harden<harden<plain, protect<is_conv, tmr>>, protect<is_weighted, crc>>,
                                  harden<plain, protect<is_conv, tmr>, protect<is_weighted, crc>>>);
}

TEST_CASE("rules keep names, slots and units of the zoo", "[harden]") {
    STATIC_REQUIRE(keeps_sites<model::lenet5<image<1, 28, 28>>>());
    STATIC_REQUIRE(keeps_sites<model::resnet8<image<3, 32, 32>>>());
    STATIC_REQUIRE(keeps_sites<model::resnet8<image<1, 20, 23>, float32, 100, model::shortcut_kind::projected>>());
    using twenty = model::resnet20<image<3, 32, 32>>;
    using voted = harden<twenty, protect<is_conv, tmr>>;
    STATIC_REQUIRE(same_sites<twenty, voted>());
    STATIC_REQUIRE(voted::table.step_count == twenty::table.step_count + 19 * 3);
    STATIC_REQUIRE(std::is_same_v<without_protection<voted>, twenty>);
}
