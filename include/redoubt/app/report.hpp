// SPDX-License-Identifier: MIT
// Results as a table for people and as JSON and CSV for programs. Timings stand in objects of their own.
#pragma once

#include <redoubt/app/options.hpp>
#include <redoubt/app/results.hpp>
#include <redoubt/campaign/summary.hpp>
#include <redoubt/io/file.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::app::inline REDOUBT_ABI {

namespace impl {

template <class... Args>
std::string format(const char* pattern, Args... args) {
    std::array<char, 256> text{};
    std::snprintf(text.data(), text.size(), pattern, args...);
    return text.data();
}
inline std::string percent(const campaign::estimate& e) {
    return format("%5.1f [%5.1f, %5.1f]", 100.0 * e.rate, 100.0 * e.bounds.low, 100.0 * e.bounds.high);
}
inline std::string amount(const campaign::cell_spec& spec) {
    if (spec.faults.count != 0) return format("n=%llu", static_cast<unsigned long long>(spec.faults.count));
    return spec.faults.rate == 0.0 ? "clean" : format("%.3g", spec.faults.rate);
}
inline nlohmann::ordered_json to_json(const campaign::estimate& e) {
    return {{"rate", e.rate}, {"low", e.bounds.low}, {"high", e.bounds.high}};
}

inline nlohmann::ordered_json to_json(const campaign::paired_difference& d) {
    return {{"difference", d.difference}, {"low", d.bounds.low}, {"high", d.bounds.high}, {"trials_above", d.first_only},
            {"trials_below", d.second_only}, {"p_value", d.p_value}};
}
/// A time without end is null: JSON has no infinity.
inline nlohmann::ordered_json to_json(const campaign::field_rate& f) {
    const auto finite = [](double v) { return v < std::numeric_limits<double>::infinity() ? nlohmann::ordered_json(v) : nlohmann::ordered_json(); };
    return {{"fit", {{"rate", f.fit}, {"low", f.fit_low}, {"high", f.fit_high}}},
            {"mttf_hours", {{"mean", finite(f.hours)}, {"low", finite(f.hours_low)}, {"high", finite(f.hours_high)}}}};
}

/// The cells of one curve over bit error rates, rising, each rate once; clean cells have no place on it.
struct rate_curve {
    const campaign::cell_summary* of = nullptr;
    std::vector<campaign::curve_point> accuracy;
};
inline std::vector<rate_curve> curves_of(const std::vector<campaign::cell_summary>& cells) {
    std::vector<rate_curve> all;
    for (const auto& c : cells) {
        if (c.spec.faults.count != 0 || c.spec.faults.rate == 0.0) continue;
        const auto same = [&](const rate_curve& r) {
            return r.of->spec.kind == c.spec.kind && r.of->model == c.model && r.of->number == c.number && r.of->protection == c.protection;
        };
        auto at = std::find_if(all.begin(), all.end(), same);
        if (at == all.end()) at = all.insert(all.end(), rate_curve{&c, {}});
        at->accuracy.push_back({c.spec.faults.rate, c.accuracy.rate});
    }
    std::erase_if(all, [](rate_curve& r) {
        const auto rate = [](const campaign::curve_point& p) { return p.rate; };
        std::ranges::sort(r.accuracy, {}, rate);
        const auto repeated = std::ranges::unique(r.accuracy, {}, rate);
        r.accuracy.erase(repeated.begin(), repeated.end());
        return r.accuracy.size() < 2;
    });
    return all;
}

/// A word as a POSIX shell takes it, in quotes where it needs them.
inline std::string shell_word(const std::string& word) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
    if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
    std::string quoted = "'";
    for (char c : word) quoted += c == '\'' ? std::string{"'\\''"} : std::string{c};
    return quoted + "'";
}

/// What the cells have, each once, in their order.
inline std::vector<std::string> protections_of(const std::vector<campaign::cell_summary>& cells) {
    std::vector<std::string> all;
    for (const auto& c : cells)
        if (std::find(all.begin(), all.end(), c.protection) == all.end()) all.push_back(c.protection);
    return all;
}
inline std::vector<double> rates_of(const std::vector<campaign::cell_summary>& cells) {
    std::vector<double> all;
    for (const auto& c : cells) {
        const bool known = std::find(all.begin(), all.end(), c.spec.faults.rate) != all.end();
        if (c.spec.faults.count == 0 && !known) all.push_back(c.spec.faults.rate);
    }
    return all;
}

}  // namespace impl

/// Cells of more trials list none of them in results.json: the journal has them.
inline constexpr std::size_t most_listed_trials = 10000;

/// One printed line; the header where `cell` is null.
inline std::string table_row(const campaign::cell_summary* cell) {
    if (cell == nullptr)
        return impl::format("%-11s %-9s %-6s %-14s %-7s %-6s %-21s %-21s %6s %6s", "faults in", "model", "number",
                            "protection", "BER", "clean", "accuracy % [95 %]", "SDC-1 % [95 %]", "time", "memory");
    return impl::format("%-11s %-9s %-6s %-14s %-7s %5.1f  %-21s %-21s %6.2f %6.2f", std::string{name_of(cell->spec.kind)}.c_str(),
                        cell->model.c_str(), cell->number.c_str(), cell->protection.c_str(),
                        impl::amount(cell->spec).c_str(), 100.0 * cell->clean_accuracy, impl::percent(cell->accuracy).c_str(),
                        impl::percent(cell->sdc1).c_str(), cell->time_factor, cell->memory_factor);
}

/// The command line that gives these results again: every part of the plan, defaults spelled out. --out, --threads and
/// --record do not belong to it.
inline std::string command_of(const options& o) {
    std::string text = impl::shell_word(o.program);
    options::for_each_of_plan(o, [&](const char* name, const auto& member) {
        using type = std::remove_cvref_t<decltype(member)>;
        std::string option = std::string{" --"} + name, value;
        std::replace(option.begin(), option.end(), '_', '-');
        if constexpr (std::is_same_v<type, bool>) {
            if (member) text += option;
            return;
        } else if constexpr (std::is_same_v<type, std::string>) {
            value = member;
        } else if constexpr (std::is_same_v<type, std::vector<std::string>>) {
            value = impl::joined_list(member, ",");
        } else if constexpr (std::is_same_v<type, std::vector<double>>) {
            std::vector<std::string> words;
            for (double v : member) words.push_back(nlohmann::json(v).dump());
            value = impl::joined_list(words, ",");
        } else if constexpr (std::is_same_v<type, double>) {
            if (member != 0.0) value = nlohmann::json(member).dump();
        } else {
            if (member != 0) value = std::to_string(member);
        }
        if (!value.empty()) text += option + " " + impl::shell_word(value);
    });
    return text;
}

/// Everything that was asked and found, as docs/results-schema.md has it. The same options give the same bytes, but for
/// the objects named `timing`.
inline nlohmann::ordered_json results_json(const options& o, const std::vector<weights_result>& weights,
                                           const std::vector<campaign::cell_summary>& cells, std::size_t images, const std::string& ranking_crc32c = {}) {
    nlohmann::ordered_json j;
    j["schema"] = results_schema;
    j["program"] = {{"name", "redoubt"}, {"version", "0.1.0"}};
    j["command"] = command_of(o);
    j["options"] = {{"data", o.data}, {"seed", o.seed}, {"trials", o.trials}, {"images", images},
                    {"calibration_images", o.calibration}, {"bits", o.bits}, {"layer", o.layer}, {"flips", o.flips},
                    {"normalise", o.normalise}, {"fault_model", o.fault_model}, {"lasts", o.lasts}, {"sampling", o.sampling},
                    {"ranking", o.ranking}, {"margin", o.margin}, {"relative_margin", o.relative_margin}, {"fit_per_megabit", o.fit_per_megabit},
                    {"faults", o.faults}, {"models", o.models}, {"numbers", o.numbers},
                    {"protections", impl::protections_of(cells)}, {"rates", impl::rates_of(cells)}};
    if (!ranking_crc32c.empty()) j["options"]["ranking_crc32c"] = ranking_crc32c;
    j["weights"] = nlohmann::ordered_json::array();
    for (const weights_result& w : weights) j["weights"].push_back({{"model", w.model}, {"file", w.file}, {"crc32c", w.crc32c}});
    j["confidence"] = 0.95;
    j["cells"] = nlohmann::ordered_json::array();
    for (const campaign::cell_summary& c : cells) {
        nlohmann::ordered_json cell;
        cell["fault"] = name_of(c.spec.kind);
        cell["covers"] = campaign::covers_of(c.spec.kind, c.spec.faults.count != 0);
        cell["model"] = c.model;
        cell["number"] = c.number;
        cell["protection"] = c.protection;
        cell["ber"] = c.spec.faults.rate;
        cell["flips"] = c.spec.faults.count;
        cell["site_bits"] = c.site_bits;
        cell["clean_accuracy"] = c.clean_accuracy;
        cell["clean_top1_as_none"] = c.clean_top1_as_none;
        cell["accuracy"] = impl::to_json(c.accuracy);
        cell["sdc1"] = impl::to_json(c.sdc1);
        cell["sdc5"] = impl::to_json(c.sdc5);
        cell["sdc10"] = impl::to_json(c.sdc10);
        cell["masked"] = impl::to_json(c.masked);
        cell["critical"] = impl::to_json(c.critical);
        cell["due"] = impl::to_json(c.due);
        cell["unusable"] = impl::to_json(c.unusable);
        cell["faults"] = c.faults;
        cell["detected"] = c.detected;
        cell["corrected"] = c.corrected;
        cell["uncorrected"] = c.uncorrected;
        cell["out_of_range"] = c.out_of_range;
        cell["memory_factor"] = c.memory_factor;
        cell["timing"] = {{"time_factor", c.time_factor}};
        if (c.accuracy_gain && c.sdc1_gain)
            cell["minus_none"] = {{"accuracy", impl::to_json(*c.accuracy_gain)}, {"sdc1", impl::to_json(*c.sdc1_gain)}};
        if (c.field) cell["field"] = impl::to_json(*c.field);
        if (!c.places.empty()) {
            cell["by_layer_and_bit"] = nlohmann::ordered_json::array();
            for (const campaign::place_summary& p : c.places)
                cell["by_layer_and_bit"].push_back({{"layer", p.layer}, {"bit", p.bit}, {"trials", p.trials},
                    {"sdc1", static_cast<double>(p.changed) / static_cast<double>(p.trials * images)}});
        }
        cell["trial_count"] = c.trials.size();
        if (c.trials.size() <= most_listed_trials) {
            cell["trials"] = nlohmann::ordered_json::array();
            for (const campaign::trial_result& t : c.trials) {
                nlohmann::ordered_json counts;
                campaign::trial_result::for_each(t, [&](const char* name, auto v) { counts[name] = v; });
                cell["trials"].push_back(std::move(counts));
            }
        }
        j["cells"].push_back(std::move(cell));
    }
    j["curves"] = nlohmann::ordered_json::array();
    for (const impl::rate_curve& curve : impl::curves_of(cells))
        j["curves"].push_back({{"fault", name_of(curve.of->spec.kind)}, {"model", curve.of->model}, {"number", curve.of->number},
                               {"protection", curve.of->protection}, {"lowest_ber", curve.accuracy.front().rate},
                               {"highest_ber", curve.accuracy.back().rate}, {"mean_accuracy", campaign::area_under(curve.accuracy)}});
    return j;
}

/// One line a cell. The last column is a timing.
inline std::string results_csv(const std::vector<campaign::cell_summary>& cells) {
    std::string text = "fault,model,number,protection,ber,flips,clean_accuracy,accuracy,accuracy_low,accuracy_high,sdc1,"
                       "sdc1_low,sdc1_high,faults,detected,corrected,uncorrected,out_of_range,memory_factor,timing_factor\n";
    for (const campaign::cell_summary& c : cells) {
        text += std::string{name_of(c.spec.kind)} + "," + c.model + "," + c.number + "," + c.protection + "," +
                impl::format("%.9g,%llu,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,", c.spec.faults.rate,
                             static_cast<unsigned long long>(c.spec.faults.count), c.clean_accuracy, c.accuracy.rate,
                             c.accuracy.bounds.low, c.accuracy.bounds.high, c.sdc1.rate, c.sdc1.bounds.low, c.sdc1.bounds.high) +
                impl::format("%llu,%llu,%llu,%llu,%llu,%.4f,%.4f\n", static_cast<unsigned long long>(c.faults),
                             static_cast<unsigned long long>(c.detected), static_cast<unsigned long long>(c.corrected),
                             static_cast<unsigned long long>(c.uncorrected), static_cast<unsigned long long>(c.out_of_range),
                             c.memory_factor, c.time_factor);
    }
    return text;
}

}  // namespace redoubt::app::inline REDOUBT_ABI
