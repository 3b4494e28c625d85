// SPDX-License-Identifier: MIT
// Checkpoints whose channels are put in another order or left out, through norms, additions and the layers that read them.
#pragma once

#include <redoubt/io/checkpoint.hpp>
#include <redoubt/nn/permute.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt::io::inline v1 {

/// Channels that a network keeps, in the order it has them: choice[group][place] = channel, with the groups of nn/permute.hpp.
using channel_choice = std::vector<std::vector<std::uint16_t>>;

}  // namespace redoubt::io::inline v1

namespace redoubt::io::inline REDOUBT_ABI {

namespace impl {

/// A tensor [out][in][inner...] of whole bytes with these rows and, in them, these columns.
inline tensor_entry chosen(const tensor_entry& from, std::span<const std::uint16_t> rows, std::span<const std::uint16_t> columns, std::size_t all_columns) {
    const std::size_t row = from.shape[0] == 0 ? 0 : from.data.size() / from.shape[0], column = row / all_columns;
    tensor_entry to{from.name, from.type, from.shape, {}};
    to.shape[0] = rows.size();
    if (to.shape.size() > 1) to.shape[1] = to.shape[1] / all_columns * columns.size();
    to.data.reserve(rows.size() * columns.size() * column);
    for (const std::uint16_t r : rows)
        for (const std::uint16_t c : columns) {
            const auto at = from.data.begin() + static_cast<std::ptrdiff_t>(r * row + c * column);
            to.data.insert(to.data.end(), at, at + static_cast<std::ptrdiff_t>(column));
        }
    return to;
}

}  // namespace impl

/// The checkpoint of a network without protections, names, types and norms as they are, with the channels of `kept`: what load() takes for the network with
/// that many channels. Tensors of type I64 are handed on. Errors: choices that the network does not have; tensors that are missing, misshapen, or not the
/// network's. Cost: a copy.
template <network_type Net>
    requires(std::same_as<Net, without_protection<Net>>)
result<tensor_file> select_channels(const tensor_file& file, std::string_view source, const channel_choice& kept) {
    constexpr const auto& groups = channel_groups_of<Net>;
    if (kept.size() != static_cast<std::size_t>(groups.count)) return error{"the choice is of "} << kept.size() << " groups of channels, the network has " << groups.count;
    for (std::size_t g = 0; g < kept.size(); ++g)
        for (const std::uint16_t c : kept[g])
            if (c >= groups.channels[g]) return error{"the choice keeps channel "} << c << " of group " << g << ", which has " << groups.channels[g];
    const auto list_of = [&](int group, int channels) {
        if (group >= 0) return kept[static_cast<std::size_t>(group)];
        std::vector<std::uint16_t> all(static_cast<std::size_t>(channels));
        std::iota(all.begin(), all.end(), std::uint16_t{0});
        return all;
    };
    impl::complaints wrong;
    std::vector<std::pair<std::string, tensor_entry>> made;
    const auto layers = expected_layers<Net>();
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.slot < 0) continue;
        const expected_layer& layer = layers[static_cast<std::size_t>(s.slot)];
        const auto& g = s.geometry;
        const auto rows = list_of(groups.of_value[static_cast<std::size_t>(s.out)], g.out.channels);
        const auto columns = list_of(g.groups == 1 ? groups.of_value[static_cast<std::size_t>(s.in)] : -1, g.group_in());
        const std::uint16_t only[] = {0};
        const auto take = [&](const std::string& name, const std::vector<std::size_t>& shape, const std::vector<std::size_t>& or_else, std::span<const std::uint16_t> inner, std::size_t all, bool needed) {
            const tensor_entry* entry = file.find(name);
            if (entry == nullptr) {
                if (needed) wrong.missing.push_back(name + " " + impl::shape_text(shape));
            } else if (entry->shape != shape && entry->shape != or_else) {
                wrong.misshapen.push_back(name + " is " + impl::shape_text(entry->shape) + ", needed " + impl::shape_text(shape));
            } else {
                made.emplace_back(name, impl::chosen(*entry, rows, inner, all));
            }
        };
        take(layer.name + ".weight", layer.weight_shape(), layer.filter_shape(), columns, static_cast<std::size_t>(g.group_in()), true);
        const std::vector<std::size_t> channels{static_cast<std::size_t>(g.out.channels)};
        const bool has_norm = !layer.norm_name.empty() && file.find(layer.norm_name + ".running_var") != nullptr;
        take(layer.name + ".bias", channels, channels, only, 1, !has_norm);
        if (has_norm)
            for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) take(layer.norm_name + part, channels, channels, only, 1, true);
    }
    const bool has_all = !wrong.any();  // else a misshapen tensor would be extra too
    tensor_file to{{}, file.metadata};
    for (const tensor_entry& entry : file.tensors) {
        const auto of_network = std::find_if(made.begin(), made.end(), [&](const auto& m) { return m.first == entry.name; });
        if (of_network != made.end()) to.tensors.push_back(std::move(of_network->second));
        else if (entry.type == dtype::i64) to.tensors.push_back(entry);
        else if (has_all) wrong.extra.push_back(printable(entry.name) + " " + impl::shape_text(entry.shape));
    }
    if (wrong.any()) return wrong.text(source);
    return to;
}

}  // namespace redoubt::io::inline REDOUBT_ABI
