// SPDX-License-Identifier: MIT
// Inference: a fold over the table of steps.
#pragma once

#include <redoubt/kernel/concat.hpp>
#include <redoubt/kernel/conv2d.hpp>
#include <redoubt/kernel/elementwise.hpp>
#include <redoubt/kernel/pool.hpp>
#include <redoubt/kernel/softmax.hpp>
#include <redoubt/kernel/winograd.hpp>
#include <redoubt/nn/custom.hpp>
#include <redoubt/nn/kept_bounds.hpp>
#include <redoubt/nn/plan.hpp>
#include <redoubt/nn/policy.hpp>
#include <redoubt/nn/source.hpp>
#include <redoubt/nn/status.hpp>

#include <utility>

namespace redoubt::inline REDOUBT_ABI {

namespace impl {

/// A space of values in which a step may be computed in part: rows [row_begin, row_end) and output blocks [block_begin,
/// block_end) of a convolution. What is left out of an output must be there already.
template <class Space>
concept windowed = requires(const Space& space) { space.window.row_begin; };

/// The rows of an output that a window asks for, as a smaller convolution.
template <number N>
void restrict_rows(kernel::conv_call<N>& call, int row_begin, int row_end) {
    kernel::conv_geometry& g = call.geometry;
    const int first = row_begin * g.stride.h - g.pad.h;
    const int last = (row_end - 1) * g.stride.h - g.pad.h + (g.kernel.h - 1) * g.dilation.h;
    const int top = std::max(first, 0), bottom = std::min(last + 1, g.in.height);
    const int skipped = row_begin * g.out.width * call.stored_channels();
    call.in += top * g.in.width * g.in.channels;
    if (call.residual != nullptr) call.residual += skipped;
    if (call.logits != nullptr) call.logits += skipped;
    else call.out += skipped;
    g.in.height = std::max(bottom - top, 0);
    g.pad.h = top - first;
    g.out.height = row_end - row_begin;
}

/// A space that holds a linear layer's input and output of several images, [row][image][column][channel].
template <class Space>
concept batched = requires(const Space& space) { space.images; };

/// The linear layers of several images as one convolution, an output pixel for each.
template <number N>
void side_by_side(kernel::conv_call<N>& call, int images) {
    kernel::conv_geometry& g = call.geometry;
    g.stride = {1, g.in.width};
    g.in.width *= images;
    g.out.width = images;
}

/// The kernel of a step, chosen where the geometry is constant, so that a network compiles only those it uses. A type of its own, so that checkers
/// are compiled once for all steps.
template <number N, bool Depthwise, int Rotation>
struct step_kernel {
    static constexpr int rotation = Rotation;
    template <class Hook>
    void operator()(const kernel::conv_call<N>& call, const Hook& usual) const {
        const auto& hook = kernel::in_other_lanes<Rotation>(usual);
        if constexpr (Depthwise) kernel::depthwise_conv2d<N>(call, hook);
        else kernel::dense_conv2d<N>(call, hook);
    }
};
/// What is shown to no policy.
struct shown_to_none {
    void operator()(const auto&) const {}
};

/// Runs single steps of Net; everything a step needs besides its row. Space holds the values: a workspace, or something
/// with the same value() and scratch().
template <network_type Net, fault_policy Policy, class Space = workspace<Net>>
struct runner {
    using N = typename Net::number_type;
    using word = typename N::activation;

    const parameters<Net>& weights;
    const float* image;
    Space& space;
    status<Net>& report;
    Policy& policy;

    template <int I> void run() const {
        constexpr step s = step_of<Net, I>;
        if constexpr (s.only_if_different) {
            if (report.steps[static_cast<std::size_t>(s.comparison)].detected == 0) {
                // replicas that agree need no vote, but what guards their value has not seen it yet
                if constexpr (s.kind == op::vote) {
                    if (has_run<s.comparison>()) check<I>();
                }
                return;
            }
        }
        if constexpr (s.kind == op::compare || s.kind == op::vote) {
            judge<I>();
        } else {
            compute<I>();
            // replicas read the same memory: without this the compiler may reuse what the last one computed
            if constexpr (s.depth > 0) forget_memory();
        }
        check<I>();
        touch_output<I>();
    }
    /// Shows the policy what a step has stored.
    template <int I> void touch_output() const {
        constexpr step s = step_of<Net, I>;
        if constexpr (Policy::active && s.kind != op::compare) {
            using stored_word = word_at<I>;
            const auto words = space.template value<stored_word>(s.out);
            if constexpr (s.kind == op::input) policy.template touch<site::input>(words, path<I>());
            else policy.template touch<site::stored_activation>(words, path<I>());
        }
    }

private:
    /// Whether a comparison was made: one within a spare replica only is if that replica ran.
    template <int I> bool has_run() const {
        constexpr step s = step_of<Net, I>;
        if constexpr (s.only_if_different) return report.steps[static_cast<std::size_t>(s.comparison)].detected != 0;
        else return true;
    }
    template <int I> static constexpr site_path path() {
        constexpr step s = step_of<Net, I>;
        return {I, s.unit, s.replica, s.kind == op::vote};
    }
    template <int I>
    using word_at = std::conditional_t<
        Net::table.values[static_cast<std::size_t>(step_of<Net, I>.out)].words == word_kind::real, float,
        std::conditional_t<Net::table.values[static_cast<std::size_t>(step_of<Net, I>.out)].words == word_kind::logit,
                           typename N::logit, word>>;
    word* at(std::int16_t v) const { return v < 0 ? nullptr : space.template value<word>(v).data(); }
    /// Scale of a value: that of the unit which made it.
    template <int V> std::int32_t frac_of() const {
        if constexpr (V < 0) {
            return 0;
        } else {
            constexpr int unit = [] {
                for (const step& s : Net::table.steps)
                    if (s.out == V) return static_cast<int>(s.unit);
                return 0;
            }();
            return weights.of_unit(unit).frac;
        }
    }
    template <int I> kernel::int8_scales scales() const {
        constexpr step s = step_of<Net, I>;
        kernel::int8_scales scale;
        if constexpr (N::is_integer) {
            scale.input = frac_of<s.in>();
            scale.output = frac_of<s.out>();
            scale.residual = frac_of<s.residual>();
            if constexpr (s.slot >= 0) scale.weight = weights.weight_frac(s.slot);
        }
        return scale;
    }

public:
    /// The first half of run(), and below the second, check(): apart for batches, which compute together and check one by one.
    template <int I> void compute() const {
        constexpr step s = step_of<Net, I>;
        constexpr const kernel::conv_geometry& g = step_of<Net, I>.geometry;
        if constexpr (s.kind == op::input) {
            kernel::read_image<N>(g.in, Net::input::planar, image, at(s.out), weights.of_unit(s.unit).frac);
        } else if constexpr (s.kind == op::convolution) {
            convolve<I>();
        } else if constexpr (s.kind == op::max_pool) {
            kernel::max_pool(g, at(s.in), at(s.out));
        } else if constexpr (s.kind == op::average_pool) {
            if constexpr (N::is_integer)
                kernel::average_pool(g, at(s.in), at(s.out), frac_of<s.out>() - frac_of<s.in>(), s.counted);
            else kernel::average_pool(g, at(s.in), at(s.out), s.counted);
        } else if constexpr (s.kind == op::global_average) {
            if constexpr (N::is_integer)
                kernel::global_average(g, at(s.in), at(s.out), frac_of<s.out>() - frac_of<s.in>());
            else kernel::global_average(g, at(s.in), at(s.out));
        } else if constexpr (s.kind == op::subsample) {
            kernel::subsample(g, at(s.in), at(s.out));
        } else if constexpr (s.kind == op::concat) {
            join<I>(std::make_index_sequence<most_branches>{});
        } else if constexpr (s.kind == op::add || s.kind == op::activate) {
            kernel::add_and_activate<N>(at(s.in), at(s.residual), at(s.out), g.out.size(),
                                        s.nonlinearity(), scales<I>());
        } else if constexpr (s.kind == op::softmax) {
            constexpr auto words = Net::table.values[static_cast<std::size_t>(s.in)].words;
            using in_word = std::conditional_t<words == word_kind::logit, typename N::logit, word>;
            kernel::softmax(space.template value<in_word>(s.in).data(), space.template value<float>(s.out).data(),
                            static_cast<std::size_t>(g.out.size()), logit_frac<s.in>());
        } else {
            using layer = type_at<typename Net::leaves, s.leaf>;
            run_custom<layer, N>({at(s.in), g.in}, {at(s.out), g.out}, frac_of<s.in>(), frac_of<s.out>());
        }
    }

private:
    template <int I, std::size_t... P> void join(std::index_sequence<P...>) const {
        int channel = 0;
        const auto one = [&]<int V>(std::integral_constant<int, V>) {
            if constexpr (V >= 0) {
                constexpr shape part = Net::table.values[static_cast<std::size_t>(V)].extents;
                constexpr auto out = step_of<Net, I>.out;
                if constexpr (N::is_integer)
                    kernel::concat_part(part, at(V), step_of<Net, I>.geometry.out, at(out), channel, frac_of<V>(), frac_of<out>());
                else kernel::concat_part(part, at(V), step_of<Net, I>.geometry.out, at(out), channel);
                channel += part.channels;
            }
        };
        (one(std::integral_constant<int, step_of<Net, I>.parts[P]>{}), ...);
    }

    static void take_block(kernel::conv_call<N>& call, const weight_block<N>& block) {
        call.weights = block.weights;
        call.bias = block.bias;
        call.block_begin = block.begin;
        call.block_end = block.end;
    }

    template <int I> void convolve() const {
        constexpr step s = step_of<Net, I>;
        kernel::conv_call<N> call;
        call.geometry = s.geometry;
        call.in = at(s.in);
        call.residual = at(s.residual);
        if constexpr (s.stores_logits) call.logits = space.template value<typename N::logit>(s.out).data();
        else call.out = at(s.out);
        call.activate_by(s.nonlinearity());
        call.scales = scales<I>();
        call.folded = s.folded;
        if constexpr (Net::table.slots[static_cast<std::size_t>(s.slot)].has_intervals) {
            call.low = weights.interval_low(s.slot).data();
            call.high = weights.interval_high(s.slot).data();
        }
        if constexpr (s.depth > 0) {
            opaque(call.in);
            opaque(call.weights);
        }
        if constexpr (windowed<Space>) restrict_rows(call, space.window.row_begin, std::min(space.window.row_end, s.geometry.out.height));
        if constexpr (batched<Space>) side_by_side(call, space.images);
        begin_check<s.slot>(call);
        weight_source<Net, s.slot>::for_each_block(
            weights, space, report.steps[static_cast<std::size_t>(I)], [&](const auto& block) {
                take_block(call, block);
                if constexpr (detail::transform_of<N>(weight_source<Net, s.slot>::info) != kernel::winograd::none) {
                    static_assert(s.rotation == 0, "redoubt: a fast network's replicas stay in their lanes: no diverse<...>");
                    if constexpr (Policy::active)
                        static_assert(!decltype(policy.hook(path<I>()))::active && !decltype(policy.hook(path<I>()))::sticks,
                                      "redoubt: a fast network takes no faults in registers");
                    kernel::winograd_conv2d<N>(call, detail::transform_of<N>(weight_source<Net, s.slot>::info),
                                               reinterpret_cast<float*>(space.scratch()));
                } else if constexpr (Policy::active) {
                    if constexpr (weight_source<Net, s.slot>::fetches)
                        if (!block.scratch.empty()) policy.template touch<site::decoded_weights>(block.scratch, path<I>());
                    compute_blocks<I>(call, policy.hook(path<I>()));
                } else {
                    compute_blocks<I>(call, kernel::no_hook{});
                }
            });
        finish_check<I>(call);
    }

    template <int Slot> struct checker_of { using type = type_at<typename Net::wrappers, Net::table.slots[static_cast<std::size_t>(Slot)].checker>::checker; };
    template <int Slot> static constexpr bool is_checked = Net::table.slots[static_cast<std::size_t>(Slot)].checker >= 0;
    /// Scratch of a step's checker.
    template <int Slot> std::byte* check_scratch() const {
        return space.scratch() + detail::tile_of<N>(Net::table.slots[static_cast<std::size_t>(Slot)]).checked;
    }
    template <int Slot> void begin_check(const kernel::conv_call<N>& call) const {
        if constexpr (is_checked<Slot>) checker_of<Slot>::type::template begin<N>(call, weights.checks(Slot), check_scratch<Slot>());
    }
    template <int I> static constexpr step_kernel<N, step_of<Net, I>.geometry.is_depthwise(), step_of<Net, I>.rotation> kernel_of{};
    /// Shows the policy what a checker expects.
    template <int I> auto checksum_touch() const {
        if constexpr (Policy::active) return [this](const auto& words) { policy.template touch<site::checksum>(words, path<I>()); };
        else return shown_to_none{};
    }
    /// Whether a slot's checker looks at whole layers; one that may keep sums, and keeps none for this slot, does not.
    template <int Slot> static constexpr bool finishes = [] {
        if constexpr (is_checked<Slot>) {
            using checker = typename checker_of<Slot>::type;
            constexpr bool keeps = requires { checker::template kept<N>(Net::table.slots[static_cast<std::size_t>(Slot)].geometry); };
            return requires { checker::finishes; } && (!keeps || detail::kept_by_checker<Net, Slot>().bytes != 0);
        }
        return false;
    }();
    /// What a checker does when all blocks are there: it may have rows computed again.
    template <int I> void finish_check(const kernel::conv_call<N>& whole) const {
        constexpr int slot = step_of<Net, I>.slot;
        if constexpr (finishes<slot>) {
            const auto again = [&](const auto& rows, const auto& hook) {
                fault_counters seen_before;  // what a store finds again
                weight_source<Net, slot>::for_each_block(weights, space, seen_before, [&](const auto& block) {
                    rows.for_each([&](int row) {
                        kernel::conv_call<N> call = whole;
                        restrict_rows(call, row, row + 1);
                        take_block(call, block);
                        kernel_of<I>(call, hook(row));
                    });
                });
            };
            checker_of<slot>::type::template finish<N>(whole, weights.checks(slot), check_scratch<slot>(), checksum_touch<I>(), again,
                                                       report.steps[static_cast<std::size_t>(I)]);
        }
    }

    template <int I, class Hook> void compute_blocks(const kernel::conv_call<N>& call, const Hook& hook) const {
        constexpr int slot = step_of<Net, I>.slot;
        if constexpr (is_checked<slot>) {
            checker_of<slot>::type::template compute<N>(call, hook, kernel_of<I>, weights.checks(slot), check_scratch<slot>(), checksum_touch<I>(),
                                                        report.steps[static_cast<std::size_t>(I)]);
        } else {
            kernel_of<I>(call, hook);
        }
    }

    template <int I> void judge() const {
        constexpr step s = step_of<Net, I>;
        using voter = type_at<typename Net::wrappers, s.voter>;
        using stored_word = word_at<I>;
        constexpr int copies = s.kind == op::compare ? voter::replicas : voter::replicas + voter::spares;
        std::array<std::span<stored_word>, static_cast<std::size_t>(copies)> all;
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = space.template value<stored_word>(s.voted[i]);
        fault_counters& count = report.steps[static_cast<std::size_t>(I)];
        if constexpr (s.kind == op::compare) voter::template compare<stored_word>(all, count);
        else voter::template vote<stored_word>(all, count);
    }

public:
    template <int I> void check() const {
        constexpr step s = step_of<Net, I>;
        const auto one = [&]<int G>(std::integral_constant<int, G>) {
            constexpr int wrapper = s.guards[static_cast<std::size_t>(G)];
            if constexpr (wrapper >= 0) {
                using guard = typename type_at<typename Net::wrappers, wrapper>::guard;
                const auto words = space.template value<word_at<I>>(s.out);
                fault_counters& count = report.steps[static_cast<std::size_t>(I)];
                const auto unit = read_bounds<Net, s.unit>(weights, count);
                if constexpr (requires { guard::per_neuron; }) guard::apply(words, unit.low, read_neuron_bounds<Net, s.unit>(weights, count), count);
                else guard::apply(words, unit.low, unit.high, count);
            }
        };
        one(std::integral_constant<int, 0>{});
        one(std::integral_constant<int, 1>{});
        one(std::integral_constant<int, 2>{});
        one(std::integral_constant<int, 3>{});
    }

    /// Scale of a value that holds logits: its accumulators' scale for int8.
    template <int V> std::int32_t logit_frac() const {
        if constexpr (!N::is_integer) {
            return 0;
        } else if constexpr (Net::table.values[static_cast<std::size_t>(V)].words == word_kind::logit) {
            constexpr int maker = [] {
                for (int i = 0; i < Net::table.step_count; ++i)
                    if (Net::table.steps[static_cast<std::size_t>(i)].out == V) return i;
                return 0;
            }();
            constexpr step s = step_of<Net, maker>;
            return frac_of<s.in>() + weights.weight_frac(s.slot);
        } else {
            return frac_of<V>();
        }
    }
    void read_answer(answer<Net>& result) const {
        constexpr auto words = Net::output.words;
        using out_word = std::conditional_t<words == word_kind::real, float,
                                            std::conditional_t<words == word_kind::logit, typename N::logit, word>>;
        const auto out = space.template value<out_word>(Net::table.output);
        const std::int32_t frac = logit_frac<Net::table.output>();
        for (std::size_t i = 0; i < out.size(); ++i) {
            if constexpr (words == word_kind::real) result.logits[i] = out[i];
            else result.logits[i] = kernel::logit_value(out[i], frac);
        }
    }
};

}  // namespace impl

/// Runs the steps [from, to) of an inference whose earlier steps have run in the same workspace with the same report.
/// Running all steps in any number of parts gives the bits of infer(). `image` is read by step 0 only.
template <network_type Net, fault_policy Policy = no_faults>
void run(const parameters<Net>& weights, std::span<const float> image, workspace<Net>& space, status<Net>& report,
         Policy& policy, int from, int to) noexcept(!contracts_throw) {
    REDOUBT_EXPECTS(from > 0 || image.size() == static_cast<std::size_t>(Net::input_shape.size()));
    REDOUBT_EXPECTS(0 <= from && from <= to && to <= Net::table.step_count);
    const impl::runner<Net, Policy> r{weights, image.data(), space, report, policy};
    [&]<int... I>(std::integer_sequence<int, I...>) {
        ((from <= I && I < to ? r.template run<I>() : static_cast<void>(0)), ...);
    }(std::make_integer_sequence<int, Net::table.step_count>{});
}

/// Reads the answer out of a workspace in which every step has run.
template <network_type Net>
answer<Net> read_answer(const parameters<Net>& weights, workspace<Net>& space, const status<Net>& report) noexcept {
    answer<Net> result;
    result.status = report;
    no_faults none;
    impl::runner<Net, no_faults>{weights, nullptr, space, result.status, none}.read_answer(result);
    return result;
}

/// One inference. `image` holds input_shape.size() real pixels, already normalised, in the order the input type says.
/// Parameters are only read; `space` is scratch; nothing is allocated. The answer's bits are the same on every
/// instruction set with fused multiply-add, and for int8 on every machine.
template <network_type Net, fault_policy Policy>
answer<Net> infer(const parameters<Net>& weights, state<Net>& memory, std::span<const float> image,
                  workspace<Net>& space, Policy& policy) noexcept(!contracts_throw) {
    status<Net> report;
    run<Net, Policy>(weights, image, space, report, policy, 0, Net::table.step_count);
    memory.tally(report);
    return read_answer<Net>(weights, space, report);
}

/// The same under a watch, which is compiled in and sees what the step found when it last ran. In the answer's status, what a recomputed step had found and not put
/// right counts as corrected if nothing of that kind is found again. A vote cannot be recomputed: it has written over a replica, so asking for
/// it stops. Worst case: 1 + Watch::recomputations times an inference.
template <network_type Net, fault_policy Policy, step_watch Watch>
answer<Net> infer(const parameters<Net>& weights, state<Net>& memory, std::span<const float> image, workspace<Net>& space, Policy& policy,
                  Watch& watch) noexcept(!contracts_throw) {
    REDOUBT_EXPECTS(image.size() == static_cast<std::size_t>(Net::input_shape.size()));
    answer<Net> result;
    const impl::runner<Net, Policy> r{weights, image.data(), space, result.status, policy};
    const auto goes_on = [&]<int I>(std::integral_constant<int, I>) {
        constexpr op kind = step_of<Net, I>.kind;
        fault_counters& count = result.status.steps[static_cast<std::size_t>(I)];
        fault_counters before;
        for (int left = Watch::recomputations;; --left) {
            count = {};
            r.template run<I>();
            const fault_counters last = count;
            if (last.uncorrected == 0) {
                before.corrected += before.uncorrected;
                before.uncorrected = 0;
            }
            count += before;
            const decision next = watch(I, last);
            if (next == decision::go_on) return true;
            if (next == decision::stop || left <= 0 || kind == op::vote || kind == op::compare) return false;
            before = count;
        }
    };
    const bool finished = [&]<int... I>(std::integer_sequence<int, I...>) {
        return ((goes_on(std::integral_constant<int, I>{}) || (result.stopped_at = I, false)) && ...);
    }(std::make_integer_sequence<int, Net::table.step_count>{});
    memory.tally(result.status, finished);
    if (finished) r.read_answer(result);
    else result.logits.fill(from_word<float>(canonical_nan_word));
    return result;
}

/// One inference without faults.
template <network_type Net>
answer<Net> infer(const parameters<Net>& weights, state<Net>& memory, std::span<const float> image,
                  workspace<Net>& space) noexcept(!contracts_throw) {
    no_faults none;
    return infer<Net, no_faults>(weights, memory, image, space, none);
}

}  // namespace redoubt::inline REDOUBT_ABI
