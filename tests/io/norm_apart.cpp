// SPDX-License-Identifier: MIT
// Checkpoints with norms in networks that keep these as factors of channels.
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <redoubt/io/checkpoint.hpp>

#include <algorithm>
#include <cmath>

using namespace redoubt;
using namespace support;

namespace {

template <template <class...> class P>
using net_of = network<image<5, 9, 8>, float32, P<conv2d<conv_spec{.out = 24, .kernel = 3, .pad = 1}>, batch_norm>, relu,
                       P<conv2d<conv_spec{.out = 21, .kernel = 1, .groups = 3}>, batch_norm>, relu, P<linear<7>>>;
using net = net_of<norm_apart>;

io::tensor_file checkpoint_with_norms() {
    io::tensor_file file;
    drawn_numbers number{9};
    const auto add = [&](const std::string& name, std::vector<std::size_t> extents, float from, float spread) {
        std::size_t count = 1;
        for (const std::size_t e : extents) count *= e;
        std::vector<float> values(count);
        for (float& v : values) v = from + number(spread);
        const auto raw = std::as_bytes(std::span{values});
        file.tensors.push_back({name, io::dtype::f32, std::move(extents), {raw.begin(), raw.end()}});
    };
    for (const io::expected_layer& layer : io::expected_layers<net>()) {
        const auto channels = static_cast<std::size_t>(layer.geometry.out.channels);
        add(layer.name + ".weight", layer.weight_shape(), 0.0f, 0.3f);
        if (layer.norm_name.empty()) add(layer.name + ".bias", {channels}, 0.0f, 0.2f);
        else
            for (const char* part : {".weight", ".running_var"}) add(layer.norm_name + part, {channels}, 1.0f, 0.5f);
        if (!layer.norm_name.empty())
            for (const char* part : {".bias", ".running_mean"}) add(layer.norm_name + part, {channels}, 0.0f, 0.3f);
    }
    return file;
}

}  // namespace

TEST_CASE("a checkpoint's norms become factors, and the answers are those of folded ones", "[io]") {
    using plain = without_protection<net>;
    const io::tensor_file file = checkpoint_with_norms();
    auto apart = std::make_unique<parameters<net>>();
    auto folded = std::make_unique<parameters<plain>>();
    REQUIRE(io::load<net>(file, "test", *apart));
    REQUIRE(io::load<plain>(file, "test", *folded));
    encode<net>(*apart);
    // words as they were trained
    const auto raw = io::as_floats(*file.find(io::expected_layers<net>()[0].name + ".weight"));
    REQUIRE(raw);
    CHECK(apart->weight_at(0, 0, 0, 0, 0) == raw->front());
    CHECK(folded->weight_at(0, 0, 0, 0, 0) != raw->front());
    CHECK(std::ranges::equal(apart->biases(0), folded->biases(0)));
    const auto pixels = drawn_images<net>(1, 3)[0];
    const auto want = answer_of<plain>(*folded, pixels);
    const auto got = answer_of<net>(*apart, pixels);
    for (std::size_t i = 0; i < want.logits.size(); ++i) CHECK(std::abs(got.logits[i] - want.logits[i]) < 1e-4f);

    // to other networks: kept where these keep factors, else folded; through the functions of weights
    auto again = std::make_unique<parameters<plain>>();
    convert<net, plain>(*apart, calibration<net>{}, *again);
    CHECK(words_of(answer_of<plain>(*again, pixels)) == words_of(got));
    using bending = net_of<saf>;
    auto stored_words = std::make_unique<parameters<bending>>();
    convert<net, bending>(*apart, calibration<net>{}, *stored_words);
    CHECK(std::ranges::equal(stored_words->gains(1), apart->gains(1)));
    store_for_transforms<bending>(*stored_words);
    encode<bending>(*stored_words);
    const auto through = answer_of<bending>(*stored_words, pixels);
    for (std::size_t i = 0; i < want.logits.size(); ++i) CHECK(std::abs(through.logits[i] - want.logits[i]) < 1e-4f);
    // and out again
    auto reloaded = std::make_unique<parameters<plain>>();
    REQUIRE(io::load<plain>(io::to_tensors<net>(*apart), "test", *reloaded));
    CHECK(words_of(answer_of<plain>(*reloaded, pixels)) == words_of(got));
}
