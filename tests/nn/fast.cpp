// SPDX-License-Identifier: MIT
// The option of a network to compute fast: close to the canonical answers, with its transformed weights and scratch planned.
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <cmath>

using namespace redoubt;

namespace {

using net = network<image<3, 20, 18>, float32, conv2d<conv_spec{.out = 64, .pad = 1}>, relu,
    residual<conv2d<conv_spec{.out = 64, .pad = 1}>, relu, conv2d<conv_spec{.out = 64, .pad = 1}>>, relu, max_pool<2>,
    conv2d<conv_spec{.out = 70}>, relu, global_avg_pool, linear<10>>;
using quick = fast_network<net>;

template <network_type Net>
using guarded = network<image<3, 20, 18>, typename Net::number_type, conv2d<conv_spec{.out = 64, .pad = 1}>, relu,
    residual<crc<conv2d<conv_spec{.out = 64, .pad = 1}>>, relu, tmr<range<conv2d<conv_spec{.out = 64, .pad = 1}>>>>, relu, max_pool<2>,
    conv2d<conv_spec{.out = 70}>, relu, global_avg_pool, linear<10>>;

template <network_type A, network_type B>
double distance(const answer<A>& a, const answer<B>& b) {
    double most = 0.0, apart = 0.0;
    for (std::size_t i = 0; i < a.logits.size(); ++i) {
        most = std::max(most, std::abs(static_cast<double>(a.logits[i])));
        apart = std::max(apart, std::abs(static_cast<double>(a.logits[i]) - static_cast<double>(b.logits[i])));
    }
    return apart / most;
}

}  // namespace

TEST_CASE("a fast network answers as the canonical one, but for rounding", "[nn]") {
    const auto plain = support::drawn_network<net>();
    const auto images = support::drawn_images<net>(4);
    const auto seen = support::seen_on<net>(*plain, images);
    const auto converted = std::make_unique<parameters<quick>>();
    convert<net, quick>(*plain, seen, *converted);
    double worst = 0.0;
    for (const auto& image : images)
        worst = std::max(worst, distance(support::answer_of<net>(*plain, image), support::answer_of<quick>(*converted, image)));
    CHECK(worst < 1e-4);
    CHECK(worst > 0.0);  // it did compute otherwise
}

TEST_CASE("weights and scratch of transformed layers are planned", "[nn]") {
    STATIC_REQUIRE(detail::transform_of<fast<float32>>(quick::table.slots[0]) == kernel::winograd::none);
    STATIC_REQUIRE(detail::transform_of<fast<float32>>(quick::table.slots[1]) == kernel::winograd::f4x4);
    STATIC_REQUIRE(detail::transform_of<fast<float32>>(quick::table.slots[3]) == kernel::winograd::f2x2);
    STATIC_REQUIRE(parameter_bytes<quick> > 2 * parameter_bytes<net>);
    STATIC_REQUIRE(workspace_plan_of<quick>.tile > 0);
    STATIC_REQUIRE(workspace_plan_of<net>.tile == 0);
}

TEST_CASE("protections hold in a fast network; stores keep plain weights", "[nn]") {
    using protected_net = guarded<quick>;
    STATIC_REQUIRE(detail::transform_of<fast<float32>>(protected_net::table.slots[1]) == kernel::winograd::none);
    STATIC_REQUIRE(detail::transform_of<fast<float32>>(protected_net::table.slots[2]) == kernel::winograd::f4x4);
    const auto plain = support::drawn_network<net>();
    const auto images = support::drawn_images<net>(3);
    const auto seen = support::seen_on<net>(*plain, images);
    const auto hard = std::make_unique<parameters<protected_net>>();
    convert<net, protected_net>(*plain, seen, *hard);
    set_bounds<protected_net, protected_net>(support::seen_on<protected_net>(*hard, images), *hard);
    encode<protected_net>(*hard);
    for (const auto& image : images) {
        const auto answer = support::answer_of<protected_net>(*hard, image);
        CHECK(answer.status.total() == fault_counters{});
        CHECK(distance(support::answer_of<net>(*plain, image), answer) < 1e-4);
    }
}
