// SPDX-License-Identifier: MIT
// Checkpoints in and out of parameters: names and shapes checked against the network, PyTorch's order of axes permuted,
// batch normalisation folded, copies of duplicated channels put where kernels want them.
#pragma once

#include <redoubt/io/duplicated_channels.hpp>
#include <redoubt/io/safetensors.hpp>
#include <redoubt/nn/convert.hpp>
#include <redoubt/nn/kept_bounds.hpp>

#include <string>
#include <vector>

namespace redoubt::io::inline v1 {

/// One layer's tensors as a checkpoint names them. A layer that has k channels twice has k more in the checkpoint than its output: [0, k) are the first
/// copies, [k, 2k) the second ones, the rest follows; in weights, biases and norms alike.
struct expected_layer {
    std::string name;       ///< weight is name.weight, bias name.bias
    std::string norm_name;  ///< empty where the layer has no norm
    kernel::conv_geometry geometry{};
    bool is_linear = false;
    int folded = 0;  ///< the channels of `geometry.out` that are further copies
    int copies = 2;  ///< of a channel, where it has some
    bool keeps_gain = false;  ///< the norm's scale stays a factor of its own

    std::vector<std::size_t> weight_shape() const {
        if (is_linear) return {static_cast<std::size_t>(geometry.out.channels), static_cast<std::size_t>(geometry.fan_in())};
        return filter_shape();
    }
    /// A linear layer's weights may also lie as those of the convolution that it is.
    std::vector<std::size_t> filter_shape() const {
        const auto size = [](int v) { return static_cast<std::size_t>(v); };
        return {size(geometry.out.channels), size(geometry.group_in()), size(geometry.kernel.h), size(geometry.kernel.w)};
    }
};

/// Weights of one layer in logical order ([out][row][col][in]) and its biases, norm folded; channels in the order of the parameters.
struct loaded_layer {
    std::vector<float> weights;
    std::vector<float> biases;
    std::vector<float> gains;  ///< factors of channels that are not in the weights; 1 unless the layer keeps them
};

}  // namespace redoubt::io::inline v1

namespace redoubt::io::inline REDOUBT_ABI {

namespace impl {

inline std::string shape_text(std::span<const std::size_t> shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i != 0 ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
}

/// Collects what is wrong with a checkpoint before saying it all at once.
struct complaints {
    std::vector<std::string> missing, misshapen, unreadable, extra;

    bool any() const { return !missing.empty() || !misshapen.empty() || !unreadable.empty() || !extra.empty(); }
    error text(std::string_view source) const {
        error e;
        e << source << ": does not fit the network";
        const auto list = [&](std::string_view what, const std::vector<std::string>& names) {
            if (names.empty()) return;
            e << "; " << what << ": ";
            for (std::size_t i = 0; i < names.size() && i < 6; ++i) e << (i != 0 ? ", " : "") << names[i];
            if (names.size() > 6) e << " and " << names.size() - 6 << " more";
        };
        list("missing", missing);
        list("misshapen", misshapen);
        list("unreadable", unreadable);
        list("extra", extra);
        return e;
    }
};

/// Reads one tensor of a fixed shape, of a layer that may have copies of channels, noting what is wrong.
inline std::vector<float> take(const tensor_file& file, const std::string& name, std::span<const std::size_t> shape, const expected_layer& layer,
                               complaints& wrong) {
    const tensor_entry* entry = file.find(name);
    if (entry == nullptr) {
        wrong.missing.push_back(name + " " + shape_text(shape));
        return {};
    }
    if (!std::equal(entry->shape.begin(), entry->shape.end(), shape.begin(), shape.end())) {
        wrong.misshapen.push_back(name + " is " + shape_text(entry->shape) + ", needed " + shape_text(shape) +
                                  share_text(entry->shape, shape, layer.folded, layer.copies));
        return {};
    }
    auto values = as_floats(*entry);
    if (!values) {
        wrong.unreadable.push_back(std::string{values.reason().text()});
        return {};
    }
    return std::move(*values);
}

inline void fold_norm(const tensor_file& file, const expected_layer& layer, loaded_layer& out, complaints& wrong) {
    const std::size_t channels[] = {static_cast<std::size_t>(layer.geometry.out.channels)};
    const auto scale = take(file, layer.norm_name + ".weight", channels, layer, wrong);
    const auto shift = take(file, layer.norm_name + ".bias", channels, layer, wrong);
    const auto mean = take(file, layer.norm_name + ".running_mean", channels, layer, wrong);
    const auto variance = take(file, layer.norm_name + ".running_var", channels, layer, wrong);
    if (wrong.any()) return;
    const auto fan_in = static_cast<std::size_t>(layer.geometry.fan_in());
    for (std::size_t o = 0; o < channels[0]; ++o)
        fold({scale[o], shift[o], mean[o], variance[o]}, layer.keeps_gain ? std::span{out.gains}.subspan(o, 1) : std::span{out.weights}.subspan(o * fan_in, fan_in), out.biases[o]);
}

}  // namespace impl

/// The layers of a network as checkpoints name them.
template <network_type Net>
std::vector<expected_layer> expected_layers() {
    std::vector<expected_layer> layers;
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const slot& p = Net::table.slots[static_cast<std::size_t>(s)];
        layers.push_back({std::string{p.name.view()}, std::string{p.has_norm ? p.norm_name.view() : std::string_view{}},
                          p.geometry, p.is_linear, p.folded, p.copies, redoubt::detail::has_gains<typename Net::number_type>(p)});
    }
    return layers;
}

/// Names and shapes of the tensors a checkpoint must or may have, one a line.
inline std::string describe_expected(std::span<const expected_layer> layers) {
    std::string text;
    for (const expected_layer& layer : layers) {
        const std::string channels = " [" + std::to_string(layer.geometry.out.channels) + "]\n";
        text += layer.name + ".weight " + impl::shape_text(layer.weight_shape()) + "\n";
        if (layer.norm_name.empty()) {
            text += layer.name + ".bias" + channels;
            continue;
        }
        text += layer.name + ".bias" + std::string{channels, 0, channels.size() - 1} + " (optional; alone if the norm is folded)\n";
        for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) text += layer.norm_name + part + channels;
    }
    return text;
}

/// Takes every layer out of a file. Tensors of type I64 (PyTorch's batch counters) are ignored; anything else that the
/// network does not expect is an error, and the message lists all that is missing, extra or misshapen.
inline result<std::vector<loaded_layer>> take_layers(const tensor_file& file, std::span<const expected_layer> layers,
                                                     std::string_view source) {
    impl::complaints wrong;
    std::vector<loaded_layer> loaded;
    std::vector<std::string> known;
    for (const expected_layer& layer : layers) {
        const kernel::conv_geometry& g = layer.geometry;
        const auto channels = static_cast<std::size_t>(g.out.channels);
        loaded_layer out;
        std::vector<std::size_t> shape = layer.weight_shape();
        const tensor_entry* entry = file.find(layer.name + ".weight");
        if (layer.is_linear && entry != nullptr && entry->shape.size() == 4)
            shape = layer.filter_shape();
        const auto weights = impl::take(file, layer.name + ".weight", shape, layer, wrong);
        const bool norm_in_file = !layer.norm_name.empty() && (file.find(layer.norm_name + ".running_var") != nullptr ||
                                                               file.find(layer.name + ".bias") == nullptr);
        const std::size_t bias_shape[] = {channels};
        out.biases.assign(channels, 0.0f);
        out.gains.assign(channels, 1.0f);
        if (file.find(layer.name + ".bias") != nullptr || !norm_in_file) {
            auto biases = impl::take(file, layer.name + ".bias", bias_shape, layer, wrong);
            if (biases.size() == channels) out.biases = std::move(biases);
        }
        out.weights.resize(g.weights());
        if (weights.size() == g.weights()) {
            const auto rows = static_cast<std::size_t>(g.kernel.h), columns = static_cast<std::size_t>(g.kernel.w),
                       inputs = static_cast<std::size_t>(g.group_in());
            for (std::size_t o = 0; o < channels; ++o)
                for (std::size_t i = 0; i < inputs; ++i)
                    for (std::size_t r = 0; r < rows; ++r)
                        for (std::size_t c = 0; c < columns; ++c)
                            out.weights[((o * rows + r) * columns + c) * inputs + i] =
                                weights[((o * inputs + i) * rows + r) * columns + c];
        }
        if (norm_in_file) impl::fold_norm(file, layer, out, wrong);
        impl::order_as_parameters(out.weights, static_cast<std::size_t>(g.fan_in()), layer.folded, layer.copies);
        impl::order_as_parameters(out.biases, 1, layer.folded, layer.copies);
        impl::order_as_parameters(out.gains, 1, layer.folded, layer.copies);
        loaded.push_back(std::move(out));
        known.push_back(layer.name + ".weight");
        known.push_back(layer.name + ".bias");
        if (!layer.norm_name.empty())
            for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) known.push_back(layer.norm_name + part);
    }
    for (const tensor_entry& entry : file.tensors)
        if (entry.type != dtype::i64 && std::find(known.begin(), known.end(), entry.name) == known.end())
            wrong.extra.push_back(printable(entry.name) + " " + impl::shape_text(entry.shape));
    if (wrong.any()) return wrong.text(source);
    return loaded;
}

/// Fills the parameters of a float32 network from a checkpoint; encode() is to follow where protections keep something with them. Duplicated channels come as
/// expected_layer says, with the network's own number of them (whole blocks of 16), and copies that differ from each other stay so. A
/// checkpoint of the network without copies is loaded as that network and convert()ed. Intervals are all 0 until set_intervals(): observe what
/// convert() makes of the parameters for the network without protection. Errors name the source, and of each tensor what came and what was
/// needed. Cost: two copies of the largest layer beside the file.
template <network_type Net>
    requires(std::same_as<typename Net::number_type, float32>)
result<void> load(const tensor_file& file, std::string_view source, parameters<Net>& to) {
    const auto layers = expected_layers<Net>();
    const auto loaded = take_layers(file, layers, source);
    if (!loaded) return loaded.reason();
    to.bytes.fill(std::byte{0});
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const loaded_layer& layer = (*loaded)[static_cast<std::size_t>(s)];
        const auto& g = Net::table.slots[static_cast<std::size_t>(s)].geometry;
        for (std::size_t i = 0; i < layer.weights.size(); ++i)
            to.weights(s)[kernel::layout_of<float32>.index_of_logical(g, i)] = layer.weights[i];
        std::copy(layer.biases.begin(), layer.biases.end(), to.biases(s).begin());
        if (!to.gains(s).empty()) std::copy(layer.gains.begin(), layer.gains.end(), to.gains(s).begin());
    }
    open_bounds<Net>(to);
    return {};
}

/// The same from a file.
template <network_type Net>
result<void> load(const std::string& path, parameters<Net>& to) {
    const auto file = read_safetensors(path);
    if (!file) return file.reason();
    return load<Net>(*file, path, to);
}

/// The parameters of a float32 network as tensors with PyTorch's names and axes ([out, in, rows, columns], linear [out, in]), norms and gains folded into weights and
/// biases. Where k channels are computed twice the first axis has k more, ordered as expected_layer says. What protections keep beside weights and
/// biases is not written: intervals, limits, code bits, replicas.
template <network_type Net>
    requires(std::same_as<typename Net::number_type, float32>)
tensor_file to_tensors(const parameters<Net>& from) {
    static_assert(!redoubt::detail::has_bent_gains<Net>, "redoubt: words that are read through a function and a norm's gain mean nothing without them; write the network with norms apart or folded");
    tensor_file file;
    const auto layers = expected_layers<Net>();
    const auto bytes_of = [](std::span<const float> values) {
        const auto raw = std::as_bytes(values);
        return std::vector<std::byte>{raw.begin(), raw.end()};
    };
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const expected_layer& layer = layers[static_cast<std::size_t>(s)];
        const kernel::conv_geometry& g = layer.geometry;
        std::vector<float> weights, biases(static_cast<std::size_t>(g.out.channels));
        std::vector<int> order(biases.size());  // which channel of the parameters is next in the file
        for (int o = 0; o < g.out.channels; ++o) order[static_cast<std::size_t>(channel_in_file(o, layer.folded, layer.copies))] = o;
        for (int o : order)
            for (int i = 0; i < g.group_in(); ++i)
                for (int r = 0; r < g.kernel.h; ++r)
                    for (int c = 0; c < g.kernel.w; ++c)
                        weights.push_back(from.weights(s)[kernel::layout_of<float32>.index(g, o, r, c, i)] * from.gain(s, o));
        for (std::size_t o = 0; o < biases.size(); ++o) biases[o] = from.biases(s)[static_cast<std::size_t>(order[o])];
        file.tensors.push_back({layer.name + ".weight", dtype::f32, layer.weight_shape(), bytes_of(weights)});
        file.tensors.push_back({layer.name + ".bias", dtype::f32, {biases.size()}, bytes_of(biases)});
    }
    return file;
}

}  // namespace redoubt::io::inline REDOUBT_ABI
