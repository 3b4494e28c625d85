// SPDX-License-Identifier: MIT
// Golden traces: every value of a fault-free inference, kept, so that a struck one computes only what its faults reach.
#pragma once

#include <redoubt/nn/run.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>

namespace redoubt::campaign::inline v1 {

/// Whether each value of Net is written by one step alone, and read by no step that also writes it. Replicated networks
/// are not so: their votes write over the first replica.
template <network_type Net>
constexpr bool writes_once = [] {
    std::array<int, static_cast<std::size_t>(Net::table.value_count)> writers{};
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.kind == op::vote || s.kind == op::compare || s.in == s.out || s.residual == s.out) return false;
        if (++writers[static_cast<std::size_t>(s.out)] > 1) return false;
    }
    return true;
}();

namespace detail {

/// A place of its own for every value, and scratch at the start.
template <network_type Net>
struct trace_plan {
    std::array<std::size_t, static_cast<std::size_t>(Net::table.value_count)> offset{}, row_bytes{}, size{};
    std::array<int, static_cast<std::size_t>(Net::table.value_count)> rows{};
    std::size_t bytes = 0;
};
template <network_type Net>
inline constexpr trace_plan<Net> trace_plan_of = [] {
    trace_plan<Net> plan;
    for (std::size_t v = 0; v < plan.offset.size(); ++v) {
        const value& info = Net::table.values[v];
        const std::size_t word = word_bytes<typename Net::number_type>(info.words);
        plan.offset[v] = plan.bytes;
        plan.rows[v] = info.extents.height;
        plan.row_bytes[v] = static_cast<std::size_t>(info.extents.width * info.extents.channels) * word;
        plan.size[v] = plan.row_bytes[v] * static_cast<std::size_t>(info.extents.height);
        // int8 kernels read whole groups of four
        plan.bytes += aligned_up(plan.size[v] + 3);
    }
    return plan;
}();

struct free_aligned {
    void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{block_alignment}); }
};
using aligned_bytes = std::unique_ptr<std::byte[], free_aligned>;
inline aligned_bytes make_aligned(std::size_t size) {
    aligned_bytes p{static_cast<std::byte*>(::operator new[](size, std::align_val_t{block_alignment}))};
    std::memset(p.get(), 0, size);
    return p;
}

}  // namespace detail

/// Bytes of one image's trace.
template <network_type Net>
inline constexpr std::size_t trace_bytes = detail::trace_plan_of<Net>.bytes;

/// What one fault-free inference left behind.
template <network_type Net>
struct trace {
    detail::aligned_bytes values;
    answer<Net> golden{};
};

/// Rows [begin, end) of a value.
struct row_range {
    int begin = 0;
    int end = 0;

    constexpr bool empty() const { return begin >= end; }
    constexpr row_range united(row_range o) const {
        if (empty()) return o;
        if (o.empty()) return *this;
        return {std::min(begin, o.begin), std::max(end, o.end)};
    }
    constexpr bool operator==(const row_range&) const = default;
};

/// Which part of a step to compute; the whole by default.
struct step_window {
    int block_begin = 0;
    int block_end = std::numeric_limits<int>::max();
    int row_begin = 0;
    int row_end = std::numeric_limits<int>::max();
};

/// The values of a struck inference over a golden trace: those that differ from it lie in memory of their own, with the
/// rows in which they differ; all others are the trace's. What a step reads of a space, and a window on what it computes.
template <network_type Net>
class overlay {
public:
    step_window window{};

    template <class Word>
    std::span<Word> value(int v) {
        const auto i = static_cast<std::size_t>(v);
        std::byte* const base = own_now_[i] ? own_.get() + tile : golden_;
        return {reinterpret_cast<Word*>(base + plan.offset[i]),
                static_cast<std::size_t>(Net::table.values[i].extents.size())};
    }
    std::byte* scratch() { return own_.get(); }

    /// Starts on a golden trace (or on nothing, to make one): no value differs.
    void begin(const trace<Net>* golden) {
        std::byte* const from = golden == nullptr ? nullptr : golden->values.get();
        if (from != golden_ || from == nullptr) {
            for (std::size_t v = 0; v < values; ++v) stale_[v] = {0, plan.rows[v]};
        }
        golden_ = from;
        own_now_.fill(golden == nullptr);
        different_.fill({});
    }
    row_range different(int v) const { return v < 0 ? row_range{} : different_[static_cast<std::size_t>(v)]; }

    /// Before a step writes value v: its own copy is golden but where it is about to be written.
    void open(int v) {
        const auto i = static_cast<std::size_t>(v);
        copy_golden(i, stale_[i]);
        own_now_[i] = true;
    }
    /// After a step has written rows `written` of value v: finds those that differ.
    void close(int v, row_range written) {
        const auto i = static_cast<std::size_t>(v);
        const std::size_t row = plan.row_bytes[i];
        const std::byte* const mine = own_.get() + tile + plan.offset[i];
        const std::byte* const golden = golden_ + plan.offset[i];
        const auto same = [&](int r) {
            const std::size_t at = static_cast<std::size_t>(r) * row;
            return std::memcmp(mine + at, golden + at, row) == 0;
        };
        while (!written.empty() && same(written.begin)) ++written.begin;
        while (!written.empty() && same(written.end - 1)) --written.end;
        if (written.empty()) written = {};
        different_[i] = stale_[i] = written;
        own_now_[i] = !written.empty();
    }

    /// All values, written by a run on nothing.
    void copy_to(std::byte* to) const { std::memcpy(to, own_.get() + tile, plan.bytes); }

private:
    static constexpr const auto& plan = detail::trace_plan_of<Net>;
    static constexpr std::size_t values = plan.offset.size();
    static constexpr std::size_t tile = aligned_up(workspace_plan_of<Net>.tile);

    void copy_golden(std::size_t v, row_range rows) {
        if (rows.empty()) return;
        const std::size_t at = plan.offset[v] + static_cast<std::size_t>(rows.begin) * plan.row_bytes[v];
        std::memcpy(own_.get() + tile + at, golden_ + at, static_cast<std::size_t>(rows.end - rows.begin) * plan.row_bytes[v]);
    }

    detail::aligned_bytes own_ = detail::make_aligned(tile + plan.bytes);
    std::byte* golden_ = nullptr;  // only read
    std::array<bool, values> own_now_{};
    std::array<row_range, values> different_{};
    std::array<row_range, values> stale_{};  // where the own copy may not be golden
};

}  // namespace redoubt::campaign::inline v1
