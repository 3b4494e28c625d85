// SPDX-License-Identifier: MIT
// Files in which one thing is wrong.
#pragma once

#include <redoubt/io/file.hpp>

#include "support/catch.hpp"
#include "support/complaint.hpp"

#include <string>
#include <string_view>

namespace support {

/// What read(path) complains of when the file holds `text` with something else in the place of `what`.
template <class Read>
std::string complaint_of_changed(const std::string& path, std::string text, std::string_view what, std::string_view instead, Read&& read) {
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    REQUIRE(redoubt::io::write_file_atomically(path, std::string_view{text.replace(at, what.size(), instead)}));
    return complaint(read(path));
}

}  // namespace support
