// SPDX-License-Identifier: MIT
// A folder of a test's own, gone when the test ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <stdlib.h>

namespace support {

using bytes = std::vector<std::byte>;

/// Bytes written as numbers.
inline bytes bytes_of(std::initializer_list<int> values) {
    bytes all;
    for (int value : values) all.push_back(static_cast<std::byte>(value));
    return all;
}

inline bytes bytes_of(std::string_view text) {
    const auto seen = std::as_bytes(std::span{text.data(), text.size()});
    return {seen.begin(), seen.end()};
}

inline bytes operator+(bytes a, const bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

class temp_folder {
public:
    temp_folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "redoubt-test-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
        path_ = pattern;
    }
    temp_folder(const temp_folder&) = delete;
    temp_folder& operator=(const temp_folder&) = delete;
    ~temp_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    std::string path() const { return path_.string(); }
    /// The path of a file in the folder, which need not exist.
    std::string file(std::string_view name) const { return (path_ / name).string(); }

    /// Makes a file and returns its path.
    std::string write(std::string_view name, std::span<const std::byte> content) const {
        std::ofstream out{path_ / name, std::ios::binary};
        out.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
        if (!out.flush()) throw std::runtime_error{"cannot write a test file"};
        return file(name);
    }

    /// Number of files in the folder.
    std::size_t entries() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{path_}, {}));
    }

private:
    std::filesystem::path path_;
};

}  // namespace support
