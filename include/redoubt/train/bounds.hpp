// SPDX-License-Identifier: MIT
// Training of the upper bounds of neurons, weights left alone.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/io/images.hpp>
#include <redoubt/kernel/activation_gradient.hpp>
#include <redoubt/nn/kept_bounds.hpp>
#include <redoubt/nn/neuron_ranges.hpp>
#include <redoubt/number/fixed.hpp>
#include <redoubt/train/deployed.hpp>
#include <redoubt/train/epoch.hpp>
#include <redoubt/train/loss.hpp>
#include <redoubt/train/optimiser.hpp>
#include <redoubt/train/schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace redoubt::train::inline REDOUBT_ABI {

/// Moves the bounds that range_neurons holds elements of outputs below, so that the loss on training images falls with them: the post-training of FitAct (Ghavami, Sadati, Fang,
/// Shannon, DATE 2022, arXiv 2112.13544). Weights and norms stay as they are deployed. While bounds are trained, an output goes softly to 0 past its bound (kernel/soft_bound.hpp);
/// the loss is cross-entropy and the optimiser's decay, which is what pulls bounds down (its zeta mean(bound^2) is a decay of 2 zeta / bounds). Trained are the bounds of steps that
/// Net guards neuron by neuron, in all their replicas, and that have an activation; others are left alone.
///
/// Of the recipe count optimiser, schedule, epochs, batch, seed, threads, label_smoothing and augment. Results do not depend on the threads. Cost of a step: about 2 forward
/// passes an image. Memory: a few floats an activation and thread, and the bounds for each of image_chunks.
template <network_type Net>
class bound_trainer {
public:
    using plain = with_number<without_protection<Net>, float32>;
    static_assert(has_neuron_bounds<Net>, "redoubt: the network has no bounds of neurons: put range_neurons around its layers");
    static_assert(Net::output.extents.height == 1 && Net::output.extents.width == 1, "redoubt: a network is trained on one label an image: its output must be 1x1");

    /// Bounds begin at the largest values that were seen on training images (observe_neurons(), at least one), or 0.
    bound_trainer(const redoubt::parameters<plain>& weights, const neuron_ranges<plain>& seen, recipe by, float steepness = 20.0f)
        : recipe_{std::move(by)}, net_{deployed_network::of<plain>(weights)}, bounds_{placed(net_.plan(), steepness)}, optimiser_{recipe_.optimiser, bounds_.high.size()},
          team_{recipe_.threads}, gradients_(bounds_.high.size()) {
        REDOUBT_EXPECTS(seen.images > 0 && steepness > 0.0f && !bounds_.high.empty());
        for_each_step([&](const step& s, std::size_t first, std::size_t count) {
            const auto range = seen.of_unit(s.unit);
            for (std::size_t e = 0; e < count; ++e) bounds_.high[first + e] = std::max(range[e], 0.0f);
        });
        for (std::size_t t = 0; t < team_.size(); ++t) passes_.emplace_back(net_, &bounds_);
    }
    bound_trainer(const bound_trainer&) = delete;
    bound_trainer& operator=(const bound_trainer&) = delete;

    /// The mean loss of images [image][row][column][channel], and gradients(), without the decay. Errors: those of check_batch().
    result<double> gradients_of(std::span<const float> images, std::span<const int> labels) {
        if (const result<void> sound = check_batch<plain>(images.size(), labels); !sound) return sound.reason();
        constexpr auto pixels = static_cast<std::size_t>(plain::input_shape.size()), classes = static_cast<std::size_t>(plain::outputs);
        const image_chunks cut{labels.size()};
        if (partial_.size() < cut.count) partial_.resize(cut.count);
        team_.run(cut.count, [&](std::size_t worker, std::size_t c) {
            partial_sums& sums = partial_[c];
            sums.gradients.assign(gradients_.size(), 0.0f);
            sums.loss = 0.0;
            std::vector<float> slope(classes);
            for (std::size_t i = c * cut.images; i < std::min(labels.size(), (c + 1) * cut.images); ++i) {
                const std::span<const float> logits = passes_[worker].forward(images.subspan(i * pixels, pixels), false);
                sums.loss += cross_entropy<float>(logits, labels[i], recipe_.label_smoothing, 1.0 / static_cast<double>(labels.size()), slope);
                passes_[worker].backward_to_bounds(slope, sums.gradients);
            }
        });
        gradients_ = partial_[0].gradients;
        double loss = partial_[0].loss;
        for (std::size_t c = 1; c < cut.count; ++c) {
            kernel::add_elements(gradients_.data(), partial_[c].gradients.data(), gradients_.data(), gradients_.size());
            loss += partial_[c].loss;
        }
        return loss / static_cast<double>(labels.size());
    }

    /// One pass over a set, in whole batches. Errors: those of check_set(), and a loss that is no number, after which bounds are those before that step. `progress` is called with (step of
    /// this epoch, steps of an epoch, loss).
    template <class Progress>
    result<epoch_report> epoch(const io::image_set& set, Progress&& progress) {
        if (const result<void> sound = check_set<Net>(set, recipe_); !sound) return sound.reason();
        const std::uint64_t steps = set.size() / recipe_.batch;
        epoch_report report{.epoch = epoch_ + 1, .steps = steps};
        std::optional<std::uint64_t> lost;
        images_.resize(static_cast<std::size_t>(recipe_.batch) * set.image_size());
        for_each_batch(set, recipe_, epoch_, team_, [&] { return std::span<float>{images_}; }, [&](std::uint64_t k, std::span<const int> labels) {
            const double loss = *gradients_of(images_, labels);
            if (!(loss - loss == 0.0)) {
                lost = k;
                return false;
            }
            report.rate = rate_at(recipe_.schedule, optimiser_.steps(), steps * recipe_.epochs, steps);
            optimiser_.step(team_, bounds_.high, gradients_, report.rate, 1.0);
            for (float& high : bounds_.high) high = std::max(high, 0.0f);
            report.loss += loss;
            progress(k, steps, loss);
            return true;
        });
        if (lost) return error{"the loss of step "} << *lost + 1 << " of epoch " << epoch_ + 1 << " is no number; bounds are those before it";
        report.loss /= static_cast<double>(steps);
        ++epoch_;
        return report;
    }
    result<epoch_report> epoch(const io::image_set& set) {
        return epoch(set, [](std::uint64_t, std::uint64_t, double) {});
    }

    /// Writes the bounds into parameters of a network with these guards, in any number, rounded as outputs are; integers at their unit's scale. All other bounds stay as
    /// set_bounds() and set_neuron_bounds() have made them: call those first.
    template <network_type To>
    void put(redoubt::parameters<To>& to) const {
        using number = typename To::number_type;
        using word = typename number::activation;
        static_assert(To::table.unit_count == Net::table.unit_count && has_neuron_bounds<To>, "redoubt: both networks must have the same layers and guards");
        for_each_step([&](const step& s, std::size_t first, std::size_t count) {
            const auto bounds = to.neuron_bounds(s.unit);
            REDOUBT_EXPECTS(bounds.size() == count);
            for (std::size_t e = 0; e < count; ++e) {
                const float high = bounds_.high[first + e];
                if constexpr (number::is_integer) bounds[e] = round_saturate(scaled(high, to.of_unit(s.unit).frac), -128, 127);
                else bounds[e] = static_cast<float>(widened(word{high}));
            }
        });
        copy_bounds<To>(to);
    }

    const soft_bounds& bounds() const { return bounds_; }
    /// The bounds themselves, laid out as bounds() says.
    std::span<float> high() { return bounds_.high; }
    /// Of the last batch, laid out as the bounds.
    const floats& gradients() const { return gradients_; }
    const training_plan& plan() const { return net_.plan(); }
    const floats& parameters() const { return net_.parameters(); }

private:
    struct partial_sums {
        floats gradients;
        double loss = 0.0;
    };

    recipe recipe_;
    deployed_network net_;
    soft_bounds bounds_;
    optimiser optimiser_;
    team team_;
    floats gradients_, images_;
    std::vector<partial_sums> partial_;
    std::vector<gradient_pass> passes_;
    std::uint64_t epoch_ = 0;

    static soft_bounds placed(const training_plan& plan, float steepness) {
        soft_bounds b;
        b.steepness = steepness;
        std::vector<bool> guarded(static_cast<std::size_t>(Net::table.unit_count));
        for (int i = 0; i < Net::table.step_count; ++i) {
            const step& s = Net::table.steps[static_cast<std::size_t>(i)];
            if (s.bounds_neurons) guarded[static_cast<std::size_t>(s.unit)] = true;
        }
        std::size_t words = 0;
        for (const step& s : plan.steps) {
            b.first.push_back(guarded[static_cast<std::size_t>(s.unit)] && s.act != kernel::activation::none ? words : soft_bounds::none);
            if (b.first.back() != soft_bounds::none) words += (static_cast<std::size_t>(s.geometry.out.size()) + 15) / 16 * 16;
        }
        b.high.resize(words);
        return b;
    }
    /// body(step, where its bounds begin, how many there are) for each step that has some.
    template <class Body>
    void for_each_step(Body&& body) const {
        const training_plan& plan = net_.plan();
        for (std::size_t i = 0; i < plan.steps.size(); ++i)
            if (bounds_.has(i)) body(plan.steps[i], bounds_.first[i], static_cast<std::size_t>(plan.steps[i].geometry.out.size()));
    }
};

}  // namespace redoubt::train::inline REDOUBT_ABI
