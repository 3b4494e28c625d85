// SPDX-License-Identifier: MIT
// How far a cell is, on a terminal: trials, rate, time left.
#pragma once

#include <redoubt/base/config.hpp>

#include <chrono>
#include <cstdio>
#include <string>

#include <unistd.h>

namespace redoubt::app::inline REDOUBT_ABI {

/// A line on the standard error that is written over as work goes on; nothing where that is no terminal.
class progress {
public:
    progress(std::string what, std::size_t total)
        : what_{std::move(what)}, total_{total}, shown_{::isatty(STDERR_FILENO) != 0 && total > 0} {}
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;
    ~progress() { finish(); }

    void step() {
        ++done_;
        const auto now = clock::now();
        if (!shown_ || now - last_ < std::chrono::milliseconds{100}) return;
        last_ = now;
        const double seconds = std::chrono::duration<double>(now - start_).count();
        const double rate = static_cast<double>(done_) / seconds;
        std::fprintf(stderr, "\r\x1b[K%s: %zu of %zu trials, %.3g a second, %.0f s left", what_.c_str(), done_, total_, rate,
                     static_cast<double>(total_ - done_) / rate);
        drawn_ = true;
    }
    /// Clears the line.
    void finish() {
        if (drawn_) std::fprintf(stderr, "\r\x1b[K");
        drawn_ = false;
    }

private:
    using clock = std::chrono::steady_clock;
    std::string what_;
    std::size_t total_, done_ = 0;
    bool shown_, drawn_ = false;
    clock::time_point start_ = clock::now(), last_ = start_;
};

}  // namespace redoubt::app::inline REDOUBT_ABI
