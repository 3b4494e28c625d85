// SPDX-License-Identifier: MIT
// Accuracy against bit error rate or number of flips.
#pragma once

#include <redoubt/app/chart.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::app::inline REDOUBT_ABI {

namespace impl {

/// Accuracy against the amount of faults: lines, bands, clean levels, and names at the right end.
class accuracy_drawing {
public:
    explicit accuracy_drawing(const chart_cells& some) : some_{some}, series_{series_of(some)} {
        for (const cell_result* c : some.cells)
            if (c->amount() > 0.0) amounts_.push_back(c->amount());
        std::sort(amounts_.begin(), amounts_.end());
        amounts_.erase(std::unique(amounts_.begin(), amounts_.end()), amounts_.end());
        bottom_ = top + std::max(200.0, text_height * static_cast<double>(series_.size()));
    }

    std::string draw(std::string_view name) const {
        std::string out = svg_open(width, bottom_ + 38.0, name) + axes();
        for (std::size_t s : series_) out += band(s);
        for (std::size_t s : series_) out += clean_level(s) + curve(s);
        return out + names() + "</svg>";
    }

private:
    static constexpr double width = 440.0, left = 34.0, right = 320.0, top = 24.0;
    static constexpr double clean = left + 22.0, first = left + 68.0, last = right - 20.0;  ///< of the x axis

    double y(double rate) const { return bottom_ - rate * (bottom_ - top); }
    double x(double amount) const {
        if (amounts_.size() < 2) return 0.5 * (first + right);
        const double low = std::log10(amounts_.front()), high = std::log10(amounts_.back());
        return first + (std::log10(amount) - low) / (high - low) * (last - first);
    }
    /// Protections stand side by side, so that equal figures do not hide each other.
    double beside(std::size_t series) const {
        const double space = amounts_.size() < 2 ? right - first : (last - first) / static_cast<double>(amounts_.size() - 1);
        const auto n = static_cast<double>(series_.size());
        const auto i = static_cast<double>(std::find(series_.begin(), series_.end(), series) - series_.begin());
        return (i - 0.5 * (n - 1.0)) * std::min(6.0, 0.45 * space / n);
    }
    /// The cells of a protection with faults, in the order of their amounts.
    std::vector<const cell_result*> struck(std::size_t series) const {
        std::vector<const cell_result*> some;
        for (const cell_result* c : some_.cells)
            if (some_.series(*c) == series && c->amount() > 0.0) some.push_back(c);
        std::stable_sort(some.begin(), some.end(), [](const auto* a, const auto* b) { return a->amount() < b->amount(); });
        return some;
    }
    point place(const cell_result& c, double rate) const { return {x(c.amount()) + beside(some_.series(c)), y(rate)}; }

    std::string axes() const {
        std::string out;
        for (int percent = 0; percent <= 100; percent += 20) {
            const double level = y(0.01 * percent);
            out += line({left, level}, {right, level}, "grid") + label({left - 5.0, level + 4.0}, std::to_string(percent), "end");
        }
        out += line({clean + 22.0, top}, {clean + 22.0, bottom_}, "grid") + label({clean, bottom_ + 16.0}, "clean", "mid");
        double free_from = clean + 22.0;
        for (double amount : amounts_) {
            const std::string text = rate_text(amount);
            out += line({x(amount), bottom_}, {x(amount), bottom_ + 4.0}, "axis");
            if (x(amount) - 0.5 * text_width(text) < free_from) continue;
            out += label({x(amount), bottom_ + 16.0}, text, "mid");
            free_from = x(amount) + 0.5 * text_width(text) + 6.0;
        }
        const bool counted = std::any_of(some_.cells.begin(), some_.cells.end(), [](const auto* c) { return c->flips != 0; });
        out += label({0.5 * (first + right), bottom_ + 32.0}, counted ? "flips (logarithmic)" : "bit error rate (logarithmic)",
                     "mid faint");
        return out + line({left, bottom_}, {right, bottom_}, "axis") + label({2.0, 11.0}, "accuracy %", "faint");
    }

    std::string band(std::size_t series) const {
        std::vector<point> border;
        const auto cells = struck(series);
        if (cells.size() < 2) return {};
        for (const auto* c : cells) border.push_back(place(*c, c->accuracy.bounds.high));
        for (auto c = cells.rbegin(); c != cells.rend(); ++c) border.push_back(place(**c, (*c)->accuracy.bounds.low));
        return group(series, "", polyline(border, "band", true));
    }

    std::string clean_level(std::size_t series) const {
        std::string out;
        for (const cell_result* c : some_.cells) {
            if (some_.series(*c) != series || (!out.empty() && c->amount() > 0.0)) continue;
            const point p{clean + beside(series), y(c->clean_accuracy)};
            out = group(series, c->protection + ", no faults: accuracy " + percent_text(c->clean_accuracy) + " %",
                        marker(series, p, true));
        }
        return out;
    }

    std::string curve(std::size_t series) const {
        std::vector<point> points;
        std::string marks;
        for (const cell_result* c : struck(series)) {
            points.push_back(place(*c, c->accuracy.rate));
            marks += group(series, c->protection + ", " + amount_text(*c) + ": accuracy " + interval_text(c->accuracy) + " %",
                           line(place(*c, c->accuracy.bounds.low), place(*c, c->accuracy.bounds.high), "whisker") +
                               marker(series, points.back()));
        }
        return (points.size() > 1 ? group(series, "", polyline(points, "curve")) : "") + marks;
    }

    std::string names() const {
        std::vector<point> ends;
        std::vector<double> wanted;
        for (std::size_t s : series_) {
            const auto cells = struck(s);
            for (const cell_result* c : some_.cells)
                if (cells.empty() && some_.series(*c) == s) ends.push_back({clean + beside(s), y(c->clean_accuracy)});
            if (!cells.empty()) ends.push_back(place(*cells.back(), cells.back()->accuracy.rate));
            wanted.push_back(ends.back().y);
        }
        const auto placed = spread(wanted, text_height, top + 2.0, bottom_ - 2.0);
        std::string out;
        for (std::size_t i = 0; i < series_.size(); ++i) {
            const std::string& name = some_.protections[series_[i]];
            out += group(series_[i], name, line({ends[i].x + 6.0, ends[i].y}, {right + 4.0, placed[i]}, "leader") +
                                               marker(series_[i], {right + 10.0, placed[i]}) +
                                               label({right + 18.0, placed[i] + 4.0}, shortened(name, 14), "name"));
        }
        return out;
    }

    const chart_cells& some_;
    std::vector<std::size_t> series_;
    std::vector<double> amounts_;
    double bottom_ = 0.0;
};

}  // namespace impl

/// Accuracy against BER or flips, one line a protection; x is logarithmic, clean levels stand at its left.
inline std::string accuracy_chart(const chart_cells& some, std::string_view name) {
    return impl::accuracy_drawing{some}.draw(name);
}

}  // namespace redoubt::app::inline REDOUBT_ABI
