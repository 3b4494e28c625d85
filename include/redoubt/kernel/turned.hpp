// SPDX-License-Identifier: MIT
// The convolutions that the gradient to a convolution's inputs consists of.
#pragma once

#include <redoubt/kernel/geometry.hpp>

#include <cstddef>
#include <numeric>

namespace redoubt::kernel::inline v1 {

/// Whether a convolution has the narrow form of kernel/narrow.hpp, by extents alone, so that results are the same on every instruction set.
constexpr bool is_narrow(const conv_geometry& g) {
    return g.groups == 1 && g.out.channels <= lane_count && g.kernel.w == 3 && g.stride.w == 1 && g.dilation.w == 1 && g.pad.w == 1 &&
           g.in.width == g.out.width && g.in.width >= 4;
}

/// The inputs whose rows and columns leave the remainder `at` by the stride, as outputs of a convolution of stride 1 over
/// the gradients of g's outputs.
struct turned_phase {
    hw at;                     ///< the first of its rows and columns
    conv_geometry geometry{};  ///< `kernel` may be 0: no tap reaches these inputs
    hw first_tap{0};           ///< of g: the lowest kernel row and column that reach them
    hw tap_step{1};            ///< of g: from there to the next

    constexpr turned_phase(const conv_geometry& g, hw phase) : at{phase} {
        const axis rows{g.in.height, phase.h, g.kernel.h, g.stride.h, g.pad.h, g.dilation.h};
        const axis columns{g.in.width, phase.w, g.kernel.w, g.stride.w, g.pad.w, g.dilation.w};
        geometry = {.in = g.out, .out = {g.in.channels, rows.extent, columns.extent}, .kernel = {rows.taps, columns.taps}, .stride = 1,
                    .pad = {rows.pad, columns.pad}, .dilation = {rows.dilation, columns.dilation}, .groups = g.groups};
        first_tap = {rows.first, columns.first};
        tap_step = {rows.step, columns.step};
    }
    constexpr bool is_empty() const { return geometry.out.height == 0 || geometry.out.width == 0; }
    constexpr bool is_reached() const { return geometry.kernel.h > 0 && geometry.kernel.w > 0; }
    /// Words of its turned weights.
    constexpr std::size_t weights() const { return is_reached() && !is_empty() ? wide_layout{}.size(geometry) : 0; }

private:
    struct axis {
        int extent = 0, taps = 0, first = 0, step = 1, dilation = 1, pad = 0;

        constexpr axis(int size, int phase, int kernel, int stride, int padding, int spread) {
            extent = phase < size ? (size - phase + stride - 1) / stride : 0;
            const int common = std::gcd(stride, spread);
            step = stride / common;
            dilation = spread / common;
            while (first < kernel && first < step && (phase + padding - first * spread) % stride != 0) ++first;
            if (first == kernel || first == step) return;
            taps = (kernel - 1 - first) / step + 1;
            pad = (taps - 1) * dilation - (phase + padding - first * spread) / stride;
        }
    };
};

/// Words that turn_weights() writes.
constexpr std::size_t turned_words(const conv_geometry& g) {
    std::size_t words = 0;
    for (int h = 0; h < g.stride.h; ++h)
        for (int w = 0; w < g.stride.w; ++w) words += turned_phase{g, {h, w}}.weights();
    return words;
}

/// Words of scratch that input_gradient() needs for one image: outputs of a phase, where there are several.
constexpr std::size_t input_gradient_scratch(const conv_geometry& g) {
    if (g.stride == hw{1}) return 0;
    return static_cast<std::size_t>(turned_phase{g, {0, 0}}.geometry.out.size());
}

}  // namespace redoubt::kernel::inline v1
