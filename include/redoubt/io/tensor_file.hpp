// SPDX-License-Identifier: MIT
// Named tensors as a file holds them: typed, shaped, little-endian bytes.
#pragma once

#include <redoubt/base/result.hpp>
#include <redoubt/io/printable.hpp>
#include <redoubt/number/bfloat16.hpp>
#include <redoubt/number/float16.hpp>
#include <redoubt/number/nan.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt::io::inline v1 {

/// The element types of the safetensors format. Redoubt computes with a few of them and carries the rest.
enum class dtype : std::uint8_t {
    boolean, f4, f6_e2m3, f6_e3m2, u8, i8, f8_e5m2, f8_e4m3, f8_e8m0, i16, u16, f16, bf16, i32, u32, f32, c64, f64, i64,
    u64
};

/// One tensor: row-major, little-endian, without padding.
struct tensor_entry {
    std::string name;
    dtype type{};
    std::vector<std::size_t> shape;
    std::vector<std::byte> data;

    bool operator==(const tensor_entry&) const = default;
};

/// What a checkpoint holds, in the order of its header.
struct tensor_file {
    std::vector<tensor_entry> tensors;
    std::vector<std::pair<std::string, std::string>> metadata;

    /// The tensor of that name, or null.
    const tensor_entry* find(std::string_view name) const {
        for (const tensor_entry& entry : tensors)
            if (entry.name == name) return &entry;
        return nullptr;
    }

    bool operator==(const tensor_file&) const = default;
};

}  // namespace redoubt::io::inline v1

namespace redoubt::io::inline REDOUBT_ABI {

namespace impl {

struct dtype_row {
    std::string_view name;
    unsigned bits;
};

/// In the order of `dtype`.
inline constexpr std::array<dtype_row, 20> dtype_rows{{
    {"BOOL", 8}, {"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8}, {"I8", 8}, {"F8_E5M2", 8},
    {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"I16", 16}, {"U16", 16}, {"F16", 16}, {"BF16", 16}, {"I32", 32},
    {"U32", 32}, {"F32", 32}, {"C64", 64}, {"F64", 64}, {"I64", 64}, {"U64", 64},
}};

}  // namespace impl

/// The name the safetensors format has for a type.
constexpr std::string_view name_of(dtype type) { return impl::dtype_rows[static_cast<std::size_t>(type)].name; }

/// Bits of one element; two types have 4 or 6.
constexpr unsigned bits_of(dtype type) { return impl::dtype_rows[static_cast<std::size_t>(type)].bits; }

/// The type of that name, if there is one.
constexpr std::optional<dtype> dtype_named(std::string_view name) {
    for (std::size_t i = 0; i < impl::dtype_rows.size(); ++i)
        if (impl::dtype_rows[i].name == name) return static_cast<dtype>(i);
    return std::nullopt;
}

/// "[64, 3, 3, 3]".
inline std::string shape_text(std::span<const std::size_t> shape) {
    std::string text = "[";
    for (std::size_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
    return text + "]";
}

/// Elements of a shape (1 for an empty one), or nothing where the product passes 2^60, zeros aside.
constexpr std::optional<std::uint64_t> element_count(std::span<const std::size_t> shape) {
    constexpr std::uint64_t most = std::uint64_t{1} << 60;
    std::uint64_t count = 1;
    bool none = false;
    for (std::uint64_t extent : shape) {
        none = none || extent == 0;
        if (extent == 0) continue;
        if (extent > most / count) return std::nullopt;
        count *= extent;
    }
    return none ? 0 : count;
}

/// Bytes of a tensor. Errors, without a place: the count of elements is too large, or ends within a byte.
inline result<std::uint64_t> byte_count(dtype type, std::span<const std::size_t> shape) {
    const std::optional<std::uint64_t> count = element_count(shape);
    if (!count || *count > std::numeric_limits<std::uint64_t>::max() / bits_of(type))
        return error{"shape "} << shape_text(shape) << " overflows the count of elements";
    const std::uint64_t bits = *count * bits_of(type);
    if (bits % 8 != 0)
        return error{"shape "} << shape_text(shape) << " of " << name_of(type) << " ends within a byte";
    return bits / 8;
}

/// The values of an F32, F16 or BF16 tensor: exact, every NaN the canonical one. Error: any other type, or bytes that
/// do not match the shape.
inline result<std::vector<float>> as_floats(const tensor_entry& entry) {
    const result<std::uint64_t> bytes = byte_count(entry.type, entry.shape);
    if (!bytes) return error{"tensor "} << printable(entry.name) << ": " << bytes.reason().text();
    if (*bytes != entry.data.size())
        return error{"tensor "} << printable(entry.name) << ": has " << entry.data.size() << " bytes, shape "
                                << shape_text(entry.shape) << " of " << name_of(entry.type) << " takes " << *bytes;
    const bool wide = entry.type == dtype::f32;
    if (!wide && entry.type != dtype::f16 && entry.type != dtype::bf16)
        return error{"tensor "} << printable(entry.name) << ": is " << name_of(entry.type)
                                << ", not F32, F16 or BF16";
    const std::size_t width = wide ? 4 : 2;
    std::vector<float> values(entry.data.size() / width);
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::uint32_t word = 0;
        for (std::size_t k = width; k-- > 0;)
            word = (word << 8) | std::to_integer<std::uint32_t>(entry.data[i * width + k]);
        const auto narrow = static_cast<std::uint16_t>(word);
        if (wide) values[i] = canonical(from_word<float>(word));
        else if (entry.type == dtype::f16) values[i] = static_cast<float>(half::from_bits(narrow));
        else values[i] = static_cast<float>(brain::from_bits(narrow));
    }
    return values;
}

}  // namespace redoubt::io::inline REDOUBT_ABI
