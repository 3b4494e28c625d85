// SPDX-License-Identifier: MIT
// ONNX convolutions and matrix products carried out by the library's kernels. Tensors are [batch][channel][row][column]
// outside and [row][column][channel] inside.
#pragma once

#include "support/kernels.hpp"
#include "support/onnx.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

namespace support::onnx {

using redoubt::float32;
using redoubt::hw;
using redoubt::shape;
namespace kernel = redoubt::kernel;

/// The inputs of a node; absent ones are null.
using operands = std::vector<const tensor*>;
/// Nothing where the library has no such operation.
using outcome = std::optional<tensor>;

inline std::int64_t int_of(const node& n, std::string_view name, std::int64_t otherwise) {
    const attribute* a = n.find(name);
    return a != nullptr ? a->i : otherwise;
}
inline float float_of(const node& n, std::string_view name, float otherwise) {
    const attribute* a = n.find(name);
    return a != nullptr ? a->f : otherwise;
}
/// A pair of extents, or the one of a signal of one row.
inline hw pair_of(const node& n, std::string_view name, std::size_t from, bool one_row, int of_row, int otherwise) {
    const attribute* a = n.find(name);
    const auto at = [&](std::size_t i) {
        return a != nullptr && from + i < a->ints.size() ? static_cast<int>(a->ints[from + i]) : otherwise;
    };
    return one_row ? hw{of_row, at(0)} : hw{at(0), at(1)};
}

/// Tensors whose rank a window can move over, and images of them.
inline bool is_planar(const tensor& t) { return t.dims.size() == 3 || t.dims.size() == 4; }
inline shape image_shape(const tensor& t) {
    const bool one_row = t.dims.size() == 3;
    return {static_cast<int>(t.dims[1]), one_row ? 1 : static_cast<int>(t.dims[2]), static_cast<int>(t.dims.back())};
}
template <class Word>
std::vector<Word> image_of(const tensor& t, std::int64_t n) {
    const shape s = image_shape(t);
    std::vector<Word> words(static_cast<std::size_t>(s.size() + 3));
    const double* from = t.values.data() + n * s.size();
    for (int c = 0; c < s.channels; ++c)
        for (int row = 0; row < s.height; ++row)
            for (int column = 0; column < s.width; ++column)
                words[static_cast<std::size_t>(s.index(row, column, c))] = static_cast<Word>(*from++);
    return words;
}
template <class Word>
void append_image(tensor& t, const shape& s, const std::vector<Word>& words) {
    for (int c = 0; c < s.channels; ++c)
        for (int row = 0; row < s.height; ++row)
            for (int column = 0; column < s.width; ++column)
                t.values.push_back(static_cast<double>(words[static_cast<std::size_t>(s.index(row, column, c))]));
}
inline tensor images(const tensor& in, const shape& out, element type) {
    tensor t{{}, type, {in.dims[0], out.channels}, {}};
    if (in.dims.size() == 4) t.dims.push_back(out.height);
    t.dims.push_back(out.width);
    return t;
}

/// Kernel, stride, padding and dilation of a node, and the extents that follow.
inline kernel::conv_geometry geometry_of(const node& n, const shape& in, int out_channels, hw size) {
    const attribute* kind = n.find("auto_pad");
    const std::string how = kind != nullptr ? kind->s : "NOTSET";
    const bool one_row = in.height == 1 && (n.find("kernel_shape") == nullptr || n.find("kernel_shape")->ints.size() == 1);
    kernel::conv_geometry g{.in = in, .out = {out_channels, 0, 0}, .kernel = size};
    g.stride = pair_of(n, "strides", 0, one_row, 1, 1);
    g.dilation = pair_of(n, "dilations", 0, one_row, 1, 1);
    g.groups = static_cast<int>(int_of(n, "group", 1));
    g.pad = how == "NOTSET" ? pair_of(n, "pads", 0, one_row, 0, 0) : hw{0};
    const hw after = how == "NOTSET" ? pair_of(n, "pads", one_row ? 1 : 2, one_row, 0, 0) : hw{0};
    const bool up = int_of(n, "ceil_mode", 0) != 0;
    const auto along = [&](int extent, int k, int stride, int dilation, int& before, int behind) {
        const int reach = (k - 1) * dilation + 1;
        if (how.starts_with("SAME")) {
            const int out = (extent + stride - 1) / stride, total = std::max((out - 1) * stride + reach - extent, 0);
            before = how == "SAME_UPPER" ? total / 2 : total - total / 2;
            return out;
        }
        return (extent + before + behind - reach + (up ? stride - 1 : 0)) / stride + 1;
    };
    g.out.height = along(in.height, size.h, g.stride.h, g.dilation.h, g.pad.h, after.h);
    g.out.width = along(in.width, size.w, g.stride.w, g.dilation.w, g.pad.w, after.w);
    return g;
}
inline hw kernel_of(const node& n, const tensor& in) { return pair_of(n, "kernel_shape", 0, in.dims.size() == 3, 1, 1); }

// ---- convolutions and products --------------------------------------------------------------------------------------

/// One call with weights in logical order and biases without padding.
template <redoubt::number N>
std::vector<typename N::logit> convolved(const kernel::conv_geometry& g, const std::vector<typename N::activation>& in,
                                         const std::vector<typename N::weight>& weights, std::vector<typename N::bias> bias) {
    constexpr kernel::wide_layout layout = kernel::layout_of<N>;
    std::vector<typename N::weight> wide(layout.size(g));
    for (std::size_t i = 0; i < weights.size(); ++i) wide[layout.index_of_logical(g, i)] = weights[i];
    bias.resize(static_cast<std::size_t>(g.blocks() * kernel::lane_count));
    std::vector<typename N::logit> out(static_cast<std::size_t>(g.out.size()));
    kernel::conv_call<N> call;
    call.geometry = g;
    call.in = in.data();
    call.weights = wide.data();
    call.bias = bias.data();
    call.logits = out.data();
    call.block_end = g.blocks();
    kernel::conv2d<N>(call);
    return out;
}
/// [out][in][row][column] to [out][row][column][in].
template <class Word>
std::vector<Word> logical_weights(const tensor& w, hw size, double zero = 0.0) {
    std::vector<Word> words(w.values.size());
    const auto taps = static_cast<std::size_t>(size.h * size.w), in = static_cast<std::size_t>(w.dims[1]);
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::size_t tap = i % taps, channel = i / taps % in, out = i / taps / in;
        words[(out * taps + tap) * in + channel] = static_cast<Word>(w.values[i] - zero);
    }
    return words;
}
inline hw window_of(const tensor& w) {
    return {w.dims.size() == 3 ? 1 : static_cast<int>(w.dims[2]), static_cast<int>(w.dims.back())};
}
inline outcome convolution(const node& n, const operands& in, std::int64_t) {
    const tensor &x = *in[0], &w = *in[1];
    if (!is_planar(x) || x.type != element::float32) return {};
    const auto g = geometry_of(n, image_shape(x), static_cast<int>(w.dims[0]), window_of(w));
    std::vector<float> bias;
    if (in.size() > 2 && in[2] != nullptr) bias.assign(in[2]->values.begin(), in[2]->values.end());
    tensor out = images(x, g.out, element::float32);
    for (std::int64_t i = 0; i < x.dims[0]; ++i)
        append_image(out, g.out, convolved<float32>(g, image_of<float>(x, i), logical_weights<float>(w, g.kernel), bias));
    return out;
}
/// Zero points move into the stored offset of 128; what does not fit a byte then cannot be run.
inline bool fits(const tensor& t, double zero, double low, double high) {
    for (double v : t.values)
        if (v - zero < low || v - zero > high) return false;
    return true;
}
inline double zero_point(const operands& in, std::size_t i) {
    return in.size() > i && in[i] != nullptr && !in[i]->values.empty() ? in[i]->values[0] : 0.0;
}
inline std::vector<redoubt::int8::bias> offset_bias(const std::vector<std::int8_t>& weights, int outputs) {
    std::vector<std::int32_t> bias(static_cast<std::size_t>(outputs));
    for (std::size_t i = 0; i < weights.size(); ++i) bias[i / (weights.size() / bias.size())] -= 128 * weights[i];
    return bias;
}
inline tensor offset_codes(tensor t, double zero) {
    for (double& v : t.values) v += 128.0 - zero;
    return t;
}
inline outcome integer_convolution(const node& n, const operands& in, std::int64_t) {
    const tensor &x = *in[0], &w = *in[1];
    const double x_zero = zero_point(in, 2), w_zero = zero_point(in, 3);
    if (!is_planar(x) || !fits(x, x_zero, -128, 127) || !fits(w, w_zero, -128, 127)) return {};
    const auto g = geometry_of(n, image_shape(x), static_cast<int>(w.dims[0]), window_of(w));
    const auto weights = logical_weights<std::int8_t>(w, g.kernel, w_zero);
    tensor out = images(x, g.out, element::int32);
    for (std::int64_t i = 0; i < x.dims[0]; ++i)
        append_image(out, g.out, convolved<redoubt::int8>(g, image_of<std::uint8_t>(offset_codes(x, x_zero), i), weights,
                                                          offset_bias(weights, g.out.channels)));
    return out;
}

/// rows x inner times inner x columns: a linear layer for each row.
struct product {
    std::int64_t rows, inner, columns;
    std::function<double(std::int64_t, std::int64_t)> a, b, c;

    template <redoubt::number N>
    void append_to(tensor& out) const {
        const kernel::conv_geometry g{.in = {static_cast<int>(inner), 1, 1}, .out = {static_cast<int>(columns), 1, 1}};
        std::vector<typename N::weight> weights;
        for (std::int64_t j = 0; j < columns; ++j)
            for (std::int64_t k = 0; k < inner; ++k) weights.push_back(static_cast<typename N::weight>(b(k, j)));
        for (std::int64_t i = 0; i < rows; ++i) {
            std::vector<typename N::activation> in;
            std::vector<typename N::bias> bias(static_cast<std::size_t>(columns));
            for (std::int64_t k = 0; k < inner; ++k) in.push_back(static_cast<typename N::activation>(a(i, k)));
            in.resize(in.size() + 3);
            if constexpr (N::is_integer) bias = offset_bias(weights, g.out.channels);
            else for (std::int64_t j = 0; j < columns; ++j) bias[static_cast<std::size_t>(j)] = static_cast<float>(c(i, j));
            for (const auto v : convolved<N>(g, in, weights, bias)) out.values.push_back(static_cast<double>(v));
        }
    }
};
inline outcome gemm(const node& n, const operands& in, std::int64_t) {
    const tensor &a = *in[0], &b = *in[1];
    const bool at = int_of(n, "transA", 0) != 0, bt = int_of(n, "transB", 0) != 0;
    const double alpha = static_cast<double>(float_of(n, "alpha", 1.0f)), beta = static_cast<double>(float_of(n, "beta", 1.0f));
    if (a.dims.size() != 2 || b.dims.size() != 2 || a.type != element::float32) return {};
    const auto element_of = [](const tensor& t, std::int64_t i, std::int64_t j) {
        return t.values[static_cast<std::size_t>(i * t.dims[1] + j)];
    };
    const tensor* c = in.size() > 2 ? in[2] : nullptr;
    const product p{a.dims[at ? 1 : 0], a.dims[at ? 0 : 1], b.dims[bt ? 0 : 1],
                    [&](std::int64_t i, std::int64_t k) { return at ? element_of(a, k, i) : element_of(a, i, k); },
                    [&](std::int64_t k, std::int64_t j) { return alpha * (bt ? element_of(b, j, k) : element_of(b, k, j)); },
                    [&](std::int64_t i, std::int64_t j) {
                        if (c == nullptr) return 0.0;
                        const std::size_t rank = c->dims.size();
                        const std::int64_t width = rank == 0 ? 1 : c->dims[rank - 1], height = rank < 2 ? 1 : c->dims[0];
                        return beta * c->values[static_cast<std::size_t>((height == 1 ? 0 : i) * width + (width == 1 ? 0 : j))];
                    }};
    tensor out{{}, element::float32, {p.rows, p.columns}, {}};
    p.append_to<float32>(out);
    return out;
}
template <redoubt::number N>
outcome matrix_product(const node&, const operands& in, std::int64_t) {
    const tensor &a = *in[0], &b = *in[1];
    const std::size_t rank = a.dims.size();
    const double a_zero = zero_point(in, 2) - (N::is_integer ? 128.0 : 0.0), b_zero = zero_point(in, 3);
    if (rank < 2 || b.dims.size() != rank || (N::is_integer && (!fits(a, a_zero, 0, 255) || !fits(b, b_zero, -128, 127)))) return {};
    tensor out{{}, N::is_integer ? element::int32 : element::float32, a.dims, {}};
    out.dims[rank - 1] = b.dims[rank - 1];
    std::int64_t batches = 1;
    for (std::size_t d = 0; d + 2 < rank; ++d) {
        if (a.dims[d] != b.dims[d]) return {};
        batches *= a.dims[d];
    }
    const std::int64_t rows = a.dims[rank - 2], inner = a.dims[rank - 1], columns = b.dims[rank - 1];
    for (std::int64_t s = 0; s < batches; ++s) {
        const product p{rows, inner, columns,
                        [&](std::int64_t i, std::int64_t k) { return a.values[static_cast<std::size_t>((s * rows + i) * inner + k)] - a_zero; },
                        [&](std::int64_t k, std::int64_t j) { return b.values[static_cast<std::size_t>((s * inner + k) * columns + j)] - b_zero; },
                        [](std::int64_t, std::int64_t) { return 0.0; }};
        p.append_to<N>(out);
    }
    return out;
}

}  // namespace support::onnx
