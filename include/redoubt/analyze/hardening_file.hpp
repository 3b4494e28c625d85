// SPDX-License-Identifier: MIT
// Plans of hardening as JSON files, and as C++ headers that make a type of them.
#pragma once

#include <redoubt/analyze/hardening.hpp>
#include <redoubt/analyze/plan_source.hpp>
#include <redoubt/analyze/ranking_file.hpp>

#include <string>
#include <utility>

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

/// Reads a plan. Errors say the file, the field and what is wrong. Whether it is for the network at hand, reordered() says.
inline result<hardening_plan> read_plan(const std::string& path) {
    const auto j = impl::read_json(path);
    if (!j) return j.reason();
    return impl::taken<hardening_plan>(*j, path, "hardening", plan_schema, [](const io::json_fields& f, hardening_plan& plan) {
        plan.multiply_adds = f.count("multiply_adds");
        plan.added = f.count("added");
        f.objects("layers", [&](const io::json_fields& l) {
            plan.layers.push_back({static_cast<int>(l.count("duplicated", 1u << 20)), l.flag("tripled"), l.rate("covered")});
        });
        f.lists("orders", [&](const std::vector<std::uint64_t>& order) { plan.orders.emplace_back(order.begin(), order.end()); }, 65535);
    });
}

/// The plan as a C++ header for devices: `name::duplicated`, channels by layer; `name::hardened<Net>`, the type, which does not compile for a network of other
/// layers. Its parameters must be those of reordered(), converted: the header cannot tell them from others of the same layers. Errors: a name that is none in C++ or is taken, layers whose
/// names cannot stand in a source.
inline result<std::string> plan_header(const hardening_plan& plan, const std::string& name) {
    if (auto whole = check(plan); !whole) return whole.reason();
    std::string twice, thrice;
    for (std::size_t l = 0; l < plan.layers.size(); ++l) {
        twice += (l == 0 ? "" : ", ") + std::to_string(plan.layers[l].duplicated);
        if (!plan.layers[l].tripled) continue;
        for (const char* protection : {"tmr", "tmr_parameters"})
            thrice += ",\n                                 redoubt::protect_number<" + std::to_string(l) + ", redoubt::" + protection + ">";
    }
    auto head = impl::plan_source(plan.of, plan.formula, name, "Which channels a hardened network computes twice");
    if (!head) return head.reason();
    std::string text = std::move(*head);
    text += "inline constexpr std::array<int, " + std::to_string(plan.layers.size()) + "> duplicated{" + twice + "};\n\n";
    text += "template <redoubt::network_type Net, template <int, class...> class Duplicate>\nstruct applied {\n"
            "    static_assert(fits<Net>, \"redoubt: the plan is for a network of other layers\");\n"
            "    using type = redoubt::harden<Net, redoubt::duplicate_counts<duplicated, Duplicate>" + thrice + ">;\n};\n\n";
    text += "/// The network with these channels computed twice; its parameters are converted from those in the plan's order.\n"
            "template <redoubt::network_type Net, template <int, class...> class Duplicate = redoubt::duplicate>\n"
            "using hardened = typename applied<Net, Duplicate>::type;\n\n}  // namespace " + name + "\n";
    return text;
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
