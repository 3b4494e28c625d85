// SPDX-License-Identifier: MIT
// Forward and backward through a batch, phase by phase. Nothing here is a template: rows of a table are walked at run time.
#pragma once

#include <redoubt/kernel/batch_norm.hpp>
#include <redoubt/kernel/concat.hpp>
#include <redoubt/kernel/conv2d.hpp>
#include <redoubt/kernel/elementwise.hpp>
#include <redoubt/kernel/input_gradient.hpp>
#include <redoubt/kernel/weight_gradient.hpp>
#include <redoubt/nn/convert.hpp>
#include <redoubt/train/batch_options.hpp>
#include <redoubt/train/layout.hpp>
#include <redoubt/train/loss.hpp>
#include <redoubt/train/mapped_weights.hpp>
#include <redoubt/train/memory.hpp>
#include <redoubt/train/moments.hpp>
#include <redoubt/train/plan.hpp>
#include <redoubt/train/pools.hpp>
#include <redoubt/train/team.hpp>

#include <algorithm>
#include <span>
#include <vector>

namespace redoubt::train::inline v1 {

/// Running statistics of one norm.
struct running_norm {
    floats mean, variance;
};

}  // namespace redoubt::train::inline v1

namespace redoubt::train::inline REDOUBT_ABI {

/// One network's parameters, gradients and batch memory. Results depend on the batch alone: images are cut into chunks whose number does not depend on the threads, each
/// chunk's sums have one order, and chunks are added in their order. Memory: for each image the values that are stored, what goes into norms, and
/// gradients; weights' gradients once a chunk for the layer in hand.
class engine {
public:
    static constexpr double norm_epsilon = 1e-5, norm_momentum = 0.1;  // PyTorch's

    engine(training_plan p, unsigned threads)
        : plan_{std::move(p)}, layout_{plan_.slots}, team_{threads}, parameters(layout_.words), gradients(layout_.words), running(plan_.slots.size()),
          raw_(plan_.steps.size()), values_(plan_.values.size()), value_gradients_(plan_.values.size()), norms_(plan_.steps.size()), weights_{plan_},
          scratch_(team_.size()) {
        std::size_t widest = 0;
        for (std::size_t s = 0; s < plan_.slots.size(); ++s) {
            const auto channels = layout_.slots[s].channels;
            widest = std::max({widest, channels, static_cast<std::size_t>(plan_.slots[s].geometry.in.size() + 16)});
            if (!plan_.slots[s].has_norm) continue;
            running[s].mean.assign(channels, 0.0f);
            running[s].variance.assign(channels, 1.0f);
        }
        zeros_.assign(widest, 0.0f);
    }

    const training_plan& plan() const { return plan_; }
    const parameter_layout& layout() const { return layout_; }
    team& threads() { return team_; }

    /// Makes room for so many images; [image][row][column][channel], to be filled before run().
    std::span<float> images(std::size_t count) {
        const auto grow = [&](floats& v, std::size_t size) {
            if (v.size() < size * count) v.resize(size * count);
        };
        for (std::size_t v = 0; v < values_.size(); ++v) {
            if (plan_.maker[v] < 0) continue;
            const std::size_t size = plan_.size_of(static_cast<int>(v));
            if (plan_.is_stored[v]) grow(values_[v], size);
            if (plan_.has_gradient[v]) grow(value_gradients_[v], size);
        }
        for (std::size_t i = 0; i < raw_.size(); ++i)
            if (training_plan::keeps_sum(plan_.steps[i])) grow(raw_[i], static_cast<std::size_t>(plan_.steps[i].geometry.out.size()));
        count_ = count;
        losses_.resize(count);
        return {values_[static_cast<std::size_t>(plan_.first)].data(), count * plan_.size_of(plan_.first)};
    }
    std::span<const float> last_images() const { return {values_[static_cast<std::size_t>(plan_.first)].data(), count_ * plan_.size_of(plan_.first)}; }
    /// Logits of the last batch.
    std::span<const float> logits() const {
        return {values_[static_cast<std::size_t>(plan_.logits)].data(), count_ * plan_.size_of(plan_.logits)};
    }

    /// The mean loss of the images, and `gradients`. Running statistics move on unless the options say otherwise.
    double run(std::span<const int> labels, const batch_options& options) {
        labels_ = labels;
        options_ = &options;
        weights_.forward(plan_, layout_, parameters, options, team_, [&](std::size_t s, std::size_t c) {
            return static_cast<float>(folding_factor(parameters[layout_.slots[s].scale + c], running[s].variance[c], norm_epsilon));
        });
        const image_chunks cut{count_};
        chunk_ = cut.images;
        const std::size_t chunks = cut.count;
        if (partial_.size() < chunks) partial_.resize(chunks);
        for (const phase& p : plan_.phases) {
            std::size_t words = 0;
            for (const int s : p.slots) words += layout_.slots[static_cast<std::size_t>(s)].words();
            team_.run(chunks, [&](std::size_t worker, std::size_t c) { run_chunk(p, words, worker, c); });
            if (p.moments_of >= 0) settle_moments(p.moments_of, chunks);
            if (p.gradients_of >= 0) settle_norm(p.gradients_of, chunks);
            add_up(p, chunks);
        }
        weights_.backward(plan_, layout_, parameters, gradients, options, team_);
        double loss = 0.0;
        for (const double l : losses_) loss += l;
        return loss / static_cast<double>(count_);
    }

private:
    struct norm_memory {
        floats mean, factor, mean_gradient, minus_slope;
        std::vector<double> inverse;  ///< 1 / deviation
    };
    /// What a chunk adds up.
    struct partial_sums {
        floats gradients;           ///< of the slots of a phase, side by side
        channel_statistics moments;
        std::vector<double> sums, products;
    };
    /// Some images in one thread's hands.
    struct group {
        std::size_t first;
        std::size_t count;
        scratch& memory;
        partial_sums& sums;
        std::vector<const float*> made;  ///< values made again
    };

    training_plan plan_;
    parameter_layout layout_;
    team team_;

public:
    floats parameters, gradients;
    std::vector<running_norm> running;  ///< of slots

private:
    std::vector<floats> raw_;              ///< of steps: what goes into the norm or the activation
    std::vector<floats> values_, value_gradients_;
    std::vector<norm_memory> norms_;       ///< of steps
    mapped_weights weights_;
    std::vector<scratch> scratch_;
    std::vector<partial_sums> partial_;
    std::vector<double> losses_;
    floats zeros_;
    std::size_t count_ = 0, chunk_ = 8;
    std::span<const int> labels_;
    const batch_options* options_ = nullptr;

    static std::size_t number(int i) { return static_cast<std::size_t>(i); }

    // ---- a chunk
    void run_chunk(const phase& p, std::size_t words, std::size_t worker, std::size_t chunk) {
        partial_sums& sums = partial_[chunk];
        if (sums.gradients.size() < words) sums.gradients.resize(words);
        std::fill_n(sums.gradients.begin(), words, 0.0f);
        if (p.moments_of >= 0) sums.moments.clear(channels_of(p.moments_of));
        if (p.gradients_of >= 0) {
            sums.sums.assign(channels_of(p.gradients_of), 0.0);
            sums.products.assign(channels_of(p.gradients_of), 0.0);
        }
        const std::size_t end = std::min(count_, (chunk + 1) * chunk_);
        group g{0, 0, scratch_[worker], sums, {}};
        for (std::size_t first = chunk * chunk_; first < end; first += number(p.images)) {
            g.first = first;
            g.count = std::min(number(p.images), end - first);
            g.memory.clear();
            g.made.assign(values_.size(), nullptr);
            for (const move& m : p.moves) make(p, m, g);
        }
    }
    void make(const phase& p, const move& m, group& g) {
        switch (m.what) {
            case action::forward: return forward(plan_.at(m.step), number(m.step), g);
            case action::finish: return finish(plan_.at(m.step), number(m.step), value(plan_.at(m.step).out, g), g);
            case action::loss: return lose(g);
            case action::prepare: return prepare(m, plan_.at(m.step), g);
            case action::backward: return backward(p, m, plan_.at(m.step), g);
        }
    }
    std::size_t channels_of(int i) const { return number(plan_.at(i).geometry.out.channels); }

    // ---- tensors of a group
    float* value(int v, const group& g) { return values_[number(v)].data() + g.first * plan_.size_of(v); }
    float* gradient(int v, const group& g) { return value_gradients_[number(v)].data() + g.first * plan_.size_of(v); }
    float* raw(std::size_t i, const group& g) { return raw_[i].data() + g.first * number(plan_.steps[i].geometry.out.size()); }
    /// A value to read: stored, or made again from what went into its norm.
    const float* read(int v, group& g) {
        if (v < 0) return nullptr;
        if (plan_.is_stored[number(v)]) return value(v, g);
        if (g.made[number(v)] == nullptr) {
            float* const to = g.memory.take(plan_.size_of(v) * g.count);
            const std::size_t maker = number(plan_.maker[number(v)]);
            finish(plan_.steps[maker], maker, to, g);
            g.made[number(v)] = to;
        }
        return g.made[number(v)];
    }
    static int pixels_of(const step& s, const group& g) { return s.geometry.out.height * s.geometry.out.width * static_cast<int>(g.count); }
    kernel::norm_lines lines_of(std::size_t i) const {
        return {norms_[i].mean.data(), norms_[i].factor.data(), parameters.data() + layout_.slots[number(plan_.steps[i].slot)].shift};
    }

    // ---- forward
    void forward(const step& s, std::size_t i, group& g) {
        const std::size_t in_size = number(s.geometry.in.size()), out_size = number(s.geometry.out.size());
        if (s.kind == op::convolution) return convolve(s, i, g);
        const float* const in = s.kind == op::concat ? nullptr : read(s.in, g);
        float* const out = value(s.out, g);
        if (s.kind == op::add || s.kind == op::activate)
            return kernel::add_and_activate<float32>(in, read(s.residual, g), out, static_cast<int>(out_size * g.count), s.nonlinearity(), {});
        for (std::size_t n = 0; n < g.count; ++n) {
            float* const to = out + n * out_size;
            const float* const from = in == nullptr ? nullptr : in + n * in_size;
            pool(s, from, to);
            if (s.kind == op::concat)
                plan_.for_each_part(s, [&](std::size_t, int v, shape part, int channel) { kernel::concat_part(part, read(v, g) + n * plan_.size_of(v), s.geometry.out, to, channel); });
        }
    }
    void convolve(const step& s, std::size_t i, group& g) {
        const slot_range& r = layout_.slots[number(s.slot)];
        const bool apart = training_plan::keeps_sum(s) || options_->features != nullptr;  // of the sum and what follows
        const bool flat = training_plan::is_flat(s);
        const float *const in = read(s.in, g), *const residual = apart ? nullptr : read(s.residual, g);
        float* const out = training_plan::keeps_sum(s) ? raw(i, g) : value(s.out, g);
        kernel::conv_call<float32> call;
        call.geometry = training_plan::geometry_of(s, g.count);
        call.weights = weights_.read(s.slot);
        call.bias = s.has_norm ? zeros_.data() : parameters.data() + r.bias;
        call.block_end = call.geometry.blocks();
        if (!apart) call.activate_by(s.nonlinearity());
        kernel::read_ahead soon;
        add_next(s.in, g, soon);
        soon.spread(call.geometry.out.height * static_cast<int>(g.count));
        for (std::size_t n = 0; n < (flat ? 1 : g.count); ++n) {
            call.in = in + n * number(s.geometry.in.size());
            call.out = out + n * number(s.geometry.out.size());
            call.residual = residual == nullptr ? nullptr : residual + n * number(s.geometry.out.size());
            kernel::trained_conv2d(call, &soon);
        }
        if (!s.has_norm) {
            if (apart) finish(s, i, value(s.out, g), g);
        } else if (!options_->keeps_statistics) {
            g.sums.moments.add(out, pixels_of(s, g), g.memory.take(3 * r.channels), r.channels);
        }
    }
    /// What follows a convolution's sum: norm, features' hook, residual add, activation.
    void finish(const step& s, std::size_t i, float* to, group& g) {
        const float* const residual = read(s.residual, g);
        if (s.has_norm && options_->features == nullptr)
            return kernel::normalise(raw(i, g), residual, to, pixels_of(s, g), s.geometry.out.channels, lines_of(i), s.nonlinearity());
        features(s, i, to, g);
        kernel::add_and_activate<float32>(to, residual, to, static_cast<int>(number(s.geometry.out.size()) * g.count), s.nonlinearity(), {});
    }
    void features(const step& s, std::size_t i, float* to, group& g) {
        const std::size_t size = number(s.geometry.out.size());
        if (s.has_norm) kernel::normalise(raw(i, g), nullptr, to, pixels_of(s, g), s.geometry.out.channels, lines_of(i), {});
        else if (training_plan::keeps_sum(s)) std::copy_n(raw(i, g), size * g.count, to);
        if (options_->features == nullptr) return;
        for (std::size_t n = 0; n < g.count; ++n)
            (*options_->features)({s.slot, &plan_.slots[number(s.slot)], g.first + n, options_->seed, options_->step}, {to + n * size, size});
    }
    void settle_moments(int which, std::size_t chunks) {
        if (options_->keeps_statistics) return;
        const step& s = plan_.at(which);
        norm_memory& norm = norms_[number(which)];
        const slot_range& r = layout_.slots[number(s.slot)];
        channel_statistics all;
        all.clear(channels_of(which));
        for (std::size_t c = 0; c < chunks; ++c) all.add(partial_[c].moments);
        for (floats* v : {&norm.mean, &norm.factor, &norm.mean_gradient, &norm.minus_slope}) v->assign(r.channels, 0.0f);
        norm.inverse.assign(r.channels, 0.0);
        running_norm& seen = running[number(s.slot)];
        for (std::size_t c = 0; c < channels_of(which); ++c) {
            const double variance = all.squares[c] / all.count;
            norm.inverse[c] = 1.0 / std::sqrt(variance + norm_epsilon);
            norm.mean[c] = static_cast<float>(all.mean[c]);
            norm.factor[c] = static_cast<float>(norm.inverse[c] * static_cast<double>(parameters[r.scale + c]));
            const auto move = [](float& to, double by) {
                to = static_cast<float>(std::fma(by - static_cast<double>(to), norm_momentum, static_cast<double>(to)));
            };
            move(seen.mean[c], all.mean[c]);
            move(seen.variance[c], all.count > 1.0 ? all.squares[c] / (all.count - 1.0) : variance);
        }
    }
    void lose(group& g) {
        const std::size_t classes = plan_.size_of(plan_.logits);
        const float* const logits = read(plan_.logits, g);
        float* const to = gradient(plan_.logits, g);
        for (std::size_t n = 0; n < g.count; ++n)
            losses_[g.first + n] = loss_of({logits + n * classes, classes}, g.first + n, {to + n * classes, classes});
    }

    /// Of one image, and its gradient to the logits.
    double loss_of(std::span<const float> logits, std::size_t image, std::span<float> to) const {
        const double weight = 1.0 / static_cast<double>(count_), share = options_->teacher.empty() ? 0.0 : options_->teacher_share;
        const double loss = cross_entropy<float>(logits, labels_[image], options_->label_smoothing, weight * (1.0 - share), to);
        if (share == 0.0) return loss;
        return (1.0 - share) * loss + share * distillation<float>(logits, options_->teacher.subspan(image * logits.size(), logits.size()), options_->temperature, weight * share, to);
    }

    // ---- backward
    /// The gradient to what goes into a step's activation.
    const float* bend(const move& m, const step& s, group& g) {
        if (s.act == kernel::activation::none) return gradient(m.own, g);
        const std::size_t count = number(s.geometry.out.size()) * g.count;
        const float* seen = nullptr;
        if (kernel::needs_input(s.act)) {
            float* const sum = g.memory.take(count);
            if (s.kind == op::convolution) features(s, number(m.step), sum, g);
            else std::copy_n(read(s.in, g), count, sum);
            if (s.residual >= 0) kernel::add_elements(sum, read(s.residual, g), sum, count);
            seen = sum;
        } else {
            seen = read(s.out, g);
        }
        kernel::activation_gradient(s.nonlinearity(), gradient(m.from, g), seen, gradient(m.own, g), count);
        return gradient(m.own, g);
    }
    void prepare(const move& m, const step& s, group& g) {
        const float* const own = bend(m, s, g);
        const std::size_t channels = number(s.geometry.out.channels);
        float *const sums = g.memory.take(channels), *const products = g.memory.take(channels);
        kernel::norm_sums(own, raw(number(m.step), g), pixels_of(s, g), s.geometry.out.channels, norms_[number(m.step)].mean.data(), sums, products);
        for (std::size_t c = 0; c < channels; ++c) {
            g.sums.sums[c] += static_cast<double>(sums[c]);
            g.sums.products[c] += static_cast<double>(products[c]);
        }
    }
    void settle_norm(int which, std::size_t chunks) {
        const step& s = plan_.at(which);
        norm_memory& norm = norms_[number(which)];
        const slot_range& r = layout_.slots[number(s.slot)];
        const double count = static_cast<double>(s.geometry.out.height) * s.geometry.out.width * static_cast<double>(count_);
        const bool fixed = options_->keeps_statistics;  // no gradient goes through them
        for (std::size_t c = 0; c < channels_of(which); ++c) {
            double sum = 0.0, product = 0.0;
            for (std::size_t k = 0; k < chunks; ++k) {
                sum += partial_[k].sums[c];
                product += partial_[k].products[c];
            }
            gradients[r.shift + c] = static_cast<float>(sum);
            gradients[r.scale + c] = static_cast<float>(product * norm.inverse[c]);
            norm.mean_gradient[c] = fixed ? 0.0f : static_cast<float>(sum / count);
            norm.minus_slope[c] = fixed ? 0.0f : static_cast<float>(-(product * norm.inverse[c] * norm.inverse[c] / count));
        }
    }
    /// Brings what an input's gradient has so far into its own memory.
    float* started(int v, int added, group& g) {
        float* const to = gradient(v, g);
        const std::size_t count = plan_.size_of(v) * g.count;
        if (added < 0) std::fill_n(to, count, 0.0f);
        else if (added != v) std::copy_n(gradient(added, g), count, to);
        return to;
    }
    void backward(const phase& p, const move& m, const step& s, group& g) {
        const bool prepared = s.kind == op::convolution && s.has_norm;
        const float* own = prepared ? gradient(m.own, g) : bend(m, s, g);
        const std::size_t in_size = number(s.geometry.in.size()), out_size = number(s.geometry.out.size());
        if (m.residual_sum >= 0) kernel::add_elements(gradient(m.residual_sum, g), own, gradient(s.residual, g), out_size * g.count);
        if (s.kind == op::convolution) return backward_convolution(p, m, s, own, g);
        if (s.kind == op::concat)
            return plan_.for_each_part(s, [&](std::size_t k, int v, shape part, int channel) {
                if (v == plan_.first) return;
                float* const to = started(v, m.parts_added[k], g);
                for (std::size_t n = 0; n < g.count; ++n) kernel::concat_gradient(part, s.geometry.out, own + n * out_size, channel, to + n * number(part.size()));
            });
        if (!m.to_input) return;
        if (s.kind == op::add || s.kind == op::activate) {
            if (m.added >= 0) kernel::add_elements(gradient(m.added, g), own, gradient(s.in, g), out_size * g.count);
            return;
        }
        float* const to = started(s.in, m.added, g);
        const float *const in = read(s.in, g), *const out = read(s.out, g);
        for (std::size_t n = 0; n < g.count; ++n) {
            const float* const d = own + n * out_size;
            float* const here = to + n * in_size;
            pool_gradient(s, in + n * in_size, out + n * out_size, d, here);
        }
    }
    /// Images of the next group.
    std::size_t next_count(const group& g) const { return std::min(g.count, count_ - std::min(count_, g.first + g.count)); }
    /// What the next group will read for a value: the value, or what it is made of.
    void add_next(int v, const group& g, kernel::read_ahead& soon) const {
        const std::size_t next = g.first + g.count, size = plan_.size_of(v);
        const std::size_t maker = number(plan_.maker[number(v)]);
        if (raw_[maker].empty()) return soon.add(values_[number(v)].data() + next * size, next_count(g) * size);
        soon.add(raw_[maker].data() + next * size, next_count(g) * size);
        const int residual = plan_.steps[maker].residual;
        if (residual >= 0 && plan_.is_stored[number(residual)]) soon.add(values_[number(residual)].data() + next * size, next_count(g) * size);
    }
    /// What the next group will read for a convolution's gradients.
    void add_next(const move& m, const step& s, const group& g, kernel::read_ahead& soon) const {
        const std::size_t next = g.first + g.count, out = number(s.geometry.out.size()), in = plan_.size_of(s.in);
        soon.add(value_gradients_[number(m.own)].data() + next * out, next_count(g) * out);
        if (s.has_norm) soon.add(raw_[number(m.step)].data() + next * out, next_count(g) * out);
        const floats& source = plan_.is_stored[number(s.in)] ? values_[number(s.in)] : raw_[number(plan_.maker[number(s.in)])];
        soon.add(source.data() + next * in, next_count(g) * in);
    }
    void backward_convolution(const phase& p, const move& m, const step& s, const float* own, group& g) {
        const std::size_t out_size = number(s.geometry.out.size()), in_size = number(s.geometry.in.size());
        const slot_range& r = layout_.slots[number(s.slot)];
        float* partial = g.sums.gradients.data();
        for (const int before : p.slots) {
            if (before == s.slot) break;
            partial += layout_.slots[number(before)].words();
        }
        if (s.has_norm) {
            const norm_memory& norm = norms_[number(m.step)];
            float* const d = g.memory.take(out_size * g.count);
            kernel::norm_gradient(own, raw(number(m.step), g), d, pixels_of(s, g), s.geometry.out.channels,
                                  {norm.mean.data(), norm.mean_gradient.data(), norm.minus_slope.data(), norm.factor.data()});
            own = d;
        } else {
            float* const sums = g.memory.take(r.channels);
            kernel::channel_sums(own, pixels_of(s, g), s.geometry.out.channels, sums);
            float* const bias = partial + (r.bias - r.weights);
            kernel::add_elements(bias, sums, bias, channels_of(m.step));
        }
        const kernel::conv_geometry geometry = training_plan::geometry_of(s, g.count);
        const std::size_t calls = training_plan::is_flat(s) ? 1 : g.count;
        kernel::weight_gradient_call call{geometry, static_cast<int>(calls), read(s.in, g), own, partial};
        kernel::read_ahead soon;
        add_next(m, s, g, soon);
        soon.spread(kernel::weight_gradient_rows(geometry, call.images));
        call.ahead = &soon;
        kernel::weight_gradient(call);
        if (!m.to_input) return;
        float* const scratch = g.memory.take(kernel::input_gradient_scratch(geometry));
        float *const own_memory = gradient(s.in, g), *const to = m.added == s.in ? g.memory.take(in_size * g.count) : own_memory;
        const float* const added = m.added < 0 || m.added == s.in ? nullptr : gradient(m.added, g);
        for (std::size_t n = 0; n < calls; ++n)
            kernel::input_gradient(geometry, own + n * out_size, weights_.turned(s.slot), zeros_.data(),
                                   added == nullptr ? nullptr : added + n * in_size, scratch, to + n * in_size);
        if (m.added == s.in) kernel::add_elements(own_memory, to, own_memory, in_size * g.count);
    }
    /// Sums of the chunks, in their order.
    void add_up(const phase& p, std::size_t chunks) {
        constexpr std::size_t piece = 4096;
        std::size_t begin = 0;
        for (const int which : p.slots) {
            const slot_range& r = layout_.slots[number(which)];
            // a norm's own gradients are not summed by chunks but in settle_norm()
            const std::size_t words = r.has_norm ? r.scale - r.weights : r.words();
            team_.run((words + piece - 1) / piece, [&](std::size_t, std::size_t k) {
                const std::size_t from = k * piece, count = std::min(piece, words - from);
                float* const to = gradients.data() + r.weights + from;
                std::copy_n(partial_[0].gradients.data() + begin + from, count, to);
                for (std::size_t c = 1; c < chunks; ++c) kernel::add_elements(to, partial_[c].gradients.data() + begin + from, to, count);
            });
            begin += r.words();
        }
    }
};

}  // namespace redoubt::train::inline REDOUBT_ABI
