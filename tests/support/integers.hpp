// SPDX-License-Identifier: MIT
// int8 networks written down once more in plain integers.
#pragma once

#include "support/activations.hpp"
#include "support/nets.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace support {

using redoubt::count_padding;
using redoubt::int8;
using redoubt::op;
using redoubt::parameters;
using redoubt::step;
namespace kernel = redoubt::kernel;

inline int round_half_even(double v) { return static_cast<int>(std::nearbyint(v)); }

/// Values of an int8 step as codes, offset taken off.
using codes = std::vector<int>;

/// acc / 2^shift to the nearest, halves to even.
inline int shifted(long long acc, int shift) { return round_half_even(std::ldexp(static_cast<double>(acc), -shift)); }

/// An int8 network along its table in plain integers; scales and words are read from its parameters.
template <class Net>
std::vector<long long> integer_logits(const parameters<Net>& p, const std::vector<float>& image) {
    const auto frac_of = [&](int v) {
        return p.of_unit(Net::table.steps[static_cast<std::size_t>(
            find_step<Net>([&](const step& s) { return s.out == v; }))].unit).frac;
    };
    std::vector<codes> values;
    std::vector<long long> logits;
    for (int at = 0; at < Net::table.step_count; ++at) {
        const step& s = Net::table.steps[static_cast<std::size_t>(at)];
        const auto& g = s.geometry;
        codes out(static_cast<std::size_t>(g.out.size()));
        const auto in = [&](int row, int column, int c) {
            return values[static_cast<std::size_t>(s.in)][static_cast<std::size_t>(g.in.index(row, column, c))];
        };
        for (int row = 0; row < g.out.height; ++row)
            for (int column = 0; column < g.out.width; ++column)
                for (int o = 0; o < g.out.channels; ++o) {
                    const auto index = static_cast<std::size_t>(g.out.index(row, column, o));
                    if (s.kind == op::input) {
                        out[index] = std::clamp(round_half_even(std::ldexp(static_cast<double>(image[index]), frac_of(0))), -128, 127);
                    } else if (s.kind == op::max_pool) {
                        int most = -128;
                        for (int r = 0; r < g.kernel.h; ++r)
                            for (int c = 0; c < g.kernel.w; ++c) {
                                const int y = g.row_at(row, r), x = g.column_at(column, c);
                                if (y >= 0 && y < g.in.height && x >= 0 && x < g.in.width) most = std::max(most, in(y, x, o));
                            }
                        out[index] = most;
                    } else if (s.kind == op::average_pool) {
                        double sum = 0.0;
                        for (int r = 0; r < g.kernel.h; ++r)
                            for (int c = 0; c < g.kernel.w; ++c) {
                                const int y = g.row_at(row, r), x = g.column_at(column, c);
                                if (y >= 0 && y < g.in.height && x >= 0 && x < g.in.width) sum += in(y, x, o);
                            }
                        const int taps = s.counted == count_padding::yes ? g.kernel.h * g.kernel.w : g.taps_at(row, column) / g.in.channels;
                        out[index] = std::clamp(round_half_even(std::ldexp(sum, frac_of(s.out) - frac_of(s.in)) / taps), -128, 127);
                    } else if (s.kind == op::activate || s.kind == op::add) {
                        // both sides at the finest scale, then rounded to the output's
                        double value = std::ldexp(in(row, column, o), -frac_of(s.in));
                        if (s.residual >= 0)
                            value += std::ldexp(values[static_cast<std::size_t>(s.residual)][index], -frac_of(s.residual));
                        const int code = round_half_even(std::ldexp(value, frac_of(s.out)));
                        out[index] = static_cast<int>(std::clamp(activated_code(s.nonlinearity(), code, frac_of(s.out)), -128.0, 127.0));
                    } else if (s.kind == op::concat) {
                        int first = 0;
                        for (const int v : s.parts) {
                            if (v < 0) break;
                            const auto& part = Net::table.values[static_cast<std::size_t>(v)].extents;
                            const int c = o - first;
                            first += part.channels;
                            if (c < 0 || c >= part.channels) continue;
                            const int code = values[static_cast<std::size_t>(v)][static_cast<std::size_t>(part.index(row, column, c))];
                            out[index] = std::clamp(round_half_even(std::ldexp(code, frac_of(s.out) - frac_of(v))), -128, 127);
                        }
                    } else if (s.kind == op::subsample) {
                        const int c = o - (g.out.channels - g.in.channels) / 2;
                        out[index] = c >= 0 && c < g.in.channels ? in(row * g.stride.h, column * g.stride.w, c) : 0;
                    } else {
                        const auto weights = p.weights(s.slot);
                        long long sum = p.biases(s.slot)[static_cast<std::size_t>(o)], weight_sum = 0;
                        for (int i = 0; i < g.fan_in(); ++i) {
                            const int c = i % g.group_in() + g.first_input(o), tap = i / g.group_in();
                            const int y = g.row_at(row, tap / g.kernel.w), x = g.column_at(column, tap % g.kernel.w);
                            const int w = weights[kernel::layout_of<int8>.index_of_logical(g, static_cast<std::size_t>(o * g.fan_in() + i))];
                            weight_sum += w;
                            if (y >= 0 && y < g.in.height && x >= 0 && x < g.in.width) sum += w * in(y, x, c);
                        }
                        sum += 128 * weight_sum;  // the bias is stored without it
                        const int wide = frac_of(s.in) + p.weight_frac(s.slot);
                        if (s.residual >= 0) {
                            const int code = values[static_cast<std::size_t>(s.residual)][index], by = wide - frac_of(s.residual);
                            sum += by >= 0 ? static_cast<long long>(code) << by : shifted(code, -by);
                        }
                        if (s.stores_logits) {
                            logits.push_back(sum);
                            continue;
                        }
                        const int code = shifted(sum, wide - frac_of(s.out));
                        out[index] = static_cast<int>(
                            std::clamp(activated_code(s.nonlinearity(), code, frac_of(s.out)), -128.0, 127.0));
                    }
                }
        values.push_back(out);
    }
    return logits;
}

}  // namespace support
