// SPDX-License-Identifier: MIT
// What every network of the zoo must be: equal to its layers written out, of the published size, named as torchvision
// names it.
#pragma once

#include "support/catch.hpp"
#include "support/plain.hpp"

#include <redoubt/io/checkpoint.hpp>

#include <fstream>
#include <string>

namespace support {

/// One image against the layers written out.
template <class Net>
void check_network(int classes) {
    STATIC_REQUIRE(Net::outputs == Net::output.extents.channels);
    CHECK(Net::outputs == classes);
    const auto layers = drawn_layers<Net>();
    const auto image = drawn_images<Net>(1)[0];
    const auto got = std::make_unique<redoubt::answer<Net>>(answer_of<Net>(*network_of<Net>(layers), image));
    CHECK(words_of(*got) == words_of(plain_answer<Net>(layers, image)));
    CHECK(got->top1() >= 0);
}

/// The same network in int8 answers, and not with one number for every class.
template <class Net>
void check_int8() {
    using quantised = redoubt::with_number<Net, redoubt::int8>;
    const auto answer = answer_of<quantised>(*drawn_and_converted<quantised>(7, 1), drawn_images<Net>(1)[0]);
    CHECK(answer.top1() >= 0);
    CHECK(answer.status.trustworthy());
    const auto [low, high] = std::minmax_element(answer.logits.begin(), answer.logits.end());
    CHECK(*low < *high);
}

/// Learned numbers: norms unfolded, as scale and shift; running statistics are not learned. A convolution has a bias
/// where it has no norm, or always.
template <class Net>
constexpr std::size_t learned(bool always_biased = false) {
    std::size_t count = 0;
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const redoubt::slot& p = Net::table.slots[static_cast<std::size_t>(s)];
        const auto channels = static_cast<std::size_t>(p.geometry.out.channels);
        count += p.geometry.weights() + (p.has_norm ? 2 * channels : 0) + (p.has_norm && !always_biased ? 0 : channels);
    }
    return count;
}

/// Multiply-adds of all layers, padding counted, as publications do.
template <class Net>
constexpr long long macs() {
    long long count = 0;
    for (int s = 0; s < Net::table.slot_count; ++s)
        count += Net::table.slots[static_cast<std::size_t>(s)].geometry.nominal_macs();
    return count;
}

/// The names and shapes of a network's parameters, each once, as a checkpoint has them. Counters of batches are not
/// loaded.
template <class Net>
std::vector<std::string> checkpoint_entries(bool always_biased = false) {
    std::vector<std::string> entries;
    const auto add = [&](const std::string& name, const std::vector<std::size_t>& shape) {
        std::string line = name + " [";
        for (std::size_t i = 0; i < shape.size(); ++i) line += (i != 0 ? ", " : "") + std::to_string(shape[i]);
        entries.push_back(line + "]");
    };
    for (const auto& layer : redoubt::io::expected_layers<Net>()) {
        const std::vector<std::size_t> channels{static_cast<std::size_t>(layer.geometry.out.channels)};
        add(layer.name + ".weight", layer.weight_shape());
        if (layer.norm_name.empty() || always_biased) add(layer.name + ".bias", channels);
        if (layer.norm_name.empty()) continue;
        for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) add(layer.norm_name + part, channels);
    }
    std::sort(entries.begin(), entries.end());
    return entries;
}

/// What torchvision's state_dict of that model holds: tests/data/torchvision/MODEL.txt.
inline std::vector<std::string> torchvision_entries(const std::string& model) {
    std::ifstream file{REDOUBT_SOURCE_DIR "/tests/data/torchvision/" + model + ".txt"};
    std::vector<std::string> entries;
    for (std::string line; std::getline(file, line);)
        if (line.find(".num_batches_tracked ") == std::string::npos) entries.push_back(line);
    std::sort(entries.begin(), entries.end());
    return entries;
}

}  // namespace support
