// SPDX-License-Identifier: MIT
// Where each value of a network lives in the workspace: buffers are reused as soon as nobody needs them.
#pragma once

#include <redoubt/nn/parameters.hpp>

namespace redoubt::inline v1 {

namespace detail {

/// Output blocks that a step fetches at once when its weights cannot be read in place: as many as the kernels take
/// together, within 64 KiB.
template <number N>
constexpr int blocks_at_once(const kernel::conv_geometry& g) {
    const std::size_t block = kernel::layout_of<N>.block_size(g) * sizeof(typename N::kernel_weight);
    const int wanted = g.out.height * g.out.width == 1 ? 8 : 2;
    int blocks = 1;
    while (blocks * 2 <= wanted && blocks * 2 <= g.blocks() && static_cast<std::size_t>(blocks) * 2 * block <= 65536)
        blocks *= 2;
    return blocks;
}

/// Scratch of one slot: its biases, then fetched words, then decoded ones.
struct tile_place {
    std::size_t fetched = 0;
    std::size_t decoded = 0;
    std::size_t bytes = 0;
};
template <number N>
constexpr tile_place tile_of(const slot& s) {
    tile_place t;
    if (s.store < 0 && !decodes_weights<N>) return t;
    const auto blocks = static_cast<std::size_t>(blocks_at_once<N>(s.geometry));
    const std::size_t words = kernel::layout_of<N>.block_size(s.geometry) * blocks;
    t.fetched = aligned_up(static_cast<std::size_t>(s.geometry.blocks()) * kernel::lane_count * sizeof(typename N::bias));
    t.decoded = t.fetched + (s.store < 0 ? 0 : aligned_up(words * sizeof(typename N::weight)));
    t.bytes = t.decoded + (decodes_weights<N> ? aligned_up(words * sizeof(typename N::kernel_weight)) : 0);
    return t;
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

template <class Net>
constexpr workspace_plan<Net> plan_workspace() {
    using N = typename Net::number_type;
    constexpr const auto& table = Net::table;
    workspace_plan<Net> plan;
    const auto uses = [&](std::int16_t v, int at) {
        if (v >= 0) plan.dies[static_cast<std::size_t>(v)] = at;
    };
    for (std::size_t v = 0; v < plan.values; ++v) {
        plan.born[v] = -1;
        // three bytes more: int8 kernels read whole groups of four
        const auto words = static_cast<std::size_t>(table.values[v].extents.size());
        plan.size[v] = aligned_up(words * word_bytes<N>(table.values[v].words) + (N::is_integer ? 3 : 0));
    }
    for (int i = 0; i < table.step_count; ++i) {
        const step& s = table.steps[static_cast<std::size_t>(i)];
        if (int& born = plan.born[static_cast<std::size_t>(s.out)]; born < 0) born = i;
        uses(s.out, i);
        uses(s.in, i);
        uses(s.residual, i);
        for (std::int16_t v : s.voted) uses(v, i);
        for (std::int16_t v : s.parts) uses(v, i);
    }
    uses(static_cast<std::int16_t>(table.output), table.step_count);
    for (int i = 0; i < table.step_count; ++i) {
        std::size_t alive = 0;
        for (std::size_t v = 0; v < plan.values; ++v)
            if (plan.born[v] <= i && i <= plan.dies[v]) alive += plan.size[v];
        if (alive > plan.peak) plan.peak = alive;
    }
    for (int i = 0; i < table.slot_count; ++i) {
        const std::size_t tile = tile_of<N>(table.slots[static_cast<std::size_t>(i)]).bytes;
        if (tile > plan.tile) plan.tile = tile;
    }
    // the largest first, each at the lowest place that is free throughout its life
    std::array<bool, workspace_plan<Net>::values> placed{};
    std::size_t end = 0;
    for (std::size_t round = 0; round < plan.values; ++round) {
        std::size_t next = plan.values;
        for (std::size_t v = 0; v < plan.values; ++v)
            if (!placed[v] && (next == plan.values || plan.size[v] > plan.size[next])) next = v;
        std::size_t at = 0;
        for (bool moved = true; moved;) {
            moved = false;
            for (std::size_t v = 0; v < plan.values; ++v) {
                if (!placed[v] || plan.dies[v] < plan.born[next] || plan.dies[next] < plan.born[v]) continue;
                if (at < plan.offset[v] + plan.size[v] && plan.offset[v] < at + plan.size[next]) {
                    at = plan.offset[v] + plan.size[v];
                    moved = true;
                }
            }
        }
        plan.offset[next] = at;
        placed[next] = true;
        if (at + plan.size[next] > end) end = at + plan.size[next];
    }
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

    /// The elements of a value, stored as Word.
    template <class Word>
    std::span<Word> value(int v) {
        const auto i = static_cast<std::size_t>(v);
        return {reinterpret_cast<Word*>(bytes.data() + workspace_plan_of<Net>.offset[i]),
                static_cast<std::size_t>(Net::table.values[i].extents.size())};
    }
};

}  // namespace redoubt::inline v1
