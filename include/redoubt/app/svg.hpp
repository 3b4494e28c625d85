// SPDX-License-Identifier: MIT
// Text and shapes of the report page: escaping, numbers as people read them, markers, places for labels.
#pragma once

#include <redoubt/campaign/summary.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::app::inline v1 {

/// A point of a drawing, in its own units, y downwards.
struct point {
    double x = 0.0, y = 0.0;
};

/// A rectangle of a drawing.
struct box {
    double left = 0.0, top = 0.0, right = 0.0, bottom = 0.0;

    constexpr bool meets(const box& b) const { return left < b.right && b.left < right && top < b.bottom && b.top < bottom; }
    constexpr bool within(const box& b) const { return left >= b.left && right <= b.right && top >= b.top && bottom <= b.bottom; }
};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

/// How many bytes at `i` are one well-formed UTF-8 character; 0 where they are none, or a control character.
inline std::size_t character_bytes(std::string_view text, std::size_t i) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned>(static_cast<unsigned char>(text[k])); };
    const unsigned first = byte(i);
    if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
    const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return 0;
    unsigned code = first & (0x7fu >> length);
    for (std::size_t k = 1; k < length; ++k) {
        if ((byte(i + k) & 0xc0u) != 0x80u) return 0;
        code = (code << 6) | (byte(i + k) & 0x3fu);
    }
    const bool shortest = code >= (length == 2 ? 0xa0u : length == 3 ? 0x800u : 0x10000u);  // under 0xa0: C1 controls
    const bool allowed = code <= 0x10ffffu && (code < 0xd800u || code > 0xdfffu) && (code & 0xfffeu) != 0xfffeu &&
                         (code < 0xfdd0u || code > 0xfdefu);
    return shortest && allowed ? length : 0;
}

/// Text made fit for HTML, in elements and in quoted attributes: marks of the language as references, white space as
/// blanks, control characters and broken UTF-8 as U+FFFD.
inline std::string escaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = character_bytes(text, i);
        switch (text[i]) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            case '\n': case '\t': case '\r': out += ' '; break;
            default: out += length == 0 ? std::string_view{"\xef\xbf\xbd"} : text.substr(i, length);
        }
        i += std::max<std::size_t>(length, 1);
    }
    return out;
}

/// At most `most` characters, the last of them an ellipsis where text was cut; not escaped yet.
inline std::string shortened(std::string_view text, std::size_t most) {
    std::size_t at = 0, cut = 0;
    for (std::size_t n = 0; at < text.size(); ++n) {
        if (n + 1 == most) cut = at;
        if (n == most) return std::string{text.substr(0, cut)} + "\xe2\x80\xa6";
        at += std::max<std::size_t>(character_bytes(text, at), 1);
    }
    return std::string{text};
}

/// A number with so many decimals, a point before them whatever the locale.
inline std::string fixed_text(double value, int decimals) {
    std::array<char, 400> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals).ptr;
    std::string shown{text.data(), end};
    return shown == "-0" || shown == "-0.0" || shown == "-0.00" ? shown.substr(1) : shown;
}

/// The shortest text that reads back as the number: 0.001, 20, 1e-6.
inline std::string shortest_text(double value) {
    std::array<char, 40> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

/// Three digits and a power of ten: 1.23e+07.
inline std::string scientific_text(double value) {
    std::array<char, 40> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific, 2).ptr};
}

/// A bit error rate or a count as the command line takes it: 1e-6, 2.5e-3, 0.01, 20.
inline std::string rate_text(double value) {
    if (value == 0.0 || value >= 0.01) return shortest_text(value);
    std::array<char, 40> text{};
    std::string shown{text.data(), std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific).ptr};
    const auto digits = shown.find("e-") + 2;
    while (shown[digits] == '0') shown.erase(digits, 1);
    return shown;
}

/// A rate in per cent: one decimal, or as many as it takes for what is not 0 or 100 % not to look like it.
inline std::string percent_text(double rate) {
    const double value = 100.0 * rate;
    for (int decimals = 1; decimals <= 9; ++decimals) {
        std::string shown = fixed_text(value, decimals);
        const bool looks_empty = shown.find_first_not_of("0.") == std::string::npos;
        const bool looks_full = shown.starts_with("100.");
        if ((!looks_empty || rate == 0.0) && (!looks_full || rate == 1.0)) return shown;
    }
    std::array<char, 40> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 3).ptr};
}

/// "87.0 [75.8, 94.2]", in per cent.
inline std::string interval_text(const campaign::estimate& e) {
    return percent_text(e.rate) + " [" + percent_text(e.bounds.low) + ", " + percent_text(e.bounds.high) + "]";
}

namespace impl {

inline std::string at(double value) {
    std::string shown = fixed_text(value, 1);
    return shown.ends_with(".0") ? shown.substr(0, shown.size() - 2) : shown;
}
inline std::string at(point p) { return at(p.x) + " " + at(p.y); }

inline std::string line(point from, point to, std::string_view style) {
    return "<path class=\"" + std::string{style} + "\" d=\"M" + at(from) + "L" + at(to) + "\"/>";
}

inline std::string polyline(const std::vector<point>& points, std::string_view style, bool closed = false) {
    std::string path;
    for (const point& p : points) {
        path += path.empty() ? 'M' : 'L';
        path += at(p);
    }
    return "<path class=\"" + std::string{style} + "\" d=\"" + path + (closed ? "Z" : "") + "\"/>";
}

/// `text` is escaped here. Anchors: start, middle, end.
inline std::string label(point p, std::string_view text, std::string_view style) {
    return "<text class=\"" + std::string{style} + "\" x=\"" + at(p.x) + "\" y=\"" + at(p.y) + "\">" + escaped(text) + "</text>";
}

/// What a pointer held over the element shows.
inline std::string tooltip(std::string_view text) { return "<title>" + escaped(text) + "</title>"; }

/// The path of one of seven shapes around a point: circle, square, triangle, diamond, triangle down, cross, plus.
inline std::string marker_path(std::size_t series, point p) {
    const auto shape = [&](std::initializer_list<point> corners) {
        std::string path;
        for (const point& c : corners) {
            path += path.empty() ? 'M' : 'L';
            path += at(point{p.x + c.x, p.y + c.y});
        }
        return path + "Z";
    };
    switch (series % 7) {
        case 0: return "M" + at(point{p.x - 3.8, p.y}) + "a3.8 3.8 0 1 0 7.6 0a3.8 3.8 0 1 0 -7.6 0Z";
        case 1: return shape({{-3.4, -3.4}, {3.4, -3.4}, {3.4, 3.4}, {-3.4, 3.4}});
        case 2: return shape({{0, -4.6}, {4.4, 3.2}, {-4.4, 3.2}});
        case 3: return shape({{0, -4.9}, {4.9, 0}, {0, 4.9}, {-4.9, 0}});
        case 4: return shape({{0, 4.6}, {4.4, -3.2}, {-4.4, -3.2}});
        case 5: return shape({{0, -1.6}, {2.6, -4.2}, {4.2, -2.6}, {1.6, 0}, {4.2, 2.6}, {2.6, 4.2},
                              {0, 1.6}, {-2.6, 4.2}, {-4.2, 2.6}, {-1.6, 0}, {-4.2, -2.6}, {-2.6, -4.2}});
        default: return shape({{-1.4, -4.6}, {1.4, -4.6}, {1.4, -1.4}, {4.6, -1.4}, {4.6, 1.4}, {1.4, 1.4},
                               {1.4, 4.6}, {-1.4, 4.6}, {-1.4, 1.4}, {-4.6, 1.4}, {-4.6, -1.4}, {-1.4, -1.4}});
    }
}
inline std::string marker(std::size_t series, point p, bool open = false) {
    return std::string{"<path class=\""} + (open ? "open" : "mark") + "\" d=\"" + marker_path(series, p) + "\"/>";
}

/// The class of a protection's colour and dashes; colours repeat after eight, with other shapes.
inline std::string series_class(std::size_t series) {
    return std::string{"s"} + std::to_string(series % 8) + " d" + std::to_string(series % 5);
}

/// The head of a drawing that a screen reader calls by its name.
inline std::string svg_open(double width, double height, std::string_view name) {
    return "<svg viewBox=\"0 0 " + at(width) + " " + at(height) + "\" role=\"img\" aria-label=\"" + escaped(name) + "\">";
}

/// Moves values apart until each has `space` to the next, keeping their order and staying in [low, high] while they fit.
inline std::vector<double> spread(const std::vector<double>& wanted, double space, double low, double high) {
    std::vector<std::size_t> order(wanted.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return wanted[a] < wanted[b]; });
    std::vector<double> placed(wanted.size());
    double next = low;
    for (std::size_t i : order) {
        placed[i] = std::max(wanted[i], next);
        next = placed[i] + space;
    }
    double most = high;
    for (std::size_t k = order.size(); k-- > 0;) {
        placed[order[k]] = std::min(placed[order[k]], most);
        most = placed[order[k]] - space;
    }
    return placed;
}

/// A step of 1, 2 or 5 times a power of ten that divides a range into at most `parts`.
inline double nice_step(double range, double parts) {
    const double raw = range / parts, power = std::pow(10.0, std::floor(std::log10(raw)));
    for (double step : {1.0, 2.0, 5.0})
        if (step * power >= raw) return step * power;
    return 10.0 * power;
}

}  // namespace impl

}  // namespace redoubt::app::inline REDOUBT_ABI
