// SPDX-License-Identifier: MIT
// Plans of pruning as JSON files, and as C++ headers that make a smaller network's type of them.
#pragma once

#include <redoubt/analyze/plan_source.hpp>
#include <redoubt/analyze/pruning.hpp>
#include <redoubt/analyze/ranking_file.hpp>

#include <string>
#include <utility>

namespace redoubt::analyze::inline v1 {

/// The schema that write_plan() writes of a pruning_plan and read_pruning_plan() takes.
inline constexpr std::uint64_t pruning_schema = 1;

}  // namespace redoubt::analyze::inline v1

namespace redoubt::analyze::inline REDOUBT_ABI {

/// A plan's JSON text. Errors: a plan that is not whole.
inline result<std::string> plan_text(const pruning_plan& plan) {
    if (auto whole = check(plan); !whole) return whole.reason();
    const impl::json j{{"schema", pruning_schema}, {"kind", "pruning"}, {"formula", plan.formula}, {"multiply_adds", plan.multiply_adds}, {"left", plan.left},
                       {"weights", plan.words}, {"weights_left", plan.words_left}, {"network", impl::json_of(plan.of)}, {"channels", plan.channels}, {"lost", plan.lost}, {"kept", plan.kept}};
    return j.dump(1) + "\n";
}

/// Reads a plan. Errors say the file, the field and what is wrong. Whether it is for the network at hand, misfit() says.
inline result<pruning_plan> read_pruning_plan(const std::string& path) {
    const auto j = impl::read_json(path);
    if (!j) return j.reason();
    return impl::taken<pruning_plan>(*j, path, "pruning", pruning_schema, [](const io::json_fields& f, pruning_plan& plan) {
        plan.multiply_adds = f.count("multiply_adds");
        plan.left = f.count("left");
        plan.words = f.count("weights");
        plan.words_left = f.count("weights_left");
        for (const std::uint64_t count : f.counts("channels", 65535)) plan.channels.push_back(static_cast<int>(count));
        plan.lost = f.numbers("lost", 0.0, 1.0);
        f.lists("kept", [&](const std::vector<std::uint64_t>& list) { plan.kept.emplace_back(list.begin(), list.end()); }, 65535);
    });
}

/// The plan as a C++ header: `name::kept`, output channels by layer; `name::pruned<Net>`, the smaller network's type, which does not compile for a network of other layers. Its parameters
/// are loaded from the checkpoint with the same channels (io::select_channels), or made by pruned_parameters(). Errors as of the other plan's header.
inline result<std::string> plan_header(const pruning_plan& plan, const std::string& name) {
    if (auto whole = check(plan); !whole) return whole.reason();
    auto head = impl::plan_source(plan.of, plan.formula, name, "Which channels a pruned network has");
    if (!head) return head.reason();
    std::string text = std::move(*head), counts;
    for (const int c : plan.channels) counts += (counts.empty() ? "" : ", ") + std::to_string(c);
    text += "inline constexpr std::array<int, " + std::to_string(plan.channels.size()) + "> kept{" + counts + "};\n\n";
    text += "template <redoubt::network_type Net, bool Fits>\nstruct applied { using type = Net; };\ntemplate <redoubt::network_type Net>\nstruct applied<Net, true> { using type = redoubt::pruned<Net, kept>; };\n"
            "template <redoubt::network_type Net>\nstruct checked {\n    static_assert(fits<Net>, \"redoubt: the plan is for a network of other layers\");\n    using type = typename applied<Net, fits<Net>>::type;\n};\n\n"
            "/// The network with these many channels.\ntemplate <redoubt::network_type Net>\nusing pruned = typename checked<Net>::type;\n\n}  // namespace " + name + "\n";
    return text;
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
