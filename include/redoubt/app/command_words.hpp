// SPDX-License-Identifier: MIT
// What commands beside campaigns do with their words: parsing, refusing, threads.
#pragma once

#include <redoubt/base/config.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>
#include <vector>

namespace redoubt::app::inline REDOUBT_ABI {

/// Says why a program ends, behind what it printed; gives the exit code.
inline int end_with(const char* program, const char* reason, int code) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s: %s\n", program, reason);
    return code;
}

/// Reads the words behind a command. The exit code where the program ends there: help was asked for (0), or they are wrong (2).
inline std::optional<int> parse_words(CLI::App& cli, const char* program, const std::vector<const char*>& words) {
    std::vector<const char*> line{program};
    line.insert(line.end(), words.begin(), words.end());
    try {
        cli.parse(static_cast<int>(line.size()), line.data());
    } catch (const CLI::ParseError& e) {
        return cli.exit(e) == 0 ? 0 : 2;
    }
    return {};
}

/// As many as cores for 0. False where there are too many.
inline bool take_threads(unsigned& threads) {
    if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
    return threads <= 1024;
}

}  // namespace redoubt::app::inline REDOUBT_ABI
