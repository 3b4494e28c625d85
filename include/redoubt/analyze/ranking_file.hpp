// SPDX-License-Identifier: MIT
// Rankings as JSON files.
#pragma once

#include <redoubt/analyze/ranking.hpp>
#include <redoubt/io/checksum.hpp>
#include <redoubt/io/file.hpp>
#include <redoubt/io/json_fields.hpp>
#include <redoubt/io/printable.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace redoubt::analyze::inline v1 {

/// The schema that write_ranking() writes and read_ranking() takes.
inline constexpr std::uint64_t ranking_schema = 1;

}  // namespace redoubt::analyze::inline v1

namespace redoubt::analyze::inline REDOUBT_ABI {

namespace impl {

using json = io::json_fields::json;

inline json json_of(const network_identity& of) {
    json layers = json::array();
    for (const layer_identity& l : of.layers)
        layers.push_back({{"name", l.name}, {"out", l.out}, {"rows", l.rows}, {"columns", l.columns}, {"in", l.in}, {"linear", l.is_linear}});
    return {{"weights_crc32c", io::hex_of(of.weights)}, {"layers", std::move(layers)}};
}
inline network_identity read_identity(const io::json_fields& f) {
    constexpr std::uint64_t most = 1u << 20;
    network_identity of;
    const std::string sum = f.text("weights_crc32c");
    const auto [end, failure] = std::from_chars(sum.data(), sum.data() + sum.size(), of.weights, 16);
    if (failure != std::errc{} || end != sum.data() + sum.size() || sum.size() != 8) f.refuse("weights_crc32c must be eight hexadecimal digits");
    f.objects("layers", [&](const io::json_fields& l) {
        const auto extent = [&](const char* name) { return static_cast<int>(l.count(name, most)); };
        of.layers.push_back({l.text("name"), extent("out"), extent("rows"), extent("columns"), extent("in"), l.flag("linear")});
    });
    return of;
}

/// Takes a ranking or a plan out of JSON: its kind, schema, formula and network, what fill(fields, to) takes, and whether it is whole. Errors begin with `source`.
template <class T, class Fill>
result<T> taken(const json& j, std::string_view source, std::string_view kind, std::uint64_t schema, Fill&& fill) {
    std::optional<error> wrong;
    const io::json_fields f{j, "", wrong};
    T to;
    const std::uint64_t its = f.count("schema");
    if (!wrong && its != schema) wrong = error{"schema: is "} << its << ", this program reads " << schema;
    if (const std::string what = f.text("kind"); !wrong && what != kind) wrong = error{"kind: is "} << what << ", not " << kind;
    to.formula = f.text("formula");
    to.of = read_identity(f.object("network"));
    fill(f, to);
    if (!wrong)
        if (auto whole = check(to); !whole) wrong = whole.reason();
    if (wrong) return error{source} << ": " << wrong->text();
    return to;
}

/// The JSON that a file of ours holds; errors name the file.
inline result<json> parse_json(std::span<const std::byte> bytes, const std::string& path) {
    const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    try {
        return json::parse(text);
    } catch (const json::parse_error& e) {
        const std::size_t at = std::min<std::size_t>(e.byte, text.size()), begin = at < 12 ? 0 : at - 12;
        if (e.byte > text.size()) return error{path} << ": is cut off after " << text.size() << " bytes";
        return error{path} << ": is no JSON at byte " << at << ", after " << io::printable(text.substr(begin, at - begin));
    } catch (const json::exception& e) {
        return error{path} << ": " << e.what();
    }
}
inline result<json> read_json(const std::string& path) {
    const auto bytes = io::read_file(path, std::size_t{1} << 31);
    if (!bytes) return bytes.reason();
    return parse_json(*bytes, path);
}

}  // namespace impl

/// A ranking's JSON text; numbers are read back to the bit. Errors: a ranking that is not whole.
inline result<std::string> ranking_text(const ranking& r) {
    if (auto whole = check(r); !whole) return whole.reason();
    impl::json j{{"schema", ranking_schema}, {"kind", "ranking"}, {"formula", r.formula}, {"per_fault", r.per_fault},
                 {"images", r.images}, {"left_out", r.left_out}, {"network", impl::json_of(r.of)}};
    impl::json layers = impl::json::array();
    for (const layer_scores& s : r.layers) {
        impl::json layer{{"channels", s.channels}};
        if (!s.low.empty()) layer["low"] = s.low;
        if (!s.high.empty()) layer["high"] = s.high;
        if (!s.weights.empty()) layer["weights"] = s.weights;
        layers.push_back(std::move(layer));
    }
    j["layers"] = std::move(layers);
    return j.dump(1) + "\n";
}

/// Writes it to a file, whole or not at all.
inline result<void> write_ranking(const std::string& path, const ranking& r) {
    const auto text = ranking_text(r);
    if (!text) return text.reason();
    return io::write_file_atomically(path, std::string_view{*text});
}

/// A ranking out of its JSON, whole. `source` is what errors name.
inline result<ranking> parse_ranking(const impl::json& j, std::string_view source) {
    return impl::taken<ranking>(j, source, "ranking", ranking_schema, [](const io::json_fields& f, ranking& r) {
        r.per_fault = f.flag("per_fault");
        r.images = f.count("images");
        r.left_out = f.count("left_out");
        constexpr double most = std::numeric_limits<double>::max();
        f.objects("layers", [&](const io::json_fields& l) {
            layer_scores s;
            s.channels = l.numbers("channels", -most, most);
            if (l.has("low")) s.low = l.numbers("low", -most, most);
            if (l.has("high")) s.high = l.numbers("high", -most, most);
            if (l.has("weights")) s.weights = l.numbers("weights", -most, most);
            r.layers.push_back(std::move(s));
        });
    });
}

/// Reads a ranking. Errors: no such file, no JSON, cut off, another schema, fields that are missing or of another kind, NaN, too few scores; each says where.
/// Whether it is of a network at hand, difference(r.of, identity_of<Net>(weights)) says.
inline result<ranking> read_ranking(const std::string& path) {
    const auto j = impl::read_json(path);
    if (!j) return j.reason();
    return parse_ranking(*j, path);
}
/// The same of a file's bytes, read already.
inline result<ranking> ranking_from_bytes(std::span<const std::byte> bytes, const std::string& path) {
    const auto j = impl::parse_json(bytes, path);
    if (!j) return j.reason();
    return parse_ranking(*j, path);
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
