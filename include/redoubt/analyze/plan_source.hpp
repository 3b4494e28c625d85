// SPDX-License-Identifier: MIT
// What all plans have in common as C++ headers: the network that they are for.
#pragma once

#include <redoubt/analyze/ranking.hpp>
#include <redoubt/io/checksum.hpp>
#include <redoubt/io/file.hpp>
#include <redoubt/io/printable.hpp>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

namespace redoubt::analyze::inline REDOUBT_ABI {

namespace impl {

inline bool is_keyword(std::string_view word) {
    constexpr std::string_view all[] = {
        "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char", "char8_t", "char16_t", "char32_t", "class", "co_await", "co_return",
        "co_yield", "compl", "concept", "const", "const_cast", "consteval", "constexpr", "constinit", "continue", "decltype", "default", "delete", "do", "double", "dynamic_cast", "else", "enum",
        "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator",
        "or", "or_eq", "private", "protected", "public", "register", "reinterpret_cast", "requires", "return", "short", "signed", "sizeof", "static", "static_assert", "static_cast", "struct",
        "switch", "template", "this", "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while", "xor",
        "xor_eq"};
    return std::find(std::begin(all), std::end(all), word) != std::end(all);
}

/// A header up to where the plan itself begins: what it is about, from which ranking; the namespace `name`, in it `layers`, `channels`, `filters`, `weights_crc32c`, and
/// `fits<Net>`, whether a network has these layers. Errors: a name that is none in C++ or is taken, layers whose names cannot stand in a source.
inline result<std::string> plan_source(const network_identity& of, std::string_view formula, const std::string& name, std::string_view about) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_word = [&](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_'; };
    const bool reserved = name.starts_with('_') || name.find("__") != std::string::npos || name == "std" || name == "redoubt" || is_keyword(name);
    if (name.empty() || is_digit(name[0]) || !std::all_of(name.begin(), name.end(), is_word) || reserved)
        return error{"a plan's header: "} << io::printable(name) << " is no name of a namespace";
    std::string names, outs, shapes;
    for (std::size_t s = 0; s < of.layers.size(); ++s) {
        const layer_identity& layer = of.layers[s];
        for (const char c : layer.name)
            if (!is_word(c) && c != '.' && c != '-') return error{"a plan's header: the layer's name "} << io::printable(layer.name) << " cannot stand in a source";
        const std::string comma = s == 0 ? "" : ", ";
        names += comma + '"' + layer.name + '"';
        outs += comma + std::to_string(layer.out);
        for (const int extent : {layer.rows, layer.columns, layer.in}) shapes += (shapes.empty() ? "" : ", ") + std::to_string(extent);
    }
    const std::string count = std::to_string(of.layers.size());
    std::string text = "// ";
    text += std::string{about} + ". Written by a program, from the ranking ";
    for (const char c : formula) text += is_word(c) || c == '-' ? c : '?';
    text += ".\n#pragma once\n\n#include <redoubt/redoubt.hpp>\n\n#include <array>\n#include <string_view>\n\nnamespace " + name + " {\n\n";
    text += "inline constexpr std::array<std::string_view, " + count + "> layers{" + names + "};\n";
    text += "inline constexpr std::array<int, " + count + "> channels{" + outs + "};\n";
    text += "/// Rows, columns and inputs of each layer's filters.\n";
    text += "inline constexpr std::array<int, " + std::to_string(3 * of.layers.size()) + "> filters{" + shapes + "};\n";
    text += "/// CRC-32C of the weights and biases that the plan was made for, in the order of the trained network, for the record: it is compared where parameters are made.\n";
    text += "inline constexpr unsigned weights_crc32c = 0x" + io::hex_of(of.weights) + "u;\n\n";
    text += "template <redoubt::network_type Net>\ninline constexpr bool fits = [] {\n    if (Net::table.slot_count != static_cast<int>(layers.size())) return false;\n"
            "    for (std::size_t s = 0; s < layers.size(); ++s)\n"
            "        if (const auto& g = Net::table.slots[s].geometry; Net::table.slots[s].name.view() != layers[s] || g.out.channels != channels[s] ||\n"
            "            g.kernel.h != filters[3 * s] || g.kernel.w != filters[3 * s + 1] || g.group_in() != filters[3 * s + 2])\n            return false;\n"
            "    return true;\n}();\n\n";
    return text;
}

}  // namespace impl

/// Writes a plan's JSON to a file, whole or not at all. Errors: a plan that is not whole, and files'.
template <class Plan>
result<void> write_plan(const std::string& path, const Plan& plan) {
    const auto text = plan_text(plan);
    if (!text) return text.reason();
    return io::write_file_atomically(path, std::string_view{*text});
}
/// The same of its header; errors of plan_header() besides.
template <class Plan>
result<void> write_plan_header(const std::string& path, const Plan& plan, const std::string& name) {
    const auto text = plan_header(plan, name);
    if (!text) return text.reason();
    return io::write_file_atomically(path, std::string_view{*text});
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
