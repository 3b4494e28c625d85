// SPDX-License-Identifier: MIT
#include <redoubt/redoubt.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <vector>

using namespace redoubt;

namespace {

/// When a value is alive, found from the table alone: from the step that first writes it to the last that looks at it.
struct life {
    int first = -1;
    int last = -1;
};

template <class Net>
std::vector<life> lives() {
    std::vector<life> all(static_cast<std::size_t>(Net::table.value_count));
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        std::vector<int> used{s.in, s.residual, s.out};
        used.insert(used.end(), s.voted.begin(), s.voted.end());
        used.insert(used.end(), s.parts.begin(), s.parts.end());
        for (int v : used) {
            if (v < 0) continue;
            life& l = all[static_cast<std::size_t>(v)];
            if (l.first < 0) l.first = i;
            l.last = i;
        }
    }
    all[static_cast<std::size_t>(Net::table.output)].last = Net::table.step_count;
    return all;
}

/// Bytes of a value, in whole cache lines; int8 kernels may read three bytes past the end.
template <class Net>
std::size_t bytes_of(int v) {
    using N = typename Net::number_type;
    const value& one = Net::table.values[static_cast<std::size_t>(v)];
    std::size_t word = sizeof(typename N::activation);
    if (one.words == word_kind::logit) word = sizeof(typename N::logit);
    if (one.words == word_kind::real) word = sizeof(float);
    const std::size_t bytes = word * static_cast<std::size_t>(one.extents.size()) + (N::is_integer ? 3 : 0);
    return (bytes + 63) / 64 * 64;
}

template <class Net>
void check_plan(const char* what) {
    CAPTURE(what);
    constexpr const auto& plan = workspace_plan_of<Net>;
    const auto alive = lives<Net>();
    std::size_t peak = 0;
    for (int i = 0; i < Net::table.step_count; ++i) {
        std::size_t sum = 0;
        for (std::size_t v = 0; v < alive.size(); ++v)
            if (alive[v].first <= i && i <= alive[v].last) sum += bytes_of<Net>(static_cast<int>(v));
        peak = std::max(peak, sum);
    }
    CHECK(workspace_bytes<Net> == peak + plan.tile);
    CHECK(sizeof(workspace<Net>) == workspace_bytes<Net>);
    CHECK(alignof(workspace<Net>) == 64);

    // the tile at the front: no value reaches into it, and none into another that is alive at the same time
    bool aligned = true, inside = true, apart = true;
    for (std::size_t a = 0; a < alive.size(); ++a) {
        const std::size_t begin = plan.offset[a], end = begin + bytes_of<Net>(static_cast<int>(a));
        aligned = aligned && begin % 64 == 0;
        inside = inside && begin >= plan.tile && end <= workspace_bytes<Net>;
        for (std::size_t b = 0; b < a; ++b) {
            const bool together = alive[a].first <= alive[b].last && alive[b].first <= alive[a].last;
            const std::size_t other = plan.offset[b], other_end = other + bytes_of<Net>(static_cast<int>(b));
            apart = apart && (!together || end <= other || other_end <= begin);
        }
    }
    CHECK(aligned);
    CHECK(inside);
    CHECK(apart);
}

/// A network as it is, and under the protections that change its plan.
template <class Net>
void check_hardened(const char* what) {
    check_plan<Net>(what);
    check_plan<with_number<Net, int8>>(what);
    check_plan<harden<Net, protect<is_weighted, tmr>>>(what);
    check_plan<harden<Net, protect<is_conv, dmr>, protect<is_weighted, range>>>(what);
    check_plan<harden<with_number<Net, int8>, protect<is_linear, tmr>, protect<is_weighted, crc>>>(what);
    check_plan<harden<with_number<Net, float16>, protect<is_weighted, tmr_parameters>>>(what);
}

using small = image<1, 28, 28>;
using colour = image<3, 32, 32>;
using odd = image<1, 20, 23>;

}  // namespace

TEST_CASE("a workspace is its live-set peak and one tile", "[nn]") {
    check_hardened<model::lenet5<small>>("lenet5");
    check_hardened<model::resnet8<colour>>("resnet8");
    check_hardened<model::resnet8<odd, float32, 100, model::shortcut_kind::projected>>("resnet8 projected");
    check_hardened<model::resnet20<colour>>("resnet20");
    check_hardened<model::resnet20<odd, float32, 100, model::shortcut_kind::projected>>("resnet20 projected");
    check_plan<network<image<3, 9, 9>, float32, tmr<conv2d<conv_spec{.out = 7}>, relu, max_pool<2>>,
                       residual<dmr<conv2d<conv_spec{.out = 7, .pad = 1}>>>, relu, tmr<tmr<linear<5>>>, softmax>>("nested");
    check_plan<network<image<2, 8, 8>, float32,
                       residual<shortcut<conv2d<conv_spec{.out = 6, .kernel = 1, .stride = 2}>>,
                                residual<conv2d<conv_spec{.out = 2, .pad = 1}>, relu, max_pool<1>>,
                                conv2d<conv_spec{.out = 6, .stride = 2, .pad = 1}>>, relu, linear<3>>>("branches");
    check_hardened<network<image<4, 8, 8>, float32, concat<branch<conv2d<conv_spec{.out = 6, .pad = 1}>, relu>, branch<>>,
                           concat<branch<max_pool<3, 1, 1>>, branch<conv2d<conv_spec{.out = 3, .kernel = 1}>>>, linear<3>>>("concat");
}

TEST_CASE("large networks under protection are planned within the compilers' limits", "[nn]") {
    using net = model::mobilenet_v2<image<3, 224, 224>>;
    check_plan<net>("mobilenet_v2");
    check_plan<with_number<net, int8>>("mobilenet_v2 int8");
    check_plan<model::resnet18<image<3, 224, 224>>>("resnet18");
    check_plan<harden<net, protect<is_conv, dmr>, protect<is_weighted, range>>>("mobilenet_v2 dmr and range");
    // 691 steps
    check_plan<harden<harden<net, protect<is_weighted, tmr>>, protect<is_weighted, tmr>>>("mobilenet_v2 tmr of tmr");
}

TEST_CASE("weights that are read in place need no tile, others one block", "[nn]") {
    using net = model::lenet5<small>;
    STATIC_REQUIRE(workspace_plan_of<net>.tile == 0);
    STATIC_REQUIRE(workspace_plan_of<with_number<net, int8>>.tile == 0);
    STATIC_REQUIRE(workspace_plan_of<harden<net, protect<is_weighted, tmr>, protect<is_weighted, range>>>.tile == 0);
    STATIC_REQUIRE(workspace_plan_of<harden<net, protect<is_linear, crc>>>.tile > 0);
    STATIC_REQUIRE(workspace_plan_of<with_number<net, stored<float32, fixed<2, 5>>>>.tile > 0);
    // a tile is a cache-sized part of the weights, not a copy of them: fc1's 400 x 120 weights are 192 kB
    STATIC_REQUIRE(workspace_plan_of<harden<net, protect<is_linear, crc>>>.tile < 70000);
    STATIC_REQUIRE(workspace_plan_of<with_number<net, stored<float32, fixed<2, 5>>>>.tile < 70000);
}

TEST_CASE("halves take half the bytes", "[nn]") {
    // rounded up to cache lines for each tensor
    using net = model::resnet20<colour>;
    using halves = with_number<net, float16>;
    constexpr int tensors = 3 * net::table.slot_count;
    STATIC_REQUIRE(parameter_bytes<halves> <= parameter_bytes<net> / 2 + 64 * tensors);
    STATIC_REQUIRE(workspace_bytes<halves> <= workspace_bytes<net> / 2 + 64 * 4);
    STATIC_REQUIRE(2 * workspace_bytes<halves> >= workspace_bytes<net>);
}
