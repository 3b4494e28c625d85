// SPDX-License-Identifier: MIT
// Parameters in read-only memory: a header that says what they are for, then the block, read where it lies.
#pragma once

#include <redoubt/base/result.hpp>
#include <redoubt/kernel/crc32c.hpp>
#include <redoubt/nn/parameters.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace redoubt::inline v1 {

/// What stands before the parameters in an image, in the machine's byte order.
struct rom_header {
    static constexpr std::array<char, 8> mark{'R', 'E', 'D', 'O', 'U', 'B', 'T', 1};
    std::array<char, 8> magic = mark;
    std::uint64_t bytes = 0;   ///< of the parameters
    std::uint64_t layout = 0;  ///< rom_layout of the network
    std::uint32_t sum = 0;     ///< CRC-32C of the parameters
    std::array<std::uint8_t, 36> unused{};
};
static_assert(sizeof(rom_header) == block_alignment);

/// Bytes of an image: `extern "C" const unsigned char weights[rom_bytes<Net>];`
template <network_type Net>
inline constexpr std::size_t rom_bytes = sizeof(rom_header) + parameter_bytes<Net>;

namespace detail {
/// Whole copies and code bytes that a slot's store keeps, as one number.
template <class Net, int Slot>
inline constexpr std::uint64_t kept_besides = [] {
    constexpr int wrapper = Net::table.slots[static_cast<std::size_t>(Slot)].store;
    if constexpr (wrapper < 0) return std::uint64_t{0};
    else {
        using store = typename type_at<typename Net::wrappers, wrapper>::store;
        return std::uint64_t{store::code_bytes(parameters<Net>::place(Slot).primary_bytes)} * 4 + std::uint64_t{store::copies} + 1;
    }
}();
/// Tells transforms apart whose parameters lie alike; those of one's own that say no `layout_id` are all one.
template <class Net, int Slot>
inline constexpr std::uint64_t transform_id = [] {
    constexpr int wrapper = Net::table.slots[static_cast<std::size_t>(Slot)].transform;
    if constexpr (wrapper < 0) return std::uint64_t{0};
    else {
        using transform = typename type_at<typename Net::wrappers, wrapper>::transform;
        if constexpr (requires { transform::layout_id; }) return std::uint64_t{transform::layout_id};
        else return ~std::uint64_t{0};
    }
}();
}  // namespace detail

/// A number that differs where parameters lie otherwise or mean something else: other layers, steps, extents, names, number type, copies,
/// code bits, bounds.
template <network_type Net>
inline constexpr std::uint64_t rom_layout = [] {
    std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
    const auto add = [&](std::uint64_t v) {
        for (int i = 0; i < 8; ++i, v >>= 8) hash = (hash ^ (v & 0xffu)) * 0x100000001b3u;
    };
    for (char c : Net::number_type::name) add(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
    add(parameter_bytes<Net>);
    add(static_cast<std::uint64_t>(Net::table.unit_count));
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const slot& info = Net::table.slots[static_cast<std::size_t>(s)];
        const slot_place& at = parameters<Net>::place(s);
        for (char c : info.name.view()) add(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
        const kernel::conv_geometry& g = info.geometry;
        for (int v : {g.in.channels, g.in.height, g.in.width, g.out.channels, g.out.height, g.out.width, g.kernel.h, g.kernel.w, g.stride.h,
                      g.stride.w, g.pad.h, g.pad.w, g.dilation.h, g.dilation.w, g.groups})
            add(static_cast<std::uint64_t>(v));
        for (std::size_t v : {at.primary, at.weights, at.primary_bytes, at.extra, at.extra_bytes, at.intervals}) add(v);
        if (at.kept.bytes != 0)
            for (std::size_t v : {at.checks, at.kept.bytes, at.kept.first, at.kept.last}) add(v);
        add(info.checker >= 0 ? 1u : 0u);
        add(static_cast<std::uint64_t>(info.folded));
        if (info.folded > 0) add(static_cast<std::uint64_t>(info.copies));
    }
    [&]<int... S>(std::integer_sequence<int, S...>) {
        ((add(detail::kept_besides<Net, S>), add(detail::transform_id<Net, S>)), ...);
    }(std::make_integer_sequence<int, Net::table.slot_count>{});
    // nothing is added for what a network does not have, so that images of networks without it stay what they are
    for (int u = 0; u < Net::table.unit_count; ++u) {
        const unit_place& unit = parameters<Net>::place_of_unit(u);
        if (unit.neurons == 0 && !unit.is_kept) continue;
        for (std::size_t v : {static_cast<std::size_t>(u), unit.neurons, unit.neuron_bounds, std::size_t{unit.is_kept}, unit.copies}) add(v);
    }
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        std::uint64_t guards = 0;
        for (const std::int16_t g : s.guards) guards += g >= 0 ? 1u : 0u;
        add(guards);
        for (int v : {static_cast<int>(s.kind), static_cast<int>(s.act), int{s.limit}, int{s.lower}, int{s.slope.numerator}, int{s.slope.denominator},
                      int{s.unit}, int{s.slot}, int{s.in}, int{s.residual}, int{s.out}})
            add(static_cast<std::uint64_t>(v));
    }
    return hash;
}();

/// How far in_place() looks: at the header alone, or at every byte. Where code bits or copies guard the parameters and each read checks them, inference itself
/// puts single faults right, and `header` lets them through; under on_scrub they then act for good.
enum class rom_check { everything, header };

}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

/// The header of an image of these parameters.
template <network_type Net>
rom_header rom_header_of(const parameters<Net>& p) {
    rom_header header;
    header.bytes = p.bytes.size();
    header.layout = rom_layout<Net>;
    header.sum = kernel::crc32c(p.bytes.data(), p.bytes.size());
    return header;
}

/// The parameters inside an image, nothing copied; they live as long as the image does. An error where the image is not aligned to 64 bytes, too short, of
/// another network or format, or broken. Cost of rom_check::everything: one checksum over all bytes. No heap.
template <network_type Net>
result<const parameters<Net>*> in_place(std::span<const std::byte> image, rom_check look = rom_check::everything) {
    if (reinterpret_cast<std::uintptr_t>(image.data()) % block_alignment != 0) return error{"ROM image: not aligned to 64 bytes"};
    if (image.size() < sizeof(rom_header)) return error{"ROM image: "} << image.size() << " bytes are less than its header";
    rom_header header;
    std::memcpy(&header, image.data(), sizeof(header));
    if (header.magic != rom_header::mark) return error{"ROM image: does not begin as one, or is of another version"};
    if (header.layout != rom_layout<Net> || header.bytes != parameter_bytes<Net>)
        return error{"ROM image: made for another network, number or protection ("} << header.bytes << " bytes, this one has "
                                                                                  << parameter_bytes<Net> << ")";
    if (image.size() < rom_bytes<Net>)
        return error{"ROM image: cut short: "} << image.size() << " of " << rom_bytes<Net> << " bytes";
    const std::byte* const block = image.data() + sizeof(rom_header);
    if (look == rom_check::everything && kernel::crc32c(block, parameter_bytes<Net>) != header.sum)
        return error{"ROM image: broken, its checksum is not that of its parameters"};
    return reinterpret_cast<const parameters<Net>*>(block);
}
template <network_type Net, std::size_t Size>
result<const parameters<Net>*> in_place(const unsigned char (&image)[Size], rom_check look = rom_check::everything) {
    static_assert(Size == rom_bytes<Net>, "redoubt: this array is no image of the network: its size differs");
    return in_place<Net>(std::span{reinterpret_cast<const std::byte*>(image), Size}, look);
}

}  // namespace redoubt::inline REDOUBT_ABI
