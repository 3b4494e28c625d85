// SPDX-License-Identifier: MIT
// The JSON header of the safetensors format, read as a stream of events: memory stays in proportion to what is kept,
// nesting and repeated keys are caught where they stand, and no exception leaves the parser.
#pragma once

#include <redoubt/base/result.hpp>
#include <redoubt/io/printable.hpp>
#include <redoubt/io/tensor_file.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace redoubt::io::inline REDOUBT_ABI {

namespace impl {

/// What the header says of one tensor; offsets count from the end of the header.
struct header_entry {
    std::string name;
    dtype type{};
    std::vector<std::size_t> shape;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// The header as written; nothing is checked yet but its form.
struct tensor_header {
    std::vector<header_entry> entries;
    std::vector<std::pair<std::string, std::string>> metadata;
};

/// Takes the events of nlohmann's parser. The depth is bounded by the states: an object or array is accepted only where
/// the format has one.
class header_reader {
public:
    static constexpr std::size_t most_dimensions = 32;

    tensor_header header;
    error reason;

    bool null() { return wrong("null"); }
    bool boolean(bool) { return wrong("true or false"); }
    bool number_integer(std::int64_t) { return wrong("a negative number"); }
    bool number_float(double, const std::string& text) { return wrong("the number " + printable(text, 40)); }
    bool binary(nlohmann::json::binary_t&) { return wrong("binary data"); }

    bool number_unsigned(std::uint64_t value) {
        if (place_ == place::shape) {
            if (entry().shape.size() == most_dimensions)
                return refuse(fail() << "shape has more than " << most_dimensions << " dimensions");
            if (value > std::numeric_limits<std::size_t>::max()) return wrong("a number too large");
            entry().shape.push_back(static_cast<std::size_t>(value));
            return true;
        }
        if (place_ == place::offsets) {
            if (offsets_ == 0) entry().begin = value;
            if (offsets_ == 1) entry().end = value;
            if (++offsets_ > 2) return refuse(fail() << "data_offsets holds more than 2 numbers");
            return true;
        }
        return wrong("a number");
    }

    bool string(std::string& text) {
        if (place_ == place::metadata) {
            header.metadata.emplace_back(key_, std::move(text));
            return true;
        }
        if (place_ != place::entry || key_ != "dtype") return wrong("the string " + printable(text, 40));
        const std::optional<dtype> type = dtype_named(text);
        if (!type) return refuse(fail() << "unknown dtype " << printable(text, 40));
        entry().type = *type;
        return true;
    }

    bool start_object(std::size_t) {
        if (place_ == place::start) {
            place_ = place::top;
        } else if (place_ == place::top && key_ == metadata_key) {
            place_ = place::metadata;
        } else if (place_ == place::top) {
            header.entries.emplace_back().name = key_;
            place_ = place::entry;
        } else {
            return wrong("an object");
        }
        return true;
    }

    bool key(std::string& name) {
        key_ = std::move(name);
        if (place_ == place::top && !names_.insert(key_).second)
            return refuse(reason << "the header names " << printable(key_) << " twice");
        if (place_ == place::metadata && !metadata_keys_.insert(key_).second)
            return refuse(reason << metadata_key << " has the key " << printable(key_) << " twice");
        if (place_ == place::entry) return note_field();
        return true;
    }

    bool end_object() {
        if (place_ == place::entry) {
            for (std::size_t i = 0; i < fields.size(); ++i)
                if (!seen_[i]) return refuse(fail() << "has no " << fields[i]);
            seen_ = {};
        }
        place_ = place::top;
        return true;
    }

    bool start_array(std::size_t) {
        if (place_ != place::entry || key_ == "dtype") return wrong("an array");
        place_ = key_ == "shape" ? place::shape : place::offsets;
        offsets_ = 0;
        return true;
    }

    bool end_array() {
        if (place_ == place::offsets && offsets_ != 2)
            return refuse(fail() << "data_offsets holds " << offsets_ << " numbers, not 2");
        place_ = place::entry;
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& failure) {
        // the library's text begins with its own number and position
        std::string_view text = failure.what();
        if (const std::size_t at = text.find(": "); at != std::string_view::npos) text.remove_prefix(at + 2);
        reason << "the header is bad JSON at byte " << position << ": " << printable(text, 300);
        return false;
    }

private:
    enum class place { start, top, metadata, entry, shape, offsets };
    static constexpr std::string_view metadata_key = "__metadata__";
    static constexpr std::array<std::string_view, 3> fields{"dtype", "shape", "data_offsets"};

    header_entry& entry() { return header.entries.back(); }

    /// Stops the parser; its argument is the message, written before the call.
    static bool refuse(const error&) { return false; }

    /// Begins a message about the entry that is being read.
    error& fail() { return reason << "tensor " << printable(entry().name) << ": "; }

    bool note_field() {
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (fields[i] != key_) continue;
            if (seen_[i]) return refuse(fail() << "has " << fields[i] << " twice");
            return seen_[i] = true;
        }
        return refuse(fail() << "has the unknown field " << printable(key_));
    }

    /// Reports a value of the wrong type.
    bool wrong(std::string_view found) {
        switch (place_) {
            case place::start: reason << "the header is " << found << ", not an object"; break;
            case place::top:
                reason << "the value of " << printable(key_) << " is " << found << ", not an object";
                break;
            case place::metadata:
                reason << metadata_key << ": the value of " << printable(key_) << " is " << found << ", not a string";
                break;
            case place::entry:
                fail() << key_ << " is " << found << (key_ == "dtype" ? ", not a string" : ", not an array of numbers");
                break;
            case place::shape:
            case place::offsets: fail() << key_ << " holds " << found << ", not a whole number from 0"; break;
        }
        return false;
    }

    place place_ = place::start;
    std::string key_;
    std::array<bool, 3> seen_{};
    int offsets_ = 0;
    std::unordered_set<std::string> names_;
    std::unordered_set<std::string> metadata_keys_;
};

/// Reads the header's text. Errors say which entry and what, without the file's name.
inline result<tensor_header> read_tensor_header(std::string_view text) {
    if (text.empty() || text.front() != '{')
        return error{"the header is not a JSON object: it does not begin with '{'"};
    // JSON has none, but the parser takes one after the header for the end and would ignore what follows
    if (const std::size_t at = text.find('\0'); at != std::string_view::npos)
        return error{"the header is bad JSON at byte "} << at + 1 << ": a zero byte";
    header_reader reader;
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &reader)) return reader.reason;
    return std::move(reader.header);
}

}  // namespace impl

}  // namespace redoubt::io::inline REDOUBT_ABI
