// SPDX-License-Identifier: MIT
// Parameters as an image for read-only memory: a binary file, or a C++ source with one array.
#pragma once

#include <redoubt/io/file.hpp>
#include <redoubt/nn/rom.hpp>

#include <cctype>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::io::inline REDOUBT_ABI {

/// The image of parameters that are complete, copies and code bits included: call encode() first. Deterministic.
template <network_type Net>
std::vector<std::byte> rom_image(const parameters<Net>& p) {
    std::vector<std::byte> image(rom_bytes<Net>);
    const rom_header header = rom_header_of<Net>(p);
    std::memcpy(image.data(), &header, sizeof(header));
    std::memcpy(image.data() + sizeof(header), p.bytes.data(), p.bytes.size());
    return image;
}

/// Where an array goes and how it is called.
struct rom_symbol {
    std::string name;           ///< a C identifier
    std::string section{};      ///< of the linker; empty: where the compiler puts constants
};

/// A C++ source that defines `extern "C" const unsigned char NAME[]`, aligned to 64 bytes. About five times as long as the image.
inline result<std::string> rom_source(std::span<const std::byte> image, const rom_symbol& symbol) {
    const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    bool good = !symbol.name.empty() && is_letter(symbol.name[0]);
    for (char c : symbol.name) good = good && (is_letter(c) || std::isdigit(static_cast<unsigned char>(c)) != 0);
    if (!good) return error{"ROM image: '"} << symbol.name << "' is no name of an array";
    for (char c : symbol.section)
        if (!is_letter(c) && c != '.' && std::isdigit(static_cast<unsigned char>(c)) == 0)
            return error{"ROM image: '"} << symbol.section << "' is no name of a section";
    std::string text = "// Parameters of a network for redoubt::in_place(), ";
    text.append(std::to_string(image.size())).append(" bytes. Written by a program.\n");
    const std::string array = "const unsigned char " + symbol.name + '[' + std::to_string(image.size()) + ']';
    text += "extern \"C\" " + array + ";\n";
    if (!symbol.section.empty()) text += "[[gnu::section(\"" + symbol.section + "\")]] ";
    text += "alignas(64) " + array + " = {";
    text.reserve(text.size() + image.size() * 5 + 16);
    constexpr char digits[] = "0123456789abcdef";
    for (std::size_t i = 0; i < image.size(); ++i) {
        if (i % 24 == 0) text += '\n';
        const auto byte = std::to_integer<unsigned>(image[i]);
        text += "0x";
        text += digits[byte >> 4];
        text += digits[byte & 15u];
        text += ',';
    }
    text += "\n};\n";
    return text;
}

/// Writes an image to a file, whole or not at all.
inline result<void> write_rom(const std::string& path, std::span<const std::byte> image) { return write_file_atomically(path, image); }
/// The same as C++ source.
inline result<void> write_rom_source(const std::string& path, std::span<const std::byte> image, const rom_symbol& symbol) {
    const auto text = rom_source(image, symbol);
    if (!text) return text.reason();
    return write_file_atomically(path, std::string_view{*text});
}

}  // namespace redoubt::io::inline REDOUBT_ABI
