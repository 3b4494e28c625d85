// SPDX-License-Identifier: MIT
// Gradients of logits to the parameters of a network as it is deployed, image by image: norms lie folded in weights and biases, and no image sees another.
#pragma once

#include <redoubt/analyze/ranking.hpp>
#include <redoubt/campaign/parallel.hpp>
#include <redoubt/kernel/concat.hpp>
#include <redoubt/kernel/conv2d.hpp>
#include <redoubt/kernel/elementwise.hpp>
#include <redoubt/kernel/weight_gradient.hpp>
#include <redoubt/nn/convert.hpp>
#include <redoubt/train/moments.hpp>
#include <redoubt/train/pools.hpp>
#include <redoubt/train/trainer.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace redoubt::analyze::inline REDOUBT_ABI {

/// A float32 network without protections, ready for gradients: its steps, and weights as forward and backward kernels read them. Memory: three times the
/// weights.
class deployed_network {
public:
    deployed_network(deployed_network&&) = default;  // a copy's kernels would read the weights of the first
    /// A softmax at the end is left out: outputs are the logits before it.
    template <network_type Net>
    static deployed_network of(const redoubt::parameters<Net>& weights) {
        static_assert(std::same_as<typename Net::number_type, float32> && std::same_as<Net, without_protection<Net>>,
                      "redoubt: gradients are those of the float32 network without protections; their ranking serves the others");
        static_assert(!train::impl::has_custom_step<Net>, "redoubt: a layer of the user's own has no gradient");
        constexpr const auto& t = Net::table;
        std::vector<step> steps(t.steps.begin(), t.steps.begin() + t.step_count);
        std::vector<slot> slots(t.slots.begin(), t.slots.begin() + t.slot_count);
        for (step& s : steps) s.has_norm = false;
        for (slot& s : slots) s.has_norm = false;
        deployed_network net{train::detail::planner{steps, {t.values.data(), static_cast<std::size_t>(t.value_count)}, slots, t.output}.made(), Net::input::planar};
        for (int s = 0; s < t.slot_count; ++s) {
            const train::slot_range& r = net.layout_.slots[static_cast<std::size_t>(s)];
            std::copy(weights.weights(s).begin(), weights.weights(s).end(), net.parameters_.begin() + static_cast<std::ptrdiff_t>(r.weights));
            std::copy(weights.biases(s).begin(), weights.biases(s).end(), net.parameters_.begin() + static_cast<std::ptrdiff_t>(r.bias));
        }
        net.prepare();
        return net;
    }

    const train::training_plan& plan() const { return plan_; }
    const train::parameter_layout& layout() const { return layout_; }
    const train::floats& parameters() const { return parameters_; }
    const train::mapped_weights& weights() const { return weights_; }
    bool is_planar() const { return planar_; }
    std::size_t classes() const { return plan_.size_of(plan_.logits); }

private:
    deployed_network(train::training_plan plan, bool planar)
        : plan_{std::move(plan)}, layout_{plan_.slots}, parameters_(layout_.words), weights_{plan_}, planar_{planar} {}
    void prepare() {
        train::team alone{1};
        weights_.forward(plan_, layout_, parameters_, alone);
    }

    train::training_plan plan_;
    train::parameter_layout layout_;
    train::floats parameters_;  ///< moved with what reads them: a vector's elements stay where they are
    train::mapped_weights weights_;
    bool planar_;
};

/// One image at a time, forward once and then backward from any seeds. One thread's.
class gradient_pass {
public:
    explicit gradient_pass(const deployed_network& of)
        : net_{of}, plan_{of.plan()}, values_(plan_.values.size()), slopes_(plan_.values.size()), reached_(plan_.values.size()), sums_(plan_.steps.size()) {
        std::size_t widest = kernel::lane_count, largest = 0, scratch = 1;
        for (std::size_t v = 0; v < plan_.values.size(); ++v) {
            if (plan_.maker[v] < 0) continue;
            const std::size_t size = plan_.size_of(static_cast<int>(v));
            values_[v].resize(size);
            slopes_[v].resize(size);
            largest = std::max(largest, size);
        }
        for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
            const step& s = plan_.steps[i];
            if (kernel::needs_input(s.act)) sums_[i].resize(static_cast<std::size_t>(s.geometry.out.size()));
            if (s.kind != op::convolution) continue;
            const kernel::conv_geometry g = train::training_plan::geometry_of(s, 1);
            widest = std::max(widest, static_cast<std::size_t>(g.in.channels + g.out.channels + 2 * kernel::lane_count * (g.groups + 1)));
            scratch = std::max(scratch, kernel::input_gradient_scratch(g));
        }
        zeros_.assign(widest, 0.0f);
        channels_.resize(widest);
        bent_.resize(largest);
        spare_.resize(largest);
        scratch_.resize(scratch);
    }

    /// The logits of an image, with the bits of infer(); pixels as infer() takes them.
    std::span<const float> forward(std::span<const float> image) {
        kernel::read_image<float32>(plan_.values[number(plan_.first)].extents, net_.is_planar(), image.data(), values_[number(plan_.first)].data(), 0);
        for (std::size_t i = 0; i < plan_.steps.size(); ++i) forward(plan_.steps[i], i);
        return values_[number(plan_.logits)];
    }

    /// Adds to `gradients`, laid out as the network's parameters, the gradient of the sum of seed times logits of the last image; padding lanes stay. Derivatives
    /// at bends are those of training. Cost: twice the forward pass's multiply-adds.
    void backward(std::span<const float> seed, train::floats& gradients) {
        std::fill(reached_.begin(), reached_.end(), false);
        std::copy(seed.begin(), seed.end(), slopes_[number(plan_.logits)].begin());
        reached_[number(plan_.logits)] = true;
        for (std::size_t i = plan_.steps.size(); i-- > 0;) backward(plan_.steps[i], i, gradients);
    }

private:
    static std::size_t number(int i) { return static_cast<std::size_t>(i); }
    const float* value(int v) const { return v < 0 ? nullptr : values_[number(v)].data(); }

    void forward(const step& s, std::size_t i) {
        if (s.kind == op::input) return;
        float* const out = values_[number(s.out)].data();
        const int size = s.geometry.out.size();
        if (s.kind == op::convolution) {
            const bool apart = kernel::needs_input(s.act);
            kernel::conv_call<float32> call;
            call.geometry = s.geometry;
            call.in = value(s.in);
            call.out = apart ? sums_[i].data() : out;
            call.weights = net_.weights().read(s.slot);
            call.bias = net_.parameters().data() + net_.layout().slots[number(s.slot)].bias;
            call.residual = value(s.residual);
            call.block_end = call.geometry.blocks();
            if (!apart) call.activate_by(s.nonlinearity());
            kernel::conv2d<float32>(call);
            if (apart) kernel::add_and_activate<float32>(sums_[i].data(), nullptr, out, size, s.nonlinearity(), {});
        } else if (s.kind == op::add || s.kind == op::activate) {
            kernel::add_and_activate<float32>(value(s.in), value(s.residual), out, size, s.nonlinearity(), {});
            if (kernel::needs_input(s.act)) kernel::add_and_activate<float32>(value(s.in), value(s.residual), sums_[i].data(), size, {}, {});
        } else if (s.kind == op::concat) {
            plan_.for_each_part(s, [&](std::size_t, int v, shape part, int channel) { kernel::concat_part(part, value(v), s.geometry.out, out, channel); });
        } else {
            train::pool(s, value(s.in), out);
        }
    }
    /// Memory for the gradient to a value, 0 where nothing has come yet.
    float* slope(int v) {
        if (!reached_[number(v)]) std::fill(slopes_[number(v)].begin(), slopes_[number(v)].end(), 0.0f);
        reached_[number(v)] = true;
        return slopes_[number(v)].data();
    }
    void add(int v, const float* more) {
        if (v < 0 || v == plan_.first) return;
        float* const to = slope(v);
        kernel::add_elements(to, more, to, slopes_[number(v)].size());
    }
    void backward(const step& s, std::size_t i, train::floats& gradients) {
        if (s.kind == op::input || !reached_[number(s.out)]) return;
        const float* own = slopes_[number(s.out)].data();
        if (s.act != kernel::activation::none) {
            kernel::activation_gradient(s.nonlinearity(), own, kernel::needs_input(s.act) ? sums_[i].data() : value(s.out), bent_.data(),
                                        static_cast<std::size_t>(s.geometry.out.size()));
            own = bent_.data();
        }
        add(s.residual, own);
        if (s.kind == op::convolution) return backward_convolution(s, own, gradients);
        if (s.kind == op::concat)
            return plan_.for_each_part(s, [&](std::size_t, int v, shape part, int channel) {
                if (v != plan_.first) kernel::concat_gradient(part, s.geometry.out, own, channel, slope(v));
            });
        if (s.in == plan_.first) return;
        if (s.kind == op::add || s.kind == op::activate) return add(s.in, own);
        train::pool_gradient(s, value(s.in), value(s.out), own, slope(s.in));
    }
    void backward_convolution(const step& s, const float* own, train::floats& gradients) {
        const kernel::conv_geometry g = train::training_plan::geometry_of(s, 1);
        const train::slot_range& r = net_.layout().slots[number(s.slot)];
        kernel::channel_sums(own, g.out.height * g.out.width, g.out.channels, channels_.data());
        float* const bias = gradients.data() + r.bias;
        kernel::add_elements(bias, channels_.data(), bias, number(g.out.channels));
        kernel::weight_gradient({g, 1, value(s.in), own, gradients.data() + r.weights});
        if (s.in == plan_.first) return;
        train::floats& to = slopes_[number(s.in)];
        kernel::input_gradient(g, own, net_.weights().turned(s.slot), zeros_.data(), reached_[number(s.in)] ? to.data() : nullptr, scratch_.data(), spare_.data());
        std::copy_n(spare_.data(), to.size(), to.data());
        reached_[number(s.in)] = true;
    }

    const deployed_network& net_;
    const train::training_plan& plan_;
    std::vector<train::floats> values_, slopes_;
    std::vector<bool> reached_;        ///< by a gradient
    std::vector<train::floats> sums_;  ///< of steps whose activation's derivative asks for what goes in
    train::floats zeros_, channels_, bent_, spare_, scratch_;
};

namespace impl {

/// Sums over images whose bits do not depend on the number of threads: images are taken in runs of eight, each added up by one thread, and runs are joined in
/// their order. body(pass, image, sums) adds one image. Memory: a Sums and a pass a thread. `zero` is an empty Sums; Sums has add(const Sums&) and clear().
template <class Sums, class Body>
Sums sum_over_images(const deployed_network& net, std::size_t images, unsigned threads, const Sums& zero, Body&& body) {
    constexpr std::size_t together = 8;
    struct worker {
        gradient_pass pass;
        Sums sums;
    };
    Sums all = zero;
    std::atomic<std::size_t> joined{0};
    campaign::parallel_for((images + together - 1) / together, threads, [&] { return worker{gradient_pass{net}, zero}; }, [&](worker& w, std::size_t run) {
        w.sums.clear();
        const auto in_turn = [&](auto&& act) {
            // earlier runs are in other threads' hands, so this ends
            for (std::size_t done; (done = joined.load()) != run;) joined.wait(done);
            act();
            joined.store(run + 1);
            joined.notify_all();
        };
        try {
            for (std::size_t i = run * together; i < std::min(images, (run + 1) * together); ++i) body(w.pass, i, w.sums);
        } catch (...) {
            in_turn([] {});  // others wait for this run
            throw;
        }
        in_turn([&] { all.add(w.sums); });
    });
    return all;
}

/// Scores of channels, in whole blocks of sixteen a slot, and of weights in the parameters' layout where they are asked for.
struct score_sums {
    std::vector<std::vector<double>> channels;  ///< of slots
    std::vector<double> weights;
    std::uint64_t taken = 0, left_out = 0;

    score_sums(const deployed_network& net, bool each_weight) : weights(each_weight ? net.layout().words : 0) {
        for (const train::slot_range& r : net.layout().slots) channels.emplace_back(r.channels);
    }
    void clear() {
        for (auto& c : channels) std::fill(c.begin(), c.end(), 0.0);
        std::fill(weights.begin(), weights.end(), 0.0);
        taken = left_out = 0;
    }
    void add(const score_sums& o) {
        for (std::size_t s = 0; s < channels.size(); ++s)
            for (std::size_t c = 0; c < channels[s].size(); ++c) channels[s][c] += o.channels[s][c];
        for (std::size_t w = 0; w < weights.size(); ++w) weights[w] += o.weights[w];
        taken += o.taken;
        left_out += o.left_out;
    }
    /// Adds factor * term(word) of each weight's word to its score and its channel's.
    template <class Term>
    void add_terms(const deployed_network& net, double factor, Term&& term) {
        for (std::size_t s = 0; s < channels.size(); ++s) {
            const train::slot_range& r = net.layout().slots[s];
            const std::size_t blocks = r.channels / kernel::lane_count, size = r.weight_words / blocks;
            for (std::size_t b = 0; b < blocks; ++b) {
                double sums[kernel::lane_count] = {};
                for (std::size_t w = r.weights + b * size; w < r.weights + (b + 1) * size; w += kernel::lane_count)
                    for (std::size_t l = 0; l < kernel::lane_count; ++l) {
                        const double t = term(w + l);
                        sums[l] += t;
                        if (!weights.empty()) weights[w + l] = std::fma(factor, t, weights[w + l]);
                    }
                for (std::size_t l = 0; l < kernel::lane_count; ++l) channels[s][b * kernel::lane_count + l] = std::fma(factor, sums[l], channels[s][b * kernel::lane_count + l]);
            }
        }
    }
    /// Into a ranking, each score times what its channel's factor says.
    template <class Factor>
    void put(const deployed_network& net, ranking& to, Factor&& factor) const {
        to.images = taken;
        to.left_out = left_out;
        for (std::size_t s = 0; s < channels.size(); ++s) {
            const kernel::conv_geometry& g = net.plan().slots[s].geometry;
            for (int o = 0; o < g.out.channels; ++o)
                to.layers[s].channels[static_cast<std::size_t>(o)] = factor(s, o) * channels[s][static_cast<std::size_t>(g.block_of(o) * kernel::lane_count + g.lane_of(o))];
            if (weights.empty()) continue;
            to.layers[s].weights.resize(g.weights());
            for (std::size_t w = 0; w < g.weights(); ++w)
                to.layers[s].weights[w] = factor(s, static_cast<int>(w / static_cast<std::size_t>(g.fan_in()))) *
                                          weights[net.layout().slots[s].weights + kernel::wide_layout{}.index_of_logical(g, w)];
        }
    }
};

}  // namespace impl

}  // namespace redoubt::analyze::inline REDOUBT_ABI
