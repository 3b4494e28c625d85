// SPDX-License-Identifier: MIT
// The results of a campaign as one HTML file that asks for nothing else: no script, no font, no picture from elsewhere.
#pragma once

#include <redoubt/app/accuracy_chart.hpp>
#include <redoubt/app/heat_map.hpp>
#include <redoubt/app/html_page.hpp>
#include <redoubt/app/json_file.hpp>
#include <redoubt/app/pareto_chart.hpp>
#include <redoubt/app/results.hpp>
#include <redoubt/io/file.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt::app::inline REDOUBT_ABI {

namespace impl {

/// Writes the page, section by section.
class page_writer : html_page {
public:
    explicit page_writer(const campaign_results& r) : r_{r} {
        for (const cell_result& c : r_.cells) {
            add(protections_, c.protection);
            add_cell(groups_, c, [&](const cell_result& o) { return same_network(o, c); });
            add_cell(rivals_, c, [&](const cell_result& o) { return same_network(o, c) && o.ber == c.ber && o.flips == c.flips; });
        }
        for (auto* all : {&groups_, &rivals_})
            for (chart_cells& some : *all) some.protections = protections_;
    }

    std::string write() {
        const std::string networks = r_.models.empty() ? "no network" : joined(r_.models);
        const std::string title = "Faults in " + networks + ": accuracy, silent errors, costs";
        begin(title);
        paragraph("A fault-injection campaign of " + r_.program + " " + r_.version + ". Every number below stands in its results.json.",
                  "faint");
        asked();
        accuracy();
        layers_and_bits();
        costs();
        pairs();
        curves();
        field();
        table();
        reading();
        return ended();
    }

private:
    static bool same_network(const cell_result& a, const cell_result& b) {
        return a.fault == b.fault && a.model == b.model && a.number == b.number && (a.flips != 0) == (b.flips != 0);
    }
    static void add(std::vector<std::string>& words, const std::string& word) {
        if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
    }
    template <class Belongs>
    static void add_cell(std::vector<chart_cells>& all, const cell_result& cell, Belongs belongs) {
        const auto at = std::find_if(all.begin(), all.end(), [&](const chart_cells& some) { return belongs(*some.cells.front()); });
        if (at == all.end()) all.push_back({{&cell}, {}});
        else at->cells.push_back(&cell);
    }
    static std::string joined(const std::vector<std::string>& words) {
        std::string text;
        for (const std::string& w : words) text += (text.empty() ? "" : ", ") + w;
        return text;
    }
    static std::string where(const cell_result& c) { return "faults in " + c.fault + ", " + c.model + ", " + c.number; }

    void legend() {
        out_ += "<p class=\"legend\">";
        for (std::size_t s = 0; s < protections_.size(); ++s)
            out_ += "<span><svg class=\"swatch " + series_class(s) + "\" viewBox=\"0 0 14 14\" aria-hidden=\"true\">" +
                    marker(s, {7.0, 7.0}) + "</svg>" + escaped(shortened(protections_[s], 40)) + "</span>";
        out_ += "</p>\n";
    }

    void asked() {
        heading("What was asked");
        std::string rates;
        for (double rate : r_.rates) rates += (rates.empty() ? "" : ", ") + rate_text(rate);
        out_ += "<dl>\n";
        fact("data", r_.data);
        fact("networks", joined(r_.models));
        for (const weights_result& w : r_.weights) fact("weights of " + w.model, w.file + ", CRC-32C " + w.crc32c);
        fact("numbers", joined(r_.numbers));
        fact("faults in", joined(r_.faults));
        fact("bit error rates", rates);
        if (r_.flips != 0) fact("flips", std::to_string(r_.flips) + " distinct bits, instead of a rate");
        fact("bits struck", r_.bits);
        fact("layer", r_.layer.empty() ? "all" : r_.layer);
        fact("protections", joined(r_.protections));
        fact("order of channels by", r_.ranking_crc32c.empty() ? r_.ranking : r_.ranking + ", CRC-32C " + r_.ranking_crc32c);
        if (r_.margin > 0.0) fact("margin", "SDC-1 to " + percent_text(r_.margin) + " points either way");
        if (r_.relative_margin > 0.0) fact("relative margin", "SDC-1 to " + percent_text(r_.relative_margin) + " % of itself either way");
        if (r_.fit_per_megabit > 0.0) fact("raw upsets", shortest_text(r_.fit_per_megabit) + " FIT per megabit of 10^6 bits");
        const bool stops = r_.margin > 0.0 || r_.relative_margin > 0.0;
        fact("trials", (stops ? "at most " : "") + std::to_string(r_.trials) + " a cell, each over the same " + std::to_string(r_.images) + " test images");
        fact("calibration", std::to_string(r_.calibration_images) + " training images");
        fact("mean/deviation", r_.normalise);
        fact("seed", std::to_string(r_.seed));
        out_ += "</dl>\n";
        paragraph("The command that gives the same results again, apart from timings:");
        out_ += "<pre>" + escaped(r_.command) + "</pre>\n";
    }

    void accuracy() {
        heading("Accuracy");
        if (r_.cells.empty()) return paragraph("No cell was run.");
        paragraph("Lines are means over trials, whiskers and bands their " + shortest_text(100.0 * r_.confidence) +
                  " % intervals, open markers the accuracy without faults. Protections stand side by side at one rate so that equal "
                  "figures can be told apart. Figures appear under the pointer.");
        legend();
        out_ += "<div class=\"figures\">\n";
        for (const chart_cells& some : groups_) {
            const std::string name = where(*some.cells.front());
            figure(name, "", accuracy_chart(some, "Accuracy, " + name));
        }
        out_ += "</div>\n";
    }

    void layers_and_bits() {
        heading("Layer and bit");
        std::size_t maps = 0;
        for (const cell_result& c : r_.cells) maps += c.by_layer_and_bit.empty() ? 0u : 1u;
        if (maps == 0) return paragraph("This campaign has no results by layer and bit.");
        paragraph("SDC-1 where one bit of one layer was struck, in per cent. Bit 0 is the least significant. A 0 means that no trial "
                  "showed a change, and says as much as there were trials; their number appears under the pointer.");
        out_ += heat_legend() + "\n<div class=\"figures maps\">\n";
        std::size_t id = 0;
        for (const cell_result& c : r_.cells) {
            if (c.by_layer_and_bit.empty()) continue;
            const std::string name = c.protection + ", " + where(c);
            figure(c.protection, where(c) + ", " + amount_text(c),
                   heat_map(c.by_layer_and_bit, "SDC-1 by layer and bit, " + name, std::to_string(id++)));
        }
        out_ += "</div>\n";
    }

    void costs() {
        heading("What protection costs and leaves");
        const auto compares = [](const chart_cells& some) {
            return some.cells.front()->amount() > 0.0 && some.cells.size() > 1;
        };
        if (std::none_of(rivals_.begin(), rivals_.end(), compares))
            return paragraph("There are no two protections under the same faults to compare.");
        paragraph("Residual SDC-1 (logarithmic) against the factors of time and memory over the unprotected network, with intervals as "
                  "whiskers. Where no change was seen, the open marker stands at the upper bound, because that is all the trials "
                  "show; an arrow means that the interval goes on below the axis. The dashed front goes through upper bounds, which trials "
                  "promise of every protection alike: to those ringed, no other is better in bound or cost and as good in the other.");
        legend();
        out_ += "<div class=\"figures pairs\">\n";
        for (const chart_cells& some : rivals_) {
            if (!compares(some)) continue;
            const cell_result& c = *some.cells.front();
            const std::string name = where(c) + ", " + amount_text(c);
            figure(amount_text(c), where(c), "<div class=\"pair\">" + pareto_chart(some, cost::time, "SDC-1 against time, " + name) +
                                                 pareto_chart(some, cost::memory, "SDC-1 against memory, " + name) + "</div>");
        }
        out_ += "</div>\n";
    }

    static std::string points_text(const difference_result& d) {
        const auto points = [](double v) { return (v > 0.0 ? "+" : "") + fixed_text(100.0 * v, 1); };
        return points(d.difference) + " [" + points(d.low) + ", " + points(d.high) + "]";
    }

    void pairs() {
        const auto compared = [](const cell_result& c) { return c.accuracy_gain.has_value(); };
        if (std::none_of(r_.cells.begin(), r_.cells.end(), compared)) return;
        heading("Beside the unprotected network, fault by fault");
        paragraph("Every protection met the faults that the unprotected network met, so trials are compared in pairs, which scatter far less "
                  "than two rates. Differences in points, protected minus unprotected, with intervals; p is McNemar's, of the numbers of trials "
                  "that went better and worse: how likely so uneven a split would be if the protection did nothing.");
        open_table("Beside the unprotected network", {"faults in", "model", "number", "protection"}, {"BER", "accuracy", "p", "SDC-1", "p"});
        for (const chart_cells& some : rivals_) {
            bool first = true;
            for (const cell_result* c : some.cells) {
                if (!compared(*c)) continue;
                line({c->fault, c->model, c->number, c->protection},
                     {c->flips != 0 ? amount_text(*c) : rate_text(c->ber), points_text(*c->accuracy_gain), p_text(c->accuracy_gain->p_value),
                      points_text(*c->sdc1_gain), p_text(c->sdc1_gain->p_value)}, std::exchange(first, false));
            }
        }
        close_table();
    }

    void curves() {
        if (r_.curves.empty()) return;
        heading("One number for a curve");
        paragraph("The mean accuracy over the logarithm of the bit error rate: the area under the curve above, over its width. It depends on "
                  "which rates were run, so compare within this page.");
        open_table("Areas", {"faults in", "model", "number", "protection"}, {"from BER", "to BER", "mean accuracy"});
        for (const curve_result& c : r_.curves)
            line({c.fault, c.model, c.number, c.protection}, {rate_text(c.lowest_ber), rate_text(c.highest_ber), percent_text(c.mean_accuracy)});
        close_table();
    }

    void field() {
        const auto known = [](const cell_result& c) { return c.field.has_value(); };
        if (std::none_of(r_.cells.begin(), r_.cells.end(), known)) return;
        heading("Failures in the field");
        paragraph("SDC-1 of a single fault (the architectural vulnerability factor) times the bits of the fault space times the raw rate. Taken as "
                  "exact: that rate, and that a fault is put right before the next one comes. FIT are failures in 10^9 hours.");
        open_table("Failures in the field", {"faults in", "model", "number", "protection"}, {"FIT", "MTTF in hours"});
        const auto short_number = [](double v) { return v == 0.0 ? std::string{"0"} : v >= 0.01 && v < 1e6 ? fixed_text(v, v < 10.0 ? 3 : 0) : scientific_text(v); };
        const auto hours = [&](const std::optional<double>& v) { return v ? short_number(*v) : std::string{"no end"}; };
        for (const cell_result& c : r_.cells) {
            if (!known(c)) continue;
            line({c.fault, c.model, c.number, c.protection},
                 {short_number(c.field->fit) + " [" + short_number(c.field->fit_low) + ", " + short_number(c.field->fit_high) + "]",
                  hours(c.field->hours) + " [" + hours(c.field->hours_low) + ", " + hours(c.field->hours_high) + "]"});
        }
        close_table();
    }

    void table() {
        heading("All cells");
        if (r_.cells.empty()) return paragraph("No cell was run.");
        paragraph("Rates in per cent, with their intervals in brackets; time and memory are factors over the unprotected network.");
        open_table("All cells", {"faults in", "model", "number", "protection"},
                   {"BER", "clean", "trials", "accuracy", "SDC-1", "time", "memory", "unusable", "faults", "detected", "corrected",
                    "uncorrected", "out of range"});
        for (const chart_cells& some : rivals_)
            for (const cell_result* c : some.cells) row(*c, c == some.cells.front());
        close_table();
    }
    void row(const cell_result& c, bool first) {
        const std::string amount = c.flips != 0 ? amount_text(c) : c.ber == 0.0 ? "clean" : rate_text(c.ber);
        const std::string time = c.time_factor ? fixed_text(*c.time_factor, 2) : "-";
        line({c.fault, c.model, c.number, c.protection},
             {amount, percent_text(c.clean_accuracy), std::to_string(c.trial_count != 0 ? c.trial_count : r_.trials), interval_text(c.accuracy),
              interval_text(c.sdc1), time, fixed_text(c.memory_factor, 2), interval_text(c.unusable), std::to_string(c.faults),
              std::to_string(c.detected), std::to_string(c.corrected), std::to_string(c.uncorrected), std::to_string(c.out_of_range)}, first);
    }

    void reading() {
        heading("How to read this");
        std::vector<std::string> covers;
        for (const cell_result& c : r_.cells)
            add(covers, (c.flips != 0 ? "The count of flips in " : "BER in ") + c.fault + " covers " + c.covers + ".");
        out_ += "<ul>\n";
        for (const std::string& text : covers) out_ += "<li>" + escaped(text) + "</li>\n";
        out_ += "<li>SDC-1: images whose top-1 is not that of the fault-free run of the same network with the same protection. "
                "Unusable: images with NaN or infinity among the outputs. Clean: accuracy without faults.</li>\n"
                "<li>Detected, corrected, uncorrected and out of range are sums of the counters that protections keep. They count what was "
                "seen, for weights at each read, and so are no counts of faults.</li>\n<li>Intervals are two-sided at " +
                shortest_text(100.0 * r_.confidence) +
                " %. The trial is the unit: images of one trial share their faults, in ways that nobody knows, so nothing is assumed of them. "
                "The trials' rates are independent values from 0 to 1, and the interval leaves room for a catastrophe that no trial met: it is "
                "wide for few trials. Past 1,000 trials, and where trials end at a margin, it holds at every look at once. An exhaustive "
                "campaign has no interval.</li>\n"
                "<li>Times are the best of interleaved fault-free runs on one machine; they alone differ from run to run.</li>\n"
                "<li>A figure is about the fault space that its line names, and about nothing else. Machine code, control flow, addresses "
                "and image buffers are never struck; the figures hold for these weights on these images.</li>\n</ul>\n";
    }

    const campaign_results& r_;
    std::vector<std::string> protections_;
    std::vector<chart_cells> groups_;  ///< cells of one drawing of accuracy
    std::vector<chart_cells> rivals_;  ///< protections under the same faults
};

}  // namespace impl

/// One HTML page with everything the JSON says (docs/results-schema.md): plan, accuracy, layers and bits, costs, all cells.
/// The same JSON gives the same bytes. No figure is on it that the JSON has not, apart from the axes. Errors are those of
/// read_results: which field is missing or wrong.
inline result<std::string> report_page(const nlohmann::ordered_json& results) {
    const auto read = read_results(results);
    if (!read) return read.reason();
    return impl::page_writer{*read}.write();
}

/// Reads a results.json and writes its page, whole or not at all. Errors name the file, and what in it is wrong.
inline result<void> write_report(const std::string& results_path, const std::string& out_path) {
    const auto page = read_json_file(results_path, io::default_read_limit, [](const nlohmann::ordered_json& results) { return report_page(results); });
    if (!page) return page.reason();
    return io::write_file_atomically(out_path, *page);
}

}  // namespace redoubt::app::inline REDOUBT_ABI
