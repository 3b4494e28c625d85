// SPDX-License-Identifier: MIT
// The weights that kernels read while a batch is computed: stored ones on their way through the maps, and turned for the gradients to inputs.
#pragma once

#include <redoubt/kernel/input_gradient.hpp>
#include <redoubt/train/batch_options.hpp>
#include <redoubt/train/layout.hpp>
#include <redoubt/train/memory.hpp>
#include <redoubt/train/plan.hpp>
#include <redoubt/train/team.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace redoubt::train::inline REDOUBT_ABI {

/// One network's. Memory: what each map made of each slot, and the turned weights of all but the first layer.
class mapped_weights {
public:
    explicit mapped_weights(const training_plan& plan)
        : users_(plan.slots.size(), -1), gains_(plan.slots.size()), stages_(plan.slots.size()), read_(plan.slots.size()), turned_(plan.slots.size()) {
        for (std::size_t i = 0; i < plan.steps.size(); ++i)
            if (plan.steps[i].slot >= 0) users_[static_cast<std::size_t>(plan.steps[i].slot)] = static_cast<int>(i);
    }

    /// What kernels read of a slot, in the wide layout; stored weights themselves where there is no map.
    const float* read(int slot) const { return read_[static_cast<std::size_t>(slot)]; }
    /// The same for the gradients to its inputs.
    const float* turned(int slot) const { return turned_[static_cast<std::size_t>(slot)].data(); }

    /// `factor_of(slot, channel)` is what folding a norm multiplies weights by.
    template <class Factor>
    void forward(const training_plan& plan, const parameter_layout& layout, const floats& parameters, const batch_options& options, team& threads, Factor&& factor_of) {
        threads.run(plan.slots.size(), [&](std::size_t, std::size_t i) {
            const slot_range& r = layout.slots[i];
            if (r.has_norm && !(options.is_second && !gains_[i].empty())) {
                gains_[i].resize(r.channels);
                for (std::size_t c = 0; c < r.channels; ++c) gains_[i][c] = factor_of(i, c);
            }
            std::span<const float> weights{parameters.data() + r.weights, r.weight_words};
            stages_[i].resize(options.maps.size());
            for (std::size_t m = 0; m < options.maps.size(); ++m) {
                stages_[i][m].resize(r.weight_words);
                options.maps[m].forward(place_of(plan, options, i), weights, stages_[i][m]);
                weights = stages_[i][m];
            }
            read_[i] = weights.data();
            if (users_[i] < 0 || plan.at(users_[i]).in == plan.first) return;
            const kernel::conv_geometry g = training_plan::geometry_of(plan.at(users_[i]), 1);
            turned_[i].resize(kernel::turned_words(g));
            kernel::turn_weights(g, read_[i], turned_[i].data());
        });
    }
    /// The same without maps.
    void forward(const training_plan& plan, const parameter_layout& layout, const floats& parameters, team& threads) {
        forward(plan, layout, parameters, batch_options{}, threads, [](std::size_t, std::size_t) { return 1.0f; });
    }
    /// Takes the gradients to what kernels read back to the stored weights, in place.
    void backward(const training_plan& plan, const parameter_layout& layout, const floats& parameters, floats& gradients, const batch_options& options,
                  team& threads) const {
        if (options.maps.empty()) return;
        threads.run(plan.slots.size(), [&](std::size_t, std::size_t i) {
            const slot_range& r = layout.slots[i];
            for (std::size_t m = options.maps.size(); m-- > 0;) {
                const std::span<const float> from = m == 0 ? std::span<const float>{parameters.data() + r.weights, r.weight_words} : std::span<const float>{stages_[i][m - 1]};
                options.maps[m].backward(place_of(plan, options, i), from, {gradients.data() + r.weights, r.weight_words});
            }
        });
    }

private:
    map_place place_of(const training_plan& plan, const batch_options& options, std::size_t s) const {
        return {static_cast<int>(s), plan.slots[s], options.seed, options.step, gains_[s]};
    }

    std::vector<int> users_;                   ///< of slots: the step
    std::vector<floats> gains_;                ///< of slots with norms, as they were before the batch moved statistics
    std::vector<std::vector<floats>> stages_;  ///< of slots: what maps made
    std::vector<const float*> read_;
    std::vector<floats> turned_;
};

}  // namespace redoubt::train::inline REDOUBT_ABI
