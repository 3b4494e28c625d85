// SPDX-License-Identifier: MIT
// Where each value of a network lives in the workspace: buffers are reused as soon as nobody needs them.
#pragma once

#include <redoubt/nn/parameters.hpp>

#include <algorithm>

namespace redoubt::inline v1 {

namespace detail {

/// Output blocks that a step fetches at once when its weights cannot be read in place: as many as the kernels take
/// together; the eight of a linear layer within 64 KiB. Copies of a channel are never parted.
template <number N>
constexpr int blocks_at_once(const slot& s) {
    const kernel::conv_geometry& g = s.geometry;
    if (g.out.height * g.out.width != 1) return s.folded > 0 ? s.copies : g.blocks() < 2 ? 1 : 2;
    const std::size_t block = kernel::layout_of<N>.block_size(g) * sizeof(typename N::kernel_weight);
    int blocks = s.folded > 0 ? s.copies : 1;
    while (blocks < 8 && blocks * 2 <= g.blocks() && static_cast<std::size_t>(blocks) * 2 * block <= 65536) blocks *= 2;
    return blocks;
}

/// Output blocks whose stored words are checked at once and then read where they lie: whole calls of a kernel, within 256 KiB where
/// that is enough for one, so that the kernel finds in the cache what the check has read.
template <number N>
constexpr int blocks_in_place(const slot& s) {
    const kernel::conv_geometry& g = s.geometry;
    const std::size_t block = kernel::layout_of<N>.block_size(g) * sizeof(typename N::weight);
    int blocks = g.out.height * g.out.width == 1 ? 8 : 2;
    if (s.folded > 0) blocks = blocks / 2 * s.copies;
    while (blocks < g.blocks() && static_cast<std::size_t>(blocks) * 2 * block <= 262144) blocks *= 2;
    return blocks;
}

/// Whether the weights that a kernel reads may be others than those that are stored.
template <number N>
constexpr bool changes_weights(const slot& s) { return decodes_weights<N> || s.transform >= 0; }

/// Scratch of one slot: its biases and gains, then fetched words, then decoded or transformed ones, then what its checker needs.
struct tile_place {
    std::size_t fetched = 0;
    std::size_t decoded = 0;
    std::size_t checked = 0;
    std::size_t bytes = 0;
};
template <number N>
constexpr tile_place tile_of(const slot& s, std::size_t checker_bytes = 0) {
    tile_place t;
    if (const kernel::winograd kind = transform_of<N>(s); kind != kernel::winograd::none) {
        t.bytes = aligned_up(kernel::winograd_plan{s.geometry, kind}.scratch() * sizeof(float));
        return t;
    }
    if (!s.checked_on_read && !changes_weights<N>(s)) {
        t.bytes = aligned_up(checker_bytes);
        return t;
    }
    const auto blocks = static_cast<std::size_t>(blocks_at_once<N>(s));
    const std::size_t words = kernel::layout_of<N>.block_size(s.geometry) * blocks;
    t.fetched = aligned_up(static_cast<std::size_t>(s.geometry.blocks()) * kernel::lane_count * sizeof(typename N::bias)) * (has_gains<N>(s) ? 2 : 1);
    t.decoded = t.fetched + (s.checked_on_read ? aligned_up(words * sizeof(typename N::weight)) : 0);
    t.checked = t.decoded + (changes_weights<N>(s) ? aligned_up(words * sizeof(typename N::kernel_weight)) : 0);
    t.bytes = t.checked + aligned_up(checker_bytes);
    return t;
}

/// Scratch that the checker of a slot asks for.
template <class Net, int Slot>
constexpr std::size_t checker_bytes() {
    constexpr int wrapper = Net::table.slots[static_cast<std::size_t>(Slot)].checker;
    if constexpr (wrapper < 0) return 0;
    else
        return type_at<typename Net::wrappers, wrapper>::checker::template bytes<typename Net::number_type>(
            Net::table.slots[static_cast<std::size_t>(Slot)].geometry);
}

template <class Net>
struct workspace_plan {
    static constexpr std::size_t values = static_cast<std::size_t>(Net::table.value_count);
    std::array<std::size_t, values> offset{};
    std::array<std::size_t, values> size{};
    std::array<int, values> born{};
    std::array<int, values> dies{};
    std::size_t peak = 0;   ///< largest sum of values alive during one step
    std::size_t tile = 0;   ///< scratch of the step that needs most
    std::size_t bytes = 0;
};

/// When each value is written first and read last. Values are numbered in the order in which they are first written.
template <class Net>
constexpr void find_lives(workspace_plan<Net>& plan) {
    constexpr const auto& table = Net::table;
    int* const born = plan.born.data();
    int* const dies = plan.dies.data();
    const auto uses = [&](std::int16_t v, int at) {
        if (v >= 0) dies[v] = at;
    };
    for (std::size_t v = 0; v < plan.values; ++v) born[v] = -1;
    for (int i = 0; i < table.step_count; ++i) {
        const step& s = table.steps[static_cast<std::size_t>(i)];
        if (born[s.out] < 0) born[s.out] = i;
        uses(s.out, i);
        uses(s.in, i);
        uses(s.residual, i);
        if (s.kind == op::compare || s.kind == op::vote)
            for (std::int16_t v : s.voted) uses(v, i);
        if (s.kind == op::concat)
            for (std::int16_t v : s.parts) uses(v, i);
    }
    dies[table.output] = table.step_count;
}

/// The largest sum of sizes of values alive during one step.
template <class Net>
constexpr std::size_t live_peak(const workspace_plan<Net>& plan) {
    // what is added before a step and taken off after it
    std::array<std::size_t, static_cast<std::size_t>(Net::table.step_count) + 1> added{}, removed{};
    for (std::size_t v = 0; v < plan.values; ++v) {
        added[static_cast<std::size_t>(plan.born[v])] += plan.size[v];
        removed[static_cast<std::size_t>(plan.dies[v])] += plan.size[v];
    }
    std::size_t alive = 0, peak = 0;
    for (std::size_t i = 0; i < added.size(); ++i) {
        alive += added[i];
        if (alive > peak) peak = alive;
        alive -= removed[i];
    }
    return peak;
}

/// The largest first, each at the lowest place that is free throughout its life. Written for constant evaluation, whose
/// steps compilers limit: only neighbours in time are compared, through plain pointers. Returns the end.
template <class Net>
constexpr std::size_t place_values(workspace_plan<Net>& plan) {
    constexpr std::size_t count = workspace_plan<Net>::values;
    std::array<std::size_t, count> order{}, ends{};  // ends: 0 for a value without a place
    std::array<int, count> latest{};                 // end of the longest life up to each value
    const std::size_t* const size = plan.size.data();
    const int* const born = plan.born.data();
    const int* const dies = plan.dies.data();
    std::size_t* const offset = plan.offset.data();
    std::size_t* const end = ends.data();
    int* const reach = latest.data();
    for (std::size_t v = 0; v < count; ++v) {
        order[v] = v;
        reach[v] = v > 0 && reach[v - 1] > dies[v] ? reach[v - 1] : dies[v];
    }
    std::sort(order.begin(), order.end(),
              [size](std::size_t a, std::size_t b) { return size[a] != size[b] ? size[a] > size[b] : a < b; });
    std::size_t total = 0;
    for (const std::size_t next : order) {
        const int from = born[next], to = dies[next];
        std::size_t first = next, last = next + 1;
        while (first > 0 && reach[first - 1] >= from) --first;
        while (last < count && born[last] <= to) ++last;
        std::size_t at = 0;
        for (bool moved = true; moved;) {
            moved = false;
            for (std::size_t v = first; v < last; ++v) {
                if (at < end[v] && dies[v] >= from && offset[v] < at + size[next]) {
                    at = end[v];
                    moved = true;
                }
            }
        }
        offset[next] = at;
        end[next] = at + size[next];
        if (end[next] > total) total = end[next];
    }
    return total;
}

template <class Net>
constexpr workspace_plan<Net> plan_workspace() {
    using N = typename Net::number_type;
    constexpr const auto& table = Net::table;
    workspace_plan<Net> plan;
    for (std::size_t v = 0; v < plan.values; ++v) {
        // three bytes more: int8 kernels read whole groups of four
        const auto words = static_cast<std::size_t>(table.values[v].extents.size());
        plan.size[v] = aligned_up(words * word_bytes<N>(table.values[v].words) + (N::is_integer ? 3 : 0));
    }
    find_lives(plan);
    plan.peak = live_peak(plan);
    [&]<std::size_t... S>(std::index_sequence<S...>) {
        const std::size_t tiles[] = {0, tile_of<N>(table.slots[S], checker_bytes<Net, static_cast<int>(S)>()).bytes...};
        for (const std::size_t tile : tiles) plan.tile = std::max(plan.tile, tile);
    }(std::make_index_sequence<static_cast<std::size_t>(table.slot_count)>{});
    const std::size_t end = place_values(plan);
    for (std::size_t& offset : plan.offset) offset += plan.tile;
    plan.bytes = plan.tile + end;
    return plan;
}

}  // namespace detail

/// Places of all values.
template <network_type Net>
inline constexpr auto workspace_plan_of = detail::plan_workspace<Net>();

/// Bytes of workspace<Net>: the largest set of values alive at once, and one tile of scratch.
template <network_type Net>
inline constexpr std::size_t workspace_bytes = workspace_plan_of<Net>.bytes;

/// Scratch of an inference; nothing in it outlives the inference. One for each thread.
template <network_type Net>
struct alignas(block_alignment) workspace {
    std::array<std::byte, workspace_bytes<Net>> bytes;

    /// Scratch of one tile.
    std::byte* scratch() { return bytes.data(); }
    /// The elements of a value, stored as Word.
    template <class Word>
    std::span<Word> value(int v) {
        const auto i = static_cast<std::size_t>(v);
        return {reinterpret_cast<Word*>(bytes.data() + workspace_plan_of<Net>.offset[i]),
                static_cast<std::size_t>(Net::table.values[i].extents.size())};
    }
};

}  // namespace redoubt::inline v1
