// SPDX-License-Identifier: MIT
// A struck inference that computes only what its faults can reach, with the bits of a whole one.
#pragma once

#include <redoubt/campaign/trace.hpp>
#include <redoubt/fault/policy.hpp>
#include <redoubt/fault/space.hpp>

#include <vector>

namespace redoubt::campaign::inline v1 {

/// Output blocks of a slot whose parameters are struck.
struct struck_blocks {
    int begin = 0;
    int end = 0;

    constexpr bool empty() const { return begin >= end; }
    constexpr void add(int block) {
        *this = empty() ? struck_blocks{block, block + 1} : struck_blocks{std::min(begin, block), std::max(end, block + 1)};
    }
};

/// What strikes one inference: the slots whose parameters are no longer those of the trace, and the drawn faults of its
/// features and stored activations, sorted.
template <network_type Net>
struct strike {
    std::array<struck_blocks, static_cast<std::size_t>(Net::table.slot_count) + 1> slots{};
    std::span<const fault::inference_fault> faults{};
};

}  // namespace redoubt::campaign::inline v1

namespace redoubt::campaign::inline REDOUBT_ABI {

namespace impl {

/// The drawn faults as a policy, for steps of which only some rows are computed.
class window_faults {
public:
    static constexpr bool active = true;
    std::span<const fault::inference_fault> all{};
    std::uint32_t skipped = 0;  ///< outputs before the window

    kernel::fault_hook hook(site_path at) {
        here_.clear();
        for (const auto& f : all) {
            if (f.step != at.step || f.in_memory) continue;
            here_.push_back(f.where);
            here_.back().output -= skipped;
        }
        return {here_};
    }
    template <site S, class Word>
    void touch(std::span<Word> words, site_path at) const {
        if constexpr (S == site::stored_activation) {
            for (const auto& f : all)
                if (f.step == at.step && f.in_memory)
                    words[f.where.output] = changed(words[f.where.output], f.where.change().bits);
        }
    }

private:
    std::vector<kernel::output_fault> here_;
};

/// One struck inference over a trace. Policy is no_faults where only parameters are struck.
template <network_type Net, class Policy>
struct cone_run {
    const parameters<Net>& weights;
    const trace<Net>& golden;
    const strike<Net>& what;
    overlay<Net>& space;
    Policy& policy;
    status<Net>& report;
    int last_struck = 0;     ///< last step with a fault of its own
    int last_different = 0;  ///< last step that reads a value which differs

    /// Whether an answer is to be read; otherwise it is the golden one.
    bool run(int first) {
        const bool stopped = [&]<int... I>(std::integer_sequence<int, I...>) {
            return ((I >= first && step_stops<I>()) || ...);
        }(std::make_integer_sequence<int, Net::table.step_count>{});
        return !stopped && !space.different(Net::table.output).empty();
    }

private:
    template <int I> bool step_stops() {
        if (I > last_struck && I > last_different) return true;
        constexpr step s = step_of<Net, I>;
        constexpr int height = step_of<Net, I>.geometry.out.height;
        constexpr row_range whole{0, Net::table.values[static_cast<std::size_t>(s.out)].extents.height};
        row_range reached{};  // rows of the output that differing inputs reach
        if constexpr (s.kind == op::convolution) {
            reached = reach<I>(space.different(s.in)).united(space.different(s.residual));
        } else {
            bool any = !space.different(s.in).empty() || !space.different(s.residual).empty();
            if constexpr (s.kind == op::concat)
                for (std::int16_t part : s.parts) any = any || !space.different(part).empty();
            if (any) reached = whole;
        }
        row_range struck{}, touched{};
        struck_blocks blocks{};
        if constexpr (s.slot >= 0) {
            blocks = what.slots[static_cast<std::size_t>(s.slot)];
            if (!blocks.empty()) struck = {0, height};
        }
        if constexpr (Policy::active) {
            for (const auto& f : what.faults) {
                if (f.step != I) continue;
                const shape out = s.struck_shape(f.in_memory);
                const int at = static_cast<int>(f.where.output), row = at / (out.width * out.channels);
                row_range& rows = f.in_memory ? touched : struck;
                rows = rows.united({row, row + 1});
                if (s.kind == op::convolution && !f.in_memory) blocks.add(s.geometry.block_of(at % out.channels));
            }
        }
        if (reached.empty() && struck.empty() && touched.empty()) return false;
        space.open(s.out);
        row_range written = touched;
        if (reached.empty() && struck.empty()) {
            touch<I>();
        } else {
            written = compute<I>(reached, struck, blocks).united(touched);
        }
        space.close(s.out, written);
        if (!space.different(s.out).empty())
            last_different = std::max(last_different, workspace_plan_of<Net>.dies[static_cast<std::size_t>(s.out)]);
        return false;
    }

    /// Computes the rows and blocks that may differ, and says which rows were written.
    template <int I> row_range compute(row_range reached, row_range struck, struck_blocks blocks) {
        constexpr step s = step_of<Net, I>;
        constexpr row_range whole{0, Net::table.values[static_cast<std::size_t>(s.out)].extents.height};
        row_range rows = whole;
        space.window = {};
        if constexpr (Policy::active) policy.skipped = 0;
        // what a guard counted in golden words must be counted again: leave them out only where it counted nothing
        const auto& seen = golden.golden.status.steps[static_cast<std::size_t>(I)];
        if constexpr (s.kind == op::convolution && !is_fast<typename Net::number_type>) {
            // and a checker adds up whole channels
            if ((s.guards[0] < 0 || seen.out_of_range == 0) && Net::table.slots[static_cast<std::size_t>(s.slot)].checker < 0) {
                rows = reached.united(struck);
                space.window.row_begin = rows.begin;
                space.window.row_end = rows.end;
                if constexpr (Policy::active)
                    policy.skipped = static_cast<std::uint32_t>(rows.begin * s.geometry.out.width * s.geometry.out.channels);
                // a store checks its parameters block by block and counts, a transform may: all are read
                constexpr slot info = Net::table.slots[static_cast<std::size_t>(s.slot)];
                if (!info.checked_on_read && info.transform < 0 && reached.empty()) {
                    space.window.block_begin = blocks.begin;
                    space.window.block_end = blocks.end;
                }
            }
        }
        report.steps[static_cast<std::size_t>(I)] = {};
        const redoubt::impl::runner<Net, Policy, overlay<Net>> steps{weights, nullptr, space, report, policy};
        steps.template run<I>();
        return rows;
    }

    template <int I> void touch() {
        if constexpr (Policy::active) {
            const redoubt::impl::runner<Net, Policy, overlay<Net>> steps{weights, nullptr, space, report, policy};
            steps.template touch_output<I>();
        }
    }

    /// Rows of a convolution's output that read any of these rows of its input.
    template <int I> static row_range reach(row_range in) {
        constexpr const kernel::conv_geometry& g = step_of<Net, I>.geometry;
        if (in.empty()) return {};
        const int first = in.begin + g.pad.h - (g.kernel.h - 1) * g.dilation.h;
        const int begin = first <= 0 ? 0 : (first + g.stride.h - 1) / g.stride.h;
        const int end = std::min((in.end - 1 + g.pad.h) / g.stride.h + 1, g.out.height);
        return begin < end ? row_range{begin, end} : row_range{};
    }
};

}  // namespace impl

/// Adds a flipped bit of the parameters to what strikes an inference.
template <network_type Net>
void mark(strike<Net>& what, const fault::weight_fault& f) {
    const kernel::conv_geometry& g = Net::table.slots[static_cast<std::size_t>(f.slot)].geometry;
    int block = 0;  // of copies and checksums any: a step whose store checks it is computed whole, and without one they are not read
    if (f.copy == fault::primary_weights) block = g.block_of(static_cast<int>(f.word / static_cast<std::uint64_t>(g.fan_in())));
    if (f.copy == fault::primary_biases) block = g.block_of(static_cast<int>(f.word) % g.out.channels);  // gains come after biases
    what.slots[static_cast<std::size_t>(f.slot)].add(block);
}

/// Runs one image without faults and keeps every value. Cost: an inference and trace_bytes<Net>.
template <network_type Net>
trace<Net> record_trace(const parameters<Net>& weights, std::span<const float> image, overlay<Net>& space) {
    trace<Net> made;
    space.begin(nullptr);
    space.window = {};
    no_faults none;
    const redoubt::impl::runner<Net, no_faults, overlay<Net>> steps{weights, image.data(), space, made.golden.status, none};
    [&]<int... I>(std::integer_sequence<int, I...>) {
        (steps.template run<I>(), ...);
    }(std::make_integer_sequence<int, Net::table.step_count>{});
    steps.read_answer(made.golden);
    made.values = detail::make_aligned(trace_bytes<Net>);
    space.copy_to(made.values.get());
    return made;
}

/// The answer of a struck inference, counters included, bit for bit that of infer() with the same parameters and faults.
///
/// Only steps downstream of a fault are computed, of convolutions only the rows that the faults reach and, in the struck
/// one, the blocks of 16 channels that they strike; when every value that is still to be read equals the golden one
/// again, the rest is the golden run's. `faults` are sorted as bit_flips::sort() leaves them.
/// Needs writes_once<Net>. Cost: from nothing to an inference.
template <network_type Net>
    requires(writes_once<Net>)
answer<Net> infer_struck(const parameters<Net>& weights, const trace<Net>& golden, const strike<Net>& what, overlay<Net>& space) {
    int first = Net::table.step_count, last = -1;
    for (int i = 0; i < Net::table.step_count; ++i) {
        const int slot = Net::table.steps[static_cast<std::size_t>(i)].slot;
        if (slot < 0 || what.slots[static_cast<std::size_t>(slot)].empty()) continue;
        first = std::min(first, i);
        last = i;
    }
    if (!what.faults.empty()) {
        first = std::min(first, static_cast<int>(what.faults.front().step));
        last = std::max(last, static_cast<int>(what.faults.back().step));
    }
    answer<Net> result = golden.golden;
    no_faults none;
    space.begin(&golden);
    const auto go = [&](auto& policy) {
        impl::cone_run<Net, std::remove_reference_t<decltype(policy)>> cone{weights, golden, what, space, policy, result.status, last, -1};
        if (!cone.run(first)) return;
        const redoubt::impl::runner<Net, no_faults, overlay<Net>> end{weights, nullptr, space, result.status, none};
        end.read_answer(result);
    };
    if (what.faults.empty()) {
        go(none);
    } else {
        impl::window_faults policy;
        policy.all = what.faults;
        go(policy);
    }
    return result;
}

}  // namespace redoubt::campaign::inline REDOUBT_ABI
