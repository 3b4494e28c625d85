// SPDX-License-Identifier: MIT
// Rankings and plans as pages.
#pragma once

#include <redoubt/analyze/hardening.hpp>
#include <redoubt/analyze/learn_then_test.hpp>
#include <redoubt/analyze/pruning.hpp>
#include <redoubt/app/html_page.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace redoubt::app::inline v1 {

/// What a page says beside its ranking or plan.
struct analysis_notes {
    std::string command, model, weights, weights_crc32c, data;
};

/// One choice of a ratio under a guarantee.
struct tried_ratio {
    double ratio = 0.0;
    std::uint64_t changed = 0;  ///< calibration images whose answer is another than the whole network's
    double p_value = 1.0;
};

/// How a pruning plan was judged; empty lists and 0 where it was not.
struct pruning_judgement {
    std::uint64_t images = 0, right = 0, right_whole = 0;  ///< test images, and how many are right without the channels, before any further training, and with them
    std::uint64_t calibration = 0;
    analyze::guarantee asked{};
    std::vector<tried_ratio> tried;
    std::size_t taken = 0;
};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

namespace impl {

/// Shares of a layer's whole that its first channels hold, one line a layer, the diagonal as what chance would hold.
inline std::string share_chart(const analyze::ranking& r, const std::vector<std::vector<double>>& shares, std::string_view title) {
    constexpr double left = 46.0, top = 12.0, width = 330.0, height = 230.0;
    const auto place = [&](double x, double y) { return point{left + x * width, top + (1.0 - y) * height}; };
    std::string text = "<svg viewBox=\"0 0 400 286\" role=\"img\" aria-label=\"" + escaped(title) + "\">";
    for (int k = 0; k <= 5; ++k) {
        const double v = k / 5.0;
        text += line(place(0.0, v), place(1.0, v), "grid") + label({left - 6.0, place(0.0, v).y + 4.0}, fixed_text(100.0 * v, 0), "end faint small");
        text += label({place(v, 0.0).x, top + height + 16.0}, fixed_text(100.0 * v, 0), "mid faint small");
    }
    text += line(place(0.0, 0.0), place(1.0, 0.0), "axis") + "<path class=\"front\" d=\"M" + at(place(0.0, 0.0)) + "L" + at(place(1.0, 1.0)) + "\"/>";
    text += label({left + width / 2.0, top + height + 34.0}, "per cent of the layer's channels, most important first", "mid faint small");
    for (std::size_t s = 0; s < shares.size(); ++s) {
        std::vector<point> points{place(0.0, 0.0)};
        for (std::size_t i = 0; i < shares[s].size(); ++i) points.push_back(place(static_cast<double>(i + 1) / static_cast<double>(shares[s].size()), shares[s][i]));
        text += "<g class=\"s" + std::to_string(1 + s % 7) + " d" + std::to_string(s / 7 % 5) + "\">" + tooltip(r.of.layers[s].name) + polyline(points, "curve") + "</g>";
    }
    return text + "</svg>";
}

class analysis_page : html_page {
public:
    std::string ranked(const std::vector<analyze::ranking>& all, const analysis_notes& notes) {
        begin("What matters in " + notes.model);
        paragraph("Output channels by what a fault in them is expected to do. Every number below stands in the files of the rankings.", "faint");
        asked(notes, {});
        heading("Rankings");
        paragraph("Lines show which share of a layer's sum its first channels hold; the dashed line is what an order by chance would hold. A line far above it says that few channels carry most of "
                  "the layer: those are worth protecting, the rest may be worth removing. Names appear under the pointer.");
        out_ += "<div class=\"figures\">\n";
        for (const analyze::ranking& r : all) figure(r.formula, images_of(r), share_chart(r, shares_of(r), r.formula));
        out_ += "</div>\n";
        for (const analyze::ranking& r : all) layers(r);
        if (all.size() > 1) agreement(all);
        return ended();
    }
    std::string hardened(const analyze::hardening_plan& plan, const analysis_notes& notes) {
        begin("Hardening of " + notes.model);
        paragraph("Which channels are computed twice, and what that covers. Beside this page lie the plan as JSON, as a header that makes a type of it, and the weights with the channels in its order.", "faint");
        const double added = static_cast<double>(plan.added) / static_cast<double>(std::max<std::uint64_t>(1, plan.multiply_adds));
        asked(notes, {{"ranking", plan.formula}, {"multiply-adds", std::to_string(plan.multiply_adds) + ", copies add " + percent_text(added) + " %"}});
        heading("Layers");
        paragraph("Covered is the share of the layer's contribution that lies in channels computed twice, or in a layer that is computed three times from three copies of its parameters.");
        open_table("Layers", {"layer", "how"}, {"channels", "twice", "covered, %"});
        for (std::size_t s = 0; s < plan.layers.size(); ++s) {
            const auto& p = plan.layers[s];
            line({plan.of.layers[s].name, p.tripled ? "all three times" : p.duplicated > 0 ? "twice" : "as it is"},
                 {std::to_string(plan.of.layers[s].out), std::to_string(p.duplicated), percent_text(p.covered)});
        }
        close_table();
        return ended();
    }
    std::string pruned(const analyze::pruning_plan& plan, const pruning_judgement& judged, const analysis_notes& notes) {
        begin("Pruning of " + notes.model);
        paragraph("Which channels stay. Beside this page lie the plan as JSON, as a header that makes a type of it, and the weights of the channels that stay.", "faint");
        const auto of = [](std::uint64_t left, std::uint64_t all) {
            return std::to_string(left) + " of " + std::to_string(all) + ", " + percent_text(static_cast<double>(left) / static_cast<double>(std::max<std::uint64_t>(1, all))) + " %";
        };
        asked(notes, {{"ranking", plan.formula}, {"multiply-adds", of(plan.left, plan.multiply_adds)}, {"weights", of(plan.words_left, plan.words)},
                      {"right, whole", judged.images == 0 ? "" : of(judged.right_whole, judged.images)},
                      {"right, pruned, before training goes on", judged.images == 0 ? "" : of(judged.right, judged.images)}});
        if (!judged.tried.empty()) guarantee(judged);
        heading("Layers");
        paragraph("Lost is the share of the layer's contribution that the removed channels had.");
        open_table("Layers", {"layer"}, {"channels", "left", "lost, %"});
        for (std::size_t s = 0; s < plan.channels.size(); ++s)
            line({plan.of.layers[s].name}, {std::to_string(plan.of.layers[s].out), std::to_string(plan.channels[s]), percent_text(plan.lost[s])});
        close_table();
        return ended();
    }

private:
    static std::string images_of(const analyze::ranking& r) {
        if (r.images == 0) return {};
        return "from " + std::to_string(r.images) + " images" + (r.left_out == 0 ? std::string{} : ", " + std::to_string(r.left_out) + " left out");
    }
    static std::vector<std::vector<double>> shares_of(const analyze::ranking& r) {
        std::vector<std::vector<double>> all;
        for (std::size_t s = 0; s < r.layers.size(); ++s) {
            const auto order = analyze::order_of(r, static_cast<int>(s));
            all.push_back(order ? analyze::cumulative(r.layers[s].channels, *order) : std::vector<double>{});
        }
        return all;
    }
    void asked(const analysis_notes& notes, std::initializer_list<std::pair<std::string_view, std::string>> more) {
        heading("What was asked");
        out_ += "<dl>\n";
        fact("network", notes.model);
        fact("weights", notes.weights + ", CRC-32C " + notes.weights_crc32c);
        fact("images", notes.data);
        for (const auto& [name, text] : more) fact(name, text);
        out_ += "</dl>\n<pre>" + escaped(notes.command) + "</pre>\n";
    }
    void layers(const analyze::ranking& r) {
        out_ += "<h3>" + escaped(r.formula) + "</h3>\n";
        double whole = 0.0;
        for (std::size_t s = 0; s < r.layers.size(); ++s) whole += sum_of(r, s);
        open_table(r.formula, {"layer", "first channels"}, {"channels", "weights of each", "share of the network, %", "in its first 15 %, %", "in its first 30 %, %"});
        const auto shares = shares_of(r);
        for (std::size_t s = 0; s < r.layers.size(); ++s) {
            const auto order = analyze::order_of(r, static_cast<int>(s));
            std::string first;
            for (std::size_t i = 0; order && i < std::min<std::size_t>(5, order->size()); ++i) first += (i == 0 ? "" : ", ") + std::to_string((*order)[i]);
            const auto held = [&](double ratio) {
                const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(ratio * static_cast<double>(shares[s].size())));
                return shares[s].empty() ? std::string{} : percent_text(shares[s][count - 1]);
            };
            line({r.of.layers[s].name, first}, {std::to_string(r.of.layers[s].out), std::to_string(r.of.layers[s].fan_in()), whole > 0.0 ? percent_text(sum_of(r, s) / whole) : "-", held(0.15), held(0.3)});
        }
        close_table();
    }
    static double sum_of(const analyze::ranking& r, std::size_t s) {
        double sum = 0.0;
        for (std::size_t c = 0; c < r.layers[s].channels.size(); ++c) sum += analyze::contribution(r, static_cast<int>(s), c);
        return sum;
    }
    void agreement(const std::vector<analyze::ranking>& all) {
        const auto judge = std::find_if(all.begin(), all.end(), [](const analyze::ranking& r) { return r.formula == "measured"; });
        const analyze::ranking& first = judge == all.end() ? all.front() : *judge;
        heading("Agreement with " + first.formula);
        paragraph("Spearman's rank correlation within layers, their mean by number of channels, and which share of the first 15 % of channels both orders name. 1 is the same order, 0 is none; layers "
                  "without an order of their own are left out of the mean.");
        open_table("Agreement", {"ranking"}, {"correlation", "first channels in common, %"});
        for (const analyze::ranking& r : all) {
            if (&r == &first) continue;
            const auto both = analyze::compare(r, first);
            if (!both) continue;
            double shared = 0.0, channels = 0.0;
            for (std::size_t s = 0; s < both->size(); ++s) {
                shared += (*both)[s].shared * static_cast<double>(r.of.layers[s].out);
                channels += static_cast<double>(r.of.layers[s].out);
            }
            const auto mean = analyze::mean_correlation(r.of, *both);
            line({r.formula}, {mean ? fixed_text(*mean, 3) : "-", percent_text(shared / channels)});
        }
        close_table();
    }
    void guarantee(const pruning_judgement& j) {
        heading("Guarantee");
        paragraph("Learn-then-Test: ratios were tried from the smallest on, over " + std::to_string(j.calibration) + " drawn test images, and taken up to the first at which the hypothesis that more than " +
                  percent_text(j.asked.alpha) + " % of answers differ from the whole network's could not be rejected at " + percent_text(j.asked.delta) +
                  " %. With probability " + percent_text(1.0 - j.asked.delta) + " % over draws of images like these no more differ with the ratio taken, before training goes on.");
        open_table("Guarantee", {"taken"}, {"ratio, %", "answers that differ", "p-value"});
        for (std::size_t i = 0; i < j.tried.size(); ++i)
            line({i < j.taken ? "yes" : "no"}, {percent_text(j.tried[i].ratio), std::to_string(j.tried[i].changed), p_text(j.tried[i].p_value)});
        close_table();
    }
};

}  // namespace impl

/// Rankings of one network, with their agreement where there are several.
inline std::string ranking_page(const std::vector<analyze::ranking>& all, const analysis_notes& notes) { return impl::analysis_page{}.ranked(all, notes); }
inline std::string hardening_page(const analyze::hardening_plan& plan, const analysis_notes& notes) { return impl::analysis_page{}.hardened(plan, notes); }
inline std::string pruning_page(const analyze::pruning_plan& plan, const pruning_judgement& judged, const analysis_notes& notes) {
    return impl::analysis_page{}.pruned(plan, judged, notes);
}

}  // namespace redoubt::app::inline REDOUBT_ABI
