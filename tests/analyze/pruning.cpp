// SPDX-License-Identifier: MIT
// Pruned networks: the type, its parameters, what a budget takes away, files and headers. The oracle is the whole network with the removed channels set to zero.
#include "analyze/oracle.hpp"

#include <redoubt/analyze/pruning_file.hpp>
#include <redoubt/analyze/weight_scores.hpp>
#include <redoubt/io/channel_selection.hpp>
#include <redoubt/model/mobilenet.hpp>
#include <redoubt/model/resnet_cifar.hpp>

#include "support/catch.hpp"
#include "support/changed_file.hpp"
#include "support/checkpoint_of.hpp"
#include "support/complaint.hpp"
#include "support/temp_folder.hpp"

#include <limits>
#include <string>

using namespace analyze_tests;

namespace {

/// Stages tied by an addition, a depthwise layer, a convolution in groups, a hidden linear layer over pixels, an answer of six.
using net = network<image<3, 6, 6>, float32, conv2d<conv_spec{.out = 20, .kernel = 1}>, relu, residual<conv2d<conv_spec{.out = 24, .kernel = 3, .pad = 1}>, relu,
                    conv2d<conv_spec{.out = 20, .kernel = 3, .pad = 1}>>, relu, conv2d<conv_spec{.out = 20, .kernel = 3, .pad = 1, .groups = 20}>, leaky_relu<>,
                    conv2d<conv_spec{.out = 36, .kernel = 3, .stride = 2, .pad = 1}>, hard_swish, max_pool<2, 1>, linear<17>, relu, linear<6>>;

/// One whose middle convolution, in two groups, keeps what it reads and makes.
using in_groups = network<image<3, 6, 6>, float32, conv2d<conv_spec{.out = 8, .kernel = 1}>, relu, conv2d<conv_spec{.out = 8, .kernel = 3, .pad = 1, .groups = 2}>, relu,
                          conv2d<conv_spec{.out = 10, .kernel = 3, .pad = 1}>, relu, global_avg_pool, linear<3>>;
constexpr std::array<int, 4> in_groups_kept{8, 8, 6, 3};

/// One whose activation makes 1 of 0.
using lifting = network<image<1, 6, 6>, float32, conv2d<conv_spec{.out = 8, .kernel = 3}>, clip<1, 6>, global_avg_pool, linear<3>>;

// 0.4 of each, rounded down, gone; the answer stays
constexpr std::array<int, 7> forty{12, 15, 12, 12, 22, 11, 6};
// 8 at a time
constexpr std::array<int, 7> eights{16, 16, 16, 16, 24, 16, 6};

analyze::pruning_plan plan_for(const parameters<net>& weights, const analyze::pruning_budget& budget) {
    const auto plan = analyze::plan_pruning<net>(analyze::filter_norms<net>(weights), budget);
    INFO(support::complaint(plan));
    REQUIRE(plan);
    return *plan;
}

template <class Small>
void check_as_masked(const parameters<net>& weights, const analyze::pruning_plan& plan) {
    const auto zeroed = analyze::masked<net>(weights, plan);
    INFO(support::complaint(zeroed));
    REQUIRE(zeroed);
    const auto small = analyze::pruned_parameters<net, Small>(weights, plan);
    INFO(support::complaint(small));
    REQUIRE(small);
    for (const auto& image : support::drawn_images<net>(6, 4)) {
        const auto got = support::words_of(support::answer_of<Small>(**small, image));
        CHECK(got == support::words_of(support::answer_of<net>(**zeroed, image)));
        CHECK(got != support::words_of(support::answer_of<net>(weights, image)));
    }
}

template <class Small>
std::pair<std::uint64_t, std::uint64_t> size_of() {
    std::uint64_t all = 0, words = 0;
    for (int s = 0; s < Small::table.slot_count; ++s) {
        const auto& g = Small::table.slots[static_cast<std::size_t>(s)].geometry;
        all += static_cast<std::uint64_t>(g.nominal_macs());
        words += g.weights();
    }
    return {all, words};
}

}  // namespace

TEST_CASE("a pruned network answers as the whole one whose channels are zero") {
    const auto weights = support::drawn_network<net>(3);
    for (int s = 0; s < net::table.slot_count; ++s)
        for (auto& b : weights->biases(s)) b += 0.125f;
    const auto plan = plan_for(*weights, {.ratio = 0.4});
    CHECK(std::equal(plan.channels.begin(), plan.channels.end(), forty.begin(), forty.end()));
    check_as_masked<pruned<net, forty>>(*weights, plan);
    const auto blocks = plan_for(*weights, {.ratio = 0.4, .block = 8});
    CHECK(std::equal(blocks.channels.begin(), blocks.channels.end(), eights.begin(), eights.end()));
    check_as_masked<pruned<net, eights>>(*weights, blocks);
    CHECK(std::pair{plan.left, plan.words_left} == size_of<pruned<net, forty>>());
    CHECK(std::pair{blocks.left, blocks.words_left} == size_of<pruned<net, eights>>());
    CHECK(std::pair{plan.multiply_adds, plan.words} == size_of<net>());
}

TEST_CASE("a convolution in groups keeps what it reads and makes") {
    const auto weights = support::drawn_network<in_groups>(3);
    const auto plan = analyze::plan_pruning<in_groups>(analyze::filter_norms<in_groups>(*weights), {.ratio = 0.4});
    INFO(support::complaint(plan));
    REQUIRE(plan);
    CHECK(std::equal(plan->channels.begin(), plan->channels.end(), in_groups_kept.begin(), in_groups_kept.end()));
    const auto zeroed = analyze::masked<in_groups>(*weights, *plan);
    const auto small = analyze::pruned_parameters<in_groups, pruned<in_groups, in_groups_kept>>(*weights, *plan);
    REQUIRE((zeroed && small));
    for (const auto& image : support::drawn_images<in_groups>(4, 4))
        CHECK(support::words_of(support::answer_of<in_groups>(**zeroed, image)) == support::words_of(support::answer_of<pruned<in_groups, in_groups_kept>>(**small, image)));
}

TEST_CASE("where an activation makes something of 0, zeros do not stand for what is gone") {
    const auto weights = support::drawn_network<lifting>(3);
    const auto plan = analyze::plan_pruning<lifting>(analyze::filter_norms<lifting>(*weights), {.ratio = 0.25});
    REQUIRE(plan);
    CHECK(support::complaint(analyze::masked<lifting>(*weights, *plan)).find("makes something else of 0") != std::string::npos);
    CHECK_FALSE(keeps_zeros<lifting>);
    CHECK(keeps_zeros<net>);
}

TEST_CASE("a depthwise layer of one channel is no other convolution") {
    constexpr std::array<int, 7> one{1, 15, 1, 1, 22, 11, 6};
    const auto weights = support::drawn_network<net>(3);
    const auto plan = plan_for(*weights, {.ratios = {0.99, 0.4, 0.99, 0.99, 0.4, 0.4, 0.0}});
    REQUIRE(std::equal(plan.channels.begin(), plan.channels.end(), one.begin(), one.end()));
    check_as_masked<pruned<net, one>>(*weights, plan);
}

TEST_CASE("the channels of the smallest contributions go, tied ones together") {
    const auto weights = support::drawn_network<net>(3);
    const auto norms = analyze::filter_norms<net>(*weights);
    const auto plan = plan_for(*weights, {.ratio = 0.4});
    const auto& groups = channel_groups_of<net>;
    const int tied = groups.of_slot(0);
    CHECK(groups.of_slot(2) == tied);
    CHECK(groups.of_slot(3) == tied);
    std::vector<double> sums(20);
    for (const std::size_t s : {0u, 2u, 3u})
        for (std::size_t c = 0; c < 20; ++c) sums[c] += norms.layers[s].channels[c];
    const auto& kept = plan.kept[static_cast<std::size_t>(tied)];
    double least = 1e300, most = 0.0;
    for (std::size_t c = 0; c < 20; ++c) {
        const bool stays = std::ranges::find(kept, c) != kept.end();
        if (stays) least = std::min(least, sums[c]);
        else most = std::max(most, sums[c]);
    }
    CHECK(least >= most);
    CHECK(plan.lost[6] == 0.0);
    CHECK((plan.lost[1] > 0.0 && plan.lost[1] < 0.4));
}

TEST_CASE("shares by layer, of multiply-adds, and none at all") {
    const auto weights = support::drawn_network<net>(3);
    const auto some = plan_for(*weights, {.ratios = {0.5, 0.25, 0.1, 0.9, 0.0, 0.5, 0.9}});
    CHECK(some.channels == std::vector<int>{18, 18, 18, 18, 36, 9, 6});
    const auto none = plan_for(*weights, {.ratio = 0.0});
    CHECK(none.left == none.multiply_adds);
    CHECK(none.lost == std::vector<double>(7));
    std::uint64_t before = none.left;
    for (const double share : {0.05, 0.2, 0.5, 0.8}) {
        const auto plan = plan_for(*weights, {.removed = share});
        CHECK(static_cast<double>(plan.multiply_adds - plan.left) >= share * static_cast<double>(plan.multiply_adds));
        CHECK(plan.left < before);
        before = plan.left;
        for (const int c : plan.channels) CHECK(c >= 1);
    }
    for (const int c : plan_for(*weights, {.removed = 0.3, .block = 8}).channels) CHECK((c % 8 == 0 || c == 6 || c == 20 || c == 36 || c == 17));
}

TEST_CASE("rounds rank what is left anew and take away what one round does where scores stay") {
    const auto weights = support::drawn_network<net>(3);
    int asked = 0;
    const auto same = analyze::prune_in_rounds<net>(*weights, 4, {.ratio = 0.4}, [&](const parameters<net>&) {
        ++asked;
        return result<analyze::ranking>{analyze::filter_norms<net>(*weights)};
    });
    INFO(support::complaint(same));
    REQUIRE(same);
    CHECK(asked == 4);
    CHECK(same->kept == plan_for(*weights, {.ratio = 0.4}).kept);
    const auto again = analyze::prune_in_rounds<net>(*weights, 3, {.ratio = 0.4}, [](const parameters<net>& now) { return result<analyze::ranking>{analyze::salience<net>(now)}; });
    REQUIRE(again);
    CHECK(again->channels == std::vector<int>(forty.begin(), forty.end()));
    // what is gone stays away, though what is left says nothing of some
    int round = 0;
    std::vector<std::vector<std::uint16_t>> before;
    const auto silent = analyze::prune_in_rounds<net>(*weights, 2, {.ratio = 0.4}, [&](const parameters<net>& now) {
        auto scores = analyze::filter_norms<net>(now);
        if (round++ == 0) {
            before = analyze::plan_pruning<net>(scores, {.ratio = 0.2})->kept;
        } else {
            for (auto& layer : scores.layers) std::ranges::fill(layer.channels, 0.0);
            scores.layers[6].channels[0] = 1.0;
        }
        return result<analyze::ranking>{scores};
    });
    REQUIRE(silent);
    for (std::size_t g = 0; g < before.size(); ++g) CHECK(std::ranges::includes(before[g], silent->kept[g]));
    CHECK(silent->lost[1] > 0.1);
    CHECK(support::complaint(analyze::prune_in_rounds<net>(*weights, 2, {.ratio = 0.4}, [](const parameters<net>&) { return result<analyze::ranking>{error{"no images"}}; })) == "no images");
    CHECK_FALSE(analyze::prune_in_rounds<net>(*weights, 0, {}, [](const parameters<net>& now) { return result<analyze::ranking>{analyze::salience<net>(now)}; }));
}

TEST_CASE("plans that do not fit and budgets that empty a layer are refused") {
    auto weights = support::drawn_network<net>(3);
    auto norms = analyze::filter_norms<net>(*weights);
    const auto complaint = [&](const analyze::pruning_budget& b) { return support::complaint(analyze::plan_pruning<net>(norms, b)); };
    CHECK(complaint({.ratio = 1.0}).find("would leave none of them") != std::string::npos);
    CHECK(complaint({.ratio = -0.1}).find("at least 0") != std::string::npos);
    CHECK(complaint({.ratio = std::numeric_limits<double>::quiet_NaN()}).find("at least 0") != std::string::npos);
    CHECK(complaint({.ratios = {0.1}}).find("there are 1 shares") != std::string::npos);
    CHECK(complaint({.removed = 1.0}).find("below 1") != std::string::npos);
    CHECK(complaint({.removed = 0.999999}).find("can be removed") != std::string::npos);
    CHECK(complaint({.block = 0}).find("not of 0") != std::string::npos);
    CHECK(plan_for(*weights, {.ratio = 0.99999999999}).channels == std::vector<int>{1, 1, 1, 1, 1, 1, 6});
    auto huge = norms;
    huge.per_fault = true;
    for (double& score : huge.layers[1].channels) score = 1e308;
    CHECK(support::complaint(analyze::plan_pruning<net>(huge)).find("too large") != std::string::npos);
    const auto plan = plan_for(*weights, {});
    CHECK(support::complaint(analyze::pruned_parameters<net, net>(*weights, plan)).find("the type has 20") != std::string::npos);
    using other = train_tests::plain;
    CHECK(support::complaint(analyze::masked<other>(*support::drawn_network<other>(1), plan)).find("the plan cannot be used: it is of another network") != std::string::npos);
    CHECK(support::complaint(analyze::plan_pruning<other>(norms)).find("the ranking cannot be used") != std::string::npos);
    weights->weight_at(1, 0, 0, 0, 0) += 1.0f;
    CHECK(support::complaint(analyze::masked<net>(*weights, plan)).find("with other weights") != std::string::npos);
    norms.layers[4].channels[7] = std::numeric_limits<double>::quiet_NaN();
    CHECK(complaint({}).find("number 7 is NaN") != std::string::npos);
}

TEST_CASE("plans of pruning come back from their files, and bad files are refused with the reason") {
    const support::temp_folder folder;
    const auto plan = plan_for(*support::drawn_network<net>(3), {});
    const std::string path = folder.file("plan.json");
    REQUIRE(analyze::write_plan(path, plan));
    const auto back = analyze::read_pruning_plan(path);
    INFO(support::complaint(back));
    REQUIRE(back);
    CHECK(*back == plan);
    const std::string text = *analyze::plan_text(plan);
    const auto with = [&](std::string_view what, std::string_view instead) { return support::complaint_of_changed(path, text, what, instead, analyze::read_pruning_plan); };
    CHECK(with("\"pruning\"", "\"hardening\"").find("kind: is hardening") != std::string::npos);
    CHECK(with("\"schema\": 1", "\"schema\": 9").find("schema: is 9") != std::string::npos);
    CHECK(with("\"channels\": [\n  14", "\"channels\": [\n  0").find("channels") != std::string::npos);
    CHECK(with("\"channels\": [\n  14", "\"channels\": [\n  21").find("21 of 20 channels") != std::string::npos);
    CHECK(with("\"kept\"", "\"cept\"").find("kept: is missing") != std::string::npos);
    CHECK(with("\"lost\"", "\"lust\"").find("lost: is missing") != std::string::npos);
    CHECK(with("\"channels\": [\n  14", "\"channels\": [\n  14.5").find("channels[0]") != std::string::npos);
    CHECK(with("\"lost\": [", "\"lost\": [0.5,").find("says what 8 layers lost") != std::string::npos);
    // whole in itself, but of no such network
    auto wrong = plan;
    wrong.kept[0].back() = 999;
    CHECK(support::complaint(analyze::masked<net>(*support::drawn_network<net>(3), wrong)).find("keeps channel 999 of group 0, which has 20") != std::string::npos);
    wrong.kept[0] = {1, 1};
    CHECK(support::complaint(analyze::plan_text(wrong)).find("not in rising order") != std::string::npos);
    wrong = plan;
    wrong.kept[0].pop_back();
    CHECK(support::complaint(analyze::masked<net>(*support::drawn_network<net>(3), wrong)).find("the plan leaves 14 channels of 0, its group 13") != std::string::npos);
    REQUIRE(io::write_file_atomically(path, std::string_view{text}.substr(0, text.size() / 2)));
    CHECK(support::complaint(analyze::read_pruning_plan(path)).find("is cut off") != std::string::npos);
}

TEST_CASE("a pruned network's header says its counts") {
    const auto plan = plan_for(*support::drawn_network<net>(3), {.ratio = 0.4});
    const auto header = analyze::plan_header(plan, "lean");
    REQUIRE(header);
    CHECK(header->find("inline constexpr std::array<int, 7> kept{12, 15, 12, 12, 22, 11, 6};") != std::string::npos);
    CHECK_FALSE(analyze::plan_header(plan, "int"));
}

TEST_CASE("a checkpoint with fewer channels loads as the pruned network, norms and all") {
    using whole = model::resnet8<image<1, 12, 12>, float32, 10, model::shortcut_kind::projected>;
    // one trained step gives norms that say something
    random_stream draw{7, {}};
    io::image_set set{"noise", 1, 12, 12, {}, {}, 10};
    for (int i = 0; i < 64; ++i) {
        set.labels.push_back(i % 10);
        for (int p = 0; p < 144; ++p) set.pixels.push_back(static_cast<std::uint8_t>(draw.below(256)));
    }
    train::recipe recipe;
    recipe.epochs = 1;
    recipe.batch = 16;
    recipe.augment.normalise = {{0.5f}, {0.3f}};
    recipe.schedule.rate = 0.05;
    train::trainer<whole> trainer{recipe};
    REQUIRE(trainer.epoch(set));
    const io::tensor_file file = trainer.tensors();
    const auto weights = std::make_unique<parameters<whole>>();
    REQUIRE(io::load<whole>(file, "trained", *weights));
    const auto plan = analyze::plan_pruning<whole>(analyze::filter_norms<whole>(*weights), {.ratio = 0.3});
    REQUIRE(plan);
    constexpr std::array<int, 10> counts{12, 12, 12, 23, 23, 23, 45, 45, 45, 10};
    REQUIRE(std::equal(plan->channels.begin(), plan->channels.end(), counts.begin(), counts.end()));
    using small = pruned<whole, counts>;
    const auto chosen = io::select_channels<whole>(file, "trained", plan->kept);
    INFO(support::complaint(chosen));
    REQUIRE(chosen);
    const auto loaded = std::make_unique<parameters<small>>();
    const auto read = io::load<small>(*chosen, "chosen", *loaded);
    INFO(support::complaint(read));
    REQUIRE(read);
    const auto made = analyze::pruned_parameters<whole, small>(*weights, *plan);
    REQUIRE(made);
    CHECK(analyze::identity_of<small>(*loaded) == analyze::identity_of<small>(**made));
    // and training goes on from it
    train::trainer<small> on{recipe};
    CHECK(on.start_from(*chosen, "chosen"));

    auto broken = file;
    std::erase_if(broken.tensors, [](const auto& t) { return t.name == "layer1.0.conv1.weight"; });
    CHECK(support::complaint(io::select_channels<whole>(broken, "broken", plan->kept)).find("missing: layer1.0.conv1.weight") != std::string::npos);
    broken = file;
    broken.tensors[0].name = "else";
    CHECK(support::complaint(io::select_channels<whole>(broken, "broken", plan->kept)).find("missing") != std::string::npos);
    CHECK(support::complaint(io::select_channels<whole>(file, "x", {})).find("the choice is of 0 groups") != std::string::npos);
    auto wild = plan->kept;
    wild[0].push_back(4000);
    CHECK(support::complaint(io::select_channels<whole>(file, "x", wild)).find("keeps channel 4000") != std::string::npos);
}

TEST_CASE("permuting a checkpoint permutes what it loads") {
    using whole = net;
    const auto weights = support::drawn_network<whole>(5);
    const io::tensor_file file = support::checkpoint_of<whole>(*weights);
    io::channel_choice reversed;
    for (int g = 0; g < channel_groups_of<whole>.count; ++g) {
        reversed.emplace_back();
        for (int c = channel_groups_of<whole>.channels[static_cast<std::size_t>(g)]; c-- > 0;) reversed.back().push_back(static_cast<std::uint16_t>(c));
    }
    const auto turned = io::select_channels<whole>(file, "drawn", reversed);
    REQUIRE(turned);
    const auto loaded = std::make_unique<parameters<whole>>(), wanted = std::make_unique<parameters<whole>>();
    REQUIRE(io::load<whole>(*turned, "turned", *loaded));
    permute_channels<whole>(*weights, [&](int group) { return std::span<const std::uint16_t>{reversed[static_cast<std::size_t>(group)]}; }, *wanted);
    CHECK(analyze::identity_of<whole>(*loaded) == analyze::identity_of<whole>(*wanted));
    CHECK(analyze::identity_of<whole>(*loaded) != analyze::identity_of<whole>(*weights));
}

TEST_CASE("inverted residuals shrink with their depthwise layers") {
    using whole = model::mobilenet_v2<image<3, 32, 32>, float32, 10>;
    constexpr auto halves = [] {
        std::array<int, static_cast<std::size_t>(whole::table.slot_count)> counts{};
        for (std::size_t s = 0; s < counts.size(); ++s) {
            const int group = channel_groups_of<whole>.of_slot(static_cast<int>(s)), all = whole::table.slots[s].geometry.out.channels;
            counts[s] = group < 0 ? all : all / 2;
        }
        return counts;
    }();
    using small = pruned<whole, halves>;
    CHECK(small::table.slots[1].geometry.is_depthwise());
    CHECK(small::table.slots[1].geometry.out.channels == 16);
    CHECK(size_of<small>().first < size_of<whole>().first * 3 / 10);
}
