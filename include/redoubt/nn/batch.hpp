// SPDX-License-Identifier: MIT
// Several images: one after the other, or with the linear layers of all together, so that their weights are read once.
#pragma once

#include <redoubt/nn/run.hpp>

#include <algorithm>
#include <cstring>

namespace redoubt::inline v1 {

namespace detail {

/// Steps [from, to): linear layers one after the other, without replicas or a checker (which would judge all images at once), past which nothing but the last one's output is read.
struct linear_steps {
    int from = 0;
    int to = 0;
};

constexpr bool is_plain_linear(const step& s) {
    return s.kind == op::convolution && s.geometry.out.height == 1 && s.geometry.out.width == 1 && s.geometry.groups == 1 &&
           s.geometry.pad == hw{0} && s.geometry.dilation == hw{1} && s.geometry.kernel.h == s.geometry.in.height &&
           s.geometry.kernel.w == s.geometry.in.width && s.residual < 0 && s.depth == 0;
}

/// The last such steps of a network; where there are none, none at its end.
template <class Net>
constexpr linear_steps find_linear_steps() {
    constexpr const auto& table = Net::table;
    const auto at = [](int i) -> const step& { return table.steps[static_cast<std::size_t>(i)]; };
    const auto is_plain = [&](int i) {
        return is_plain_linear(at(i)) && table.slots[static_cast<std::size_t>(at(i).slot)].checker < 0;
    };
    constexpr linear_steps none{table.step_count, table.step_count};
    linear_steps found = none;
    while (found.to > 0 && !is_plain(found.to - 1)) --found.to;
    found.from = found.to;
    if (found.to == 0) return none;
    while (found.from > 0 && is_plain(found.from - 1) &&
           (found.from == found.to || at(found.from).in == at(found.from - 1).out))
        --found.from;
    const std::int16_t last = at(found.to - 1).out;
    bool alone = table.output >= last;  // values are numbered as they are first written
    const auto reads = [&](std::int16_t v) { alone = alone && (v < 0 || v >= last); };
    for (int i = found.to; i < table.step_count; ++i) {
        const step& s = at(i);
        reads(s.in);
        reads(s.residual);
        for (const std::int16_t v : s.voted) reads(v);
        for (const std::int16_t v : s.parts) reads(v);
    }
    return alone ? found : none;
}
template <class Net>
inline constexpr linear_steps linear_steps_of = find_linear_steps<Net>();

/// Bytes of the largest value that those steps read or write, of one image.
template <class Net>
inline constexpr std::size_t widest_row = [] {
    constexpr linear_steps some = linear_steps_of<Net>;
    std::size_t most = 0;
    const auto take = [&](std::int16_t v) {
        const value& info = Net::table.values[static_cast<std::size_t>(v)];
        most = std::max(most, static_cast<std::size_t>(info.extents.size()) * word_bytes<typename Net::number_type>(info.words));
    };
    for (int i = some.from; i < some.to; ++i) {
        take(Net::table.steps[static_cast<std::size_t>(i)].in);
        take(Net::table.steps[static_cast<std::size_t>(i)].out);
    }
    return most;
}();

}  // namespace detail

/// Scratch of infer_batch for up to Images images at a time: a workspace, and what the linear layers of all of them read and write.
template <network_type Net, int Images>
    requires(Images > 0)
struct alignas(block_alignment) batch_workspace {
    workspace<Net> single;
    /// Rows of all images side by side: of the value that a linear layer reads, and of the one it writes.
    std::array<std::array<std::byte, aligned_up(detail::widest_row<Net> * Images + 3)>, 2> rows;
};

}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

namespace impl {

/// The values of the linear steps for several images at once: [row][image][column][channel].
template <network_type Net, int Images>
struct row_space {
    batch_workspace<Net, Images>& space;
    int images;

    std::byte* scratch() { return space.single.scratch(); }
    template <class Word>
    std::span<Word> value(int v) {
        const auto size = static_cast<std::size_t>(Net::table.values[static_cast<std::size_t>(v)].extents.size());
        return {reinterpret_cast<Word*>(bytes_of(v)), size * static_cast<std::size_t>(images)};
    }
    /// Values follow each other, so that neighbours in the chain lie in different halves.
    std::byte* bytes_of(int v) {
        constexpr detail::linear_steps some = detail::linear_steps_of<Net>;
        std::size_t half = 0;
        for (int i = some.from; i < some.to; ++i)
            if (Net::table.steps[static_cast<std::size_t>(i)].out == v) half = static_cast<std::size_t>(i - some.from + 1) % 2;
        return space.rows[half].data();
    }
};
/// One image's words of an output there.
template <network_type Net, int Images>
struct row_of_image {
    row_space<Net, Images>& rows;
    int image;

    std::byte* scratch() { return rows.scratch(); }
    template <class Word>
    std::span<Word> value(int v) {
        const auto size = static_cast<std::size_t>(Net::table.values[static_cast<std::size_t>(v)].extents.size());
        return rows.template value<Word>(v).subspan(static_cast<std::size_t>(image) * size, size);
    }
};

/// Copies an image's value between its workspace and the rows of all, `to_rows` or back.
template <network_type Net, int Images>
void copy_row(int v, row_space<Net, Images>& rows, int image, bool to_rows) {
    const value& info = Net::table.values[static_cast<std::size_t>(v)];
    const auto height = static_cast<std::size_t>(info.extents.height);
    const std::size_t bytes = static_cast<std::size_t>(info.extents.width * info.extents.channels) *
                              word_bytes<typename Net::number_type>(info.words);
    std::byte* const single = rows.space.single.template value<std::byte>(v).data();
    for (std::size_t r = 0; r < height; ++r) {
        std::byte* const there =
            rows.bytes_of(v) + (r * static_cast<std::size_t>(rows.images) + static_cast<std::size_t>(image)) * bytes;
        if (to_rows) std::memcpy(there, single + r * bytes, bytes);
        else std::memcpy(single + r * bytes, there, bytes);
    }
}

}  // namespace impl

/// One inference for each answer: `images` holds that many images of input_shape.size() pixels without gaps. All share one
/// workspace, so a batch needs no more memory than an image, and every answer has the bits of infer().
template <network_type Net>
void infer_batch(const parameters<Net>& weights, state<Net>& memory, std::span<const float> images, workspace<Net>& space,
                 std::span<answer<Net>> answers) noexcept(!contracts_throw) {
    constexpr auto pixels = static_cast<std::size_t>(Net::input_shape.size());
    REDOUBT_EXPECTS(images.size() == answers.size() * pixels);
    for (std::size_t i = 0; i < answers.size(); ++i)
        answers[i] = infer<Net>(weights, memory, images.subspan(i * pixels, pixels), space);
}

/// The same, up to Images images at a time: the linear layers at the end of the network (those without replicas) are one product of
/// matrices for all of them, which reads their weights, and checks or decodes them, once. Every answer has the bits and, but that a
/// fault in those weights is found once for all images, the counters of infer(); each image that was computed from such weights
/// reports it.
template <network_type Net, int Images>
void infer_batch(const parameters<Net>& weights, state<Net>& memory, std::span<const float> images,
                 batch_workspace<Net, Images>& space, std::span<answer<Net>> answers) noexcept(!contracts_throw) {
    constexpr auto pixels = static_cast<std::size_t>(Net::input_shape.size());
    constexpr detail::linear_steps some = detail::linear_steps_of<Net>;
    REDOUBT_EXPECTS(images.size() == answers.size() * pixels);
    no_faults none;
    for (std::size_t first = 0; first < answers.size(); first += Images) {
        const auto group = answers.subspan(first, std::min<std::size_t>(Images, answers.size() - first));
        impl::row_space<Net, Images> rows{space, static_cast<int>(group.size())};
        for (int i = 0; i < rows.images; ++i) {
            answer<Net>& a = group[static_cast<std::size_t>(i)];
            a.status = {};
            run<Net>(weights, images.subspan((first + static_cast<std::size_t>(i)) * pixels, pixels), space.single, a.status, none, 0,
                     some.from);
            if constexpr (some.from < some.to) {
                impl::copy_row<Net, Images>(Net::table.steps[static_cast<std::size_t>(some.from)].in, rows, i, true);
            } else {
                run<Net>(weights, {}, space.single, a.status, none, some.from, Net::table.step_count);
                a = read_answer<Net>(weights, space.single, a.status);
            }
        }
        if constexpr (some.from < some.to) {
            const auto step_together = [&]<int I>(std::integral_constant<int, I>) {
                status<Net> together;
                impl::runner<Net, no_faults, impl::row_space<Net, Images>>{weights, nullptr, rows, together, none}.template compute<I>();
                for (int i = 0; i < rows.images; ++i) {
                    status<Net>& own = group[static_cast<std::size_t>(i)].status;
                    own.steps[static_cast<std::size_t>(I)] += together.steps[static_cast<std::size_t>(I)];
                    impl::row_of_image<Net, Images> row{rows, i};
                    impl::runner<Net, no_faults, impl::row_of_image<Net, Images>>{weights, nullptr, row, own, none}.template check<I>();
                }
            };
            [&]<int... I>(std::integer_sequence<int, I...>) {
                (step_together(std::integral_constant<int, some.from + I>{}), ...);
            }(std::make_integer_sequence<int, some.to - some.from>{});
            for (int i = 0; i < rows.images; ++i) {
                answer<Net>& a = group[static_cast<std::size_t>(i)];
                impl::copy_row<Net, Images>(Net::table.steps[static_cast<std::size_t>(some.to - 1)].out, rows, i, false);
                run<Net>(weights, {}, space.single, a.status, none, some.to, Net::table.step_count);
                a = read_answer<Net>(weights, space.single, a.status);
            }
        }
        for (const answer<Net>& a : group) memory.tally(a.status);
    }
}

}  // namespace redoubt::inline REDOUBT_ABI
