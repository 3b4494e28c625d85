// SPDX-License-Identifier: MIT
// Checkpoints of networks with duplicated channels: first copies, second copies, the rest in files; both copies of a block side by side in memory.
#include "support/catch.hpp"
#include "support/complaint.hpp"
#include "support/nets.hpp"
#include "support/temp_folder.hpp"

#include <redoubt/io/checkpoint.hpp>

#include <algorithm>
#include <limits>
#include <set>

using namespace redoubt;
using namespace support;

namespace {

template <template <int, class...> class D>
using net_of = network<image<5, 9, 8>, float32, D<17, conv2d<conv_spec{.out = 40, .kernel = 3, .pad = 1}>>, batch_norm, relu,
                       residual<conv2d<conv_spec{.out = 40, .kernel = {3, 2}, .pad = {1, 0}}>, batch_norm, D<1, conv2d<conv_spec{.out = 40, .kernel = {1, 4}, .pad = {0, 2}}>>>, relu,
                       D<20, linear<37>>, relu, linear<7>>;
using by_intervals = net_of<duplicate>;
using by_minimum = net_of<duplicate_minimum>;
using plain = without_protection<by_intervals>;

std::span<const float> floats_of(const io::tensor_entry& entry) {
    return {reinterpret_cast<const float*>(entry.data.data()), entry.data.size() / sizeof(float)};
}

/// A tensor of the plain network with the first k channels twice, as someone with the file alone would write it.
io::tensor_entry with_copies(io::tensor_entry entry, std::size_t k) {
    const auto row = static_cast<std::ptrdiff_t>(entry.data.size() / entry.shape[0]);
    const std::vector<std::byte> first{entry.data.begin(), entry.data.begin() + static_cast<std::ptrdiff_t>(k) * row};
    entry.data.insert(entry.data.begin(), first.begin(), first.end());
    entry.shape[0] += k;
    return entry;
}

std::size_t copies_of(const std::string& tensor) {
    for (const io::expected_layer& layer : io::expected_layers<by_intervals>())
        if (tensor.starts_with(layer.name + ".") || (!layer.norm_name.empty() && tensor.starts_with(layer.norm_name + ".")))
            return static_cast<std::size_t>(layer.folded);
    return 0;
}

io::tensor_file made_by_hand(const io::tensor_file& of_plain) {
    io::tensor_file file;
    for (const io::tensor_entry& entry : of_plain.tensors) file.tensors.push_back(with_copies(entry, copies_of(entry.name)));
    return file;
}

/// Weights and biases of both are the same bits.
template <class Net>
bool same_layers(const parameters<Net>& a, const parameters<Net>& b) {
    for (int s = 0; s < Net::table.slot_count; ++s)
        if (!std::ranges::equal(a.primary(s), b.primary(s))) return false;
    return true;
}

io::tensor_entry& named_in(io::tensor_file& file, std::string_view name) {
    return *std::find_if(file.tensors.begin(), file.tensors.end(), [&](const auto& entry) { return entry.name == name; });
}

io::tensor_entry zeros(const std::string& name, std::vector<std::size_t> shape) {
    const std::size_t count = *io::element_count(shape);
    return {name, io::dtype::f32, std::move(shape), std::vector<std::byte>(4 * count)};
}

template <class Net>
result<void> loaded_from(const io::tensor_file& file) {
    const auto to = std::make_unique<parameters<Net>>();
    return io::load<Net>(file, "some.safetensors", *to);
}

}  // namespace

TEST_CASE("channels of a file are first copies, second copies, the rest", "[io]") {
    const int places[][2] = {{0, 0}, {15, 15}, {16, 32}, {31, 47}, {32, 16}, {47, 31}, {48, 48}, {63, 63}, {64, 64}, {71, 71}};
    for (const auto& [channel, place] : places) CHECK(io::channel_in_file(channel, 32) == place);
    CHECK(io::channel_in_file(21, 0) == 21);
    for (const int folded : {0, 16, 32, 48, 160}) {
        CAPTURE(folded);
        std::set<int> seen;
        for (int c = 0; c < 2 * folded + 5; ++c) {
            const int place = io::channel_in_file(c, folded);
            seen.insert(place);
            // a copy and its original make the same stored channel
            CHECK(kernel::folded_channel(c, folded) == (place < folded ? place : place - folded));
        }
        CHECK(static_cast<int>(seen.size()) == 2 * folded + 5);
        CHECK(*seen.rbegin() == 2 * folded + 4);
    }
}

TEST_CASE("a duplicated network whose copies differ comes back from its file bit for bit", "[io]") {
    const auto weights = drawn_network<by_minimum>(3);
    weights->weight_at(0, 0, 0, 0, 0) = -0.0f;
    weights->weight_at(0, 16, 0, 0, 0) = std::numeric_limits<float>::infinity();
    weights->weight_at(0, 17, 0, 0, 0) = std::numeric_limits<float>::denorm_min();
    const temp_folder folder;
    const std::string path = folder.file("duplicated.safetensors");
    const io::tensor_file file = io::to_tensors<by_minimum>(*weights);
    REQUIRE(io::write_safetensors(path, file));
    const auto back = std::make_unique<parameters<by_minimum>>();
    const auto loaded = io::load<by_minimum>(path, *back);
    INFO(complaint(loaded));
    REQUIRE(loaded);
    CHECK(same_layers<by_minimum>(*weights, *back));
    CHECK(io::to_tensors<by_minimum>(*back) == file);
    for (const auto& pixels : drawn_images<by_minimum>(3))
        CHECK(words_of(answer_of<by_minimum>(*back, pixels)) == words_of(answer_of<by_minimum>(*weights, pixels)));
}

TEST_CASE("tensors of a duplicated network have the axes and the order of files", "[io]") {
    const auto weights = drawn_network<by_minimum>(4);
    io::tensor_file file = io::to_tensors<by_minimum>(*weights);
    const std::string name = io::expected_layers<by_minimum>()[0].name;
    const io::tensor_entry& entry = named_in(file, name + ".weight");
    CHECK(entry.shape == std::vector<std::size_t>{72, 5, 3, 3});
    CHECK(named_in(file, name + ".bias").shape == std::vector<std::size_t>{72});
    const auto at = [&](std::size_t o, std::size_t i, std::size_t r, std::size_t c) { return floats_of(entry)[((o * 5 + i) * 3 + r) * 3 + c]; };
    CHECK(at(3, 4, 1, 2) == weights->weight_at(0, 3, 1, 2, 4));             // first copy of channel 3
    CHECK(at(32 + 3, 4, 1, 2) == weights->weight_at(0, 16 + 3, 1, 2, 4));   // second
    CHECK(at(18, 4, 1, 2) == weights->weight_at(0, 32 + 2, 1, 2, 4));       // channel 18, of the second block
    CHECK(at(32 + 18, 0, 2, 1) == weights->weight_at(0, 48 + 2, 2, 1, 0));
    CHECK(at(70, 0, 2, 1) == weights->weight_at(0, 70, 2, 1, 0));           // without a copy
    CHECK(floats_of(named_in(file, name + ".bias"))[32 + 3] == weights->biases(0)[16 + 3]);
}

TEST_CASE("copies made by hand from a plain checkpoint give what convert() gives", "[io]") {
    const auto bare = drawn_network<plain>(5);
    const auto images = drawn_images<plain>(4);
    const auto seen = seen_on<plain>(*bare, images);
    const auto expected = std::make_unique<parameters<by_intervals>>();
    convert<plain, by_intervals>(*bare, seen, *expected);
    const auto got = std::make_unique<parameters<by_intervals>>();
    const auto loaded = io::load<by_intervals>(made_by_hand(io::to_tensors<plain>(*bare)), "by hand", *got);
    INFO(complaint(loaded));
    REQUIRE(loaded);
    CHECK(same_layers<by_intervals>(*got, *expected));

    // intervals come from what the file itself holds, without its copies
    const auto once = std::make_unique<parameters<plain>>();
    convert<by_intervals, plain>(*got, calibration<by_intervals>{}, *once);
    CHECK(same_layers<plain>(*once, *bare));
    const auto space = std::make_unique<workspace<plain>>();
    channel_ranges<plain> ranges;
    for (const auto& pixels : images) observe_channels<plain>(*once, pixels, *space, ranges);
    set_intervals<plain, by_intervals>(ranges, *got);
    set_intervals<plain, by_intervals>(ranges, *expected);
    for (const auto& pixels : images) {
        const auto answer = answer_of<by_intervals>(*got, pixels);
        CHECK(words_of(answer) == words_of(answer_of<by_intervals>(*expected, pixels)));
        CHECK(words_of(answer) == words_of(answer_of<plain>(*bare, pixels)));
        CHECK(answer.status.total() == fault_counters{});
    }
}

TEST_CASE("norms of a duplicated network have an entry for each copy", "[io]") {
    io::tensor_file of_plain = io::to_tensors<plain>(*drawn_network<plain>(6));
    drawn_numbers number{8};
    int norms = 0;
    for (const io::expected_layer& layer : io::expected_layers<plain>()) {
        if (layer.norm_name.empty()) continue;
        ++norms;
        for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
            std::vector<float> values;
            for (int o = 0; o < layer.geometry.out.channels; ++o) values.push_back(number(0.5f) + 1.0f);
            const auto raw = std::as_bytes(std::span{values});
            of_plain.tensors.push_back({layer.norm_name + part, io::dtype::f32, {values.size()}, {raw.begin(), raw.end()}});
        }
    }
    CHECK(norms == 2);
    const auto bare = std::make_unique<parameters<plain>>();
    REQUIRE(io::load<plain>(of_plain, "plain", *bare));
    const auto expected = std::make_unique<parameters<by_intervals>>();
    convert<plain, by_intervals>(*bare, calibration<plain>{}, *expected);
    const auto got = std::make_unique<parameters<by_intervals>>();
    const auto loaded = io::load<by_intervals>(made_by_hand(of_plain), "by hand", *got);
    INFO(complaint(loaded));
    REQUIRE(loaded);
    CHECK(same_layers<by_intervals>(*got, *expected));
}

TEST_CASE("what does not fit a duplicated network is said", "[io]") {
    const io::tensor_file good = made_by_hand(io::to_tensors<plain>(*drawn_network<plain>(9)));
    REQUIRE(loaded_from<by_intervals>(good));
    const auto layers = io::expected_layers<by_intervals>();
    const std::string weight = layers[0].name + ".weight", bias = layers[0].name + ".bias";
    io::tensor_file bad = good;

    // another number of copies: none, fewer, more
    named_in(bad, weight) = zeros(weight, {40, 5, 3, 3});
    CHECK_COMPLAINT(loaded_from<by_intervals>(bad), "some.safetensors", weight, "is [40, 5, 3, 3], needed [72, 5, 3, 3]",
                    "with 0 of 40 channels twice, the network has 32 twice");
    named_in(bad, weight) = zeros(weight, {57, 5, 3, 3});
    named_in(bad, bias) = zeros(bias, {57});
    CHECK_COMPLAINT(loaded_from<by_intervals>(bad), weight, bias, "is [57], needed [72]", "with 17 of 40 channels twice");
    named_in(bad, weight) = zeros(weight, {80, 5, 3, 3});
    CHECK_COMPLAINT(loaded_from<by_intervals>(bad), "with 40 of 40 channels twice");
    CHECK_COMPLAINT(loaded_from<plain>(good), weight, "is [72, 5, 3, 3], needed [40, 5, 3, 3]");

    // no number of copies explains these
    const std::vector<std::vector<std::size_t>> shapes{{39, 5, 3, 3}, {81, 5, 3, 3}, {72, 5, 3, 2}, {72, 3, 3, 5}, {72, 45}, {3240}, {0, 5, 3, 3}, {}};
    for (const auto& shape : shapes) {
        bad = good;
        named_in(bad, weight) = zeros(weight, shape);
        CHECK_COMPLAINT(loaded_from<by_intervals>(bad), "misshapen", weight, "needed [72, 5, 3, 3]");
        CHECK_FALSE(says(complaint(loaded_from<by_intervals>(bad)), {"twice"}));
    }
    bad = good;
    named_in(bad, bias).name = "elsewhere";
    CHECK_COMPLAINT(loaded_from<by_intervals>(bad), "missing", "extra", "'elsewhere' [72]");
    bad = good;
    bad.tensors.erase(bad.tensors.begin());
    CHECK_COMPLAINT(loaded_from<by_intervals>(bad), "missing: " + good.tensors[0].name + " [72, 5, 3, 3]");
    bad = good;
    named_in(bad, weight).data.resize(8);
    CHECK_COMPLAINT(loaded_from<by_intervals>(bad), "unreadable", weight, "has 8 bytes");
    bad = good;
    named_in(bad, weight).type = io::dtype::i32;
    CHECK_COMPLAINT(loaded_from<by_intervals>(bad), "unreadable", weight, "is I32, not F32");
    CHECK_COMPLAINT(loaded_from<by_intervals>({}), "missing");
    const auto to = std::make_unique<parameters<by_intervals>>();
    CHECK_COMPLAINT(io::load<by_intervals>("/no/such/file.safetensors", *to), "/no/such/file.safetensors");
}
