// SPDX-License-Identifier: MIT
// Gradients of a network as it is deployed, image by image: norms lie folded in weights and biases, and no image sees another.
#pragma once

#include <redoubt/kernel/activation_gradient.hpp>
#include <redoubt/kernel/concat.hpp>
#include <redoubt/kernel/conv2d.hpp>
#include <redoubt/kernel/elementwise.hpp>
#include <redoubt/kernel/input_gradient.hpp>
#include <redoubt/kernel/soft_bound.hpp>
#include <redoubt/kernel/weight_gradient.hpp>
#include <redoubt/nn/convert.hpp>
#include <redoubt/train/layout.hpp>
#include <redoubt/train/mapped_weights.hpp>
#include <redoubt/train/memory.hpp>
#include <redoubt/train/moments.hpp>
#include <redoubt/train/plan.hpp>
#include <redoubt/train/pools.hpp>
#include <redoubt/train/team.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace redoubt::train::inline REDOUBT_ABI {

/// Upper bounds of the elements of some steps' outputs, through which these go softly: kernel/soft_bound.hpp.
struct soft_bounds {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    float steepness = 20.0f;
    std::vector<std::size_t> first;  ///< of each step: where its bounds begin; none where it has none
    floats high;

    bool has(std::size_t step) const { return !first.empty() && first[step] != none; }
};

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
        static_assert(!has_custom_step<Net>, "redoubt: a layer of the user's own has no gradient");
        constexpr const auto& t = Net::table;
        std::vector<step> steps(t.steps.begin(), t.steps.begin() + t.step_count);
        std::vector<slot> slots(t.slots.begin(), t.slots.begin() + t.slot_count);
        for (step& s : steps) s.has_norm = false;
        for (slot& s : slots) s.has_norm = false;
        deployed_network net{detail::planner{steps, {t.values.data(), static_cast<std::size_t>(t.value_count)}, slots, t.output}.made(), Net::input::planar};
        for (int s = 0; s < t.slot_count; ++s) {
            const slot_range& r = net.layout_.slots[static_cast<std::size_t>(s)];
            std::copy(weights.weights(s).begin(), weights.weights(s).end(), net.parameters_.begin() + static_cast<std::ptrdiff_t>(r.weights));
            std::copy(weights.biases(s).begin(), weights.biases(s).end(), net.parameters_.begin() + static_cast<std::ptrdiff_t>(r.bias));
        }
        net.prepare();
        return net;
    }

    const training_plan& plan() const { return plan_; }
    const parameter_layout& layout() const { return layout_; }
    const floats& parameters() const { return parameters_; }
    const mapped_weights& weights() const { return weights_; }
    bool is_planar() const { return planar_; }
    std::size_t classes() const { return plan_.size_of(plan_.logits); }

private:
    deployed_network(training_plan plan, bool planar)
        : plan_{std::move(plan)}, layout_{plan_.slots}, parameters_(layout_.words), weights_{plan_}, planar_{planar} {}
    void prepare() {
        team alone{1};
        weights_.forward(plan_, layout_, parameters_, alone);
    }

    training_plan plan_;
    parameter_layout layout_;
    floats parameters_;  ///< moved with what reads them: a vector's elements stay where they are
    mapped_weights weights_;
    bool planar_;
};

/// One image at a time, forward once and then backward from any seeds. One thread's.
class gradient_pass {
public:
    /// With bounds, outputs of the steps that have some go through them, in both directions.
    explicit gradient_pass(const deployed_network& of, const soft_bounds* bounds = nullptr)
        : net_{of}, plan_{of.plan()}, bounds_{bounds}, values_(plan_.values.size()), slopes_(plan_.values.size()), reached_(plan_.values.size()), sums_(plan_.steps.size()),
          unbounded_(plan_.steps.size()) {
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
            if (is_bounded(i)) unbounded_[i].resize(static_cast<std::size_t>(s.geometry.out.size()));
            if (s.kind != op::convolution) continue;
            const kernel::conv_geometry g = training_plan::geometry_of(s, 1);
            widest = std::max(widest, static_cast<std::size_t>(g.in.channels + g.out.channels + 2 * kernel::lane_count * (g.groups + 1)));
            scratch = std::max(scratch, kernel::input_gradient_scratch(g));
        }
        zeros_.assign(widest, 0.0f);
        channels_.resize(widest);
        bent_.resize(largest);
        spare_.resize(largest);
        scratch_.resize(scratch);
    }

    /// The logits of an image, with the bits of infer() where there are no bounds; pixels as infer() takes them.
    std::span<const float> forward(std::span<const float> image) { return forward(image, net_.is_planar()); }
    /// The same of [channel][row][column], or [row][column][channel].
    std::span<const float> forward(std::span<const float> image, bool is_planar) {
        kernel::read_image<float32>(plan_.values[number(plan_.first)].extents, is_planar, image.data(), values_[number(plan_.first)].data(), 0);
        for (std::size_t i = 0; i < plan_.steps.size(); ++i) forward(plan_.steps[i], i);
        return values_[number(plan_.logits)];
    }

    /// Adds to `gradients`, laid out as the network's parameters, the gradient of the sum of seed times logits of the last image; padding lanes stay. Derivatives
    /// at bends are those of training. Cost: twice the forward pass's multiply-adds.
    void backward(std::span<const float> seed, floats& gradients) { go_back(seed, &gradients, nullptr); }
    /// The same of the bounds, laid out as they are, and not of the parameters. Cost: once the forward pass's multiply-adds.
    void backward_to_bounds(std::span<const float> seed, floats& gradients) { go_back(seed, nullptr, &gradients); }

private:
    static std::size_t number(int i) { return static_cast<std::size_t>(i); }
    const float* value(int v) const { return v < 0 ? nullptr : values_[number(v)].data(); }

    bool is_bounded(std::size_t step) const { return bounds_ != nullptr && bounds_->has(step); }

    void forward(const step& s, std::size_t i) {
        if (s.kind == op::input) return;
        compute(s, i);
        if (!is_bounded(i)) return;
        floats& before = unbounded_[i];
        std::copy_n(value(s.out), before.size(), before.data());
        kernel::bound_softly(before.data(), bounds_->high.data() + bounds_->first[i], bounds_->steepness, values_[number(s.out)].data(), before.size());
    }
    void compute(const step& s, std::size_t i) {
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
            pool(s, value(s.in), out);
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
    void go_back(std::span<const float> seed, floats* gradients, floats* bound_gradients) {
        std::fill(reached_.begin(), reached_.end(), false);
        std::copy(seed.begin(), seed.end(), slopes_[number(plan_.logits)].begin());
        reached_[number(plan_.logits)] = true;
        for (std::size_t i = plan_.steps.size(); i-- > 0;) backward(plan_.steps[i], i, gradients, bound_gradients);
    }
    void backward(const step& s, std::size_t i, floats* gradients, floats* bound_gradients) {
        if (s.kind == op::input || !reached_[number(s.out)]) return;
        const float* own = slopes_[number(s.out)].data();
        const float* seen = value(s.out);
        if (is_bounded(i)) {
            const floats& before = unbounded_[i];
            float* const to = bound_gradients == nullptr ? nullptr : bound_gradients->data() + bounds_->first[i];
            kernel::soft_bound_gradient(own, before.data(), bounds_->high.data() + bounds_->first[i], bounds_->steepness, bent_.data(), to, before.size());
            own = bent_.data();
            seen = before.data();
        }
        if (s.act != kernel::activation::none) {
            kernel::activation_gradient(s.nonlinearity(), own, kernel::needs_input(s.act) ? sums_[i].data() : seen, bent_.data(),
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
        pool_gradient(s, value(s.in), value(s.out), own, slope(s.in));
    }
    void backward_convolution(const step& s, const float* own, floats* gradients) {
        const kernel::conv_geometry g = training_plan::geometry_of(s, 1);
        if (gradients != nullptr) {
            const slot_range& r = net_.layout().slots[number(s.slot)];
            kernel::channel_sums(own, g.out.height * g.out.width, g.out.channels, channels_.data());
            float* const bias = gradients->data() + r.bias;
            kernel::add_elements(bias, channels_.data(), bias, number(g.out.channels));
            kernel::weight_gradient({g, 1, value(s.in), own, gradients->data() + r.weights});
        }
        if (s.in == plan_.first) return;
        floats& to = slopes_[number(s.in)];
        kernel::input_gradient(g, own, net_.weights().turned(s.slot), zeros_.data(), reached_[number(s.in)] ? to.data() : nullptr, scratch_.data(), spare_.data());
        std::copy_n(spare_.data(), to.size(), to.data());
        reached_[number(s.in)] = true;
    }

    const deployed_network& net_;
    const training_plan& plan_;
    const soft_bounds* bounds_;
    std::vector<floats> values_, slopes_;
    std::vector<bool> reached_;        ///< by a gradient
    std::vector<floats> sums_;       ///< of steps whose activation's derivative asks for what goes in
    std::vector<floats> unbounded_;  ///< of steps with bounds: what goes into these
    floats zeros_, channels_, bent_, spare_, scratch_;
};

}  // namespace redoubt::train::inline REDOUBT_ABI
