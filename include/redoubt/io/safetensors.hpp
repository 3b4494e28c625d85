// SPDX-License-Identifier: MIT
// The safetensors format: 8 bytes of header length, a JSON header, then the tensors without a gap
// (https://github.com/huggingface/safetensors). Files are taken as hostile: nothing in them is believed unchecked.
#pragma once

#include <redoubt/base/result.hpp>
#include <redoubt/io/file.hpp>
#include <redoubt/io/printable.hpp>
#include <redoubt/io/safetensors_header.hpp>
#include <redoubt/io/tensor_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace redoubt::io::inline REDOUBT_ABI {

/// The format's own limit.
inline constexpr std::uint64_t most_header_bytes = 100'000'000;

namespace impl {

inline constexpr std::size_t length_bytes = 8;

/// Every entry lies within the data and has the size its shape asks for.
inline result<void> check_entry(const header_entry& entry, std::uint64_t data_bytes) {
    const auto fail = [&] { return error{"tensor "} << printable(entry.name) << ": "; };
    if (entry.begin > entry.end)
        return fail() << "data_offsets begin at " << entry.begin << " after their end at " << entry.end;
    if (entry.end > data_bytes)
        return fail() << "data_offsets end at " << entry.end << ", past the end of the data at " << data_bytes;
    const result<std::uint64_t> needed = byte_count(entry.type, entry.shape);
    if (!needed) return fail() << needed.reason().text();
    if (*needed != entry.end - entry.begin)
        return fail() << "has " << entry.end - entry.begin << " bytes, shape " << shape_text(entry.shape) << " of "
                      << name_of(entry.type) << " takes " << *needed;
    return {};
}

/// The entries cover the data without overlap, gap or rest.
inline result<void> check_cover(std::span<const header_entry> entries, std::uint64_t data_bytes) {
    std::vector<std::size_t> order(entries.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const header_entry &x = entries[a], &y = entries[b];
        return x.begin != y.begin ? x.begin < y.begin : x.end != y.end ? x.end < y.end : a < b;
    });
    std::uint64_t covered = 0;
    const header_entry* before = nullptr;
    for (std::size_t i : order) {
        const header_entry& entry = entries[i];
        if (entry.begin < covered)
            return error{"tensor "} << printable(entry.name) << ": overlaps " << printable(before->name)
                                    << ", it begins at offset " << entry.begin << " and that one ends at " << covered;
        if (entry.begin > covered)
            return error{"tensor "} << printable(entry.name) << ": " << entry.begin - covered
                                    << " bytes before it belong to no tensor, the format forbids a gap";
        covered = entry.end;
        before = &entry;
    }
    if (covered != data_bytes)
        return error{"the last "} << data_bytes - covered << " bytes of the file belong to no tensor";
    return {};
}

/// Text as a JSON string. Error: it is not UTF-8.
inline result<std::string> quoted(const std::string& text) {
    try {
        return nlohmann::json(text).dump();
    } catch (const nlohmann::json::exception&) {
        return error{printable(text)} << " is not valid UTF-8";
    }
}

/// The metadata member of the header, empty where there is none.
inline result<std::string> metadata_text(const tensor_file& file) {
    std::string text;
    std::unordered_set<std::string> keys;
    for (const auto& [key, value] : file.metadata) {
        if (!keys.insert(key).second) return error{"metadata has the key "} << printable(key) << " twice";
        const result<std::string> name = quoted(key), content = quoted(value);
        if (!name || !content) return error{"metadata: "} << (name ? content : name).reason().text();
        text += (text.empty() ? "\"__metadata__\":{" : ",") + *name + ":" + *content;
    }
    return text.empty() ? text : text + "}";
}

/// Where each tensor's data begins: wider types first, so that every tensor is aligned without a gap.
inline std::vector<std::size_t> writing_order(const tensor_file& file) {
    std::vector<std::size_t> order(file.tensors.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return bits_of(file.tensors[a].type) > bits_of(file.tensors[b].type);
    });
    return order;
}

/// The member of the header for a tensor whose data begins at `begin`. Errors: a reserved name, one that is not UTF-8,
/// bytes that do not match the shape, more dimensions than the reader takes.
inline result<std::string> entry_text(const tensor_entry& entry, std::uint64_t begin) {
    if (entry.name == "__metadata__") return error{"a tensor cannot have the name '__metadata__'"};
    const result<std::string> name = quoted(entry.name);
    if (!name) return error{"the tensor name "} << name.reason().text();
    const result<void> sound = check_entry({entry.name, entry.type, entry.shape, 0, entry.data.size()},
                                           entry.data.size());
    if (!sound) return sound.reason();
    if (entry.shape.size() > header_reader::most_dimensions)
        return error{"tensor "} << printable(entry.name) << ": has more than " << header_reader::most_dimensions
                                << " dimensions";
    std::string text = *name + ":{\"dtype\":\"" + std::string{name_of(entry.type)} + "\",\"shape\":[";
    for (std::size_t i = 0; i < entry.shape.size(); ++i) text += (i == 0 ? "" : ",") + std::to_string(entry.shape[i]);
    const std::uint64_t end = begin + entry.data.size();
    return text + "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

}  // namespace impl

/// The tensors of a safetensors file held in memory, in the order of its header, whatever their types. Every error
/// begins with `source_name` and says which entry is wrong and how.
inline result<tensor_file> parse_safetensors(std::span<const std::byte> bytes, std::string_view source_name) {
    const auto fail = [&](std::string_view what) { return error{source_name} << ": " << what; };
    if (bytes.size() < impl::length_bytes)
        return fail("has ") << bytes.size() << " bytes, fewer than the 8 that a safetensors file begins with";
    std::uint64_t length = 0;
    for (std::size_t i = impl::length_bytes; i-- > 0;)
        length = (length << 8) | std::to_integer<std::uint64_t>(bytes[i]);
    const std::span<const std::byte> rest = bytes.subspan(impl::length_bytes);
    if (length > most_header_bytes)
        return fail("header length ") << length << " is above the limit of " << most_header_bytes
                                      << " (is this a safetensors file?)";
    if (length > rest.size())
        return fail("header length ") << length << " runs past the end of the file, " << rest.size() << " bytes follow";
    const std::span<const std::byte> text = rest.first(static_cast<std::size_t>(length));
    const std::span<const std::byte> data = rest.subspan(static_cast<std::size_t>(length));

    result<impl::tensor_header> header =
        impl::read_tensor_header({reinterpret_cast<const char*>(text.data()), text.size()});
    if (!header) return fail(header.reason().text());
    for (const impl::header_entry& entry : header->entries)
        if (const result<void> sound = impl::check_entry(entry, data.size()); !sound)
            return fail(sound.reason().text());
    if (const result<void> sound = impl::check_cover(header->entries, data.size()); !sound)
        return fail(sound.reason().text());

    tensor_file file;
    file.metadata = std::move(header->metadata);
    for (impl::header_entry& entry : header->entries) {
        const auto own = data.subspan(static_cast<std::size_t>(entry.begin),
                                      static_cast<std::size_t>(entry.end - entry.begin));
        file.tensors.push_back({std::move(entry.name), entry.type, std::move(entry.shape), {own.begin(), own.end()}});
    }
    return file;
}

/// The tensors of a safetensors file.
inline result<tensor_file> read_safetensors(const std::string& path, std::size_t limit = default_read_limit) {
    const result<std::vector<std::byte>> bytes = read_file(path, limit);
    if (!bytes) return bytes.reason();
    return parse_safetensors(*bytes, path);
}

/// The bytes of a safetensors file: the same for the same tensors and metadata in the same order. The header is padded
/// with spaces to 8 bytes. Errors: names or keys that repeat or are not UTF-8, bytes that do not match a shape.
inline result<std::vector<std::byte>> format_safetensors(const tensor_file& file) {
    std::vector<std::uint64_t> begin(file.tensors.size());
    std::uint64_t size = 0;
    const std::vector<std::size_t> order = impl::writing_order(file);
    for (std::size_t i : order) {
        begin[i] = size;
        size += file.tensors[i].data.size();
    }
    result<std::string> text = impl::metadata_text(file);
    if (!text) return text.reason();
    std::unordered_set<std::string_view> names;
    for (std::size_t i = 0; i < file.tensors.size(); ++i) {
        const tensor_entry& entry = file.tensors[i];
        if (!names.insert(entry.name).second) return error{"two tensors have the name "} << printable(entry.name);
        const result<std::string> member = impl::entry_text(entry, begin[i]);
        if (!member) return member.reason();
        *text += (text->empty() ? "" : ",") + *member;
    }
    *text = "{" + *text + "}";
    text->resize((text->size() + 7) / 8 * 8, ' ');
    if (text->size() > most_header_bytes) return error{"the header would have "} << text->size() << " bytes, too many";

    std::vector<std::byte> bytes;
    bytes.reserve(impl::length_bytes + text->size() + size);
    for (std::size_t i = 0; i < impl::length_bytes; ++i)
        bytes.push_back(static_cast<std::byte>((std::uint64_t{text->size()} >> (8 * i)) & 0xff));
    const auto header = std::as_bytes(std::span{text->data(), text->size()});
    bytes.insert(bytes.end(), header.begin(), header.end());
    for (std::size_t i : order) bytes.insert(bytes.end(), file.tensors[i].data.begin(), file.tensors[i].data.end());
    return bytes;
}

/// Writes a safetensors file whole or not at all.
inline result<void> write_safetensors(const std::string& path, const tensor_file& file) {
    const result<std::vector<std::byte>> bytes = format_safetensors(file);
    if (!bytes) return error{path} << ": " << bytes.reason().text();
    return write_file_atomically(path, *bytes);
}

}  // namespace redoubt::io::inline REDOUBT_ABI
