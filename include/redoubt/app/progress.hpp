// SPDX-License-Identifier: MIT
// How far work is, on a terminal: a line that is written over as it goes on.
#pragma once

#include <redoubt/base/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>

#include <unistd.h>

namespace redoubt::app::inline REDOUBT_ABI {

/// A line on the standard error; nothing where that is no terminal.
class terminal_line {
public:
    terminal_line() = default;
    terminal_line(const terminal_line&) = delete;
    terminal_line& operator=(const terminal_line&) = delete;
    ~terminal_line() { clear(); }

    /// Whether it is time to draw again: ten times a second.
    bool is_due() const { return shown_ && clock::now() - last_ >= std::chrono::milliseconds{100}; }
    template <class... Args>
    void draw(const char* pattern, Args... args) {
        last_ = clock::now();
        std::fprintf(stderr, "\r\x1b[K");
        std::fprintf(stderr, pattern, args...);
        drawn_ = true;
    }
    void clear() {
        if (drawn_) std::fprintf(stderr, "\r\x1b[K");
        drawn_ = false;
    }

private:
    using clock = std::chrono::steady_clock;
    bool shown_ = ::isatty(STDERR_FILENO) != 0, drawn_ = false;
    clock::time_point last_ = clock::now();
};

/// Trials of a cell, their rate and the time left.
class progress {
public:
    progress(std::string what, std::size_t total) : what_{std::move(what)}, total_{total} {}

    void step() {
        ++done_;
        if (!line_.is_due()) return;
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        const double rate = static_cast<double>(done_) / seconds;
        line_.draw("%s: %zu of %zu trials, %.3g a second, %.0f s left", what_.c_str(), done_, total_, rate, static_cast<double>(total_ - done_) / rate);
    }
    /// Clears the line.
    void finish() { line_.clear(); }

private:
    std::string what_;
    std::size_t total_, done_ = 0;
    terminal_line line_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace redoubt::app::inline REDOUBT_ABI
