// SPDX-License-Identifier: MIT
// Optimisers over a network's array of parameters.
#pragma once

#include <redoubt/kernel/update.hpp>
#include <redoubt/train/layout.hpp>
#include <redoubt/train/memory.hpp>
#include <redoubt/train/team.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

namespace redoubt::train::inline v1 {

enum class optimiser_kind : std::uint8_t { sgd, adam, adamw };

/// Decay is of weights only; norms and biases are left alone.
struct optimiser_spec {
    optimiser_kind kind = optimiser_kind::sgd;
    double momentum = 0.9;  ///< of sgd
    bool nesterov = false;  ///< of sgd
    double decay = 0.0;     ///< added to the gradient; of adamw taken off the weights
    double first = 0.9, second = 0.999, epsilon = 1e-8;  ///< of adam and adamw
};

}  // namespace redoubt::train::inline v1

namespace redoubt::train::inline REDOUBT_ABI {

/// The length of the gradient: squares added in double in the array's order, so that threads do not matter.
inline double gradient_norm(std::span<const float> gradients) {
    double chains[16] = {};
    for (std::size_t i = 0; i < gradients.size(); ++i) {
        const double g = static_cast<double>(gradients[i]);
        chains[i % 16] = std::fma(g, g, chains[i % 16]);
    }
    double sum = 0.0;
    for (const double c : chains) sum += c;
    return std::sqrt(sum);
}

/// Momenta, and how many steps they have seen.
class optimiser {
public:
    optimiser(const optimiser_spec& spec, const parameter_layout& layout)
        : spec_{spec}, first_(layout.words), second_(spec.kind == optimiser_kind::sgd ? 0 : layout.words) {
        for (const slot_range& r : layout.slots) {
            const std::size_t weights = slot_range::padded(r.weight_words);
            add_pieces(r.weights, weights);
            pieces_.push_back({r.weights + weights, r.words() - weights, false});
        }
    }

    /// Of an array without parts, all of which decays; its size is a multiple of sixteen.
    optimiser(const optimiser_spec& spec, std::size_t words) : spec_{spec}, first_(words), second_(spec.kind == optimiser_kind::sgd ? 0 : words) {
        add_pieces(0, words);
    }

    /// One step at that rate, gradients multiplied by `scale` first.
    void step(team& threads, std::span<float> parameters, std::span<const float> gradients, double rate, double scale) {
        ++steps_;
        kernel::adam_step adam;
        if (spec_.kind != optimiser_kind::sgd) {
            adam.first = static_cast<float>(spec_.first);
            adam.second = static_cast<float>(spec_.second);
            adam.epsilon = static_cast<float>(spec_.epsilon);
            adam.rate = static_cast<float>(rate / (1.0 - power(spec_.first, steps_)));
            adam.root = static_cast<float>(1.0 / std::sqrt(1.0 - power(spec_.second, steps_)));
            adam.scale = static_cast<float>(scale);
        }
        threads.run(pieces_.size(), [&](std::size_t, std::size_t i) {
            const part& p = pieces_[i];
            const double decay = p.decays ? spec_.decay : 0.0;
            float *const w = parameters.data() + p.begin, *const m = first_.data() + p.begin;
            const float* const g = gradients.data() + p.begin;
            if (spec_.kind == optimiser_kind::sgd) {
                const kernel::momentum_step sgd{static_cast<float>(rate), static_cast<float>(spec_.momentum), static_cast<float>(decay),
                                                static_cast<float>(scale), spec_.nesterov};
                return sgd(w, g, m, p.count);
            }
            kernel::adam_step mine = adam;
            if (spec_.kind == optimiser_kind::adam) mine.decay = static_cast<float>(decay);
            else mine.keep = static_cast<float>(std::fma(-rate, decay, 1.0));
            mine(w, g, m, second_.data() + p.begin, p.count);
        });
    }

    std::uint64_t steps() const { return steps_; }
    /// What a checkpoint keeps.
    floats& first() { return first_; }
    floats& second() { return second_; }
    void set_steps(std::uint64_t steps) { steps_ = steps; }

private:
    struct part {
        std::size_t begin, count;
        bool decays;
    };
    static constexpr std::size_t piece = 16384;
    optimiser_spec spec_;
    floats first_, second_;
    std::vector<part> pieces_;
    std::uint64_t steps_ = 0;

    void add_pieces(std::size_t begin, std::size_t words) {
        for (std::size_t from = 0; from < words; from += piece) pieces_.push_back({begin + from, std::min(piece, words - from), true});
    }
    /// By squaring, so that no library's pow decides.
    static double power(double base, std::uint64_t n) {
        double result = 1.0;
        for (; n != 0; n >>= 1, base *= base)
            if ((n & 1) != 0) result *= base;
        return result;
    }
};

}  // namespace redoubt::train::inline REDOUBT_ABI
