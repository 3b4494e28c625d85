// SPDX-License-Identifier: MIT
// What a protection leaves against what it costs.
#pragma once

#include <redoubt/app/chart.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::app::inline v1 {

/// Which cost stands on the x axis.
enum class cost { time, memory };

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

namespace impl {

/// Residual SDC-1 against a cost. A rate of 0 stands at its upper bound, which is what the trials say of it.
class pareto_drawing {
public:
    pareto_drawing(const chart_cells& some, cost which) : some_{some}, which_{which} {
        double least = 1.0, low = 1e300, high = -1e300;
        for (const cell_result* c : some.cells) {
            if (!cost_of(*c)) continue;
            shown_.push_back(c);
            least = std::min(least, level(*c));
            low = std::min(low, *cost_of(*c));
            high = std::max(high, *cost_of(*c));
        }
        const double decades = std::clamp(std::ceil(-std::log10(std::max(least, 1e-12)) + 0.2), 2.0, 12.0);
        decades_ = static_cast<int>(decades);
        step_ = nice_step(std::max(high - low, 0.2), 4.0);
        low_ = step_ * std::floor(low / step_ - 0.1);
        high_ = step_ * std::ceil(high / step_ + 0.25);
    }

    bool empty() const { return shown_.empty(); }

    std::string draw(std::string_view name) const {
        std::string out = svg_open(width, bottom + 38.0, name) + axes() + front();
        for (const cell_result* c : shown_) out += entry(*c);
        return out + names() + "</svg>";
    }

private:
    static constexpr double width = 340.0, left = 46.0, right = 330.0, top = 24.0, bottom = 214.0;

    std::optional<double> cost_of(const cell_result& c) const {
        return which_ == cost::memory ? std::optional{c.memory_factor} : c.time_factor;
    }
    static double level(const cell_result& c) { return c.sdc1.rate > 0.0 ? c.sdc1.rate : c.sdc1.bounds.high; }
    double y(double rate) const {
        if (!(rate > 0.0)) return bottom;
        return std::min(bottom, top - std::log10(rate) / decades_ * (bottom - top));
    }
    double x(double factor) const { return left + (factor - low_) / (high_ - low_) * (right - left); }
    point place(const cell_result& c) const { return {x(*cost_of(c)), y(level(c))}; }

    std::string axes() const {
        std::string out;
        for (int d = 0; d <= decades_; ++d) {
            if (decades_ > 6 && d % 2 != 0) continue;
            const double height = y(std::pow(10.0, -d));
            out += line({left, height}, {right, height}, "grid") +
                   label({left - 5.0, height + 4.0}, shortest_text(100.0 / std::pow(10.0, d)), "end");
        }
        const int digits = step_ < 0.1 ? 2 : step_ < 1.0 ? 1 : 0;
        const auto ticks = static_cast<int>(std::lround((high_ - low_) / step_));
        for (int i = 0; i <= ticks; ++i) {
            const double factor = low_ + i * step_;
            out += line({x(factor), bottom}, {x(factor), bottom + 4.0}, "axis") +
                   label({x(factor), bottom + 16.0}, fixed_text(factor, digits), i == ticks ? "end" : "mid");
        }
        out += label({0.5 * (left + right), bottom + 32.0},
                     which_ == cost::time ? "time, factor over none" : "memory, factor over none", "mid faint");
        return out + line({left, bottom}, {right, bottom}, "axis") + label({2.0, 11.0}, "SDC-1 %", "faint");
    }

    /// No other has both an upper bound and a cost that are less or the same, and one of them less. Bounds are what trials
    /// promise of every protection alike, whether they saw a change or not.
    bool on_front(const cell_result& c) const {
        return std::none_of(shown_.begin(), shown_.end(), [&](const cell_result* o) {
            const double theirs = o->sdc1.bounds.high, ours = c.sdc1.bounds.high;
            const bool as_good = theirs <= ours && *cost_of(*o) <= *cost_of(c);
            return as_good && (theirs < ours || *cost_of(*o) < *cost_of(c));
        });
    }
    std::string front() const {
        std::vector<point> corners, steps;
        for (const cell_result* c : shown_)
            if (on_front(*c)) corners.push_back({x(*cost_of(*c)), y(c->sdc1.bounds.high)});
        std::sort(corners.begin(), corners.end(), [](point a, point b) { return a.x < b.x; });
        steps.push_back({corners.front().x, top});
        for (const point& p : corners) {
            steps.push_back({p.x, steps.back().y});
            steps.push_back(p);
        }
        steps.push_back({right, steps.back().y});
        return polyline(steps, "front");
    }

    std::string describe(const cell_result& c) const {
        return c.protection + ", " + amount_text(c) + ": SDC-1 " + interval_text(c.sdc1) + " %, " +
               (which_ == cost::time ? "time x " : "memory x ") + fixed_text(*cost_of(c), 2) +
               (c.sdc1.rate > 0.0 ? "" : "; none seen, drawn at the upper bound") + (on_front(c) ? "; on the front" : "");
    }
    std::string entry(const cell_result& c) const {
        const point p = place(c);
        const bool seen = c.sdc1.rate > 0.0;
        const double low = y(c.sdc1.bounds.low), high = y(c.sdc1.bounds.high);
        std::string out = line({p.x, low}, {p.x, high}, "whisker");
        if (low >= bottom)
            out += polyline({{p.x - 3.0, bottom - 6.0}, {p.x, bottom - 1.0}, {p.x + 3.0, bottom - 6.0}}, "whisker");
        if (on_front(c)) out += "<circle class=\"ring\" cx=\"" + at(p.x) + "\" cy=\"" + at(p.y) + "\" r=\"8\"/>";
        return group(some_.series(c), describe(c), out + marker(some_.series(c), p, !seen));
    }

    /// Names beside their markers, where there is room; the legend has all of them.
    std::string names() const {
        std::vector<box> taken, whiskers;
        for (const cell_result* c : shown_) {
            const point p = place(*c);
            taken.push_back({p.x - 7.0, p.y - 7.0, p.x + 7.0, p.y + 7.0});
            whiskers.push_back({p.x - 2.0, y(c->sdc1.bounds.high), p.x + 2.0, y(c->sdc1.bounds.low)});
        }
        const auto meets = [](const std::vector<box>& all, const box& b) {
            return std::any_of(all.begin(), all.end(), [&](const box& o) { return o.meets(b); });
        };
        std::string out;
        for (const cell_result* c : shown_) {
            const point p = place(*c);
            const std::string text = shortened(c->protection, 14);
            const double w = text_width(text, on_front(*c) ? 8.0 : 7.0);
            const box sides[] = {{p.x + 9.0, p.y - 6.0, p.x + 9.0 + w, p.y + 6.0},
                                 {p.x - 9.0 - w, p.y - 6.0, p.x - 9.0, p.y + 6.0},
                                 {p.x + 4.0, p.y - 20.0, p.x + 4.0 + w, p.y - 8.0},
                                 {p.x + 4.0, p.y + 8.0, p.x + 4.0 + w, p.y + 20.0},
                                 {p.x - 4.0 - w, p.y - 20.0, p.x - 4.0, p.y - 8.0},
                                 {p.x - 4.0 - w, p.y + 8.0, p.x - 4.0, p.y + 20.0}};
            for (const box& b : sides) {
                if (!b.within({left, 0.0, right + 8.0, bottom - 2.0}) || meets(taken, b) || meets(whiskers, b)) continue;
                const bool ends = b.right < p.x;
                taken.push_back(b);
                const std::string style = std::string{on_front(*c) ? "name strong" : "name"} + (ends ? " end" : "");
                out += group(some_.series(*c), "", label({ends ? b.right : b.left, b.bottom - 2.0}, text, style));
                break;
            }
        }
        return out;
    }

    const chart_cells& some_;
    cost which_;
    std::vector<const cell_result*> shown_;
    int decades_ = 2;
    double step_ = 1.0, low_ = 0.0, high_ = 1.0;
};

}  // namespace impl

/// Residual SDC-1 against a factor of cost, with the Pareto front; empty where no cell knows that cost.
inline std::string pareto_chart(const chart_cells& some, cost which, std::string_view name) {
    const impl::pareto_drawing drawing{some, which};
    return drawing.empty() ? std::string{} : drawing.draw(name);
}

}  // namespace redoubt::app::inline REDOUBT_ABI
