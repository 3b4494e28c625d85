// SPDX-License-Identifier: MIT
// Text from files made fit for a message: short, on one line, and without control characters.
#pragma once

#include <redoubt/base/config.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace redoubt::io::inline REDOUBT_ABI {

/// `text` in quotes, at most `most` bytes of it (then "..."), with control characters and broken UTF-8 as '?'.
inline std::string printable(std::string_view text, std::size_t most = 80) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    std::string shown = "'";
    std::size_t i = 0;
    while (i < text.size()) {
        const unsigned char c = byte(i);
        const std::size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (i + length > most) break;
        bool good = c >= 0x20 && c != 0x7f && (c < 0x80 || (c >= 0xc2 && c < 0xf5)) && i + length <= text.size();
        for (std::size_t k = 1; good && k < length; ++k) good = (byte(i + k) & 0xc0) == 0x80;
        // C1 control characters are two bytes in UTF-8
        if (good && c == 0xc2 && byte(i + 1) < 0xa0) good = false;
        if (good) shown.append(text.substr(i, length));
        else shown += '?';
        i += good ? length : 1;
    }
    shown += i < text.size() ? "...'" : "'";
    return shown;
}

}  // namespace redoubt::io::inline REDOUBT_ABI
