// SPDX-License-Identifier: MIT
// Range restriction: Chen, Li, Pattabiraman, "A low-cost fault corrector for deep neural networks through range
// restriction" (DSN 2021, arXiv 2003.13874), and its form with zero instead of the bound.
#pragma once

#include <redoubt/kernel/range.hpp>
#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/status.hpp>

#include <span>

namespace redoubt::inline v1 {

using kernel::out_of_range;

/// Replaces every output of the layers' steps that lies outside the bounds seen on training images: by zero or by the
/// nearer bound; NaN by zero. Bounds are data of the parameter block, one pair a step, unprotected themselves.
/// Not bit-identical with the unprotected network on images that exceed the bounds. Cost: one pass over each output.
template <out_of_range Action, class... Layers>
struct basic_range : protection<Layers...> {
    template <class... New> using around = basic_range<Action, New...>;

    struct guard {
        template <class Word, class Bound>
        static void apply(std::span<Word> words, Bound low, Bound high, fault_counters& count) {
            count.out_of_range += kernel::restrict_range(words.data(), words.size(), low, high, Action);
        }
    };
};

/// Range restriction to zero.
template <class... Layers>
struct range : basic_range<out_of_range::zero, Layers...> {};

/// Range restriction with an upper bound for each element of an output: what lies above its own, below the unit's lower bound, or is NaN becomes zero.
/// The inference side of FitAct (Ghavami, Sadati, Fang, Shannon, "FitAct: Error resilient deep neural networks via fine-grained post-trainable
/// activation functions", DATE 2022, arXiv 2112.13544), whose smooth function of an output and its bound is for training alone. Bounds are set by
/// observe_neurons() and set_neuron_bounds(), or written by whoever trained them; those of replicas are one.
/// Memory: four bytes for each output element. Cost: one pass over each output and its bounds. Not bit-identical with the unprotected network on images
/// that exceed the bounds.
template <class... Layers>
struct range_neurons : protection<Layers...> {
    struct guard {
        static constexpr bool per_neuron = true;

        template <class Word, class Bound, class Highs>
        static void apply(std::span<Word> words, Bound low, const Highs& high, fault_counters& count) {
            count.out_of_range += kernel::restrict_each(words.data(), words.size(), low, high);
        }
    };
};

/// Range restriction to the nearer bound.
template <class... Layers>
struct range_clamp : basic_range<out_of_range::clamp, Layers...> {};

}  // namespace redoubt::inline v1
