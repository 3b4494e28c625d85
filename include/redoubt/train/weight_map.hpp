// SPDX-License-Identifier: MIT
// What kernels read instead of a step's stored weights while it is trained: functions, quantisation, faults.
#pragma once

#include <redoubt/kernel/saturate.hpp>
#include <redoubt/nn/table.hpp>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <utility>

namespace redoubt::train::inline v1 {

/// Whose weights, and when. A map that draws keys its draws with these, so that a run can be repeated.
struct map_place {
    int slot = 0;
    const redoubt::slot& info;   ///< geometry and names; weights are in the wide layout, kernel::wide_layout{}.index(info.geometry, ...)
    std::uint64_t seed = 0;      ///< of the run
    std::uint64_t step = 0;      ///< optimiser steps so far
    std::span<const float> gains{};  ///< of a layer with a norm: what folding multiplies each channel's weights by, from the running statistics; else empty

    float gain(int channel) const { return gains.empty() ? 1.0f : gains[static_cast<std::size_t>(channel)]; }
};

/// One stage between stored weights and kernels. forward() writes what the next stage (at the end, kernels) reads for `from`; backward()
/// turns the loss's gradient to what forward() wrote into that to `from`, in place. Both see the same `from`, may be called from several
/// threads for different slots, and leave padding lanes zero.
template <class M>
concept weight_map = requires(const M& map, const map_place& at, std::span<const float> from, std::span<float> to) {
    map.forward(at, from, to);
    map.backward(at, from, to);
};

/// Weights as they are.
struct identity_map {
    void forward(const map_place&, std::span<const float> from, std::span<float> to) const { std::copy(from.begin(), from.end(), to.begin()); }
    void backward(const map_place&, std::span<const float>, std::span<float>) const {}
};

/// Two functions as a map; without the second one gradients pass straight through (Bengio, Leonard, Courville 2013).
struct function_map {
    std::function<void(const map_place&, std::span<const float>, std::span<float>)> through;
    std::function<void(const map_place&, std::span<const float>, std::span<float>)> back;

    void forward(const map_place& at, std::span<const float> from, std::span<float> to) const { through(at, from, to); }
    void backward(const map_place& at, std::span<const float> from, std::span<float> gradient) const {
        if (back) back(at, from, gradient);
    }
};

/// Any map, shared by copies.
class any_weight_map {
public:
    template <weight_map M>
        requires(!std::same_as<M, any_weight_map>)
    any_weight_map(M map) : held_{std::make_shared<const holder<M>>(std::move(map))} {}

    void forward(const map_place& at, std::span<const float> from, std::span<float> to) const { held_->forward(at, from, to); }
    void backward(const map_place& at, std::span<const float> from, std::span<float> gradient) const { held_->backward(at, from, gradient); }

private:
    struct base {
        virtual ~base() = default;
        virtual void forward(const map_place&, std::span<const float>, std::span<float>) const = 0;
        virtual void backward(const map_place&, std::span<const float>, std::span<float>) const = 0;
    };
    template <class M>
    struct holder final : base {
        M map;
        explicit holder(M m) : map{std::move(m)} {}
        void forward(const map_place& at, std::span<const float> from, std::span<float> to) const override { map.forward(at, from, to); }
        void backward(const map_place& at, std::span<const float> from, std::span<float> gradient) const override { map.backward(at, from, gradient); }
    };
    std::shared_ptr<const base> held_;
};

}  // namespace redoubt::train::inline v1

namespace redoubt::train::inline REDOUBT_ABI {

/// The derivative of bound * F(x / bound) at x; 0 where F has reached its end, and for NaN, which kernels read as 0.
inline float saturation_slope(kernel::saturation f, float x, float bound) {
    if (x != x) return 0.0f;
    const float size = (x < 0.0f ? -x : x) / bound;
    switch (f) {
        case kernel::saturation::tanh: {
            const float y = kernel::saturated<kernel::saturation::tanh>(size);
            return fused(-y, y, 1.0f);
        }
        case kernel::saturation::arctan: return 1.0f / fused(size, size, 1.0f);
        case kernel::saturation::softsign: {
            const float one_over = 1.0f / (1.0f + size);
            return one_over * one_over;
        }
        default: return size < 1.0f ? 1.0f : 0.0f;
    }
}

/// bound * F(w / bound) with the bits that a deployed network's kernels read (harden/saturate.hpp), and its derivative.
struct saturating_map {
    kernel::saturation function = kernel::saturation::tanh;
    float bound = 1.0f;

    /// The largest magnitude that kernels can read.
    float most() const {
        float at = std::numeric_limits<float>::max();
        bend({&at, 1}, {&at, 1});
        return at;
    }
    void bend(std::span<const float> from, std::span<float> to) const {
        const auto by = [&]<kernel::saturation F>(std::integral_constant<kernel::saturation, F>) {
            kernel::saturate<F>(from.data(), from.size(), to.data(), bound, 0);
        };
        switch (function) {
            case kernel::saturation::tanh: return by(std::integral_constant<kernel::saturation, kernel::saturation::tanh>{});
            case kernel::saturation::arctan: return by(std::integral_constant<kernel::saturation, kernel::saturation::arctan>{});
            case kernel::saturation::softsign: return by(std::integral_constant<kernel::saturation, kernel::saturation::softsign>{});
            default: return by(std::integral_constant<kernel::saturation, kernel::saturation::hardtanh>{});
        }
    }
    void forward(const map_place&, std::span<const float> from, std::span<float> to) const { bend(from, to); }
    void backward(const map_place&, std::span<const float> from, std::span<float> gradient) const {
        for (std::size_t i = 0; i < from.size(); ++i) gradient[i] *= saturation_slope(function, from[i], bound);
    }
};

}  // namespace redoubt::train::inline REDOUBT_ABI
