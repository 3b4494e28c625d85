// SPDX-License-Identifier: MIT
// The cells of a campaign: planned from what was asked, and looked at side by side once they are finished.
#pragma once

#include <redoubt/app/options.hpp>
#include <redoubt/campaign/subject.hpp>
#include <redoubt/campaign/summary.hpp>

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <utility>

namespace redoubt::app::inline REDOUBT_ABI {

/// A cell, on what it runs, and whose golden answers it is judged by.
struct planned_cell {
    campaign::cell_summary summary;
    const campaign::subject* subject = nullptr;
    std::size_t golden = 0;
};

/// The kind of a word that check_plan has let through.
inline campaign::fault_kind kind_of(const std::string& word) {
    const auto& names = campaign::fault_kind_names;
    return static_cast<campaign::fault_kind>(std::find(names.begin(), names.end(), word) - names.begin());
}

/// What a cell asks for, checked against what there is to strike.
inline result<void> plan_cell(planned_cell& cell, const options& asked, campaign::fault_kind kind, double rate) {
    campaign::cell_spec& spec = cell.summary.spec;
    spec.kind = kind;
    spec.seed = asked.seed;
    spec.trials = asked.trials;
    spec.stop = {asked.margin, asked.relative_margin};
    spec.faults.rate = rate;
    spec.faults.count = asked.flips;
    spec.faults.lasts = asked.lasts;
    read_bits(asked.bits, spec.faults);  // the command line was checked
    read_fault_model(asked.fault_model, spec.faults.model);
    if (asked.sampling == "exhaustive") spec.by = campaign::sampling::exhaustive;
    if (asked.sampling == "stratified") spec.by = campaign::sampling::stratified;
    if (spec.by != campaign::sampling::uniform) spec.faults.count = 1;
    if (!asked.layer.empty()) {
        const auto names = cell.subject->layer_names();
        const auto at = std::find(names.begin(), names.end(), asked.layer);
        if (at == names.end())
            return error{"--layer: "} << cell.summary.model << " has no layer '" << asked.layer << "'; see --names";
        spec.faults.only_slot = static_cast<int>(at - names.begin());
    }
    cell.summary.site_bits = cell.subject->site_bits(spec);
    if (cell.summary.site_bits == 0)
        return error{"--bits "} << asked.bits << " --fault-model " << asked.fault_model << ": no such bits in " << name_of(kind)
                                << " of " << cell.summary.number << " with " << cell.summary.protection;
    if (spec.faults.count > cell.summary.site_bits)
        return error{"--flips: "} << spec.faults.count << " distinct bits asked for, there are " << cell.summary.site_bits;
    if (spec.by == campaign::sampling::exhaustive) {
        if (cell.summary.site_bits > 1'000'000'000)
            return error{"--sampling exhaustive: "} << cell.summary.site_bits << " places are too many; narrow them by --layer or --bits";
        spec.trials = static_cast<int>(cell.summary.site_bits);
    }
    if (const auto strata = cell.subject->strata(spec); static_cast<std::uint64_t>(spec.trials) < strata.view().count())
        return error{"--trials: "} << spec.trials << " leave strata without a fault; there are " << strata.view().count()
                                   << " layers and bits";
    return {};
}

/// Each protected cell beside the unprotected one under the same faults.
inline void compare_cells(std::span<planned_cell> cells, std::size_t images) {
    for (planned_cell& cell : cells) {
        const auto same = [&](const planned_cell& other) {
            const auto &a = cell.summary, &b = other.summary;
            return b.protection == "none" && a.model == b.model && a.number == b.number && a.spec.kind == b.spec.kind &&
                   a.spec.faults.rate == b.spec.faults.rate && a.spec.faults.count == b.spec.faults.count;
        };
        const auto none = std::find_if(cells.begin(), cells.end(), same);
        if (none != cells.end() && cell.summary.protection != "none") compare_with(cell.summary, none->summary, images);
    }
}

/// SDC-1 by layer and bit, where each trial has one fault.
inline void add_places(planned_cell& cell) {
    campaign::cell_summary& summary = cell.summary;
    if (!in_parameters(summary.spec.kind) || summary.spec.faults.count != 1) return;
    const auto names = cell.subject->layer_names();
    std::map<std::pair<int, int>, campaign::place_summary> places;
    for (std::size_t t = 0; t < summary.trials.size(); ++t) {
        const campaign::fault_place at = cell.subject->place_of(summary.spec, static_cast<int>(t));
        if (at.slot < 0) continue;
        campaign::place_summary& p = places[{at.slot, at.bit}];
        p.layer = names[static_cast<std::size_t>(at.slot)];
        p.bit = at.bit;
        ++p.trials;
        p.changed += summary.trials[t].changed;
    }
    for (const auto& [key, p] : places) summary.places.push_back(p);
}

}  // namespace redoubt::app::inline REDOUBT_ABI
