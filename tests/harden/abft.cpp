// SPDX-License-Identifier: MIT
// Checked convolutions and linear layers in networks: the same bits, faults of computation put right, also around and under other
// protections.
#include "support/catch.hpp"
#include "support/conv_case.hpp"
#include "support/nets.hpp"

using namespace redoubt;
using namespace support;

namespace {

template <number N, template <class...> class P>
using net_of = network<image<5, 9, 8>, N, P<conv2d<conv_spec{.out = 24, .kernel = 3, .pad = 1}>>, relu,
                       residual<P<conv2d<conv_spec{.out = 24, .kernel = 3, .pad = 1}>>>, relu,
                       P<conv2d<conv_spec{.out = 24, .kernel = 3, .stride = 2, .groups = 24}>>, P<linear<20>>, relu, P<linear<7>>>;

template <class L> using secded_inside = abft<secded<L>>;
template <class L> using secded_outside = secded<abft<L>>;
template <class L> using copies = abft<tmr_parameters<L>>;
template <class L> using clipped = clip_weights<abft<L>>;
template <class L> using ranged = redoubt::range<abft<L>>;
template <class L> using by_channels = basic_abft<fixed_checksum<checksum_side::channels>, L>;
template <class L> using by_channels_coded = by_channels<secded<L>>;
template <class L> using by_channels_clipped = clip_weights<by_channels<L>>;
template <class L> using by_inputs = basic_abft<fixed_checksum<checksum_side::inputs>, L>;
template <class L> using checked_replicas = dmr<abft<L>>;
template <class L> using replicas_checked = abft<tmr<L>>;

/// One struck accumulator of a step: its exponent's highest bit, or for int8 any.
template <class Net>
fault::inference_fault struck_register(random_stream& random, int step, bool in_feature) {
    using N = typename Net::number_type;
    const auto& s = Net::table.steps[static_cast<std::size_t>(step)];
    const shape& out = s.geometry.out;
    const int row = below(random, out.height), column = below(random, out.width);
    fault::inference_fault f;
    f.step = step;
    f.where.output = static_cast<std::uint32_t>(out.index(row, column, below(random, out.channels)));
    const int bits = in_feature ? static_cast<int>(s.stores_logits ? bits_in<typename N::logit> : bits_in<typename N::activation>) : 32;
    if (!in_feature) f.where.step = static_cast<std::uint32_t>(below(random, s.geometry.taps_at(row, column)));
    f.where.mask = 1u << (N::is_integer ? below(random, bits) : bits - 2);
    return f;
}

/// Fault-free nothing changes; a fault in each layer's registers reaches no output.
template <class Net>
void check_network(std::uint32_t slack = 0) {
    using plain = without_protection<Net>;
    using N = typename Net::number_type;
    const auto weights = drawn_and_converted<Net>();
    const auto bare = drawn_and_converted<plain>();
    const auto image = drawn_images<Net>(1, 3)[0];
    const auto clean = answer_of<Net>(*weights, image);
    CHECK(words_of(clean) == words_of(answer_of<plain>(*bare, image)));
    CHECK(clean.status.total() == fault_counters{});
    random_stream random{21, {}};
    int found = 0, trials = 0;
    for (int step = 0; step < Net::table.step_count; ++step) {
        const auto& s = Net::table.steps[static_cast<std::size_t>(step)];
        if (s.kind != op::convolution || s.only_if_different) continue;
        for (int trial = 0; trial < 8; ++trial) {
            CAPTURE(step, trial);
            fault_list list{1};
            list.policy.add(struck_register<Net>(random, step, trial % 2 != 0));
            list.policy.sort();
            const auto got = answer_of<Net>(*weights, image, list.policy);
            const auto count = got.status.steps[static_cast<std::size_t>(step)];
            ++trials;
            if (count.detected != 0) ++found;
            // int8: a feature that was outside of a code's range, or in whose rounded bits all the difference lay, may not change
            CHECK(count.detected <= 1);
            CHECK(count.corrected == count.detected);
            CHECK(count.uncorrected == 0);
            if (N::is_integer || count.detected != 0) CHECK(words_of(got) == words_of(clean));
        }
    }
    CHECK(found + static_cast<int>(slack) >= trials);
}

/// Flips the expectation of one step's first channel.
struct struck_checksum {
    static constexpr bool active = true;
    int step;
    kernel::no_hook hook(site_path) const { return {}; }
    template <site S, class Word>
    void touch(std::span<Word> words, site_path at) const {
        if constexpr (S == site::checksum)
            if (at.step == step) words[0] = from_word<Word>(static_cast<word_of<Word>>(to_word(words[0]) ^ (1u << 30)));
    }
};

}  // namespace

// floats: an exponent's highest bit makes a number below 2 huge and one of 2 or more tiny, which may be below the bound
TEST_CASE("faults of computation under abft reach no output, fp32", "[harden]") { check_network<net_of<float32, abft>>(8); }
TEST_CASE("faults of computation under abft reach no output, fp16", "[harden]") { check_network<net_of<float16, abft>>(8); }
TEST_CASE("faults of computation under abft reach no output, bf16", "[harden]") { check_network<net_of<bfloat16, abft>>(8); }
TEST_CASE("faults of computation under abft reach no output, int8", "[harden]") { check_network<net_of<int8, abft>>(); }
TEST_CASE("faults of computation under abft reach no output, decoded weights", "[harden]") {
    check_network<net_of<stored<float32, fixed<2, 5>>, abft>>(8);
}

TEST_CASE("either side's checksums, on all layers", "[harden]") {
    check_network<net_of<float32, by_channels>>(8);
    check_network<net_of<int8, by_channels>>();
    check_network<net_of<int8, by_channels_coded>>();
    check_network<net_of<float32, by_channels_clipped>>(8);
    check_network<net_of<int8, by_inputs>>();
}

TEST_CASE("abft around and under other protections", "[harden]") {
    check_network<net_of<float32, secded_inside>>(8);
    check_network<net_of<int8, secded_outside>>();
    check_network<net_of<int8, copies>>();
    check_network<net_of<float32, clipped>>(8);
    check_network<net_of<int8, ranged>>();
    check_network<net_of<int8, checked_replicas>>();
    check_network<net_of<int8, replicas_checked>>();
}

TEST_CASE("a weight put right is the weight that is checked", "[harden]") {
    using net = net_of<float32, secded_inside>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1, 3)[0];
    const auto clean = words_of(answer_of<net>(*weights, image));
    auto struck = std::make_unique<parameters<net>>(*weights);
    for (int slot = 0; slot < net::table.slot_count; ++slot) struck->weights(slot)[3] = flip(struck->weights(slot)[3], bit_mask<float>(30));
    const auto got = answer_of<net>(*struck, image);
    CHECK(words_of(got) == clean);
    CHECK(got.status.total() == fault_counters{.detected = 5, .corrected = 5});
}

TEST_CASE("a struck checksum in a network is found and changes nothing", "[harden][fault]") {
    const auto check = [&]<class Net>(std::type_identity<Net>) {
        const auto weights = drawn_and_converted<Net>();
        const auto image = drawn_images<Net>(1, 3)[0];
        const auto clean = words_of(answer_of<Net>(*weights, image));
        for (int step = 0; step < Net::table.step_count; ++step) {
            if (Net::table.steps[static_cast<std::size_t>(step)].kind != op::convolution) continue;
            struck_checksum policy{step};
            const auto got = answer_of<Net>(*weights, image, policy);
            CHECK(words_of(got) == clean);
            const fault_counters once{.detected = 1, .corrected = 1};
            CHECK(got.status.total() == once);
        }
    };
    check(std::type_identity<net_of<float32, abft>>{});
    check(std::type_identity<net_of<int8, abft>>{});
}

TEST_CASE("a checked network is calibrated like a plain one", "[harden]") {
    using net = net_of<int8, abft>;
    using plain = without_protection<net>;
    const auto images = drawn_images<net>(3, 3);
    const auto seen = seen_on<net>(*drawn_and_converted<net>(), images);
    const auto expected = seen_on<plain>(*drawn_and_converted<plain>(), images);
    for (std::size_t u = 0; u < seen.units.size(); ++u) {
        CHECK(seen.units[u].low == expected.units[u].low);
        CHECK(seen.units[u].high == expected.units[u].high);
    }
}

TEST_CASE("the linear layers of a batch are checked image by image", "[harden]") {
    using net = net_of<float32, abft>;
    const auto weights = drawn_and_converted<net>();
    const auto images = drawn_images<net>(5, 3);
    std::vector<float> all;
    for (const auto& image : images) all.insert(all.end(), image.begin(), image.end());
    const auto space = std::make_unique<batch_workspace<net, 3>>();
    state<net> memory;
    std::vector<answer<net>> answers(images.size());
    infer_batch<net, 3>(*weights, memory, all, *space, answers);
    for (std::size_t i = 0; i < images.size(); ++i) {
        CHECK(words_of(answers[i]) == words_of(answer_of<net>(*weights, images[i])));
        CHECK(answers[i].status.total() == fault_counters{});
    }
}
