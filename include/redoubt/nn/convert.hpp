// SPDX-License-Identifier: MIT
// From logical float weights to the parameters of any number, and the folding of batch normalisation.
#pragma once

#include <redoubt/nn/calibrate.hpp>

#include <limits>

namespace redoubt::inline v1 {

/// Batch normalisation of one channel, as trained: y = (x - mean) / sqrt(variance + epsilon) * scale + shift.
struct norm_channel {
    float scale = 1.0f;
    float shift = 0.0f;
    float mean = 0.0f;
    float variance = 1.0f;
};

namespace detail {
/// Square root by Newton's method in double: the same bits everywhere, also in constant evaluation.
constexpr double root(double x) {
    if (!(x > 0.0)) return 0.0;
    double guess = x > 1.0 ? x : 1.0;
    for (;;) {
        const double next = (guess + x / guess) * 0.5;
        if (!(next < guess)) return guess;
        guess = next;
    }
}
}  // namespace detail

}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

/// What folding a norm multiplies its channel's weights by: scale / sqrt(variance + epsilon), in double.
constexpr double folding_factor(float scale, float variance, double epsilon = 1e-5) { return static_cast<double>(scale) / detail::root(static_cast<double>(variance) + epsilon); }

/// Folds a norm into one output channel: weights (all of that channel) and bias change in place, in double, rounded
/// once. `epsilon` is PyTorch's 1e-5 unless the training used another.
inline void fold(const norm_channel& norm, std::span<float> weights, float& bias, double epsilon = 1e-5) {
    const double factor = folding_factor(norm.scale, norm.variance, epsilon);
    for (float& w : weights) w = static_cast<float>(static_cast<double>(w) * factor);
    bias = static_cast<float>(
        __builtin_fma(static_cast<double>(bias) - static_cast<double>(norm.mean), factor, static_cast<double>(norm.shift)));
}

/// The weight of a float network's slot by logical index ([out][row][col][in]), its channel's gain in it unless `apart`.
template <network_type Net>
float logical_weight(const parameters<Net>& p, int s, std::size_t index, bool apart = false) {
    using N = typename Net::number_type;
    const slot& info = Net::table.slots[static_cast<std::size_t>(s)];
    const float w = static_cast<float>(p.weights(s)[kernel::layout_of<N>.index_of_logical(info.geometry, index)]);
    return apart || !detail::has_gains<N>(info) ? w : w * p.gain(s, static_cast<int>(index / static_cast<std::size_t>(info.geometry.fan_in())));
}

namespace impl {

/// Largest f for which magnitude * 2^f still fits [-128, 127].
inline std::int32_t frac_for(float magnitude) {
    if (!(magnitude > 0.0f)) return 0;
    std::int32_t f = -24;
    while (f < 24 && scaled(magnitude, f + 1) <= 127.5f) ++f;
    return f;
}

/// Scale of a weight tensor: of the two finest that make sense, the one with the smaller squared error.
template <class Weight>
std::int32_t weight_frac_for(std::size_t count, float magnitude, Weight&& weight) {
    const std::int32_t fits = frac_for(magnitude);
    double best = std::numeric_limits<double>::infinity();
    std::int32_t chosen = fits;
    for (std::int32_t f = fits; f <= fits + 1; ++f) {
        double squares = 0.0;
        for (std::size_t i = 0; i < count; ++i) {
            const float w = weight(i);
            const double e = static_cast<double>(
                w - scaled(static_cast<float>(round_saturate(scaled(w, f), -128, 127)), -f));
            squares = __builtin_fma(e, e, squares);
        }
        if (squares < best) {
            best = squares;
            chosen = f;
        }
    }
    return chosen;
}

template <network_type To>
void convert_units(const auto& seen, parameters<To>& to) {
    using N = typename To::number_type;
    for (int u = 0; u < To::table.unit_count; ++u) {
        [[maybe_unused]] const auto& unit = seen.units[static_cast<std::size_t>(u)];
        if constexpr (N::is_integer) to.of_unit(u).frac = frac_for(static_cast<float>(unit.magnitude()));
    }
    open_bounds<To>(to);
}

/// Steps that only move or compare codes: their output has their input's scale.
template <network_type To>
void pass_scales_on(parameters<To>& to) {
    for (int i = 0; i < To::table.step_count; ++i) {
        const step& s = To::table.steps[static_cast<std::size_t>(i)];
        if (s.kind != op::max_pool && s.kind != op::subsample) continue;
        for (int j = 0; j < i; ++j) {
            const step& maker = To::table.steps[static_cast<std::size_t>(j)];
            if (maker.out == s.in && maker.kind != op::compare && maker.kind != op::vote)
                to.of_unit(s.unit).frac = to.of_unit(maker.unit).frac;
        }
    }
}

}  // namespace impl

/// Fills `to` from a float32 network with the same layers: weights and biases in the words of To's number, scales from
/// `seen`, no bounds yet (set_bounds, set_intervals). Copies, code bits and limits of weights are computed by encode() afterwards, without which clipped weights are
/// all 0, and a network whose weights are transformed needs store_for_transforms() before that. Both networks may carry any protections, but From
/// none that stores weights in a code or scale of its own.
template <network_type From, network_type To>
    requires(std::same_as<typename From::number_type, float32>)
void convert(const parameters<From>& from, const calibration<From>& seen, parameters<To>& to) {
    static_assert(From::table.slot_count == To::table.slot_count && From::table.unit_count == To::table.unit_count,
                  "redoubt: both networks must have the same layers");
    static_assert([]<class... W>(pack<W...>) {
        return !(requires { W::transform::recodes; } || ...);
    }(typename From::wrappers{}), "redoubt: weights in a code or scale of their own cannot be converted");
    static_assert(!detail::has_bent_gains<From> || detail::any_gains<To>,
                  "redoubt: words that are read through a function and a norm's gain mean nothing without them; convert from the network with norms apart or folded");
    using N = typename To::number_type;
    to.bytes.fill(std::byte{0});
    impl::convert_units<To>(seen, to);
    for (int s = 0; s < To::table.slot_count; ++s) {
        const auto& info = To::table.slots[static_cast<std::size_t>(s)];
        const auto& g = info.geometry;
        const auto words = to.weights(s);
        const auto biases = to.biases(s);
        std::int32_t frac = 0, in_frac = 0;
        // channels that either network has more than once
        const auto& from_info = From::table.slots[static_cast<std::size_t>(s)];
        const std::size_t fan_in = static_cast<std::size_t>(g.fan_in());
        const auto source = [&](std::size_t channel) {
            return static_cast<std::size_t>(
                kernel::first_copy(kernel::folded_channel(static_cast<int>(channel), info.folded, info.copies), from_info.folded, from_info.copies));
        };
        const bool apart = detail::has_gains<N>(info);  // then gains go where they came from, or are 1
        const auto source_weight = [&](std::size_t i) { return logical_weight(from, s, source(i / fan_in) * fan_in + i % fan_in, apart); };
        if constexpr (N::is_integer) {
            float magnitude = 0.0f;
            for (std::size_t i = 0; i < g.weights(); ++i) {
                const float w = source_weight(i);
                magnitude = std::max(magnitude, w < 0.0f ? -w : w);
            }
            // each channel counts once, so that the scale is that of the network without copies
            const std::size_t once = static_cast<std::size_t>(g.out.channels - info.folded) * fan_in;
            frac = impl::weight_frac_for(once, magnitude, [&](std::size_t i) {
                const auto channel = static_cast<std::size_t>(kernel::first_copy(static_cast<int>(i / fan_in), from_info.folded, from_info.copies));
                return logical_weight(from, s, channel * fan_in + i % fan_in);
            });
            impl::pass_scales_on(to);  // slots come in order: what feeds this one has its final scale
            for (int j = 0; j < To::table.step_count; ++j) {
                const step& maker = To::table.steps[static_cast<std::size_t>(j)];
                const step& user = [&]() -> const step& {
                    for (const step& candidate : To::table.steps)
                        if (candidate.slot == s) return candidate;
                    return maker;
                }();
                if (maker.out == user.in) {
                    in_frac = to.of_unit(maker.unit).frac;
                    // an output finer than the accumulator cannot be: shifts go right only
                    auto& out_frac = to.of_unit(user.unit).frac;
                    out_frac = std::min(out_frac, in_frac + frac);
                    break;
                }
            }
            to.weight_frac(s) = frac;
        }
        const kernel::winograd kind = detail::transform_of<N>(info);
        if constexpr (is_fast<N>) {
            const auto weight = [&](int o, int r, int c, int i) {
                const auto tap = static_cast<std::size_t>((r * g.kernel.w + c) * g.group_in() + i);
                return logical_weight(from, s, source(static_cast<std::size_t>(o)) * fan_in + tap);
            };
            if (kind != kernel::winograd::none)
                kernel::transform_weights(g, kernel::winograd_plan{g, kind}, weight, words.data());
        }
        for (std::size_t o = 0; o < static_cast<std::size_t>(g.out.channels); ++o) {
            std::int64_t sum = 0;
            for (std::size_t i = o * fan_in; kind == kernel::winograd::none && i < (o + 1) * fan_in; ++i) {
                const float w = source_weight(i);
                auto& word = words[kernel::layout_of<N>.index_of_logical(g, i)];
                if constexpr (N::is_integer) {
                    word = static_cast<std::int8_t>(round_saturate(scaled(w, frac), -128, 127));
                    sum += word;
                } else {
                    word = static_cast<typename N::weight>(w);
                }
            }
            const float bias = static_cast<float>(from.biases(s)[source(o)]);
            if constexpr (N::is_integer) {
                constexpr std::int32_t most = 1 << 30;
                biases[o] = static_cast<std::int32_t>(round_saturate(scaled(bias, frac + in_frac), -most, most) - 128 * sum);
            } else {
                biases[o] = static_cast<typename N::bias>(bias);
                if (apart) to.gains(s)[o] = static_cast<typename N::bias>(from.gain(s, static_cast<int>(source(o))));
            }
        }
    }
    if constexpr (To::number_type::is_integer) impl::pass_scales_on(to);
}

/// Bounds for every range restriction of `to`, from what training images made of a network of the same layers and
/// number: taken from itself, they leave every calibration image's bits as they were. Until then bounds are open after convert(): a range restriction that
/// nobody calls this for restricts nothing.
template <network_type From, network_type To>
void set_bounds(const calibration<From>& seen, parameters<To>& to) {
    static_assert(std::same_as<typename From::number_type, typename To::number_type>,
                  "redoubt: bounds are in the words of their number: observe the unprotected network in the number of the one that gets them");
    static_assert(From::table.unit_count == To::table.unit_count, "redoubt: both networks must have the same layers");
    using bound = bound_of<typename To::number_type>;
    for (int u = 0; u < To::table.unit_count; ++u) {
        const auto& unit = seen.units[static_cast<std::size_t>(u)];
        if (!unit.seen) continue;
        to.of_unit(u).low = static_cast<bound>(unit.low);
        to.of_unit(u).high = static_cast<bound>(unit.high);
    }
    copy_bounds<To>(to);
}

}  // namespace redoubt::inline REDOUBT_ABI
