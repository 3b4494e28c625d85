// SPDX-License-Identifier: MIT
// A training step by the definitions, one loop a formula, in float or double: the oracle of the engine.
#pragma once

#include <redoubt/kernel/gradient_reference.hpp>
#include <redoubt/train/layout.hpp>
#include <redoubt/train/loss.hpp>
#include <redoubt/train/plan.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace redoubt::train::inline REDOUBT_ABI {

/// Everything is kept for the whole batch, nothing is fused; parameters lie as in the engine. Slow: a scalar multiply-add a tap.
template <std::floating_point T>
class reference_step {
public:
    explicit reference_step(training_plan p) : plan_{std::move(p)}, layout_{plan_.slots}, parameters(layout_.words), gradients(layout_.words) {}

    const training_plan& plan() const { return plan_; }
    const parameter_layout& layout() const { return layout_; }

    /// The mean loss, and the gradients. Images are [image][row][column][channel].
    T run(std::span<const T> images, std::span<const int> labels, double smoothing = 0.0) {
        const T loss = forward(images, labels, smoothing);
        for (std::size_t i = plan_.steps.size(); i-- > 0;) backward(plan_.steps[i], i);
        if (weight_slope)
            for (std::size_t s = 0; s < plan_.slots.size(); ++s)
                for (std::size_t w = 0; w < layout_.slots[s].weight_words; ++w)
                    gradients[layout_.slots[s].weights + w] *= weight_slope(parameters[layout_.slots[s].weights + w]);
        return loss;
    }
    /// The gradients of the sum of `seed` [image][class] times the logits, instead of the loss's; `weight_function` and its slope are not for it.
    void run_seeded(std::span<const T> images, std::size_t count, std::span<const T> seed) {
        const std::vector<int> labels(count, 0);
        forward(images, labels);
        std::copy(seed.begin(), seed.end(), slope(plan_.logits).begin());
        for (std::size_t i = plan_.steps.size(); i-- > 0;) backward(plan_.steps[i], i);
    }
    /// Of the last batch, [image][class].
    const std::vector<T>& logits() const { return values_[at(plan_.logits)]; }
    /// The loss alone.
    T forward(std::span<const T> images, std::span<const int> labels, double smoothing = 0.0) {
        count_ = labels.size();
        values_.assign(plan_.values.size(), {});
        slopes_.assign(plan_.values.size(), {});
        raw_.assign(plan_.steps.size(), {});
        sums_.assign(plan_.steps.size(), {});
        if (!keeps_statistics) norms_.assign(plan_.steps.size(), {});
        std::fill(gradients.begin(), gradients.end(), T{});
        high_gradients.resize(highs.size());
        for (std::size_t i = 0; i < highs.size(); ++i) high_gradients[i].assign(highs[i].size(), T{});
        effective_ = parameters;
        if (weight_function)
            for (const slot_range& r : layout_.slots)
                for (std::size_t w = 0; w < r.weight_words; ++w) effective_[r.weights + w] = weight_function(effective_[r.weights + w]);
        for (std::size_t i = 0; i < plan_.steps.size(); ++i) forward(plan_.steps[i], i, images);
        std::vector<T>& logits = values_[at(plan_.logits)];
        std::vector<T>& to = slope(plan_.logits);
        const std::size_t classes = plan_.size_of(plan_.logits);
        double loss = 0.0;
        for (std::size_t n = 0; n < count_; ++n)
            loss += cross_entropy<T>({logits.data() + n * classes, classes}, labels[n], smoothing, 1.0 / static_cast<double>(count_), {to.data() + n * classes, classes});
        return static_cast<T>(loss / static_cast<double>(count_));
    }

private:
    struct norm_values {
        std::vector<T> mean, inverse;
    };
    training_plan plan_;
    parameter_layout layout_;

public:
    std::vector<T> parameters, gradients;
    /// Norms go by the statistics of the forward pass before, as constants.
    bool keeps_statistics = false;
    /// Bounds of the elements of steps' outputs (kernel/soft_bound.hpp), and gradients to them; steps without are empty, and so is `highs` where none has any.
    std::vector<std::vector<T>> highs, high_gradients;
    T steepness{};
    /// What stands between stored weights and the network, and its derivative; nothing if empty.
    std::function<T(T)> weight_function, weight_slope;

private:
    std::size_t count_ = 0;
    std::vector<T> effective_;
    std::vector<std::vector<T>> values_, slopes_, raw_, sums_;
    std::vector<norm_values> norms_;

    static std::size_t at(int i) { return static_cast<std::size_t>(i); }
    std::vector<T>& slope(int v) {
        if (slopes_[at(v)].empty()) slopes_[at(v)].assign(plan_.size_of(v) * count_, T{});
        return slopes_[at(v)];
    }
    static T activated(const step& s, T v) {
        switch (s.act) {
            case kernel::activation::none: return v;
            case kernel::activation::relu: return v > T{} ? v : T{};
            case kernel::activation::clipped_relu: return std::clamp(v, T{}, static_cast<T>(s.limit));
            case kernel::activation::clip: return std::clamp(v, static_cast<T>(s.lower), static_cast<T>(s.limit));
            case kernel::activation::leaky_relu: return v < T{} ? v * static_cast<T>(s.slope.value()) : v;
            default: return v * std::clamp((v + T{3}) / T{6}, T{}, T{1});
        }
    }
    bool has_bounds(std::size_t i) const { return !highs.empty() && !highs[i].empty(); }
    T below_bound(std::size_t i, std::size_t e, T y) const { return T{1} / (T{1} + std::exp(-steepness * (highs[i][e % highs[i].size()] - y))); }
    static T bent(const step& s, T v) {
        switch (s.act) {
            case kernel::activation::none: return T{1};
            case kernel::activation::relu: return v > T{} ? T{1} : T{};
            case kernel::activation::clipped_relu: return v > T{} && v < static_cast<T>(s.limit) ? T{1} : T{};
            case kernel::activation::clip: return v > static_cast<T>(s.lower) && v < static_cast<T>(s.limit) ? T{1} : T{};
            case kernel::activation::leaky_relu: return v > T{} ? T{1} : static_cast<T>(s.slope.value());
            default: return v < T{-3} ? T{} : v > T{3} ? T{1} : v / T{3} + T(0.5);
        }
    }
    /// body(image's first input element, output's first, row, column, channel, window's taps as (row, column)) of a pool.
    template <class Body>
    void for_each_window(const step& s, Body&& body) const {
        kernel::conv_geometry g = s.geometry;
        if (s.kind == op::global_average) g.kernel = {g.in.height, g.in.width};
        for (std::size_t n = 0; n < count_; ++n)
            for (int row = 0; row < g.out.height; ++row)
                for (int column = 0; column < g.out.width; ++column)
                    for (int c = 0; c < g.out.channels; ++c) {
                        std::vector<std::size_t> taps;
                        for (int r = 0; r < g.kernel.h; ++r)
                            for (int k = 0; k < g.kernel.w; ++k) {
                                const int y = g.row_at(row, r), x = g.column_at(column, k);
                                if (y >= 0 && y < g.in.height && x >= 0 && x < g.in.width) taps.push_back(n * at(g.in.size()) + at(g.in.index(y, x, c)));
                            }
                        const bool all = s.kind == op::average_pool && s.counted == kernel::count_padding::yes;
                        body(n * at(g.out.size()) + at(g.out.index(row, column, c)), taps, all ? at(g.kernel.h * g.kernel.w) : taps.size());
                    }
    }

    void forward(const step& s, std::size_t i, std::span<const T> images) {
        std::vector<T>& out = values_[at(s.out)];
        const std::size_t size = at(s.geometry.out.size());
        out.assign(size * count_, T{});
        if (s.kind == op::input) {
            std::copy(images.begin(), images.end(), out.begin());
        } else if (s.kind == op::convolution) {
            convolve(s, i);
        } else if (s.kind == op::add || s.kind == op::activate) {
            sums_[i] = values_[at(s.in)];
            finish(s, i);
        } else if (s.kind == op::concat) {
            for_each_part(s, [&](int v, std::size_t from, std::size_t to) { out[to] = values_[at(v)][from]; });
        } else if (s.kind == op::subsample) {
            for_each_taken(s, [&](std::size_t from, std::size_t to) { out[to] = values_[at(s.in)][from]; });
        } else {
            const std::vector<T>& in = values_[at(s.in)];
            for_each_window(s, [&](std::size_t to, const std::vector<std::size_t>& taps, std::size_t divisor) {
                T sum{}, most = in[taps.front()];
                for (const std::size_t tap : taps) {
                    sum += in[tap];
                    most = std::max(most, in[tap]);
                }
                out[to] = s.kind == op::max_pool ? most : sum / static_cast<T>(divisor);
            });
        }
    }
    void convolve(const step& s, std::size_t i) {
        const kernel::conv_geometry& g = s.geometry;
        const slot_range& r = layout_.slots[at(s.slot)];
        const std::vector<T>& in = values_[at(s.in)];
        const std::size_t size = at(g.out.size()), channels = at(g.out.channels);
        std::vector<T> sum(size * count_);
        for (std::size_t n = 0; n < count_; ++n)
            for (int row = 0; row < g.out.height; ++row)
                for (int column = 0; column < g.out.width; ++column)
                    for (int o = 0; o < g.out.channels; ++o) {
                        T v = r.has_norm ? T{} : parameters[r.bias + at(o)];
                        for (int kr = 0; kr < g.kernel.h; ++kr)
                            for (int kc = 0; kc < g.kernel.w; ++kc) {
                                const int y = g.row_at(row, kr), x = g.column_at(column, kc);
                                if (y < 0 || x < 0 || y >= g.in.height || x >= g.in.width) continue;
                                for (int c = 0; c < g.group_in(); ++c)
                                    v = kernel::impl::step_of_chain(in[n * at(g.in.size()) + at(g.in.index(y, x, g.first_input(o) + c))],
                                                                    effective_[r.weights + kernel::wide_layout{}.index(g, o, kr, kc, c)], v);
                            }
                        sum[n * size + at(g.out.index(row, column, o))] = v;
                    }
        if (r.has_norm) {
            raw_[i] = sum;
            norm_values& norm = norms_[i];
            if (!keeps_statistics) {
                norm.mean.assign(channels, T{});
                norm.inverse.assign(channels, T{});
                const T number = static_cast<T>(sum.size() / channels);
                for (std::size_t e = 0; e < sum.size(); ++e) norm.mean[e % channels] += sum[e] / number;
                for (std::size_t e = 0; e < sum.size(); ++e) norm.inverse[e % channels] += (sum[e] - norm.mean[e % channels]) * (sum[e] - norm.mean[e % channels]) / number;
                for (T& v : norm.inverse) v = T{1} / std::sqrt(v + static_cast<T>(1e-5));
            }
            for (std::size_t e = 0; e < sum.size(); ++e) {
                const std::size_t c = e % channels;
                sum[e] = (sum[e] - norm.mean[c]) * norm.inverse[c] * parameters[r.scale + c] + parameters[r.shift + c];
            }
        }
        sums_[i] = std::move(sum);
        finish(s, i);
    }
    void finish(const step& s, std::size_t i) {
        std::vector<T>& out = values_[at(s.out)];
        for (std::size_t e = 0; e < out.size(); ++e) {
            if (s.residual >= 0) sums_[i][e] += values_[at(s.residual)][e];
            out[e] = activated(s, sums_[i][e]);
            if (has_bounds(i)) out[e] *= below_bound(i, e, out[e]);
        }
    }
    template <class Body>
    void for_each_part(const step& s, Body&& body) const {
        std::size_t channel = 0;
        for (const int v : s.parts) {
            if (v < 0) continue;
            const shape part = plan_.values[at(v)].extents;
            const std::size_t pixels = count_ * at(part.height * part.width), mine = at(part.channels), all = at(s.geometry.out.channels);
            for (std::size_t p = 0; p < pixels; ++p)
                for (std::size_t c = 0; c < mine; ++c) body(v, p * mine + c, p * all + channel + c);
            channel += mine;
        }
    }
    template <class Body>
    void for_each_taken(const step& s, Body&& body) const {
        const kernel::conv_geometry& g = s.geometry;
        const int before = (g.out.channels - g.in.channels) / 2;
        for (std::size_t n = 0; n < count_; ++n)
            for (int row = 0; row < g.out.height; ++row)
                for (int column = 0; column < g.out.width; ++column)
                    for (int c = 0; c < g.in.channels; ++c)
                        body(n * at(g.in.size()) + at(g.in.index(row * g.stride.h, column * g.stride.w, c)),
                             n * at(g.out.size()) + at(g.out.index(row, column, before + c)));
    }

    void backward(const step& s, std::size_t i) {
        if (s.kind == op::input || slopes_[at(s.out)].empty()) return;
        std::vector<T> own = slopes_[at(s.out)];
        if (s.kind == op::convolution || s.kind == op::add || s.kind == op::activate) {
            for (std::size_t e = 0; e < own.size(); ++e) {
                if (has_bounds(i)) {
                    const T y = activated(s, sums_[i][e]), share = below_bound(i, e, y), slope = steepness * y * share * (T{1} - share);
                    high_gradients[i][e % highs[i].size()] += own[e] * slope;
                    own[e] *= share - slope;
                }
                own[e] *= bent(s, sums_[i][e]);
            }
            if (s.residual >= 0)
                for (std::size_t e = 0; e < own.size(); ++e) slope(s.residual)[e] += own[e];
        }
        if (s.kind == op::convolution) return convolve_back(s, i, std::move(own));
        if (s.kind == op::concat) return for_each_part(s, [&](int v, std::size_t to, std::size_t from) { slope(v)[to] += own[from]; });
        std::vector<T>& to = slope(s.in);
        if (s.kind == op::add || s.kind == op::activate) {
            for (std::size_t e = 0; e < own.size(); ++e) to[e] += own[e];
        } else if (s.kind == op::subsample) {
            for_each_taken(s, [&](std::size_t here, std::size_t from) { to[here] += own[from]; });
        } else {
            const std::vector<T>&in = values_[at(s.in)], &out = values_[at(s.out)];
            for_each_window(s, [&](std::size_t from, const std::vector<std::size_t>& taps, std::size_t divisor) {
                for (const std::size_t tap : taps) {
                    if (s.kind != op::max_pool) {
                        to[tap] += own[from] / static_cast<T>(divisor);
                    } else if (in[tap] == out[from]) {
                        to[tap] += own[from];
                        break;
                    }
                }
            });
        }
    }
    void convolve_back(const step& s, std::size_t i, std::vector<T> own) {
        const kernel::conv_geometry& g = s.geometry;
        const slot_range& r = layout_.slots[at(s.slot)];
        const std::size_t channels = at(g.out.channels);
        if (r.has_norm) {
            const norm_values& norm = norms_[i];
            const T number = static_cast<T>(own.size() / channels);
            for (std::size_t e = 0; e < own.size(); ++e) {
                const std::size_t c = e % channels;
                gradients[r.shift + c] += own[e];
                gradients[r.scale + c] += own[e] * (raw_[i][e] - norm.mean[c]) * norm.inverse[c];
            }
            for (std::size_t e = 0; e < own.size(); ++e) {
                const std::size_t c = e % channels;
                const T x = (raw_[i][e] - norm.mean[c]) * norm.inverse[c];
                const T back = keeps_statistics ? T{} : gradients[r.shift + c] / number + x * gradients[r.scale + c] / number;
                own[e] = parameters[r.scale + c] * norm.inverse[c] * (own[e] - back);
            }
        } else {
            for (std::size_t e = 0; e < own.size(); ++e) gradients[r.bias + e % channels] += own[e];
        }
        kernel::weight_gradient_reference<T>(g, static_cast<int>(count_), values_[at(s.in)].data(), own.data(), gradients.data() + r.weights);
        if (s.in == plan_.first) return;
        std::vector<T>& to = slope(s.in);
        const std::vector<T> before = to;
        kernel::input_gradient_reference<T>(g, static_cast<int>(count_), own.data(), effective_.data() + r.weights, before.data(), to.data());
    }
};

}  // namespace redoubt::train::inline REDOUBT_ABI
