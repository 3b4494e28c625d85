// SPDX-License-Identifier: MIT
// Layers written down once more, with vectors and std::fma (two roundings where a level cannot fuse): what an inference
// must equal bit for bit.
#pragma once

#include "support/activations.hpp"
#include "support/nets.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace support {

/// A float activation tensor in [row][column][channel] order.
struct plain_tensor {
    int channels, height, width;
    std::vector<float> elements = std::vector<float>(static_cast<std::size_t>(channels * height * width));

    float& at(int row, int column, int channel) {
        return elements[static_cast<std::size_t>((row * width + column) * channels + channel)];
    }
    float at(int row, int column, int channel) const {
        return elements[static_cast<std::size_t>((row * width + column) * channels + channel)];
    }
};

inline float plain_step(float a, float w, float sum) {
    if (redoubt::fuses) return std::fma(a, w, sum);
    const float product = a * w;
    return product + sum;
}

inline plain_tensor plain_conv(const plain_tensor& in, const drawn_layer& layer, const redoubt::kernel::conv_geometry& g) {
    plain_tensor out{g.out.channels, g.out.height, g.out.width};
    const int inputs = g.in.channels / g.groups, outputs = g.out.channels / g.groups;
    for (int o = 0; o < g.out.channels; ++o) {
        for (int row = 0; row < out.height; ++row) {
            for (int column = 0; column < out.width; ++column) {
                float sum = layer.biases[static_cast<std::size_t>(o)];
                for (int r = 0; r < g.kernel.h; ++r) {
                    for (int c = 0; c < g.kernel.w; ++c) {
                        const int y = row * g.stride.h - g.pad.h + r * g.dilation.h;
                        const int x = column * g.stride.w - g.pad.w + c * g.dilation.w;
                        if (y < 0 || y >= in.height || x < 0 || x >= in.width) continue;
                        for (int i = 0; i < inputs; ++i) {
                            const auto w = static_cast<std::size_t>(((o * g.kernel.h + r) * g.kernel.w + c) * inputs + i);
                            sum = plain_step(in.at(y, x, o / outputs * inputs + i), layer.weights[w], sum);
                        }
                    }
                }
                out.at(row, column, o) = sum;
            }
        }
    }
    return out;
}
inline plain_tensor plain_conv(const plain_tensor& in, const drawn_layer& layer, int out_channels, int kernel_h,
                               int kernel_w, int stride, int pad) {
    const redoubt::shape out{out_channels, (in.height + 2 * pad - kernel_h) / stride + 1,
                             (in.width + 2 * pad - kernel_w) / stride + 1};
    return plain_conv(in, layer, {{in.channels, in.height, in.width}, out, {kernel_h, kernel_w}, stride, pad});
}

inline plain_tensor plain_linear(const plain_tensor& in, const drawn_layer& layer, int out_channels) {
    return plain_conv(in, layer, out_channels, in.height, in.width, 1, 0);
}

inline plain_tensor plain_relu(plain_tensor t, float limit = INFINITY) {
    for (float& v : t.elements) v = v > 0.0f ? std::min(v, limit) : 0.0f;
    return t;
}

inline plain_tensor plain_add(plain_tensor a, const plain_tensor& b) {
    for (std::size_t i = 0; i < a.elements.size(); ++i) a.elements[i] = a.elements[i] + b.elements[i];
    return a;
}

inline plain_tensor plain_max_pool(const plain_tensor& in, int kernel, int stride, int pad = 0) {
    plain_tensor out{in.channels, (in.height + 2 * pad - kernel) / stride + 1, (in.width + 2 * pad - kernel) / stride + 1};
    for (int row = 0; row < out.height; ++row)
        for (int column = 0; column < out.width; ++column)
            for (int c = 0; c < in.channels; ++c) {
                float most = -INFINITY;
                for (int y = row * stride - pad; y < row * stride - pad + kernel; ++y)
                    for (int x = column * stride - pad; x < column * stride - pad + kernel; ++x)
                        if (y >= 0 && y < in.height && x >= 0 && x < in.width) most = std::max(most, in.at(y, x, c));
                out.at(row, column, c) = most;
            }
    return out;
}

/// The mean of each window; what lies outside the image counts in the divisor or not.
inline plain_tensor plain_average_pool(const plain_tensor& in, const redoubt::kernel::conv_geometry& g, bool counted) {
    plain_tensor out{in.channels, g.out.height, g.out.width};
    for (int row = 0; row < out.height; ++row)
        for (int column = 0; column < out.width; ++column)
            for (int c = 0; c < in.channels; ++c) {
                float sum = 0.0f;
                int taps = 0;
                for (int y = row * g.stride.h - g.pad.h; y < row * g.stride.h - g.pad.h + g.kernel.h; ++y)
                    for (int x = column * g.stride.w - g.pad.w; x < column * g.stride.w - g.pad.w + g.kernel.w; ++x) {
                        if (y < 0 || y >= in.height || x < 0 || x >= in.width) continue;
                        sum = sum + in.at(y, x, c);
                        ++taps;
                    }
                out.at(row, column, c) = sum / static_cast<float>(counted ? g.kernel.h * g.kernel.w : taps);
            }
    return out;
}

inline plain_tensor plain_average(const plain_tensor& in) {
    plain_tensor out{in.channels, 1, 1};
    for (int c = 0; c < in.channels; ++c) {
        float sum = 0.0f;
        for (int row = 0; row < in.height; ++row)
            for (int column = 0; column < in.width; ++column) sum = sum + in.at(row, column, c);
        out.at(0, 0, c) = sum / static_cast<float>(in.height * in.width);
    }
    return out;
}

/// Every stride-th pixel; `before` channels of zeros, those of the input, zeros.
inline plain_tensor plain_subsample(const plain_tensor& in, int out_channels, int stride) {
    plain_tensor out{out_channels, (in.height + stride - 1) / stride, (in.width + stride - 1) / stride};
    const int before = (out_channels - in.channels) / 2;
    for (int row = 0; row < out.height; ++row)
        for (int column = 0; column < out.width; ++column)
            for (int c = 0; c < in.channels; ++c)
                out.at(row, column, before + c) = in.at(row * stride, column * stride, c);
    return out;
}

/// All channels of each, in order.
inline plain_tensor plain_concat(const std::vector<plain_tensor>& parts) {
    plain_tensor out{0, parts[0].height, parts[0].width};
    for (const plain_tensor& part : parts) out.channels += part.channels;
    out.elements.clear();
    for (int row = 0; row < out.height; ++row)
        for (int column = 0; column < out.width; ++column)
            for (const plain_tensor& part : parts)
                for (int c = 0; c < part.channels; ++c) out.elements.push_back(part.at(row, column, c));
    return out;
}

/// An unprotected float32 network, step by step along its table.
template <redoubt::network_type Net>
std::vector<float> plain_answer(const std::vector<drawn_layer>& layers, const std::vector<float>& image) {
    using redoubt::op;
    std::vector<plain_tensor> values;
    for (int i = 0; i < Net::table.step_count; ++i) {
        const redoubt::step& s = Net::table.steps[static_cast<std::size_t>(i)];
        const auto& g = s.geometry;
        const auto value = [&](int v) -> const plain_tensor& { return values[static_cast<std::size_t>(v)]; };
        plain_tensor out{g.out.channels, g.out.height, g.out.width};
        if (s.kind == op::input) out.elements = image;
        if (s.kind == op::convolution)
            out = plain_conv(value(s.in), layers[static_cast<std::size_t>(s.slot)], g);
        if (s.kind == op::max_pool) out = plain_max_pool(value(s.in), g.kernel.h, g.stride.h, g.pad.h);
        if (s.kind == op::average_pool)
            out = plain_average_pool(value(s.in), g, s.counted == redoubt::kernel::count_padding::yes);
        if (s.kind == op::global_average) out = plain_average(value(s.in));
        if (s.kind == op::subsample) out = plain_subsample(value(s.in), g.out.channels, g.stride.h);
        if (s.kind == op::concat) {
            std::vector<plain_tensor> parts;
            for (int v : s.parts)
                if (v >= 0) parts.push_back(value(v));
            out = plain_concat(parts);
        }
        if (s.kind == op::add || s.kind == op::activate) out = value(s.in);
        if (s.residual >= 0) out = plain_add(out, value(s.residual));
        for (float& v : out.elements) v = activated(s.nonlinearity(), v);
        values.push_back(out);
    }
    return values[static_cast<std::size_t>(Net::table.output)].elements;
}

inline std::vector<std::uint32_t> words_of(const std::vector<float>& values) {
    std::vector<std::uint32_t> words;
    for (float v : values) words.push_back(redoubt::to_word(v));
    return words;
}

}  // namespace support
