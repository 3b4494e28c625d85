// SPDX-License-Identifier: MIT
// SDC-1 by layer and bit as a map of coloured fields.
#pragma once

#include <redoubt/app/results.hpp>
#include <redoubt/app/svg.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::app::inline v1 {

/// Upper ends of the classes of colour, in per cent. What is exactly 0 has a class of its own.
inline constexpr std::array<double, 9> heat_classes{0.0, 0.1, 1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

namespace impl {

inline std::size_t heat_class(double rate) {
    std::size_t k = 0;
    while (k + 1 < heat_classes.size() && 100.0 * rate > heat_classes[k]) ++k;
    return k;
}

inline std::string field(double x, double y, double width, double height, std::string_view style, std::string_view title) {
    return "<rect class=\"" + std::string{style} + "\" x=\"" + at(x) + "\" y=\"" + at(y) + "\" width=\"" + at(width) +
           "\" height=\"" + at(height) + "\">" + (title.empty() ? std::string{} : tooltip(title)) + "</rect>";
}

}  // namespace impl

/// One row a layer, in the order of the file, one column a bit, the most significant at the left. What was not tested,
/// or in no trial, is hatched. `id` is a name that no other map of the page has.
inline std::string heat_map(const std::vector<layer_bit_result>& results, std::string_view name, std::string_view id) {
    std::vector<std::string_view> layers;
    std::map<std::string_view, std::size_t> rows;
    int bits = 0;
    for (const layer_bit_result& r : results) {
        if (rows.try_emplace(r.layer, layers.size()).second) layers.push_back(r.layer);
        bits = std::max(bits, r.bit + 1);
    }
    std::size_t longest = 0;
    for (std::string_view layer : layers) longest = std::max(longest, shortened(layer, 22).size());

    constexpr double cell = 12.0, top = 4.0;
    const double left = 8.0 + 6.6 * static_cast<double>(longest);
    const double right = left + cell * bits, bottom = top + cell * static_cast<double>(layers.size());
    std::string out = impl::svg_open(std::max(right + 8.0, 300.0), bottom + 32.0, name);
    const std::string hatch = "hatch-" + std::string{id};
    out += "<defs><pattern id=\"" + hatch + "\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\">"
           "<path class=\"hatch\" d=\"M0 4L4 0\"/></pattern></defs><rect fill=\"url(#" + hatch + ")\" x=\"" + impl::at(left) +
           "\" y=\"" + impl::at(top) + "\" width=\"" + impl::at(right - left) + "\" height=\"" + impl::at(bottom - top) + "\">" +
           impl::tooltip("not tested") + "</rect>";
    for (const layer_bit_result& r : results) {
        if (r.trials == 0) continue;
        const auto row = static_cast<double>(rows.at(r.layer));
        out += impl::field(left + cell * (bits - 1 - r.bit), top + cell * row, cell, cell, std::string{"h"} + std::to_string(impl::heat_class(r.sdc1)),
                           r.layer + ", bit " + std::to_string(r.bit) + ": SDC-1 " + percent_text(r.sdc1) + " % in " +
                               std::to_string(r.trials) + (r.trials == 1 ? " trial" : " trials"));
    }
    for (std::size_t i = 0; i < layers.size(); ++i)
        out += "<g>" + impl::tooltip(layers[i]) +
               impl::label({left - 5.0, top + cell * (static_cast<double>(i) + 0.8)}, shortened(layers[i], 22), "end small") + "</g>";
    for (int bit = 0; bit < bits; ++bit)
        if (bit == bits - 1 || (bit % 4 == 0 && bit + 3 <= bits))
            out += impl::label({left + cell * (bits - 0.5 - bit), bottom + 12.0}, std::to_string(bit), "mid small");
    return out + impl::label({0.5 * (left + right), bottom + 26.0}, "bit", "mid faint") + "</svg>";
}

/// What the colours mean.
inline std::string heat_legend() {
    std::string out = "<p class=\"legend\">";
    for (std::size_t k = 0; k < heat_classes.size(); ++k)
        out += "<span><svg class=\"swatch\" viewBox=\"0 0 14 14\" aria-hidden=\"true\">" +
               impl::field(0.5, 0.5, 13.0, 13.0, std::string{"h"} + std::to_string(k), "") + "</svg>" +
               (k == 0 ? "0 %" : "to " + shortest_text(heat_classes[k]) + " %") + "</span>";
    return out + "<span><svg class=\"swatch\" viewBox=\"0 0 14 14\" aria-hidden=\"true\"><path class=\"hatch\" "
                 "d=\"M1 5L5 1M1 9L9 1M1 13L13 1M5 13L13 5M9 13L13 9\"/></svg>not tested</span></p>";
}

}  // namespace redoubt::app::inline REDOUBT_ABI
