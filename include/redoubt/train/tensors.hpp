// SPDX-License-Identifier: MIT
// Trained parameters as named tensors, in PyTorch's axes, norms not folded: what io/checkpoint.hpp loads.
#pragma once

#include <redoubt/io/checkpoint.hpp>
#include <redoubt/train/layout.hpp>
#include <redoubt/train/memory.hpp>

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace redoubt::train::inline REDOUBT_ABI {

namespace impl {

inline void append(io::tensor_file& file, std::string name, std::vector<std::size_t> shape, std::span<const float> values) {
    const auto raw = std::as_bytes(values);
    file.tensors.push_back({std::move(name), io::dtype::f32, std::move(shape), {raw.begin(), raw.end()}});
}

/// body(place in PyTorch's axes, place in the wide layout) for each weight.
template <class Body>
void for_each_weight(const kernel::conv_geometry& g, Body&& body) {
    std::size_t at = 0;
    for (int o = 0; o < g.out.channels; ++o)
        for (int i = 0; i < g.group_in(); ++i)
            for (int r = 0; r < g.kernel.h; ++r)
                for (int c = 0; c < g.kernel.w; ++c) body(at++, kernel::wide_layout{}.index(g, o, r, c, i));
}

inline io::expected_layer layer_of(const slot& s) {
    return {std::string{s.name.view()}, std::string{s.has_norm ? s.norm_name.view() : std::string_view{}}, s.geometry, s.is_linear};
}

}  // namespace impl

/// An array in the layout of a network (parameters, or gradients) as tensors; `Running` norms' statistics where they are given.
template <class Running>
io::tensor_file to_tensors(std::span<const slot> slots, const parameter_layout& layout, std::span<const float> array, const std::vector<Running>* running) {
    io::tensor_file file;
    for (std::size_t s = 0; s < slots.size(); ++s) {
        const slot_range& r = layout.slots[s];
        const io::expected_layer layer = impl::layer_of(slots[s]);
        const auto channels = static_cast<std::size_t>(slots[s].geometry.out.channels);
        std::vector<float> weights(slots[s].geometry.weights());
        impl::for_each_weight(slots[s].geometry, [&](std::size_t to, std::size_t from) { weights[to] = array[r.weights + from]; });
        impl::append(file, layer.name + ".weight", layer.weight_shape(), weights);
        if (!r.has_norm) {
            impl::append(file, layer.name + ".bias", {channels}, array.subspan(r.bias, channels));
            continue;
        }
        impl::append(file, layer.norm_name + ".weight", {channels}, array.subspan(r.scale, channels));
        impl::append(file, layer.norm_name + ".bias", {channels}, array.subspan(r.shift, channels));
        if (running == nullptr) continue;
        impl::append(file, layer.norm_name + ".running_mean", {channels}, std::span<const float>{(*running)[s].mean}.first(channels));
        impl::append(file, layer.norm_name + ".running_var", {channels}, std::span<const float>{(*running)[s].variance}.first(channels));
    }
    return file;
}

/// The way back. Errors list all that is missing or misshapen; the array is then as it was. Biases of layers with a norm, which moves them away,
/// are an error: they would be lost.
template <class Running>
result<void> from_tensors(const io::tensor_file& file, std::string_view source, std::span<const slot> slots, const parameter_layout& layout,
                          std::span<float> array, std::vector<Running>& running) {
    io::impl::complaints wrong;
    std::vector<float> read(array.size(), 0.0f);
    std::vector<Running> seen = running;
    for (std::size_t s = 0; s < slots.size(); ++s) {
        const slot_range& r = layout.slots[s];
        const io::expected_layer layer = impl::layer_of(slots[s]);
        const std::size_t channels[] = {static_cast<std::size_t>(slots[s].geometry.out.channels)};
        const auto take = [&](const std::string& name, auto to) {
            const std::vector<float> values = io::impl::take(file, name, channels, layer, wrong);
            std::copy(values.begin(), values.end(), to);
        };
        const auto offset = [&](std::size_t at) { return read.begin() + static_cast<std::ptrdiff_t>(at); };
        const std::vector<float> weights = io::impl::take(file, layer.name + ".weight", layer.weight_shape(), layer, wrong);
        if (weights.size() == slots[s].geometry.weights())
            impl::for_each_weight(slots[s].geometry, [&](std::size_t from, std::size_t to) { read[r.weights + to] = weights[from]; });
        if (!r.has_norm) {
            take(layer.name + ".bias", offset(r.bias));
            continue;
        }
        if (file.find(layer.name + ".bias") != nullptr) wrong.extra.push_back(layer.name + ".bias beside a norm that is trained");
        take(layer.norm_name + ".weight", offset(r.scale));
        take(layer.norm_name + ".bias", offset(r.shift));
        take(layer.norm_name + ".running_mean", seen[s].mean.begin());
        take(layer.norm_name + ".running_var", seen[s].variance.begin());
    }
    if (wrong.any()) return wrong.text(source);
    std::copy(read.begin(), read.end(), array.begin());
    running = std::move(seen);
    return {};
}

}  // namespace redoubt::train::inline REDOUBT_ABI
