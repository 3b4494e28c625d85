// SPDX-License-Identifier: MIT
// The few messages of ONNX files that the conformance test needs, read from the protobuf wire format. Bytes are not
// trusted: whatever they are, reading ends with a value or with nothing.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace support::onnx {

using bytes_view = std::span<const std::byte>;

/// The fields of one message, one after the other.
class wire {
public:
    struct field {
        std::uint64_t number = 0;
        std::uint64_t value = 0;  ///< of a varint, or the bits of a fixed width
        bytes_view bytes{};       ///< of a length-delimited field
        bool has_bytes = false;
    };

    explicit wire(bytes_view bytes) : rest_{bytes} {}

    /// False at the end, and where the bytes are none of the format's; sound() tells which.
    bool next(field& f) {
        if (rest_.empty()) return false;
        f = {};
        std::uint64_t tag = 0;
        if (!varint(tag)) return false;
        f.number = tag >> 3;
        switch (tag & 7u) {
            case 0: return varint(f.value);
            case 1: return fixed(8, f.value);
            case 5: return fixed(4, f.value);
            case 2: {
                std::uint64_t size = 0;
                if (!varint(size) || size > rest_.size()) return sound_ = false;
                f.bytes = rest_.first(static_cast<std::size_t>(size));
                f.has_bytes = true;
                rest_ = rest_.subspan(static_cast<std::size_t>(size));
                return true;
            }
            default: return sound_ = false;
        }
    }
    /// One number of a packed field.
    bool varint(std::uint64_t& value) {
        value = 0;
        for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
            const auto byte = std::to_integer<std::uint64_t>(rest_[0]);
            rest_ = rest_.subspan(1);
            value |= (byte & 127u) << shift;
            if (byte < 128) return true;
        }
        return sound_ = false;
    }
    bool fixed(std::size_t width, std::uint64_t& value) {
        value = 0;
        if (rest_.size() < width) return sound_ = false;
        for (std::size_t i = width; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(rest_[i]);
        rest_ = rest_.subspan(width);
        return true;
    }
    bool empty() const { return rest_.empty(); }
    bool sound() const { return sound_; }

private:
    bytes_view rest_;
    bool sound_ = true;
};

/// Element types, as TensorProto numbers them.
enum class element { float32 = 1, uint8 = 2, int8 = 3, int32 = 6, int64 = 7, boolean = 9, float64 = 11 };

/// A tensor; doubles hold every element of the types above, int64 within 2^53.
struct tensor {
    std::string name;
    element type{};
    std::vector<std::int64_t> dims;
    std::vector<double> values;
};

struct attribute {
    std::string name;
    float f = 0.0f;
    std::int64_t i = 0;
    std::string s;
    std::vector<std::int64_t> ints;
};

struct node {
    std::string op;
    std::vector<std::string> inputs, outputs;
    std::vector<attribute> attributes;

    const attribute* find(std::string_view name) const {
        for (const attribute& a : attributes)
            if (a.name == name) return &a;
        return nullptr;
    }
};

struct model {
    std::vector<node> nodes;
    std::vector<std::string> inputs, outputs;
    std::vector<tensor> initializers;
    std::int64_t opset = 0;
};

namespace detail {

inline std::string text(bytes_view b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

inline bool add_ints(const wire::field& f, std::vector<std::int64_t>& to) {
    if (!f.has_bytes) return to.push_back(static_cast<std::int64_t>(f.value)), true;
    wire packed{f.bytes};
    for (std::uint64_t v = 0; !packed.empty();) {
        if (!packed.varint(v)) return false;
        to.push_back(static_cast<std::int64_t>(v));
    }
    return true;
}
inline double real(std::uint64_t bits, std::size_t width) {
    if (width == 8) return std::bit_cast<double>(bits);
    return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
}
inline bool add_reals(const wire::field& f, std::size_t width, std::vector<double>& to) {
    if (!f.has_bytes) return to.push_back(real(f.value, width)), true;
    wire packed{f.bytes};
    for (std::uint64_t v = 0; !packed.empty();) {
        if (!packed.fixed(width, v)) return false;
        to.push_back(real(v, width));
    }
    return true;
}
/// Little-endian elements side by side.
inline bool add_raw(bytes_view raw, element type, std::vector<double>& to) {
    const bool is_real = type == element::float32 || type == element::float64;
    const std::size_t width = type == element::float64 || type == element::int64 ? 8
                              : type == element::float32 || type == element::int32 ? 4 : 1;
    wire packed{raw};
    for (std::uint64_t v = 0; !packed.empty();) {
        if (!packed.fixed(width, v)) return false;
        if (is_real) to.push_back(real(v, width));
        else if (type == element::int64) to.push_back(static_cast<double>(static_cast<std::int64_t>(v)));
        else if (type == element::int32) to.push_back(static_cast<std::int32_t>(v));
        else if (type == element::int8) to.push_back(static_cast<std::int8_t>(v));
        else to.push_back(static_cast<double>(v));
    }
    return true;
}

inline std::optional<attribute> read_attribute(bytes_view bytes) {
    attribute a;
    wire w{bytes};
    for (wire::field f; w.next(f);) {
        if (f.number == 1) a.name = text(f.bytes);
        if (f.number == 2) a.f = std::bit_cast<float>(static_cast<std::uint32_t>(f.value));
        if (f.number == 3) a.i = static_cast<std::int64_t>(f.value);
        if (f.number == 4) a.s = text(f.bytes);
        if (f.number == 8 && !add_ints(f, a.ints)) return {};
    }
    return w.sound() ? std::optional{a} : std::nullopt;
}

inline std::optional<node> read_node(bytes_view bytes) {
    node n;
    wire w{bytes};
    for (wire::field f; w.next(f);) {
        if (f.number == 1) n.inputs.push_back(text(f.bytes));
        if (f.number == 2) n.outputs.push_back(text(f.bytes));
        if (f.number == 4) n.op = text(f.bytes);
        if (f.number == 5) {
            const auto a = read_attribute(f.bytes);
            if (!a) return {};
            n.attributes.push_back(*a);
        }
    }
    return w.sound() ? std::optional{n} : std::nullopt;
}

}  // namespace detail

/// A TensorProto of an element type above whose elements are as many as its extents say, at most 2^24.
inline std::optional<tensor> read_tensor(bytes_view bytes) {
    tensor t;
    std::uint64_t type = 0;
    std::optional<bytes_view> raw;
    std::vector<std::int64_t> ints;
    wire w{bytes};
    for (wire::field f; w.next(f);) {
        if (f.number == 1 && !detail::add_ints(f, t.dims)) return {};
        if (f.number == 2) type = f.value;
        if (f.number == 4 && !detail::add_reals(f, 4, t.values)) return {};
        if ((f.number == 5 || f.number == 7) && !detail::add_ints(f, ints)) return {};
        if (f.number == 8) t.name = detail::text(f.bytes);
        if (f.number == 9) raw = f.bytes;
        if (f.number == 10 && !detail::add_reals(f, 8, t.values)) return {};
    }
    t.type = static_cast<element>(type);
    constexpr element known[] = {element::float32, element::uint8, element::int8, element::int32, element::int64,
                                 element::boolean, element::float64};
    bool is_known = false;
    for (element e : known) is_known = is_known || e == t.type;
    if (!w.sound() || !is_known || (raw && !detail::add_raw(*raw, t.type, t.values))) return {};
    for (std::int64_t v : ints) t.values.push_back(static_cast<double>(v));
    std::int64_t count = 1;
    for (std::int64_t extent : t.dims) {
        if (extent < 0 || (extent > 0 && count > (std::int64_t{1} << 24) / extent)) return {};
        count *= extent;
    }
    if (static_cast<std::uint64_t>(count) != t.values.size()) return {};
    return t;
}

/// A ModelProto.
inline std::optional<model> read_model(bytes_view bytes) {
    model m;
    bytes_view graph;
    wire w{bytes};
    for (wire::field f; w.next(f);) {
        if (f.number == 7) graph = f.bytes;
        if (f.number == 8) {
            wire import{f.bytes};
            std::string domain;
            std::int64_t version = 0;
            for (wire::field g; import.next(g);) {
                if (g.number == 1) domain = detail::text(g.bytes);
                if (g.number == 2) version = static_cast<std::int64_t>(g.value);
            }
            if (domain.empty()) m.opset = version;
        }
    }
    wire g{graph};
    for (wire::field f; g.next(f);) {
        if (f.number == 1) {
            const auto n = detail::read_node(f.bytes);
            if (!n) return {};
            m.nodes.push_back(*n);
        }
        if (f.number == 5) {
            const auto t = read_tensor(f.bytes);
            if (!t) return {};
            m.initializers.push_back(*t);
        }
        if (f.number == 11 || f.number == 12) {
            wire info{f.bytes};
            std::string name;
            for (wire::field i; info.next(i);)
                if (i.number == 1) name = detail::text(i.bytes);
            (f.number == 11 ? m.inputs : m.outputs).push_back(name);
        }
    }
    if (!w.sound() || !g.sound()) return {};
    return m;
}

}  // namespace support::onnx
