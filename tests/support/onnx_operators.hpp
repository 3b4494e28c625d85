// SPDX-License-Identifier: MIT
// Single ONNX operators carried out by the library's kernels, as far as there is one.
#pragma once

#include "support/onnx_convolution.hpp"

#include <redoubt/kernel/concat.hpp>
#include <redoubt/kernel/elementwise.hpp>
#include <redoubt/kernel/pool.hpp>
#include <redoubt/kernel/softmax.hpp>
#include <redoubt/nn/convert.hpp>

#include <cmath>
#include <map>

namespace support::onnx {

// ---- pools ----------------------------------------------------------------------------------------------------------

template <class Word>
tensor max_pooled(const kernel::conv_geometry& g, const tensor& x) {
    tensor out = images(x, g.out, x.type);
    for (std::int64_t i = 0; i < x.dims[0]; ++i) {
        std::vector<Word> words(static_cast<std::size_t>(g.out.size()));
        kernel::max_pool(g, image_of<Word>(x, i).data(), words.data());
        append_image(out, g.out, words);
    }
    return out;
}
inline outcome max_pool(const node& n, const operands& in, std::int64_t) {
    const tensor& x = *in[0];
    if (!is_planar(x) || n.outputs.size() > 1) return {};
    const auto g = geometry_of(n, image_shape(x), static_cast<int>(x.dims[1]), kernel_of(n, x));
    if (x.type == element::uint8) return max_pooled<std::uint8_t>(g, x);
    return x.type == element::float32 ? outcome{max_pooled<float>(g, x)} : outcome{};
}
inline tensor averaged(const kernel::conv_geometry& g, const tensor& x, kernel::count_padding counted) {
    tensor out = images(x, g.out, x.type);
    for (std::int64_t i = 0; i < x.dims[0]; ++i) {
        std::vector<float> words(static_cast<std::size_t>(g.out.size()));
        kernel::average_pool(g, image_of<float>(x, i).data(), words.data(), counted);
        append_image(out, g.out, words);
    }
    return out;
}
inline outcome average_pool(const node& n, const operands& in, std::int64_t) {
    const tensor& x = *in[0];
    if (!is_planar(x) || x.type != element::float32) return {};
    const bool counted = int_of(n, "count_include_pad", 0) != 0;
    return averaged(geometry_of(n, image_shape(x), static_cast<int>(x.dims[1]), kernel_of(n, x)), x,
                    counted ? kernel::count_padding::yes : kernel::count_padding::no);
}
/// One window that is the image.
inline kernel::conv_geometry whole_image(const tensor& x) {
    const shape s = image_shape(x);
    return {.in = s, .out = {s.channels, 1, 1}, .kernel = {s.height, s.width}};
}
inline outcome global_average(const node&, const operands& in, std::int64_t) {
    if (!is_planar(*in[0]) || in[0]->type != element::float32) return {};
    return averaged(whole_image(*in[0]), *in[0], kernel::count_padding::yes);
}
inline outcome global_max(const node&, const operands& in, std::int64_t) {
    if (!is_planar(*in[0]) || in[0]->type != element::float32) return {};
    return max_pooled<float>(whole_image(*in[0]), *in[0]);
}

// ---- element by element ---------------------------------------------------------------------------------------------

inline outcome elementwise(const tensor& x, const tensor* added, const kernel::activation_spec& by) {
    if (x.type != element::float32 || (added != nullptr && added->dims != x.dims)) return {};
    std::vector<float> in(x.values.begin(), x.values.end()), other, out(in.size());
    if (added != nullptr) other.assign(added->values.begin(), added->values.end());
    kernel::add_and_activate<float32>(in.data(), added != nullptr ? other.data() : nullptr, out.data(),
                                      static_cast<int>(in.size()), by, {});
    return tensor{{}, x.type, x.dims, {out.begin(), out.end()}};
}
inline outcome relu(const node&, const operands& in, std::int64_t) {
    return elementwise(*in[0], nullptr, {.kind = kernel::activation::relu});
}
inline outcome hard_swish(const node&, const operands& in, std::int64_t) {
    return elementwise(*in[0], nullptr, {.kind = kernel::activation::hard_swish});
}
inline outcome leaky_relu(const node& n, const operands& in, std::int64_t) {
    const float slope = float_of(n, "alpha", 0.01f);
    for (int q = 1; q < 32768; ++q) {
        const auto p = static_cast<int>(std::nearbyint(static_cast<double>(slope) * q));
        const kernel::fraction f{static_cast<std::int16_t>(p), static_cast<std::int16_t>(q)};
        if (p >= 1 && p <= q && f.value() == slope)
            return elementwise(*in[0], nullptr, {.kind = kernel::activation::leaky_relu, .slope = f});
    }
    return {};
}
/// Whole limits; a missing one is the largest number of 32 bits, far from what the cases hold.
inline outcome clip(const node& n, const operands& in, std::int64_t) {
    kernel::activation_spec by{.kind = kernel::activation::clip, .limit = 0x7fffffff, .lower = -0x7fffffff};
    const auto limit = [&](std::size_t i, std::string_view name, std::int32_t& to) {
        double v = to;
        if (const attribute* a = n.find(name)) v = static_cast<double>(a->f);
        if (in.size() > i && in[i] != nullptr) v = in[i]->values.at(0);
        if (v != std::nearbyint(v) || std::fabs(v) > 2147483647.0) return false;
        to = static_cast<std::int32_t>(v);
        return true;
    };
    if (!limit(1, "min", by.lower) || !limit(2, "max", by.limit)) return {};
    return elementwise(*in[0], nullptr, by);
}
inline outcome sum(const node&, const operands& in, std::int64_t) {
    outcome total = elementwise(*in[0], nullptr, {});
    for (std::size_t i = 1; i < in.size() && total; ++i) total = elementwise(*total, in[i], {});
    return total;
}
/// A norm folded into a depthwise convolution that does nothing else.
inline outcome batch_norm(const node& n, const operands& in, std::int64_t) {
    const tensor& x = *in[0];
    if (!is_planar(x) || x.type != element::float32 || in.size() < 5 || int_of(n, "training_mode", 0) != 0) return {};
    const shape s = image_shape(x);
    kernel::conv_geometry g{.in = s, .out = s};
    g.groups = s.channels;
    std::vector<float> weights, biases;
    for (std::size_t c = 0; c < static_cast<std::size_t>(s.channels); ++c) {
        const auto of = [&](std::size_t i) { return static_cast<float>(in[i]->values.at(c)); };
        float weight = 1.0f, bias = 0.0f;
        redoubt::fold({of(1), of(2), of(3), of(4)}, {&weight, 1}, bias, static_cast<double>(float_of(n, "epsilon", 1e-5f)));
        weights.push_back(weight);
        biases.push_back(bias);
    }
    tensor out = images(x, s, element::float32);
    for (std::int64_t i = 0; i < x.dims[0]; ++i)
        append_image(out, s, convolved<float32>(g, image_of<float>(x, i), weights, biases));
    return out;
}

// ---- shapes ---------------------------------------------------------------------------------------------------------

inline std::size_t axis_of(const node& n, std::size_t rank, std::int64_t otherwise) {
    const std::int64_t axis = int_of(n, "axis", otherwise);
    return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
}
inline std::int64_t extent_of(const std::vector<std::int64_t>& dims, std::size_t from, std::size_t to) {
    std::int64_t size = 1;
    for (std::size_t i = from; i < to && i < dims.size(); ++i) size *= dims[i];
    return size;
}
/// What comes before the axis are pixels, the rest channels.
inline outcome concat(const node& n, const operands& in, std::int64_t) {
    const std::size_t rank = in[0]->dims.size(), axis = axis_of(n, rank, 0);
    tensor out{{}, in[0]->type, in[0]->dims, {}};
    if (axis >= rank || out.type != element::float32) return {};
    out.dims[axis] = 0;
    for (const tensor* part : in) out.dims[axis] += part->dims[axis];
    const auto as_shape = [&](const tensor& t) {
        return shape{static_cast<int>(extent_of(t.dims, axis, rank)), static_cast<int>(extent_of(t.dims, 0, axis)), 1};
    };
    const shape whole = as_shape(out);
    std::vector<float> words(static_cast<std::size_t>(whole.size()));
    int channel = 0;
    for (const tensor* part : in) {
        const std::vector<float> from(part->values.begin(), part->values.end());
        kernel::concat_part(as_shape(*part), from.data(), whole, words.data(), channel);
        channel += as_shape(*part).channels;
    }
    out.values.assign(words.begin(), words.end());
    return out;
}
/// Before operator set 13 over everything from the axis on, then along the axis.
inline outcome softmax(const node& n, const operands& in, std::int64_t opset) {
    const tensor& x = *in[0];
    const std::size_t rank = x.dims.size(), axis = axis_of(n, rank, opset < 13 ? 1 : -1);
    if (x.type != element::float32 || axis >= rank) return {};
    const std::int64_t count = opset < 13 ? extent_of(x.dims, axis, rank) : x.dims[axis];
    const std::int64_t inner = opset < 13 ? 1 : extent_of(x.dims, axis + 1, rank), outer = extent_of(x.dims, 0, axis);
    tensor out = x;
    for (std::int64_t i = 0; i < outer * inner; ++i) {
        const auto at = [&](std::int64_t k) { return static_cast<std::size_t>((i / inner * count + k) * inner + i % inner); };
        std::vector<float> from, to(static_cast<std::size_t>(count));
        for (std::int64_t k = 0; k < count; ++k) from.push_back(static_cast<float>(x.values[at(k)]));
        kernel::softmax(from.data(), to.data(), to.size(), 0);
        for (std::int64_t k = 0; k < count; ++k) out.values[at(k)] = static_cast<double>(to[static_cast<std::size_t>(k)]);
    }
    return out;
}
/// The layer flatten moves nothing; nor does an identity.
inline outcome flatten(const node& n, const operands& in, std::int64_t) {
    const std::size_t axis = axis_of(n, in[0]->dims.size(), 1);
    return tensor{{}, in[0]->type, {extent_of(in[0]->dims, 0, axis), extent_of(in[0]->dims, axis, in[0]->dims.size())}, in[0]->values};
}
inline outcome identity(const node&, const operands& in, std::int64_t) { return *in[0]; }

/// Every operator there is something for.
inline outcome carried_out(const node& n, const operands& in, std::int64_t opset) {
    using operation = outcome (*)(const node&, const operands&, std::int64_t);
    static const std::map<std::string_view, operation> all{
        {"Conv", convolution}, {"ConvInteger", integer_convolution}, {"Gemm", gemm}, {"MatMul", matrix_product<float32>},
        {"MatMulInteger", matrix_product<redoubt::int8>}, {"MaxPool", max_pool}, {"AveragePool", average_pool},
        {"GlobalAveragePool", global_average}, {"GlobalMaxPool", global_max}, {"Relu", relu}, {"LeakyRelu", leaky_relu},
        {"HardSwish", hard_swish}, {"Clip", clip}, {"Add", sum}, {"Sum", sum}, {"BatchNormalization", batch_norm},
        {"Concat", concat}, {"Softmax", softmax}, {"Flatten", flatten}, {"Identity", identity}};
    const auto found = all.find(n.op);
    if (found == all.end() || in.empty() || in[0] == nullptr) return {};
    return found->second(n, in, opset);
}

}  // namespace support::onnx
