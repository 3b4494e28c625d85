// SPDX-License-Identifier: MIT
// From the description of a network to its table of steps, at compile time.
#pragma once

#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/table.hpp>

namespace redoubt::inline v1 {

namespace detail {

/// Leaves and wrappers of a description in reading order, so that steps can name their types by number.
template <class L> struct types_in { using leaves = pack<L>; using wrappers = pack<>; };
template <containing L>
struct types_in<L> : types_in<typename L::layers> {};
template <class... Ls>
struct types_in<pack<Ls...>> {
    using leaves = joined<typename types_in<Ls>::leaves...>;
    using wrappers = joined<typename types_in<Ls>::wrappers...>;
};
template <protecting L>
struct types_in<L> {
    using leaves = typename types_in<typename L::layers>::leaves;
    using wrappers = joined<pack<L>, typename types_in<typename L::layers>::wrappers>;
};

/// Steps that may make one value: replicas of replicas, spares included.
inline constexpr int most_replicas = 64;
/// Replicas that diverse<...> tells apart.
inline constexpr int most_rotations = 4;

/// Places that a layer takes in the numbering of its list; only for whether a named<...> holds exactly one.
template <class L> inline constexpr int places_taken = 1;
template <class... Ls> inline constexpr int places_taken<pack<Ls...>> = (0 + ... + places_taken<Ls>);
template <class... Ls> inline constexpr int places_taken<sequence<Ls...>> = places_taken<pack<Ls...>>;
template <class... Ls> inline constexpr int places_taken<shortcut<Ls...>> = places_taken<pack<Ls...>>;
template <protecting L> inline constexpr int places_taken<L> = places_taken<typename L::layers>;

/// Most steps that a description can expand to.
template <class L> inline constexpr int step_bound = 1;
template <class... Ls> inline constexpr int step_bound<pack<Ls...>> = (0 + ... + step_bound<Ls>);
template <containing L>
inline constexpr int step_bound<L> = 1 + step_bound<typename L::layers>;
template <replicating L>
inline constexpr int step_bound<L> = 2 + (L::replicas + L::spares) * step_bound<typename L::layers>;

}  // namespace detail

/// Walks a description once and appends steps. Everything happens in constant evaluation.
template <int Capacity>
class table_builder {
public:
    step_table<Capacity> table{};

    template <class Input, class... Layers>
    constexpr void build() {
        if (Input::extents.channels < 1 || Input::extents.height < 1 || Input::extents.width < 1)
            return fail(mistake::empty_input, Input::extents, {1, 1, 1});
        extents_ = Input::extents;
        step& first = append(op::input);
        first.geometry = {extents_, extents_};
        visit_all<pack<Layers...>>();
        finish();
    }

private:
    // ---- state of the walk
    shape extents_{};
    int current_ = -1;           // value
    int leaf_ = 0;
    int wrapper_ = 0;
    int replica_ = 0;
    int depth_ = 0;
    int comparison_ = -1;
    int store_ = -1;
    bool checked_on_read_ = false;
    bool diverse_ = false;
    int rotation_ = 0;
    int transform_ = -1;
    int checker_ = -1;
    int duplicated_ = 0;         // channels that are to be computed more than once
    int copies_ = 2;             // and how often
    bool has_intervals_ = false;
    bool keeps_gain_ = false;    // of transform_
    bool at_start_of_residual_ = false;
    path_name path_{};
    int position_ = 0;           // of the next child in the enclosing list
    bool has_name_ = false;      // path_ already names the next leaf
    std::array<int, detail::most_replicas> producers_{};  // steps that made the current value and may still take what follows
    int producer_count_ = 0;

    constexpr void fail(mistake what, shape came_in = {}, shape wanted = {}) { fail_at(leaf_, what, came_in, wanted); }
    constexpr void fail_at(int leaf, mistake what, shape came_in, shape wanted) {
        if (table.error.what == mistake::none) table.error = {what, leaf, came_in, wanted};
    }
    constexpr bool failed() const { return table.error.what != mistake::none; }

    constexpr step& append(op kind) {
        const auto index = static_cast<std::size_t>(table.step_count++);
        step& s = table.steps[index];
        s.kind = kind;
        s.leaf = static_cast<std::int16_t>(leaf_);
        s.in = static_cast<std::int16_t>(current_);
        s.unit = static_cast<std::int16_t>(table.unit_count++);
        s.replica = static_cast<std::int16_t>(replica_);
        s.depth = static_cast<std::int16_t>(depth_);
        s.comparison = static_cast<std::int16_t>(comparison_);
        s.only_if_different = comparison_ >= 0;
        current_ = table.value_count;
        s.out = static_cast<std::int16_t>(table.value_count++);
        table.values[static_cast<std::size_t>(s.out)].extents = extents_;
        producers_[0] = static_cast<int>(index);
        producer_count_ = 1;
        return s;
    }
    constexpr step& append(op kind, shape out) {
        const shape in = extents_;
        extents_ = out;
        step& s = append(kind);
        s.geometry.in = in;
        s.geometry.out = out;
        return s;
    }

    // ---- lists and names
    template <class Pack> struct each;
    template <class... Ls> struct each<pack<Ls...>> {
        static constexpr void visit(table_builder& b) { (b.template child<Ls>(), ...); }
    };
    template <class Pack> constexpr void visit_all() { each<Pack>::visit(*this); }

    /// A child in a list: unnamed ones are called by their position, as in PyTorch's Sequential.
    template <class L> constexpr void child() {
        if (failed()) return;
        const path_name outer = path_;
        if constexpr (is_transparent<L>) {
            visit(type_tag<L>{});
        } else {
            if (!has_name_) path_ = path_ / position_;
            const bool outer_named = has_name_;
            has_name_ = false;
            const int position = position_;
            visit(type_tag<L>{});
            position_ = position + 1;
            path_ = outer;
            has_name_ = outer_named;
        }
    }
    template <class L> struct transparent_of { static constexpr bool value = protecting<L>; };
    template <class... Ls> struct transparent_of<sequence<Ls...>> { static constexpr bool value = true; };
    template <fixed_string N, class... Ls> struct transparent_of<named<N, Ls...>> { static constexpr bool value = true; };
    template <class... Ls> struct transparent_of<shortcut<Ls...>> { static constexpr bool value = true; };
    template <class L> static constexpr bool is_transparent = transparent_of<L>::value;

    /// Children of a container that has a place of its own in the list.
    template <class Pack> constexpr void nested() {
        const int position = position_;
        position_ = 0;
        visit_all<Pack>();
        position_ = position;
    }

    template <class... Ls> constexpr void visit(type_tag<sequence<Ls...>>) { visit_all<pack<Ls...>>(); }
    template <fixed_string N, class... Ls> constexpr void visit(type_tag<named<N, Ls...>>) {
        const path_name outer = path_;
        const bool outer_named = has_name_;
        const int position = position_;
        path_ = path_ / N.view();
        has_name_ = (0 + ... + detail::places_taken<Ls>) == 1;
        position_ = 0;
        visit_all<pack<Ls...>>();
        path_ = outer;
        has_name_ = outer_named;
        position_ = position + 1;
    }

    // ---- residuals
    template <class... Ls> constexpr void visit(type_tag<shortcut<Ls...>>) { fail(mistake::shortcut_outside_residual); }
    template <class First, class... Rest> constexpr void visit(type_tag<residual<First, Rest...>>) {
        branches<Rest...>(type_tag<First>{});
    }
    template <class... Rest, class First> constexpr void branches(type_tag<First>) {
        producer_count_ = 0;
        join<pack<First, Rest...>>(current_, extents_);
    }
    template <class... Rest, class... Ss> constexpr void branches(type_tag<shortcut<Ss...>>) {
        branches<Rest...>(type_tag<named<"shortcut", shortcut<Ss...>>>{});
    }
    template <class... Rest, fixed_string N, class... Ss>
    constexpr void branches(type_tag<named<N, shortcut<Ss...>>>) {
        const int in = current_;
        const shape in_extents = extents_;
        const path_name outer = path_;
        path_ = path_ / N.view();
        nested<pack<Ss...>>();  // called N.0, N.1, ..., even a single one
        path_ = outer;
        const int side = current_;
        const shape side_extents = extents_;
        current_ = in;
        extents_ = in_extents;
        producer_count_ = 0;
        join<pack<Rest...>>(side, side_extents);
    }
    template <class Body> constexpr void join(int side, shape side_extents) {
        nested<Body>();
        if (failed()) return;
        if (!(extents_ == side_extents)) return fail_at(leaf_ - 1, mistake::branches_differ, extents_, side_extents);
        if (can_fuse_add()) {
            for (int i = 0; i < producer_count_; ++i) producer(i).residual = static_cast<std::int16_t>(side);
        } else {
            append(op::add, extents_).residual = static_cast<std::int16_t>(side);
        }
    }
    constexpr step& producer(int i) {
        return table.steps[static_cast<std::size_t>(producers_[static_cast<std::size_t>(i)])];
    }
    constexpr bool can_fuse_add() {
        for (int i = 0; i < producer_count_; ++i) {
            const step& s = producer(i);
            if (s.kind != op::convolution || s.residual >= 0 || s.act != kernel::activation::none) return false;
        }
        return producer_count_ > 0;
    }
    constexpr bool can_fuse_activation() {
        for (int i = 0; i < producer_count_; ++i) {
            const step& s = producer(i);
            if ((s.kind != op::convolution && s.kind != op::add) || s.act != kernel::activation::none) return false;
        }
        return producer_count_ > 0;
    }

    // ---- concats
    template <class... Ls> constexpr void visit(type_tag<branch<Ls...>>) { fail(mistake::branch_outside_concat); }
    template <class... Bs> constexpr void visit(type_tag<concat<Bs...>>) {
        if (sizeof...(Bs) < 1 || sizeof...(Bs) > most_branches) return fail(mistake::too_many_branches, extents_);
        joined_branches join{current_, extents_};
        const int position = position_;
        position_ = 0;
        (one_branch(type_tag<Bs>{}, join), ...);
        position_ = position;
        if (failed()) return;
        current_ = join.parts[0];
        extents_ = {0, join.out.height, join.out.width};
        append(op::concat, join.out).parts = join.parts;
    }
    struct joined_branches {
        int in;
        shape in_extents;
        shape out{};
        std::array<std::int16_t, most_branches> parts{-1, -1, -1, -1, -1, -1, -1, -1};
        std::size_t count = 0;
    };
    template <class... Ls> constexpr void one_branch(type_tag<branch<Ls...>>, joined_branches& join) {
        const path_name outer = path_;
        path_ = path_ / position_;
        one_branch<pack<Ls...>>(join);
        path_ = outer;
    }
    template <fixed_string N, class... Ls>
    constexpr void one_branch(type_tag<named<N, branch<Ls...>>>, joined_branches& join) {
        const path_name outer = path_;
        path_ = path_ / N.view();
        one_branch<pack<Ls...>>(join);
        path_ = outer;
    }
    template <class L> constexpr void one_branch(type_tag<L>, joined_branches&) { fail(mistake::not_a_branch, extents_); }
    template <class Body> constexpr void one_branch(joined_branches& join) {
        if (failed()) return;
        current_ = join.in;
        extents_ = join.in_extents;
        producer_count_ = 0;  // what comes in belongs to all branches: nothing in one may join its maker
        nested<Body>();
        ++position_;
        if (failed()) return;
        if (join.count == 0) join.out = {0, extents_.height, extents_.width};
        if (extents_.height != join.out.height || extents_.width != join.out.width)
            return fail_at(leaf_ - 1, mistake::concat_differs, extents_, {extents_.channels, join.out.height, join.out.width});
        join.out.channels += extents_.channels;
        join.parts[join.count++] = static_cast<std::int16_t>(current_);
    }

    // ---- leaves
    constexpr void convolve(kernel::conv_geometry g) {
        step& s = append(op::convolution, g.out);
        if (duplicated_ > 0) {
            const int folded = kernel::duplicated_channels(duplicated_, g.out.channels) * (copies_ - 1);
            if (g.groups != 1) return fail(mistake::duplicates_of_groups, extents_, {1, 1, 1});
            if (folded == 0) return fail(mistake::too_few_to_duplicate, extents_, {kernel::lane_count, 1, 1});
            s.folded = folded;
            g.out.channels += folded;
        }
        s.geometry = g;
        s.rotation = static_cast<std::int16_t>(diverse_ ? rotation_ : 0);
        s.slot = static_cast<std::int16_t>(table.slot_count);
        slot& p = table.slots[static_cast<std::size_t>(table.slot_count++)];
        p = {g, s.unit, static_cast<std::int16_t>(store_), checked_on_read_, static_cast<std::int16_t>(transform_), static_cast<std::int16_t>(checker_), s.folded, static_cast<std::int16_t>(copies_), s.folded > 0 && has_intervals_, keeps_gain_, false, false, path_, {}};
        ++leaf_;
    }
    template <conv_spec S> constexpr void visit(type_tag<conv2d<S>>) {
        constexpr hw pad_end{S.pad_end.h < 0 ? S.pad.h : S.pad_end.h, S.pad_end.w < 0 ? S.pad.w : S.pad_end.w};
        // how far the kernel reaches from its first tap
        constexpr hw reach{(S.kernel.h - 1) * S.dilation.h + 1, (S.kernel.w - 1) * S.dilation.w + 1};
        if (S.out < 1 || S.kernel.h < 1 || S.kernel.w < 1 || S.stride.h < 1 || S.stride.w < 1 || S.dilation.h < 1 ||
            S.dilation.w < 1 || S.pad.h < 0 || S.pad.w < 0 || S.pad.h >= reach.h || S.pad.w >= reach.w ||
            pad_end.h >= reach.h || pad_end.w >= reach.w)
            return fail(mistake::bad_spec, extents_);
        if (S.groups < 1 || S.out % S.groups != 0 || extents_.channels % S.groups != 0)
            return fail(mistake::uneven_groups, extents_, {S.groups, 1, 1});
        const int height = extents_.height + S.pad.h + pad_end.h - reach.h;
        const int width = extents_.width + S.pad.w + pad_end.w - reach.w;
        if (height < 0 || width < 0)
            return fail(mistake::kernel_exceeds_input, extents_,
                        {extents_.channels, reach.h - S.pad.h - pad_end.h, reach.w - S.pad.w - pad_end.w});
        convolve({extents_, {S.out, height / S.stride.h + 1, width / S.stride.w + 1}, S.kernel, S.stride, S.pad,
                  S.dilation, S.groups});
    }
    template <int Out> constexpr void visit(type_tag<linear<Out>>) {
        if (Out < 1) return fail(mistake::bad_spec, extents_);
        convolve({extents_, {Out, 1, 1}, {extents_.height, extents_.width}});
        table.slots[static_cast<std::size_t>(table.slot_count - 1)].is_linear = true;
    }
    constexpr void visit(type_tag<batch_norm>) {
        for (int i = 0; i < producer_count_; ++i) {
            step& s = producer(i);
            if (s.kind != op::convolution || s.has_norm || s.residual >= 0 || s.act != kernel::activation::none)
                return fail(mistake::norm_without_convolution, extents_);
            s.has_norm = true;
            slot& p = table.slots[static_cast<std::size_t>(s.slot)];
            p.has_norm = true;
            p.norm_name = path_;
        }
        if (producer_count_ == 0) return fail(mistake::norm_without_convolution, extents_);
        ++leaf_;
    }
    constexpr void activate(const kernel::activation_spec& by) {
        if (!can_fuse_activation()) append(op::activate, extents_);
        for (int i = 0; i < producer_count_; ++i) {
            step& s = producer(i);
            s.act = by.kind;
            s.limit = static_cast<std::int16_t>(by.limit);
            s.lower = static_cast<std::int16_t>(by.lower);
            s.slope = by.slope;
        }
        ++leaf_;
    }
    constexpr void visit(type_tag<relu>) { activate({.kind = kernel::activation::relu}); }
    constexpr void visit(type_tag<hard_swish>) { activate({.kind = kernel::activation::hard_swish}); }
    template <int Limit> constexpr void visit(type_tag<clipped_relu<Limit>>) {
        if (Limit < 1 || Limit > 32767) return fail(mistake::bad_spec, extents_);
        activate({.kind = kernel::activation::clipped_relu, .limit = Limit});
    }
    template <int Low, int High> constexpr void visit(type_tag<clip<Low, High>>) {
        if (Low >= High || Low < -32768 || High > 32767) return fail(mistake::bad_spec, extents_);
        activate({.kind = kernel::activation::clip, .limit = High, .lower = Low});
    }
    template <int P, int Q> constexpr void visit(type_tag<leaky_relu<P, Q>>) {
        if (P < 1 || P > Q || Q > 32767) return fail(mistake::bad_spec, extents_);
        activate({.kind = kernel::activation::leaky_relu,
                  .slope = {static_cast<std::int16_t>(P), static_cast<std::int16_t>(Q)}});
    }
    constexpr void pool(op kind, hw k, hw stride, hw pad) {
        if (k.h < 1 || k.w < 1 || stride.h < 1 || stride.w < 1 || pad.h < 0 || pad.h >= k.h || pad.w < 0 || pad.w >= k.w)
            return fail(mistake::bad_spec, extents_);
        const int height = extents_.height + 2 * pad.h - k.h, width = extents_.width + 2 * pad.w - k.w;
        if (height < 0 || width < 0)
            return fail(mistake::kernel_exceeds_input, extents_, {extents_.channels, k.h - 2 * pad.h, k.w - 2 * pad.w});
        step& s = append(kind, {extents_.channels, height / stride.h + 1, width / stride.w + 1});
        s.geometry.kernel = k;
        s.geometry.stride = stride;
        s.geometry.pad = pad;
        ++leaf_;
    }
    template <hw K, hw S, hw P> constexpr void visit(type_tag<max_pool<K, S, P>>) { pool(op::max_pool, K, S, P); }
    template <hw K, hw S, hw P, count_padding C> constexpr void visit(type_tag<avg_pool<K, S, P, C>>) {
        const int before = table.step_count;
        pool(op::average_pool, K, S, P);
        if (table.step_count > before) table.steps[static_cast<std::size_t>(before)].counted = C;
    }
    constexpr void visit(type_tag<global_avg_pool>) {
        append(op::global_average, {extents_.channels, 1, 1});
        ++leaf_;
    }
    template <int Out, int S> constexpr void visit(type_tag<subsample<Out, S>>) {
        if (S < 1) return fail(mistake::bad_spec, extents_);
        if (Out < extents_.channels)
            return fail(mistake::subsample_shrinks_channels, extents_, {Out, extents_.height, extents_.width});
        append(op::subsample, {Out, (extents_.height + S - 1) / S, (extents_.width + S - 1) / S}).geometry.stride = S;
        ++leaf_;
    }
    constexpr void visit(type_tag<softmax>) {
        append(op::softmax, extents_);
        table.values[static_cast<std::size_t>(current_)].words = word_kind::real;
        ++leaf_;
    }
    constexpr void visit(type_tag<flatten>) { ++leaf_; }
    template <custom_layer L> constexpr void visit(type_tag<L>) {
        const shape out = L::output(extents_);
        if (out.channels < 1 || out.height < 1 || out.width < 1) return fail(mistake::bad_spec, extents_);
        append(op::custom, out);
        ++leaf_;
    }
    template <class L>
        requires(!custom_layer<L> && !protecting<L>)
    constexpr void visit(type_tag<L>) { fail(mistake::not_a_layer, extents_); }

    // ---- protections
    /// Whether a description does something of its own, or is made of others that do.
    template <class... Ls> static constexpr bool holds_protection(pack<Ls...>) { return (protecting<Ls> || ...); }
    template <protecting L> constexpr void visit(type_tag<L>) {
        static_assert(storing<L> || diversifying<L> || transforming<L> || checking<L> || replicating<L> || guarding<L> || keeping_bounds<L> || holds_protection(typename L::layers{}),
                      "redoubt: this protection says nothing that it does: a member's name must be one of those that nn/layers.hpp lists at `protection`");
        const int self = wrapper_++;
        const int first_step = table.step_count;
        const bool outer_read = checked_on_read_, outer_diverse = diverse_;
        const int outer_store = store_, outer_transform = transform_, outer_checker = checker_, outer_duplicated = duplicated_;
        const bool outer_intervals = has_intervals_, outer_gain = keeps_gain_;
        const int outer_copies = copies_;
        if constexpr (storing<L>) {
            if (store_ >= 0) return fail(mistake::two_stores, extents_);
            store_ = self;
            checked_on_read_ = !requires { requires L::store::only_scrubbed; };
        }
        if constexpr (transforming<L>) {
            if (transform_ >= 0) return fail(mistake::two_transforms, extents_);
            transform_ = self;
            if constexpr (requires { L::transform::keeps_gain; }) keeps_gain_ = L::transform::keeps_gain;
        }
        if constexpr (checking<L>) {
            if (checker_ >= 0) return fail(mistake::two_checkers, extents_);
            checker_ = self;
            if constexpr (duplicating<L>) {
                duplicated_ = L::duplicated;
                copies_ = L::copies;
                has_intervals_ = L::has_intervals;
            }
        }
        if constexpr (diversifying<L>) diverse_ = true;
        if constexpr (replicating<L>) replicate<L>(self);
        else visit_all<typename L::layers>();
        if constexpr (diversifying<L>) {
            // every convolution and linear layer inside has to be a replica's, and there must be one
            bool any = false, alone = false;
            for (int i = first_step; i < table.step_count; ++i) {
                const step& s = table.steps[static_cast<std::size_t>(i)];
                any = any || s.kind == op::convolution;
                alone = alone || (s.kind == op::convolution && s.depth == 0);
            }
            if ((!any || alone) && !failed()) return fail(mistake::nothing_to_diversify, extents_);
        }
        diverse_ = outer_diverse;
        checked_on_read_ = outer_read;
        store_ = outer_store;
        transform_ = outer_transform;
        keeps_gain_ = outer_gain;
        checker_ = outer_checker;
        duplicated_ = outer_duplicated;
        copies_ = outer_copies;
        has_intervals_ = outer_intervals;
        if constexpr (keeping_bounds<L>)
            for (int i = first_step; i < table.step_count; ++i) table.steps[static_cast<std::size_t>(i)].keeps_bounds = true;
        if constexpr (guarding<L>) guard(self, first_step, guarding_neurons<L>);
    }
    constexpr void guard(int self, int first_step, bool per_neuron) {
        for (int i = first_step; i < table.step_count; ++i) {
            step& s = table.steps[static_cast<std::size_t>(i)];
            // probabilities have bounds of their own
            if (s.depth != depth_ || s.kind == op::compare || s.kind == op::softmax) continue;
            std::size_t free = 0;
            while (free < s.guards.size() && s.guards[free] >= 0) ++free;
            if (free == s.guards.size()) return fail_at(s.leaf, mistake::too_many_guards, s.geometry.out, {});
            s.guards[free] = static_cast<std::int16_t>(self);
            s.bounds_neurons = s.bounds_neurons || per_neuron;
        }
    }
    template <class L> constexpr void replicate(int self) {
        constexpr int total = L::replicas + L::spares;
        static_assert(total >= 2 && total <= 4 && L::spares >= 0, "redoubt: two to four replicas, spares included");
        const int in = current_, leaf = leaf_, wrapper = wrapper_, unit = table.unit_count, slots = table.slot_count;
        const int outer_replica = replica_, outer_comparison = comparison_, outer_rotation = rotation_, position = position_;
        const shape in_extents = extents_;
        std::array<std::int16_t, 4> made{-1, -1, -1, -1};
        std::array<int, detail::most_replicas> makers{};
        int maker_count = 0;
        ++depth_;
        for (int r = 0; r < total; ++r) {
            if (r == L::replicas) {
                --depth_;
                comparison_ = outer_comparison;
                compare(self, made, outer_comparison);
                comparison_ = table.step_count - 1;
                ++depth_;
            }
            // a replica is the same layers over the same parameters: it starts from the same counts
            current_ = in;
            extents_ = in_extents;
            leaf_ = leaf;
            wrapper_ = wrapper;
            table.unit_count = unit;
            table.slot_count = slots;
            position_ = position;
            replica_ = outer_replica * total + r;
            rotation_ = (outer_rotation + r) % detail::most_rotations;
            producer_count_ = 0;
            visit_all<typename L::layers>();
            if (failed()) return;
            made[static_cast<std::size_t>(r)] = static_cast<std::int16_t>(current_);
            if (maker_count + producer_count_ > detail::most_replicas) return fail(mistake::too_many_replicas, extents_);
            for (int i = 0; i < producer_count_; ++i)
                makers[static_cast<std::size_t>(maker_count++)] = producers_[static_cast<std::size_t>(i)];
        }
        --depth_;
        replica_ = outer_replica;
        rotation_ = outer_rotation;
        vote(self, made);
        comparison_ = outer_comparison;
        producers_ = makers;
        producer_count_ = maker_count;
    }
    constexpr step& judge(op kind, int self, const std::array<std::int16_t, 4>& made) {
        step& s = table.steps[static_cast<std::size_t>(table.step_count++)];
        s.kind = kind;
        s.voter = static_cast<std::int16_t>(self);
        s.voted = made;
        s.in = s.out = made[0];
        s.leaf = static_cast<std::int16_t>(leaf_ - 1);
        s.unit = static_cast<std::int16_t>(table.unit_count - 1);
        s.replica = static_cast<std::int16_t>(replica_);
        s.depth = static_cast<std::int16_t>(depth_);
        s.geometry = {extents_, extents_};
        s.comparison = static_cast<std::int16_t>(comparison_);
        s.only_if_different = comparison_ >= 0;
        return s;
    }
    constexpr void compare(int self, const std::array<std::int16_t, 4>& made, int outer_comparison) {
        comparison_ = outer_comparison;
        judge(op::compare, self, made);
    }
    constexpr void vote(int self, const std::array<std::int16_t, 4>& made) {
        judge(op::vote, self, made);
        current_ = made[0];
    }

    // ---- the end
    constexpr void finish() {
        if (failed()) return;
        table.output = current_;
        for (int i = 0; i + 1 < table.step_count; ++i) {
            const step& s = table.steps[static_cast<std::size_t>(i)];
            if (s.kind == op::softmax && s.out != current_)
                return fail_at(s.leaf, mistake::softmax_not_last, s.geometry.in, {});
        }
        // the last linear layer keeps its accumulators: they are the logits
        const step& last = table.steps[static_cast<std::size_t>(table.step_count - 1)];
        const int logits = last.kind == op::softmax ? last.in : current_;
        std::array<bool, static_cast<std::size_t>(Capacity)> holds_logits{};
        holds_logits[static_cast<std::size_t>(logits)] = true;
        // outer votes come after inner ones: from the end, each passes on to what it votes on
        for (int i = table.step_count - 1; i >= 0; --i) {
            step& s = table.steps[static_cast<std::size_t>(i)];
            if (!holds_logits[static_cast<std::size_t>(s.out)]) continue;
            for (std::int16_t v : s.voted)
                if (v >= 0) holds_logits[static_cast<std::size_t>(v)] = true;
            if (s.kind == op::convolution && s.act == kernel::activation::none) {
                s.stores_logits = true;
                table.values[static_cast<std::size_t>(s.out)].words = word_kind::logit;
            }
        }
    }
};

}  // namespace redoubt::inline v1
