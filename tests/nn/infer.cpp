// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/plain.hpp"
#include "support/read_only.hpp"

#include <type_traits>

using namespace redoubt;
using namespace support;

namespace {

template <int Out, int Stride = 1>
using conv = conv2d<conv_spec{.out = Out, .stride = Stride, .pad = 1}>;

/// Two blocks of channels, the second with padding lanes; three channels of input in planar order.
template <number N>
using tiny = network<image_chw<3, 7, 6>, N, named<"stem", conv<18>>, relu,
                     residual<conv<18>, clipped_relu<1>, conv<18>>, relu, max_pool<2>, linear<5>>;

/// Strides, the shortcut without weights, sums and activations that join nothing.
template <number N>
using strided = network<image<2, 9, 8>, N, conv<5, 2>, relu, residual<shortcut<subsample<9, 2>>, conv<9, 2>, relu, conv<9>>,
                        clipped_relu<2>, residual<max_pool<1>>, relu, max_pool<2, 1>, global_avg_pool, linear<17>>;

/// Replicas of every sort around a residual.
template <number N>
using replicated = network<image<2, 6, 5>, N, tmr<conv<5>>, relu, residual<conv<5>, relu, dmr<conv<5>>>, relu,
                           tmr<max_pool<2>, conv<6>, relu>, dmr<linear<4>>>;

/// Every way to keep parameters.
template <number N>
using kept = network<image<2, 6, 5>, N, tmr_parameters<conv<5>>, relu, crc<conv<20>>, relu, conv<3>, relu,
                     tmr_parameters<tmr<linear<4>>>>;

plain_tensor tensor_of(const std::vector<float>& planar, int channels, int height, int width) {
    plain_tensor t{channels, height, width};
    std::size_t i = 0;
    for (int c = 0; c < channels; ++c)
        for (int row = 0; row < height; ++row)
            for (int column = 0; column < width; ++column) t.at(row, column, c) = planar[i++];
    return t;
}

/// All steps at once, and cut in two at every place: the same words and the same counters.
template <class Net>
void check_every_cut(const parameters<Net>& weights, std::span<const float> image, fault::bit_flips* faults) {
    const auto space = std::make_unique<workspace<Net>>();
    const auto part = [&](status<Net>& report, int from, int to) {
        no_faults none;
        if (faults != nullptr) run<Net, fault::bit_flips>(weights, image, *space, report, *faults, from, to);
        else run<Net>(weights, image, *space, report, none, from, to);
    };
    const auto whole = faults != nullptr ? answer_of<Net>(weights, image, *faults) : answer_of<Net>(weights, image);
    for (int k = 0; k <= Net::table.step_count; ++k) {
        CAPTURE(k);
        space->bytes.fill(std::byte{0xa5});
        status<Net> report;
        part(report, 0, k);
        part(report, k, Net::table.step_count);
        const auto got = read_answer<Net>(weights, *space, report);
        CHECK(words_of(got) == words_of(whole));
        CHECK(got.status.steps == whole.status.steps);
    }
    // one step at a time
    status<Net> report;
    for (int k = 0; k < Net::table.step_count; ++k) part(report, k, k + 1);
    CHECK(words_of(read_answer<Net>(weights, *space, report)) == words_of(whole));
}

template <number N>
void check_cuts() {
    using net = replicated<N>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1, 3)[0];
    check_every_cut<net>(*weights, image, nullptr);
    // a fault in one replica of the first DMR: its spare runs, in whichever part it is
    const int struck = find_step<net>([](const step& s) { return s.only_if_different; }) - 2;
    fault_list list{4};
    list.policy.add(fault_at(struck, 3, 1u << 6, true));
    list.policy.sort();
    check_every_cut<net>(*weights, image, &list.policy);
    CHECK(answer_of<net>(*weights, image, list.policy).status.total().corrected > 0);
}

/// The same words from another address and from pages that cannot be written.
template <class Net>
void check_from_elsewhere() {
    STATIC_REQUIRE(std::is_trivially_copyable_v<parameters<Net>>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<state<Net>>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<workspace<Net>>);
    STATIC_REQUIRE(sizeof(parameters<Net>) == parameter_bytes<Net>);
    const auto weights = drawn_and_converted<Net>();
    const auto image = drawn_images<Net>(1, 3)[0];
    const auto expected = words_of(answer_of<Net>(*weights, image));
    auto moved = std::make_unique<std::array<parameters<Net>, 2>>();
    std::memcpy(&(*moved)[1], weights.get(), sizeof *weights);
    CHECK(words_of(answer_of<Net>((*moved)[1], image)) == expected);
    const read_only<parameters<Net>> page{*weights}, inner{*weights, 64};
    CHECK(words_of(answer_of<Net>(*page, image)) == expected);
    CHECK(words_of(answer_of<Net>(*inner, image)) == expected);
}

}  // namespace

TEST_CASE("an inference equals the layers written out", "[nn]") {
    using net = tiny<float32>;
    const auto layers = drawn_layers<net>();
    const auto weights = network_of<net>(layers);
    for (const auto& image : drawn_images<net>(5)) {
        const plain_tensor stem = plain_relu(plain_conv(tensor_of(image, 3, 7, 6), layers[0], 18, 3, 3, 1, 1));
        const plain_tensor one = plain_relu(plain_conv(stem, layers[1], 18, 3, 3, 1, 1), 1.0f);
        const plain_tensor sum = plain_relu(plain_add(plain_conv(one, layers[2], 18, 3, 3, 1, 1), stem));
        const plain_tensor out = plain_linear(plain_max_pool(sum, 2, 2), layers[3], 5);
        CHECK(words_of(answer_of<net>(*weights, image)) == words_of(out.elements));
    }
}

TEST_CASE("strides, shortcuts and lone activations equal the layers written out", "[nn]") {
    using net = strided<float32>;
    const auto layers = drawn_layers<net>();
    const auto weights = network_of<net>(layers);
    for (const auto& image : drawn_images<net>(5)) {
        const plain_tensor in{2, 9, 8, image};
        const plain_tensor stem = plain_relu(plain_conv(in, layers[0], 5, 3, 3, 2, 1));
        const plain_tensor body =
            plain_conv(plain_relu(plain_conv(stem, layers[1], 9, 3, 3, 2, 1)), layers[2], 9, 3, 3, 1, 1);
        const plain_tensor block = plain_relu(plain_add(body, plain_subsample(stem, 9, 2)), 2.0f);
        const plain_tensor twice = plain_relu(plain_add(block, block));
        const plain_tensor out = plain_linear(plain_average(plain_max_pool(twice, 2, 1)), layers[3], 17);
        CHECK(words_of(answer_of<net>(*weights, image)) == words_of(out.elements));
        CHECK(words_of(plain_answer<net>(layers, image)) == words_of(out.elements));
    }
}

TEST_CASE("an image of NaN, infinity or huge numbers gives one NaN at most, and no crash", "[nn]") {
    using net = tiny<float32>;
    const auto weights = drawn_network<net>();
    auto image = drawn_images<net>(1)[0];
    image[5] = from_word<float>(0xffc12345u);
    image[9] = INFINITY;
    image[20] = 3e38f;
    const auto got = answer_of<net>(*weights, image);
    for (std::uint32_t word : words_of(got)) CHECK(word == canonical_nan_word);
    CHECK(got.top1() == no_class);
    using half_net = tiny<float16>;
    CHECK(answer_of<half_net>(*drawn_and_converted<half_net>(), image).top1() == no_class);
    using integers = tiny<int8>;
    CHECK(answer_of<integers>(*drawn_and_converted<integers>(), image).top1() >= 0);
}

TEST_CASE("steps run in parts give the same words, fp32", "[nn]") { check_cuts<float32>(); }
TEST_CASE("steps run in parts give the same words, int8", "[nn]") { check_cuts<int8>(); }
TEST_CASE("steps run in parts give the same words, fp16", "[nn]") { check_cuts<float16>(); }

TEST_CASE("parameters can lie anywhere, also in read-only pages", "[nn]") {
    check_from_elsewhere<tiny<float32>>();
    check_from_elsewhere<kept<float32>>();
    check_from_elsewhere<kept<int8>>();
    check_from_elsewhere<replicated<float16>>();
}

TEST_CASE("one of three copies destroyed in read-only pages changes no word", "[nn]") {
    using net = network<image<2, 6, 5>, float32, tmr_parameters<conv<18>, relu, conv<5>, relu, linear<4>>>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1, 3)[0];
    const auto whole = answer_of<net>(*weights, image);
    CHECK(whole.status.total() == fault_counters{});
    for (int copy = 0; copy < 3; ++copy) {
        CAPTURE(copy);
        auto broken = std::make_unique<parameters<net>>(*weights);
        random_stream noise{static_cast<std::uint64_t>(copy), {}};
        for (int s = 0; s < net::table.slot_count; ++s) {
            const std::size_t size = broken->primary(s).size();
            auto bytes = copy == 0 ? broken->primary(s) : broken->extra(s).subspan(static_cast<std::size_t>(copy - 1) * size, size);
            for (std::byte& b : bytes) b = static_cast<std::byte>(noise.below(256));
        }
        const read_only<parameters<net>> page{*broken};
        const auto got = answer_of<net>(*page, image);
        CHECK(words_of(got) == words_of(whole));
        CHECK(got.status.total().detected > 1000);
        CHECK(got.status.total().corrected == got.status.total().detected);
        CHECK(got.status.trustworthy());
    }
}

TEST_CASE("a state counts inferences and what they detected", "[nn]") {
    using net = replicated<float32>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1)[0];
    const auto space = std::make_unique<workspace<net>>();
    state<net> memory;
    infer<net>(*weights, memory, image, *space);
    CHECK(memory.inferences == 1);
    CHECK(memory.total == fault_counters{});
    fault_list list{1};
    list.policy.add(fault_at(1, 0, 1u, true));
    list.policy.sort();
    infer<net>(*weights, memory, image, *space, list.policy);
    CHECK(memory.inferences == 2);
    CHECK(memory.total == fault_counters{1, 1, 0, 0});
}
