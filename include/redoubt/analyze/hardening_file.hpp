// SPDX-License-Identifier: MIT
// Plans of hardening as JSON files, and as C++ headers that make a type of them.
#pragma once

#include <redoubt/analyze/hardening.hpp>
#include <redoubt/analyze/ranking_file.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace redoubt::analyze::inline v1 {

/// The schema that write_plan() writes and read_plan() takes.
inline constexpr std::uint64_t plan_schema = 1;

}  // namespace redoubt::analyze::inline v1

namespace redoubt::analyze::inline REDOUBT_ABI {

/// A plan's JSON text. Errors: a plan that is not whole.
inline result<std::string> plan_text(const hardening_plan& plan) {
    if (auto whole = check(plan); !whole) return whole.reason();
    impl::json layers = impl::json::array();
    for (const planned_layer& p : plan.layers) layers.push_back({{"duplicated", p.duplicated}, {"tripled", p.tripled}, {"covered", p.covered}});
    const impl::json j{{"schema", plan_schema}, {"kind", "hardening"}, {"formula", plan.formula}, {"multiply_adds", plan.multiply_adds}, {"added", plan.added},
                       {"network", impl::json_of(plan.of)}, {"layers", std::move(layers)}, {"orders", plan.orders}};
    return j.dump(1) + "\n";
}

/// Writes it to a file, whole or not at all.
inline result<void> write_plan(const std::string& path, const hardening_plan& plan) {
    const auto text = plan_text(plan);
    if (!text) return text.reason();
    return io::write_file_atomically(path, std::string_view{*text});
}

/// Reads a plan. Errors say the file, the field and what is wrong. Whether it is for the network at hand, reordered() says.
inline result<hardening_plan> read_plan(const std::string& path) {
    const auto j = impl::read_json(path);
    if (!j) return j.reason();
    std::optional<error> wrong;
    const io::json_fields f{*j, "", wrong};
    hardening_plan plan;
    impl::read_head(f, wrong, "hardening", plan_schema, plan.formula, plan.of);
    plan.multiply_adds = f.count("multiply_adds");
    plan.added = f.count("added");
    f.objects("layers", [&](const io::json_fields& l) {
        plan.layers.push_back({static_cast<int>(l.count("duplicated", 1u << 20)), l.flag("tripled"), l.rate("covered")});
    });
    f.lists("orders", [&](const std::vector<std::uint64_t>& order) { plan.orders.emplace_back(order.begin(), order.end()); }, 65535);
    if (!wrong)
        if (auto whole = check(plan); !whole) wrong = whole.reason();
    if (wrong) return error{path} << ": " << wrong->text();
    return plan;
}

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
}  // namespace impl

/// The plan as a C++ header for devices: `name::duplicated`, channels by layer; `name::hardened<Net>`, the type, which does not compile for a network of other
/// layers. Its parameters must be those of reordered(), converted: the header cannot tell them from others of the same layers. Errors: a name that is none in C++ or is taken, layers whose
/// names cannot stand in a source.
inline result<std::string> plan_header(const hardening_plan& plan, const std::string& name) {
    if (auto whole = check(plan); !whole) return whole.reason();
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_word = [&](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_'; };
    const bool reserved = name.starts_with('_') || name.find("__") != std::string::npos || name == "std" || name == "redoubt" || impl::is_keyword(name);
    if (name.empty() || is_digit(name[0]) || !std::all_of(name.begin(), name.end(), is_word) || reserved)
        return error{"a plan's header: "} << io::printable(name) << " is no name of a namespace";
    std::string names, outs, twice, thrice, shapes;
    for (std::size_t s = 0; s < plan.layers.size(); ++s) {
        const layer_identity& layer = plan.of.layers[s];
        for (const char c : layer.name)
            if (!is_word(c) && c != '.' && c != '-') return error{"a plan's header: the layer's name "} << io::printable(layer.name) << " cannot stand in a source";
        const std::string comma = s == 0 ? "" : ", ";
        names += comma + '"' + layer.name + '"';
        outs += comma + std::to_string(layer.out);
        for (const int extent : {layer.rows, layer.columns, layer.in}) shapes += (shapes.empty() ? "" : ", ") + std::to_string(extent);
        twice += comma + std::to_string(plan.layers[s].duplicated);
        if (!plan.layers[s].tripled) continue;
        for (const char* protection : {"tmr", "tmr_parameters"})
            thrice += ",\n                                 redoubt::protect_number<" + std::to_string(s) + ", redoubt::" + protection + ">";
    }
    const std::string count = std::to_string(plan.layers.size());
    std::string text = "// Which channels a hardened network computes twice. Written by a program, from the ranking ";
    for (const char c : plan.formula) text += is_word(c) || c == '-' ? c : '?';
    text += ".\n#pragma once\n\n#include <redoubt/redoubt.hpp>\n\n#include <array>\n#include <string_view>\n\nnamespace " + name + " {\n\n";
    text += "inline constexpr std::array<std::string_view, " + count + "> layers{" + names + "};\n";
    text += "inline constexpr std::array<int, " + count + "> channels{" + outs + "};\n";
    text += "inline constexpr std::array<int, " + count + "> duplicated{" + twice + "};\n";
    text += "/// Rows, columns and inputs of each layer's filters.\n";
    text += "inline constexpr std::array<int, " + std::to_string(3 * plan.layers.size()) + "> filters{" + shapes + "};\n";
    text += "/// CRC-32C of the weights and biases that the plan was made for, in the order of the trained network, for the record: reordered() compares it where parameters are made.\n";
    text += "inline constexpr unsigned weights_crc32c = 0x" + io::hex_of(plan.of.weights) + "u;\n\n";
    text += "template <redoubt::network_type Net>\ninline constexpr bool fits = [] {\n    if (Net::table.slot_count != static_cast<int>(layers.size())) return false;\n"
            "    for (std::size_t s = 0; s < layers.size(); ++s)\n"
            "        if (const auto& g = Net::table.slots[s].geometry; Net::table.slots[s].name.view() != layers[s] || g.out.channels != channels[s] ||\n"
            "            g.kernel.h != filters[3 * s] || g.kernel.w != filters[3 * s + 1] || g.group_in() != filters[3 * s + 2])\n            return false;\n"
            "    return true;\n}();\n\n";
    text += "template <redoubt::network_type Net, template <int, class...> class Duplicate>\nstruct applied {\n"
            "    static_assert(fits<Net>, \"redoubt: the plan is for a network of other layers\");\n"
            "    using type = redoubt::harden<Net, redoubt::duplicate_counts<duplicated, Duplicate>" + thrice + ">;\n};\n\n";
    text += "/// The network with these channels computed twice; its parameters are converted from those in the plan's order.\n"
            "template <redoubt::network_type Net, template <int, class...> class Duplicate = redoubt::duplicate>\n"
            "using hardened = typename applied<Net, Duplicate>::type;\n\n}  // namespace " + name + "\n";
    return text;
}

/// Writes it to a file, whole or not at all.
inline result<void> write_plan_header(const std::string& path, const hardening_plan& plan, const std::string& name) {
    const auto text = plan_header(plan, name);
    if (!text) return text.reason();
    return io::write_file_atomically(path, std::string_view{*text});
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
