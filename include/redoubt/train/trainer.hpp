// SPDX-License-Identifier: MIT
// Training of a network type: the steps of its table, norms not folded, on batches of images.
#pragma once

#include <redoubt/harden/saturate.hpp>
#include <redoubt/nn/network.hpp>
#include <redoubt/train/epoch.hpp>
#include <redoubt/train/recipe.hpp>
#include <redoubt/train/tensors.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace redoubt::train::inline v1 {

/// What one step did.
struct step_report {
    double loss = 0.0;           ///< mean over the batch, of the weights before the step, without faults unless there is no such pass
    double faulty_loss = 0.0;    ///< under faults, where there is such a pass
    double rate = 0.0;
    double gradient_norm = 0.0;  ///< before clipping; 0 where clipping is off
};

}  // namespace redoubt::train::inline v1

namespace redoubt::train::inline REDOUBT_ABI {

namespace impl {

template <saturation F, int N, int D, class... L>
saturating_map map_of(const basic_saf<F, N, D, L...>*) { return {F, static_cast<float>(N) / static_cast<float>(D)}; }

template <class... W>
void add_wrapper_maps(pack<W...>, std::vector<std::pair<int, any_weight_map>>& to) {
    int number = 0;
    [[maybe_unused]] const auto one = [&]<class X>(type_tag<X>) {
        if constexpr (requires(const X* x) { map_of(x); }) to.emplace_back(number, map_of(static_cast<const X*>(nullptr)));
        ++number;
    };
    (one(type_tag<W>{}), ...);
}

/// The function that a network reads each slot's weights through, where it has one that bends them.
struct own_transforms {
    std::vector<std::pair<int, any_weight_map>> wrappers;  ///< by the wrapper's number

    const any_weight_map* of(const slot& s) const {
        for (const auto& [number, map] : wrappers)
            if (s.transform == number) return &map;
        return nullptr;
    }
    void forward(const map_place& at, std::span<const float> from, std::span<float> to) const {
        if (const any_weight_map* map = of(at.info)) map->forward(at, from, to);
        else std::copy(from.begin(), from.end(), to.begin());
    }
    void backward(const map_place& at, std::span<const float> from, std::span<float> gradient) const {
        if (const any_weight_map* map = of(at.info)) map->backward(at, from, gradient);
    }
};

}  // namespace impl

/// Trains a network in fp32, whatever number and protections its type has: of replicas one is trained, second copies of channels are one, and
/// functions of weights (harden/saturate.hpp) stand between stored weights and kernels. A softmax at the end is left out: the loss has its own.
/// Layers of the user's own have no derivative here and do not compile.
///
/// Results depend on the recipe, the seed and the images; not on the number of threads. NaN and infinite values go the way they go in inference.
/// Memory: about four floats an activation and image of a batch.
template <network_type Net>
class trainer {
    static_assert(!has_custom_step<Net>, "redoubt: a layer of the user's own cannot be trained");
    static_assert(Net::output.extents.height == 1 && Net::output.extents.width == 1, "redoubt: a network is trained on one label an image: its output must be 1x1");

public:
    static constexpr int classes = Net::outputs;

    explicit trainer(recipe by)
        : recipe_{std::move(by)}, engine_{plan_of(), recipe_.threads}, optimiser_{recipe_.optimiser, engine_.layout()}, functions_{recipe_.functions} {
        impl::own_transforms own;
        impl::add_wrapper_maps(typename Net::wrappers{}, own.wrappers);
        if (!own.wrappers.empty()) functions_.emplace_back(own);
        maps_ = followed_by_functions(recipe_.maps);
        faulty_maps_ = followed_by_functions(recipe_.faulty.maps);
        initialise(recipe_.seed);
    }

    /// Fresh weights: uniform with the variance of He et al. 2015, 2 / fan-in, for convolutions, of 1 / (3 fan-in) for linear layers and all biases but
    /// a norm's, which is 0 with scale 1 (PyTorch's forms). Draws depend on the seed and the weight's logical index.
    void initialise(std::uint64_t seed) {
        std::fill(engine_.parameters.begin(), engine_.parameters.end(), 0.0f);
        const auto& slots = engine_.plan().slots;
        for (std::size_t s = 0; s < slots.size(); ++s) {
            const kernel::conv_geometry& g = slots[s].geometry;
            const slot_range& r = engine_.layout().slots[s];
            random_stream random{seed, {static_cast<std::uint32_t>(s), 0, 0, 0x494e4954u}};
            const double most = std::sqrt((slots[s].is_linear ? 1.0 : 6.0) / g.fan_in()), small = std::sqrt(1.0 / g.fan_in());
            const auto draw = [&](double bound) { return static_cast<float>((2.0 * random.unit() - 1.0) * bound); };
            for (std::size_t i = 0; i < g.weights(); ++i) engine_.parameters[r.weights + kernel::wide_layout{}.index_of_logical(g, i)] = draw(most);
            for (std::size_t c = 0; c < static_cast<std::size_t>(g.out.channels); ++c) {
                if (r.has_norm) engine_.parameters[r.scale + c] = 1.0f;
                else engine_.parameters[r.bias + c] = draw(small);
            }
            std::fill(engine_.running[s].mean.begin(), engine_.running[s].mean.end(), 0.0f);
            std::fill(engine_.running[s].variance.begin(), engine_.running[s].variance.end(), 1.0f);
        }
        optimiser_ = optimiser{recipe_.optimiser, engine_.layout()};
        epoch_ = 0;
    }

    /// One step on images in the order that the network's input says, normalised already; a label an image, below `classes`.
    /// Errors: counts that do not fit, labels out of range.
    result<step_report> step(std::span<const float> images, std::span<const int> labels) {
        if (const result<void> sound = check_batch<Net>(images.size(), labels); !sound) return sound.reason();
        constexpr auto pixels = static_cast<std::size_t>(Net::input_shape.size());
        const std::span<float> to = engine_.images(labels.size());
        for (std::size_t i = 0; i < labels.size(); ++i)
            kernel::read_image<float32>(Net::input_shape, Net::input::planar, images.data() + i * pixels, to.data() + i * pixels, 0);
        return take_step(labels, rate_at(recipe_.schedule, optimiser_.steps(), steps_, steps_per_epoch_));
    }
    /// Only loss and gradients, for a look at them: parameters stay, running statistics move.
    result<double> gradients_of(std::span<const float> images, std::span<const int> labels) {
        if (const result<void> sound = check_batch<Net>(images.size(), labels); !sound) return sound.reason();
        constexpr auto pixels = static_cast<std::size_t>(Net::input_shape.size());
        const std::span<float> to = engine_.images(labels.size());
        for (std::size_t i = 0; i < labels.size(); ++i)
            kernel::read_image<float32>(Net::input_shape, Net::input::planar, images.data() + i * pixels, to.data() + i * pixels, 0);
        learn_from_teacher();
        return engine_.run(labels, options());
    }

    /// One pass over a set in a drawn order, in whole batches. `progress` is called with (step of this epoch, steps of an epoch, report) after each.
    /// Errors: images of another size than the network's input, fewer than a batch, labels out of range.
    template <class Progress>
    result<epoch_report> epoch(const io::image_set& set, Progress&& progress) {
        if (const result<void> sound = check_set<Net>(set, recipe_); !sound) return sound.reason();
        plan_steps(set.size());
        epoch_report report{.epoch = epoch_ + 1, .steps = steps_per_epoch_};
        const auto room = [&] { return engine_.images(static_cast<std::size_t>(recipe_.batch)); };
        for_each_batch(set, recipe_, epoch_, engine_.threads(), room, [&](std::uint64_t k, std::span<const int> labels) {
            const step_report did = take_step(labels, rate_at(recipe_.schedule, optimiser_.steps(), steps_, steps_per_epoch_));
            report.loss += did.loss;
            report.faulty_loss += did.faulty_loss;
            report.rate = did.rate;
            progress(k, steps_per_epoch_, did);
            return true;
        });
        report.loss /= static_cast<double>(steps_per_epoch_);
        report.faulty_loss /= static_cast<double>(steps_per_epoch_);
        ++epoch_;
        return report;
    }
    result<epoch_report> epoch(const io::image_set& set) {
        return epoch(set, [](std::uint64_t, std::uint64_t, const step_report&) {});
    }

    /// Of how many images an epoch consists, for schedules of a run that calls step() itself.
    void plan_steps(std::size_t images) {
        steps_per_epoch_ = recipe_.batch == 0 ? 0 : images / recipe_.batch;
        steps_ = steps_per_epoch_ * recipe_.epochs;
    }

    /// Parameters under the names and in the axes of PyTorch, norms not folded, weights as kernels read them (through the recipe's and the network's functions, but not through the
    /// recipe's maps): what io::load() loads.
    io::tensor_file tensors() const {
        floats read = engine_.parameters, before;
        for (std::size_t s = 0; s < engine_.plan().slots.size(); ++s) {
            const slot_range& r = engine_.layout().slots[s];
            const std::span<float> words{read.data() + r.weights, r.weight_words};
            for (const any_weight_map& f : functions_) {
                before.assign(words.begin(), words.end());
                f.forward({static_cast<int>(s), engine_.plan().slots[s]}, before, words);
            }
        }
        return to_tensors(engine_.plan().slots, engine_.layout(), read, &engine_.running);
    }
    /// The same of the last gradients, without statistics.
    io::tensor_file gradient_tensors() const { return to_tensors<running_norm>(engine_.plan().slots, engine_.layout(), engine_.gradients, nullptr); }
    /// Writes tensors() whole or not at all.
    result<void> export_to(const std::string& path) const { return io::write_safetensors(path, tensors()); }
    /// Starts from parameters in that form; weights are taken as stored ones. Optimiser and epochs begin anew. After an error all is as it was.
    result<void> start_from(const io::tensor_file& file, std::string_view source) {
        floats read = engine_.parameters;
        auto running = engine_.running;
        if (auto r = from_tensors(file, source, engine_.plan().slots, engine_.layout(), read, running); !r) return r;
        initialise(recipe_.seed);
        engine_.parameters = std::move(read);
        engine_.running = std::move(running);
        return {};
    }

    /// Whether all parameters and statistics are numbers.
    bool is_finite() const {
        const auto all = [](const floats& values) { return std::all_of(values.begin(), values.end(), [](float v) { return v - v == 0.0f; }); };
        return all(engine_.parameters) && std::all_of(engine_.running.begin(), engine_.running.end(), [&](const running_norm& r) { return all(r.mean) && all(r.variance); });
    }
    const recipe& by() const { return recipe_; }
    train::engine& parts() { return engine_; }
    const train::engine& parts() const { return engine_; }
    train::optimiser& momenta() { return optimiser_; }
    std::uint64_t epochs_done() const { return epoch_; }
    void set_epochs_done(std::uint64_t epochs) { epoch_ = epochs; }

private:
    recipe recipe_;
    train::engine engine_;
    train::optimiser optimiser_;
    std::vector<any_weight_map> functions_, maps_, faulty_maps_;
    floats clean_gradients_;
    std::vector<float> teacher_;  ///< logits for the batch
    std::uint64_t epoch_ = 0, steps_ = 1, steps_per_epoch_ = 1;

public:
    /// The moves of a step; for an oracle beside the trainer.
    static training_plan plan_of() {
        constexpr const auto& t = Net::table;
        return detail::planner{{t.steps.data(), static_cast<std::size_t>(t.step_count)}, {t.values.data(), static_cast<std::size_t>(t.value_count)},
                               {t.slots.data(), static_cast<std::size_t>(t.slot_count)}, t.output}.made();
    }

private:
    std::vector<any_weight_map> followed_by_functions(std::vector<any_weight_map> maps) const {
        maps.insert(maps.end(), functions_.begin(), functions_.end());
        return maps;
    }
    batch_options options() const {
        return {recipe_.label_smoothing, recipe_.seed, optimiser_.steps(), maps_, recipe_.features ? &recipe_.features : nullptr, false, false, teacher_, recipe_.teacher_share, recipe_.temperature};
    }
    batch_options faulty_options() const {
        batch_options o = options();
        o.maps = faulty_maps_;
        o.features = recipe_.faulty.features ? &recipe_.faulty.features : nullptr;
        o.keeps_statistics = !recipe_.faulty.own_statistics && recipe_.faulty.share < 1.0;
        o.is_second = recipe_.faulty.share < 1.0;
        return o;
    }
    void learn_from_teacher() {
        if (!recipe_.teacher) return;
        constexpr auto pixels = static_cast<std::size_t>(Net::input_shape.size()), outputs = static_cast<std::size_t>(classes);
        const std::span<const float> images = engine_.last_images();
        const std::size_t count = images.size() / pixels;
        teacher_.resize(count * outputs);
        engine_.threads().run(count, [&](std::size_t, std::size_t i) {
            recipe_.teacher(images.subspan(i * pixels, pixels), std::span{teacher_}.subspan(i * outputs, outputs));
        });
    }
    /// Losses, and the gradient of both passes in the engine's.
    void run_passes(std::span<const int> labels, step_report& report) {
        const faulty_pass& by = recipe_.faulty;
        if (!(by.share > 0.0)) {
            report.loss = engine_.run(labels, options());
            return;
        }
        if (by.share < 1.0) {
            report.loss = engine_.run(labels, options());
            clean_gradients_ = engine_.gradients;
        }
        const std::vector<running_norm> before = by.only_below > 0.0 ? engine_.running : std::vector<running_norm>{};
        report.faulty_loss = engine_.run(labels, faulty_options());
        if (!(by.share < 1.0)) report.loss = report.faulty_loss;
        const bool both = by.share >= 1.0 || by.only_below == 0.0 || 0.5 * (report.loss + report.faulty_loss) <= by.only_below;
        if (!both) {
            engine_.running = before;
            std::swap(engine_.gradients, clean_gradients_);
            return;
        }
        const auto share = static_cast<float>(by.share), most = static_cast<float>(by.clamp);
        for (std::size_t i = 0; i < engine_.gradients.size(); ++i) {
            float& g = engine_.gradients[i];
            if (most > 0.0f) g = g > most ? most : g < -most ? -most : g;
            if (by.share < 1.0) g = fused(share, g - clean_gradients_[i], clean_gradients_[i]);
        }
    }
    step_report take_step(std::span<const int> labels, double rate) {
        learn_from_teacher();
        step_report report;
        report.rate = rate;
        run_passes(labels, report);
        double scale = 1.0;
        if (recipe_.clip_norm > 0.0) {
            report.gradient_norm = gradient_norm(engine_.gradients);
            if (report.gradient_norm > recipe_.clip_norm) scale = recipe_.clip_norm / (report.gradient_norm + 1e-6);
        }
        optimiser_.step(engine_.threads(), engine_.parameters, engine_.gradients, rate, scale);
        if (recipe_.largest_weight > 0.0) {
            const auto most = static_cast<float>(recipe_.largest_weight);
            for (const slot_range& r : engine_.layout().slots)
                for (float& w : std::span{engine_.parameters}.subspan(r.weights, r.weight_words)) w = w > most ? most : w < -most ? -most : w;
        }
        return report;
    }
};

}  // namespace redoubt::train::inline REDOUBT_ABI
