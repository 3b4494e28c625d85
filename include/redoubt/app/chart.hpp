// SPDX-License-Identifier: MIT
// What the charts of the report page share. A protection has the same colour, shape and dashes in all of them.
#pragma once

#include <redoubt/app/results.hpp>
#include <redoubt/app/svg.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::app::inline v1 {

/// Cells that one drawing compares, and which colour each protection has.
struct chart_cells {
    std::vector<const cell_result*> cells;
    std::vector<std::string> protections;  ///< of the whole page; the place in the list gives the colour

    std::size_t series(const cell_result& c) const {
        return static_cast<std::size_t>(std::find(protections.begin(), protections.end(), c.protection) - protections.begin());
    }
};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

/// "BER 1e-6", "5 flips", or "no faults" at rate 0.
inline std::string amount_text(const cell_result& c) {
    if (c.flips != 0) return std::to_string(c.flips) + (c.flips == 1 ? " flip" : " flips");
    return c.ber == 0.0 ? "no faults" : "BER " + rate_text(c.ber);
}

namespace impl {

inline constexpr double text_height = 13.0;

/// About the width of a text; which font the reader has is not known, so rather too much.
inline double text_width(std::string_view text, double letter = 7.0) {
    const auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; };
    const auto characters = std::count_if(text.begin(), text.end(), starts);
    return letter * static_cast<double>(characters);
}

/// The protections that stand in these cells, in the order of the page.
inline std::vector<std::size_t> series_of(const chart_cells& some) {
    std::vector<std::size_t> all;
    for (const cell_result* c : some.cells)
        if (std::find(all.begin(), all.end(), some.series(*c)) == all.end()) all.push_back(some.series(*c));
    std::sort(all.begin(), all.end());
    return all;
}

/// Elements in a protection's colour, with a tooltip where there is a text for it.
inline std::string group(std::size_t series, std::string_view text, const std::string& elements) {
    return "<g class=\"" + series_class(series) + "\">" + (text.empty() ? std::string{} : tooltip(text)) + elements + "</g>";
}

}  // namespace impl

}  // namespace redoubt::app::inline REDOUBT_ABI
