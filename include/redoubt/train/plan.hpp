// SPDX-License-Identifier: MIT
// A training step as a list of moves, in phases between which all images must have met: a norm's statistics are those of
// the whole batch.
#pragma once

#include <redoubt/kernel/activation_gradient.hpp>
#include <redoubt/nn/table.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace redoubt::train::inline v1 {

/// What is done to some images at a time.
enum class action : std::uint8_t {
    forward,   ///< a step, to its end or to its norm
    finish,    ///< norm, residual add and activation of a step with a norm
    loss,      ///< loss and its gradient to the logits
    prepare,   ///< gradient through the activation of a step with a norm, and the sums that the norm's gradient needs
    backward,  ///< gradients of a step: to its weights and to what it reads
};

/// One move. Gradients are held for values; `from`, `own`, `added` and `to_residual` name the values that hold them.
struct move {
    action what = action::forward;
    int step = 0;
    int from = -1;        ///< holds the gradient to the step's output
    int own = -1;         ///< holds it after the activation's derivative; `from` where there is none
    int added = -1;       ///< holds what the input's gradient has so far; -1: nothing. backward writes into that of the input
    bool to_input = false;           ///< whether the input's gradient is wanted
    int residual_sum = -1;           ///< holds what the residual's gradient has so far and must be added to, -1: it is `own`'s
    std::array<int, most_branches> parts_added{-1, -1, -1, -1, -1, -1, -1, -1};
};

/// Moves that one thread does in one go for a group of images while they are in its cache.
struct phase {
    std::vector<move> moves;
    int moments_of = -1;    ///< step whose statistics are complete at the end
    int gradients_of = -1;  ///< step whose norm's gradient sums are complete at the end
    std::vector<int> slots; ///< whose weights get their gradients here
    int images = 1;         ///< images of a group
};

/// What training knows of a network: rows of its table without the replicas, and what is stored between phases.
struct training_plan {
    std::vector<step> steps;       ///< second copies of channels taken off
    std::vector<value> values;
    std::vector<slot> slots;
    std::vector<int> maker;        ///< step that makes a value
    std::vector<bool> is_stored;   ///< values kept for the whole batch; the others are made again where they are read
    std::vector<bool> has_gradient;///< values with memory for their gradient
    std::vector<phase> phases;
    int logits = 0;                ///< value
    int first = 0;                 ///< value of the image

    const step& at(int i) const { return steps[static_cast<std::size_t>(i)]; }
    /// body(number of the branch, value, its extents, its first channel in the output) for each branch of a concat.
    template <class Body>
    void for_each_part(const step& s, Body&& body) const {
        int channel = 0;
        for (std::size_t k = 0; k < s.parts.size(); ++k) {
            const int v = s.parts[k];
            if (v < 0) continue;
            const shape part = values[static_cast<std::size_t>(v)].extents;
            body(k, v, part, channel);
            channel += part.channels;
        }
    }
    std::size_t size_of(int v) const { return static_cast<std::size_t>(values[static_cast<std::size_t>(v)].extents.size()); }
    /// Whether what goes into the activation is kept: the norm's gradient or the activation's derivative asks for it.
    static bool keeps_sum(const step& s) { return s.kind == op::convolution && (s.has_norm || kernel::needs_input(s.act)); }
    /// A linear layer: images are its pixels.
    static bool is_flat(const step& s) {
        const kernel::conv_geometry& g = s.geometry;
        return g.out.height * g.out.width == 1 && g.groups == 1 && g.kernel == hw{g.in.height, g.in.width} && g.pad == hw{0} && g.dilation == hw{1};
    }
    /// The convolution that a step is, over `images` images where these are its pixels.
    static kernel::conv_geometry geometry_of(const step& s, std::size_t images) {
        if (!is_flat(s)) return s.geometry;
        const int pixels = static_cast<int>(images);
        return {.in = {s.geometry.in.size(), 1, pixels}, .out = {s.geometry.out.channels, 1, pixels}};
    }
};

namespace detail {

/// Writes the moves of a plan.
class planner {
public:
    planner(std::span<const step> steps, std::span<const value> values, std::span<const slot> slots, int output) {
        plan_.values.assign(values.begin(), values.end());
        plan_.slots.assign(slots.begin(), slots.end());
        plan_.maker.assign(values.size(), -1);
        plan_.logits = output;
        for (step s : steps) {
            // replicas are the same layers over the same parameters: one of them is trained
            if (s.replica != 0 || s.kind == op::compare || s.kind == op::vote) continue;
            if (s.kind == op::softmax) {
                plan_.logits = s.in;
                continue;
            }
            s.geometry.out.channels -= s.folded;
            s.folded = 0;
            if (s.kind == op::input) plan_.first = s.out;
            plan_.maker[static_cast<std::size_t>(s.out)] = static_cast<int>(plan_.steps.size());
            plan_.steps.push_back(s);
        }
        for (slot& s : plan_.slots) {
            s.geometry.out.channels -= s.folded;
            s.folded = 0;
        }
        plan_.is_stored.assign(values.size(), true);
        for (const step& s : plan_.steps)
            if (s.kind == op::convolution && s.has_norm && s.residual < 0 && s.out != plan_.logits)
                plan_.is_stored[static_cast<std::size_t>(s.out)] = false;
        plan_.has_gradient.assign(values.size(), false);
        holder_.assign(values.size(), -1);
    }

    training_plan made() {
        plan_.phases.emplace_back();
        const int count = static_cast<int>(plan_.steps.size());
        for (int i = 0; i < count; ++i) {
            const step& s = plan_.at(i);
            if (s.kind == op::input) continue;
            put({action::forward, i});
            if (!s.has_norm || s.kind != op::convolution) continue;
            plan_.phases.back().moments_of = i;
            plan_.phases.emplace_back();
            if (plan_.is_stored[static_cast<std::size_t>(s.out)]) put({action::finish, i});
        }
        put({action::loss, plan_.maker[static_cast<std::size_t>(plan_.logits)]});
        hold(plan_.logits, plan_.logits);
        for (int i = count - 1; i >= 0; --i) back(i);
        for (phase& p : plan_.phases) p.images = images_at_once(p);
        return std::move(plan_);
    }

private:
    training_plan plan_;
    std::vector<int> holder_;  ///< of each value, the one that holds its gradient now

    void put(const move& m) { plan_.phases.back().moves.push_back(m); }
    int& holder(int v) { return holder_[static_cast<std::size_t>(v)]; }
    void hold(int v, int in) {
        holder(v) = in;
        plan_.has_gradient[static_cast<std::size_t>(in)] = true;
    }

    void back(int i) {
        const step& s = plan_.at(i);
        if (s.kind == op::input || holder(s.out) < 0) return;
        move m{action::backward, i};
        m.from = holder(s.out);
        const bool bends = s.act != kernel::activation::none;
        if (bends) hold(s.out, s.out);
        m.own = holder(s.out);
        if (s.kind == op::convolution && s.has_norm) {
            m.what = action::prepare;
            put(m);
            plan_.phases.back().gradients_of = i;
            plan_.phases.emplace_back();
            m.what = action::backward;
        }
        // a residual's gradient is the step's own: it is not copied while nothing else adds to it
        if (s.residual >= 0 && s.residual != plan_.first) {
            m.residual_sum = holder(s.residual);
            hold(s.residual, m.residual_sum < 0 ? m.own : s.residual);
        }
        if (s.kind == op::concat) {
            for (std::size_t p = 0; p < s.parts.size(); ++p) {
                const int v = s.parts[p];
                if (v < 0 || v == plan_.first) continue;
                m.parts_added[p] = holder(v);
                hold(v, v);
            }
        } else if (s.in != plan_.first) {
            m.to_input = true;
            m.added = holder(s.in);
            if ((s.kind == op::add || s.kind == op::activate) && m.added < 0) hold(s.in, m.own);
            else hold(s.in, s.in);
        }
        if (s.kind == op::convolution) plan_.phases.back().slots.push_back(s.slot);
        put(m);
    }

    /// As many as make the largest tensor of a phase about 64 KiB: small images share what is done once a group.
    int images_at_once(const phase& p) const {
        std::size_t largest = 1;
        for (const move& m : p.moves) {
            const step& s = plan_.at(m.step);
            largest = std::max({largest, static_cast<std::size_t>(s.geometry.in.size()), static_cast<std::size_t>(s.geometry.out.size())});
        }
        return static_cast<int>(std::clamp<std::size_t>(16384 / largest, 1, 8));
    }
};

}  // namespace detail

}  // namespace redoubt::train::inline v1
