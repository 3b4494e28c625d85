// SPDX-License-Identifier: MIT
#include <redoubt/redoubt.hpp>

#include "support/catch.hpp"

#include <string_view>

using namespace redoubt;
using kernel::activation;

namespace {

template <class... Layers>
using on_image = network<image<4, 6, 5>, float32, Layers...>;

template <int Out, int Kernel = 3>
using conv = conv2d<conv_spec{.out = Out, .kernel = Kernel, .pad = Kernel / 2}>;

template <class Net>
constexpr step at(int i) { return Net::table.steps[static_cast<std::size_t>(i)]; }

template <class Net>
constexpr std::string_view name_of_slot(int s) { return Net::table.slots[static_cast<std::size_t>(s)].name.view(); }

/// The kinds of all steps, in order.
template <class Net>
constexpr bool has_steps(std::initializer_list<op> kinds) {
    if (Net::table.step_count != static_cast<int>(kinds.size())) return false;
    int i = 0;
    for (op kind : kinds)
        if (at<Net>(i++).kind != kind) return false;
    return true;
}

/// The names of all slots, in order.
template <class Net>
constexpr bool has_names(std::initializer_list<std::string_view> names) {
    if (Net::table.slot_count != static_cast<int>(names.size())) return false;
    int i = 0;
    for (std::string_view name : names)
        if (name_of_slot<Net>(i++) != name) return false;
    return true;
}

/// Steps that compute a unit: its replicas.
template <class Net>
constexpr int count_of_unit(int unit) {
    int n = 0;
    for (int i = 0; i < Net::table.step_count; ++i)
        n += at<Net>(i).unit == unit && at<Net>(i).kind != op::vote && at<Net>(i).kind != op::compare ? 1 : 0;
    return n;
}

struct halve {
    static constexpr shape output(shape in) { return {in.channels, in.height / 2, in.width / 2}; }
    static void run(auto, auto, auto) {}
};

}  // namespace

TEST_CASE("norm, residual add and activation join their convolution", "[nn]") {
    using net = on_image<residual<conv<4>, batch_norm, relu, conv<4>, batch_norm>, clipped_relu<6>, linear<3>>;
    STATIC_REQUIRE(has_steps<net>({op::input, op::convolution, op::convolution, op::convolution}));
    STATIC_REQUIRE(at<net>(1).act == activation::relu);
    STATIC_REQUIRE(at<net>(1).has_norm);
    STATIC_REQUIRE(at<net>(1).residual == -1);
    STATIC_REQUIRE(at<net>(2).residual == at<net>(0).out);
    STATIC_REQUIRE(at<net>(2).act == activation::clipped_relu);
    STATIC_REQUIRE(at<net>(2).limit == 6);
    STATIC_REQUIRE(at<net>(2).has_norm);
    STATIC_REQUIRE_FALSE(at<net>(3).has_norm);
    STATIC_REQUIRE(at<net>(3).act == activation::none);
    STATIC_REQUIRE(at<net>(3).stores_logits);
    STATIC_REQUIRE_FALSE(at<net>(2).stores_logits);
    STATIC_REQUIRE(net::output.words == word_kind::logit);
    STATIC_REQUIRE(net::outputs == 3);
    STATIC_REQUIRE(has_names<net>({"0.0", "0.3", "2"}));
    STATIC_REQUIRE(net::table.slots[0].norm_name.view() == "0.1");
    STATIC_REQUIRE(net::table.slots[1].norm_name.view() == "0.4");
    STATIC_REQUIRE(net::table.slots[2].is_linear);
    STATIC_REQUIRE(net::table.slots[2].geometry.fan_in() == 4 * 6 * 5);
}

TEST_CASE("what finds nothing to join is a step of its own", "[nn]") {
    // an activation after a pool, and after an activation; an add whose last convolution is already activated
    using net = on_image<max_pool<2>, relu, conv<4>, relu, clipped_relu<2>, residual<conv<4>, relu>, relu>;
    STATIC_REQUIRE(has_steps<net>({op::input, op::max_pool, op::activate, op::convolution, op::activate,
                                   op::convolution, op::add}));
    STATIC_REQUIRE(at<net>(2).act == activation::relu);
    STATIC_REQUIRE(at<net>(4).act == activation::clipped_relu);
    STATIC_REQUIRE(at<net>(6).residual == at<net>(4).out);
    STATIC_REQUIRE(at<net>(6).in == at<net>(5).out);
    STATIC_REQUIRE(at<net>(6).act == activation::relu);
    // the answer is a stored activation: nothing is left of accumulators
    STATIC_REQUIRE(net::output.words == word_kind::activation);
    STATIC_REQUIRE(at<net>(1).geometry.out == shape{4, 3, 2});
    STATIC_REQUIRE(net::outputs == 4 * 3 * 2);

    // a residual within another: the inner sum is not the outer one's convolution to join
    using nested = on_image<residual<residual<conv<4>>>, relu>;
    STATIC_REQUIRE(has_steps<nested>({op::input, op::convolution, op::add}));
    STATIC_REQUIRE(at<nested>(1).residual == at<nested>(0).out);
    STATIC_REQUIRE(at<nested>(1).act == activation::none);
    STATIC_REQUIRE(at<nested>(2).act == activation::relu);

    // an add of layers without a convolution, and a branch that ends in a pool
    using pooled = on_image<residual<max_pool<1>>>;
    STATIC_REQUIRE(has_steps<pooled>({op::input, op::max_pool, op::add}));
}

TEST_CASE("extents are inferred", "[nn]") {
    using net = network<image<3, 11, 16>, int8, conv2d<conv_spec{.out = 5, .kernel = 3, .stride = 2}>, subsample<8, 3>,
                        halve, global_avg_pool, flatten, softmax>;
    STATIC_REQUIRE(has_steps<net>({op::input, op::convolution, op::subsample, op::custom, op::global_average, op::softmax}));
    STATIC_REQUIRE(at<net>(1).geometry.out == shape{5, 5, 7});
    STATIC_REQUIRE(at<net>(2).geometry.out == shape{8, 2, 3});
    STATIC_REQUIRE(at<net>(2).geometry.stride == hw{3});
    STATIC_REQUIRE(at<net>(3).geometry.out == shape{8, 1, 1});
    STATIC_REQUIRE(net::output.words == word_kind::real);
    // windows that leave the image are dropped
    using pool = on_image<max_pool<3, 2>>;
    STATIC_REQUIRE(at<pool>(1).geometry.out == shape{4, 2, 2});
    STATIC_REQUIRE(at<pool>(1).geometry.kernel.h == 3);
    STATIC_REQUIRE(at<pool>(1).geometry.stride == hw{2});
}

TEST_CASE("logits stay in accumulators up to the softmax", "[nn]") {
    using net = on_image<linear<3>, softmax>;
    STATIC_REQUIRE(at<net>(1).stores_logits);
    STATIC_REQUIRE(net::table.values[1].words == word_kind::logit);
    STATIC_REQUIRE(net::output.words == word_kind::real);
    using activated = on_image<linear<3>, relu>;
    STATIC_REQUIRE_FALSE(at<activated>(1).stores_logits);
}

TEST_CASE("parameters are named as in PyTorch", "[nn]") {
    // by position in the list; layers without parameters count too
    STATIC_REQUIRE(has_names<on_image<conv<4>, relu, conv<4>, flatten, linear<2>>>({"0", "2", "4"}));
    // sequence and protections take no place of their own
    STATIC_REQUIRE(has_names<on_image<sequence<conv<4>, relu>, tmr<conv<4>, relu>, crc<range<linear<2>>>>>(
        {"0", "2", "4"}));
    // a single named layer is called that, several are numbered within
    STATIC_REQUIRE(has_names<on_image<named<"a", conv<4>>, named<"b", conv<4>, relu, conv<4>>, linear<2>>>(
        {"a", "b.0", "b.2", "2"}));
    STATIC_REQUIRE(has_names<on_image<named<"a", named<"b", conv<4>>, named<"c", conv<4>>>>>({"a.b", "a.c"}));
    // protections do not change names, wherever they stand
    STATIC_REQUIRE(has_names<on_image<named<"a", tmr<conv<4>>>, crc<named<"b", dmr<conv<4>, relu, conv<4>>>>,
                                      range<linear<2>>>>({"a", "b.0", "b.2", "2"}));
    STATIC_REQUIRE(has_names<on_image<named<"a", sequence<conv<4>, conv<4>>>>>({"a.0", "a.1"}));
    // a residual has a place, its layers are numbered within; a shortcut's within itself
    using net = on_image<conv<4>, residual<shortcut<conv<4, 1>, batch_norm>, conv<4>, relu, conv<4>>, linear<2>>;
    STATIC_REQUIRE(has_names<net>({"0", "1.shortcut.0", "1.0", "1.2", "2"}));
    STATIC_REQUIRE(net::table.slots[1].norm_name.view() == "1.shortcut.1");
    STATIC_REQUIRE(has_names<on_image<residual<shortcut<conv<4, 1>>, conv<4>>>>({"0.shortcut.0", "0.0"}));
    STATIC_REQUIRE(has_names<on_image<named<"block", residual<named<"down", shortcut<conv<4, 1>>>, conv<4>>>>>(
        {"block.down.0", "block.0"}));
}

TEST_CASE("the zoo has the names and steps of its papers", "[nn]") {
    using lenet = model::lenet5<image<1, 28, 28>>;
    STATIC_REQUIRE(has_names<lenet>({"conv1", "conv2", "fc1", "fc2", "fc3"}));
    STATIC_REQUIRE(has_steps<lenet>({op::input, op::convolution, op::max_pool, op::convolution, op::max_pool,
                                     op::convolution, op::convolution, op::convolution}));
    using eight = model::resnet8<image<3, 32, 32>>;
    STATIC_REQUIRE(has_names<eight>({"conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "layer2.0.conv2",
                                     "layer3.0.conv1", "layer3.0.conv2", "linear"}));
    STATIC_REQUIRE(eight::table.slots[2].norm_name.view() == "layer1.0.bn2");
    STATIC_REQUIRE(has_steps<eight>({op::input, op::convolution, op::convolution, op::convolution, op::subsample,
                                     op::convolution, op::convolution, op::subsample, op::convolution, op::convolution,
                                     op::global_average, op::convolution}));
    using projected = model::resnet8<image<3, 32, 32>, float32, 10, model::shortcut_kind::projected>;
    STATIC_REQUIRE(has_names<projected>({"conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.shortcut.0",
                                         "layer2.0.conv1", "layer2.0.conv2", "layer3.0.shortcut.0", "layer3.0.conv1",
                                         "layer3.0.conv2", "linear"}));
    STATIC_REQUIRE(projected::table.slots[3].norm_name.view() == "layer2.0.shortcut.1");

    using twenty = model::resnet20<image<3, 32, 32>>;
    STATIC_REQUIRE(twenty::table.slot_count == 20);
    STATIC_REQUIRE(twenty::table.step_count == 1 + 19 + 2 + 2);
    STATIC_REQUIRE(name_of_slot<twenty>(18) == "layer3.2.conv2");
    // every convolution has its norm and its activation; every second one in a block its residual
    STATIC_REQUIRE([] {
        int residuals = 0;
        for (int i = 1; i < twenty::table.step_count - 1; ++i) {
            const step s = at<twenty>(i);
            if (s.kind != op::convolution) continue;
            if (!s.has_norm || s.act != activation::relu) return false;
            residuals += s.residual >= 0 ? 1 : 0;
        }
        return residuals == 9;
    }());
    STATIC_REQUIRE([] {
        std::size_t weights = 0;
        for (int s = 0; s < 20; ++s) weights += twenty::table.slots[static_cast<std::size_t>(s)].geometry.weights();
        return weights;
    }() == 432 + 6 * 2304 + 4608 + 5 * 9216 + 18432 + 5 * 36864 + 640);
    using hundred = model::resnet20<image<1, 20, 23>, int8, 100, model::shortcut_kind::projected>;
    STATIC_REQUIRE(hundred::outputs == 100);
    STATIC_REQUIRE(hundred::table.slot_count == 22);
    STATIC_REQUIRE(at<hundred>(hundred::table.step_count - 2).geometry.in == shape{64, 5, 6});
}

TEST_CASE("a wrapper over several layers expands to its replicas and a vote", "[nn]") {
    using net = on_image<conv<4>, tmr<conv<8>, relu, max_pool<2>>, linear<3>>;
    STATIC_REQUIRE(has_steps<net>({op::input, op::convolution, op::convolution, op::max_pool, op::convolution,
                                   op::max_pool, op::convolution, op::max_pool, op::vote, op::convolution}));
    STATIC_REQUIRE([] {
        for (int r = 0; r < 3; ++r) {
            const step one = at<net>(2 + 2 * r), two = at<net>(3 + 2 * r);
            if (one.replica != r || two.replica != r || one.depth != 1 || one.slot != 1 || one.leaf != 1) return false;
            if (one.unit != at<net>(2).unit || two.unit != at<net>(3).unit) return false;
            if (one.in != at<net>(1).out || two.in != one.out || one.act != activation::relu) return false;
            if (at<net>(8).voted[static_cast<std::size_t>(r)] != two.out) return false;
        }
        return true;
    }());
    STATIC_REQUIRE(at<net>(8).out == at<net>(3).out);
    STATIC_REQUIRE(at<net>(8).unit == at<net>(3).unit);
    STATIC_REQUIRE(at<net>(8).depth == 0);
    STATIC_REQUIRE(at<net>(9).in == at<net>(3).out);
    // slots and units are those of the unprotected network
    using bare = without_protection<net>;
    STATIC_REQUIRE(std::is_same_v<bare, on_image<conv<4>, conv<8>, relu, max_pool<2>, linear<3>>>);
    STATIC_REQUIRE(net::table.slot_count == bare::table.slot_count);
    STATIC_REQUIRE(net::table.unit_count == bare::table.unit_count);
    STATIC_REQUIRE(count_of_unit<net>(at<net>(2).unit) == 3);
}

TEST_CASE("two replicas are compared before their spare", "[nn]") {
    using net = on_image<dmr<conv<8>>, relu, linear<3>>;
    STATIC_REQUIRE(has_steps<net>({op::input, op::convolution, op::convolution, op::compare, op::convolution, op::vote,
                                   op::convolution}));
    STATIC_REQUIRE_FALSE(at<net>(1).only_if_different);
    STATIC_REQUIRE_FALSE(at<net>(3).only_if_different);
    STATIC_REQUIRE(at<net>(4).only_if_different);
    STATIC_REQUIRE(at<net>(4).comparison == 3);
    STATIC_REQUIRE(at<net>(5).comparison == 3);
    STATIC_REQUIRE_FALSE(at<net>(6).only_if_different);
    // what follows joins every replica, the spare too
    STATIC_REQUIRE(at<net>(1).act == activation::relu);
    STATIC_REQUIRE(at<net>(2).act == activation::relu);
    STATIC_REQUIRE(at<net>(4).act == activation::relu);
}

TEST_CASE("a residual add joins all replicas of its last convolution", "[nn]") {
    using net = on_image<residual<conv<4>, relu, tmr<conv<4>>>, relu, linear<3>>;
    STATIC_REQUIRE(has_steps<net>({op::input, op::convolution, op::convolution, op::convolution, op::convolution,
                                   op::vote, op::convolution}));
    STATIC_REQUIRE([] {
        for (int i = 2; i < 5; ++i)
            if (at<net>(i).residual != at<net>(0).out || at<net>(i).act != activation::relu) return false;
        return true;
    }());
    STATIC_REQUIRE(at<net>(1).residual == -1);
    // and a residual within replicas is each replica's own
    using inside = on_image<conv<4>, tmr<residual<conv<4>, relu, conv<4>>>, relu, linear<3>>;
    STATIC_REQUIRE(inside::table.step_count == 2 + 3 * 2 + 1 + 1);
    STATIC_REQUIRE([] {
        for (int r = 0; r < 3; ++r) {
            const step last = at<inside>(3 + 2 * r);
            if (last.residual != at<inside>(1).out || last.act != activation::relu || last.replica != r) return false;
        }
        return true;
    }());
    STATIC_REQUIRE(has_names<inside>({"0", "1.0", "1.2", "3"}));
}

TEST_CASE("protections nest", "[nn]") {
    using net = on_image<range<tmr<crc<conv<4>, relu>>>, tmr_parameters<range_clamp<conv<4>>>, relu, linear<3>>;
    STATIC_REQUIRE(has_steps<net>({op::input, op::convolution, op::convolution, op::convolution, op::vote,
                                   op::convolution, op::convolution}));
    // wrappers in reading order
    STATIC_REQUIRE(net::wrappers::size == 5);
    STATIC_REQUIRE(net::table.slots[static_cast<std::size_t>(at<net>(1).slot)].store == 2);
    STATIC_REQUIRE(net::table.slots[static_cast<std::size_t>(at<net>(3).slot)].store == 2);
    STATIC_REQUIRE(net::table.slots[0].store == 2);
    STATIC_REQUIRE(net::table.slots[1].store == 3);
    STATIC_REQUIRE(net::table.slots[2].store == -1);
    // a check around replicas sees the voted value, one within sees each replica
    STATIC_REQUIRE(at<net>(1).guards[0] == -1);
    STATIC_REQUIRE(at<net>(4).guards[0] == 0);
    STATIC_REQUIRE(at<net>(5).guards[0] == 4);
    STATIC_REQUIRE(at<net>(5).act == activation::relu);
    using within = on_image<tmr<range<range_clamp<conv<4>>>>, linear<3>>;
    STATIC_REQUIRE([] {
        for (int i = 1; i < 4; ++i)
            if (at<within>(i).guards[0] != 2 || at<within>(i).guards[1] != 1) return false;
        return at<within>(4).guards[0] == -1;
    }());

    using twice = on_image<tmr<tmr<linear<3>>>>;
    STATIC_REQUIRE(twice::table.step_count == 1 + 3 * 4 + 1);
    STATIC_REQUIRE([] {
        for (int i = 1; i < twice::table.step_count; ++i) {
            const step s = at<twice>(i);
            if (s.kind == op::convolution && (!s.stores_logits || s.depth != 2)) return false;
            if (s.kind == op::vote && s.depth != (i == 13 ? 0 : 1)) return false;
            if (twice::table.values[static_cast<std::size_t>(s.out)].words != word_kind::logit) return false;
        }
        return at<twice>(1).replica == 0 && at<twice>(3).replica == 2 && at<twice>(5).replica == 3;
    }());
    // the limit of what may be nested, and what joins reaches every replica
    using thrice = on_image<tmr<tmr<tmr<conv<4>>>>, relu, linear<3>>;
    STATIC_REQUIRE([] {
        int activated = 0;
        for (int i = 0; i < thrice::table.step_count; ++i)
            activated += at<thrice>(i).act == activation::relu ? 1 : 0;
        return activated;
    }() == 27);
}

TEST_CASE("activations with numbers keep them in the table", "[nn]") {
    using net = on_image<conv<4>, leaky_relu<3, 10>, conv<4>, clip<-2, 5>, hard_swish, linear<3>, leaky_relu<>>;
    STATIC_REQUIRE(has_steps<net>({op::input, op::convolution, op::convolution, op::activate, op::convolution}));
    STATIC_REQUIRE(at<net>(1).act == activation::leaky_relu);
    STATIC_REQUIRE(at<net>(1).slope == kernel::fraction{3, 10});
    STATIC_REQUIRE(at<net>(2).act == activation::clip);
    STATIC_REQUIRE(at<net>(2).lower == -2);
    STATIC_REQUIRE(at<net>(2).limit == 5);
    STATIC_REQUIRE(at<net>(3).act == activation::hard_swish);
    STATIC_REQUIRE_FALSE(at<net>(4).stores_logits);
    STATIC_REQUIRE(at<net>(4).slope == kernel::fraction{1, 100});
}

TEST_CASE("a padded max pool has as many windows as a convolution of its extents", "[nn]") {
    using net = network<image<3, 112, 111>, float32, max_pool<3, 2, 1>, linear<3>>;
    STATIC_REQUIRE(at<net>(1).geometry.out == shape{3, 56, 56});
    STATIC_REQUIRE(at<net>(1).geometry.pad == hw{1});
}

TEST_CASE("each mistake is found where it is", "[nn]") {
    // table_builder keeps the mistake as data; tests/reject sees that it stops the compiler
    constexpr auto mistake_of = []<class Input, class... Layers>(type_tag<Input>, pack<Layers...>) {
        return redoubt::v1::detail::built<Input, Layers...>().error;
    };
    using input = image<4, 6, 5>;
    constexpr auto check = [mistake_of]<class... Layers>(pack<Layers...> layers) { return mistake_of(type_tag<input>{}, layers); };
    STATIC_REQUIRE(check(pack<conv<4>, relu>{}).what == mistake::none);
    STATIC_REQUIRE(mistake_of(type_tag<image<0, 1, 1>>{}, pack<relu>{}).what == mistake::empty_input);
    constexpr found_mistake large = check(pack<conv<4>, tmr<relu, conv2d<conv_spec{.out = 2, .kernel = 9, .pad = 1}>>>{});
    STATIC_REQUIRE(large.what == mistake::kernel_exceeds_input);
    STATIC_REQUIRE(large.leaf == 2);
    STATIC_REQUIRE(large.came == shape{4, 6, 5});
    STATIC_REQUIRE(large.needed == shape{4, 7, 7});
    constexpr found_mistake pool = check(pack<max_pool<6>>{});
    STATIC_REQUIRE(pool.what == mistake::kernel_exceeds_input);
    STATIC_REQUIRE(pool.needed == shape{4, 6, 6});
    constexpr found_mistake sides = check(pack<conv<4>, residual<relu, conv<8>>, linear<2>>{});
    STATIC_REQUIRE(sides.what == mistake::branches_differ);
    STATIC_REQUIRE(sides.leaf == 2);
    STATIC_REQUIRE(sides.came == shape{8, 6, 5});
    STATIC_REQUIRE(sides.needed == shape{4, 6, 5});
    STATIC_REQUIRE(check(pack<max_pool<2>, batch_norm>{}).what == mistake::norm_without_convolution);
    STATIC_REQUIRE(check(pack<conv<4>, relu, batch_norm>{}).leaf == 2);
    STATIC_REQUIRE(check(pack<conv<4>, batch_norm, batch_norm>{}).what == mistake::norm_without_convolution);
    STATIC_REQUIRE(check(pack<residual<conv<4>>, batch_norm>{}).what == mistake::norm_without_convolution);
    STATIC_REQUIRE(check(pack<batch_norm>{}).what == mistake::norm_without_convolution);
    constexpr found_mistake early = check(pack<conv<4>, softmax, relu>{});
    STATIC_REQUIRE(early.what == mistake::softmax_not_last);
    STATIC_REQUIRE(early.leaf == 1);
    STATIC_REQUIRE(check(pack<residual<softmax>>{}).what == mistake::softmax_not_last);
    STATIC_REQUIRE(check(pack<shortcut<relu>>{}).what == mistake::shortcut_outside_residual);
    STATIC_REQUIRE(check(pack<residual<relu, shortcut<relu>>>{}).what == mistake::shortcut_outside_residual);
    constexpr found_mistake stores = check(pack<relu, crc<relu, tmr_parameters<linear<2>>>>{});
    STATIC_REQUIRE(stores.what == mistake::two_stores);
    STATIC_REQUIRE(stores.leaf == 2);
    STATIC_REQUIRE(check(pack<range<range<range<range<range<relu>>>>>>{}).what == mistake::too_many_guards);
    STATIC_REQUIRE(check(pack<range<range<range<range<relu>>>>>{}).what == mistake::none);
    STATIC_REQUIRE(check(pack<tmr<tmr<tmr<tmr<relu>>>>>{}).what == mistake::too_many_replicas);
    STATIC_REQUIRE(check(pack<subsample<3, 1>>{}).what == mistake::subsample_shrinks_channels);
    STATIC_REQUIRE(check(pack<int>{}).what == mistake::not_a_layer);
    STATIC_REQUIRE(check(pack<linear<0>>{}).what == mistake::bad_spec);
    STATIC_REQUIRE(check(pack<conv2d<conv_spec{.out = 1, .kernel = 2, .pad = 2}>>{}).what == mistake::bad_spec);
    STATIC_REQUIRE(check(pack<clipped_relu<0>>{}).what == mistake::bad_spec);
    STATIC_REQUIRE(check(pack<clip<2, 2>>{}).what == mistake::bad_spec);
    STATIC_REQUIRE(check(pack<leaky_relu<0, 5>>{}).what == mistake::bad_spec);
    STATIC_REQUIRE(check(pack<leaky_relu<6, 5>>{}).what == mistake::bad_spec);
    STATIC_REQUIRE(check(pack<max_pool<2, 0>>{}).what == mistake::bad_spec);
    STATIC_REQUIRE(check(pack<max_pool<2, 1, 2>>{}).what == mistake::bad_spec);
    STATIC_REQUIRE(check(pack<max_pool<3, 1, -1>>{}).what == mistake::bad_spec);
    STATIC_REQUIRE(check(pack<max_pool<9, 1, 1>>{}).needed == shape{4, 7, 7});
}
