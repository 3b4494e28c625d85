// SPDX-License-Identifier: MIT
// Something read from a JSON file, with errors that name the file.
#pragma once

#include <redoubt/io/file.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

namespace redoubt::app::inline REDOUBT_ABI {

/// What read(json), which gives a result, makes of a file of at most `most` bytes.
template <class Read>
auto read_json_file(const std::string& path, std::size_t most, Read&& read) -> std::invoke_result_t<Read, const nlohmann::ordered_json&> {
    using made = std::invoke_result_t<Read, const nlohmann::ordered_json&>;
    const auto bytes = io::read_file(path, most);
    if (!bytes) return bytes.reason();
    const auto* const text = reinterpret_cast<const char*>(bytes->data());
    try {
        made r = read(nlohmann::ordered_json::parse(text, text + bytes->size()));
        return r ? std::move(r) : made{error{path} << ": " << r.reason().text()};
    } catch (const nlohmann::json::exception& e) {
        return error{path} << ": " << e.what();
    }
}

}  // namespace redoubt::app::inline REDOUBT_ABI
