// SPDX-License-Identifier: MIT
// What pages of results are made of: one HTML file that asks for nothing else.
#pragma once

#include <redoubt/app/page_style.hpp>
#include <redoubt/app/svg.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace redoubt::app::inline REDOUBT_ABI {

namespace impl {

/// A page that is written from its top to its end. Texts are escaped here, but for drawings and numbers.
class html_page {
protected:
    void begin(std::string_view title) {
        out_ = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>" +
               escaped(title) + "</title>\n<style>" + std::string{page_style} + "</style>\n</head>\n<body>\n<main>\n<h1>" +
               escaped(title) + "</h1>\n";
    }
    std::string ended() { return out_ + "</main>\n</body>\n</html>\n"; }

    void heading(std::string_view text) { out_ += "<h2>" + escaped(text) + "</h2>\n"; }
    void paragraph(std::string_view text, std::string_view style = "") {
        out_ += (style.empty() ? "<p>" : "<p class=\"" + std::string{style} + "\">") + escaped(text) + "</p>\n";
    }
    void fact(std::string_view name, std::string_view text) {
        if (!text.empty()) out_ += "<dt>" + escaped(name) + "</dt><dd>" + escaped(text) + "</dd>\n";
    }
    void figure(std::string_view caption, std::string_view rest, const std::string& drawing) {
        out_ += "<figure><figcaption>" + escaped(caption) + (rest.empty() ? "" : " <span>" + escaped(rest) + "</span>") +
                "</figcaption>" + drawing + "</figure>\n";
    }

    /// The head of a table: columns of words, then of numbers.
    void open_table(std::string_view label, std::initializer_list<const char*> words, std::initializer_list<const char*> numbers) {
        out_ += "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"" + escaped(label) + "\"><table>\n<thead><tr>";
        for (const char* name : words) out_ += "<th scope=\"col\" class=\"word\">" + std::string{name} + "</th>";
        for (const char* name : numbers) out_ += "<th scope=\"col\">" + std::string{name} + "</th>";
        out_ += "</tr></thead>\n<tbody>\n";
    }
    void line(std::initializer_list<std::string> words, std::initializer_list<std::string> numbers, bool first = false) {
        out_ += first ? "<tr class=\"first\">" : "<tr>";
        for (const std::string& word : words)
            out_ += (word.size() > 20 ? "<td class=\"word long\">" : "<td class=\"word\">") + escaped(word) + "</td>";
        for (const std::string& text : numbers) out_ += "<td>" + text + "</td>";
        out_ += "</tr>\n";
    }
    void close_table() { out_ += "</tbody></table></div>\n"; }

    static std::string p_text(double p) { return p < 0.0001 ? "below 0.0001" : fixed_text(p, 4); }

    std::string out_;
};

}  // namespace impl

}  // namespace redoubt::app::inline REDOUBT_ABI
