// SPDX-License-Identifier: MIT
// Scalar gradients of convolutions and linear layers: the oracle of the kernels that train, in float and in double.
#pragma once

#include <redoubt/kernel/geometry.hpp>
#include <redoubt/kernel/multiply_add.hpp>
#include <redoubt/kernel/turned.hpp>
#include <redoubt/number/nan.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

inline float step_of_chain(float a, float b, float sum) { return multiply_add(a, b, sum); }
inline double step_of_chain(double a, double b, double sum) { return std::fma(a, b, sum); }

template <std::floating_point T>
T one_nan(T v) {
    if constexpr (std::same_as<T, float>) return canonical(v);
    else return v;
}

/// Where weights of floats lie.
inline constexpr wide_layout float_layout{};

}  // namespace impl

/// Adds to `to` (wide layout) the gradient of the loss to each weight. `in` is [image][row][column][channel] of g.in,
/// `gradient` the loss's gradient to the convolution's outputs, of g.out. Each weight has one chain from +0 over images,
/// output rows and output columns, a fused multiply-add each, taps on padding left out; its end is added to what `to`
/// holds, rounded once more. All NaNs become one. Cost: a scalar multiply-add a tap and image.
template <std::floating_point T>
void weight_gradient_reference(const conv_geometry& g, int images, const T* in, const T* gradient, T* to) {
    const auto in_size = static_cast<std::ptrdiff_t>(g.in.size()), out_size = static_cast<std::ptrdiff_t>(g.out.size());
    for (int o = 0; o < g.out.channels; ++o)
        for (int r = 0; r < g.kernel.h; ++r)
            for (int c = 0; c < g.kernel.w; ++c)
                for (int i = 0; i < g.group_in(); ++i) {
                    T sum{};
                    for (int image = 0; image < images; ++image)
                        for (int row = 0; row < g.out.height; ++row)
                            for (int column = 0; column < g.out.width; ++column) {
                                const int y = g.row_at(row, r), x = g.column_at(column, c);
                                if (y < 0 || y >= g.in.height || x < 0 || x >= g.in.width) continue;
                                sum = impl::step_of_chain(in[image * in_size + g.in.index(y, x, g.first_input(o) + i)],
                                                          gradient[image * out_size + g.out.index(row, column, o)], sum);
                            }
                    T& at = to[impl::float_layout.index(g, o, r, c, i)];
                    at = impl::one_nan(at + sum);
                }
}

/// The gradient of the loss to each input, and `added` where it is not null (of g.in, it may not be `to`). `weights` are in
/// the wide layout. Each input has one chain from +0 over the kernel's rows and columns from the last to the first and the
/// output channels of its group, those that do not reach it left out: the chain of a convolution with turned weights. Where that is a narrow one
/// (kernel/narrow.hpp), columns go innermost.
template <std::floating_point T>
void input_gradient_reference(const conv_geometry& g, int images, const T* gradient, const T* weights, const T* added, T* to) {
    const auto in_size = static_cast<std::ptrdiff_t>(g.in.size()), out_size = static_cast<std::ptrdiff_t>(g.out.size());
    const auto reaches = [](int at, int stride, int extent) { return at >= 0 && at % stride == 0 && at / stride < extent; };
    for (int image = 0; image < images; ++image)
        for (int y = 0; y < g.in.height; ++y)
            for (int x = 0; x < g.in.width; ++x) {
                const bool narrow = is_narrow(turned_phase{g, {y % g.stride.h, x % g.stride.w}}.geometry);
                for (int channel = 0; channel < g.in.channels; ++channel) {
                    T sum{};
                    const int group = channel / g.group_in(), i = channel % g.group_in();
                    const auto add = [&](int r, int c, int o) {
                        const int row = y + g.pad.h - r * g.dilation.h, column = x + g.pad.w - c * g.dilation.w;
                        if (!reaches(row, g.stride.h, g.out.height) || !reaches(column, g.stride.w, g.out.width)) return;
                        sum = impl::step_of_chain(gradient[image * out_size + g.out.index(row / g.stride.h, column / g.stride.w, o)],
                                                  weights[impl::float_layout.index(g, o, r, c, i)], sum);
                    };
                    for (int r = g.kernel.h - 1; r >= 0; --r) {
                        if (narrow) {
                            for (int o = 0; o < g.out.channels; ++o)
                                for (int c = g.kernel.w - 1; c >= 0; --c) add(r, c, o);
                            continue;
                        }
                        for (int c = g.kernel.w - 1; c >= 0; --c)
                            for (int o = group * g.group_out(); o < (group + 1) * g.group_out(); ++o) add(r, c, o);
                    }
                    const auto at = image * in_size + g.in.index(y, x, channel);
                    if (added != nullptr) sum = sum + added[at];
                    to[at] = impl::one_nan(sum);
                }
            }
}

}  // namespace redoubt::kernel::inline REDOUBT_ABI
