// SPDX-License-Identifier: MIT
// Fetching the next images' memory while a kernel computes these: training walks through far more than any cache holds.
#pragma once

#include <redoubt/base/config.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace redoubt::kernel::inline v1 {

/// Memory that will be read soon, fetched into the second cache a few lines a row of pixels, which costs nothing while the row is computed.
class read_ahead {
public:
    /// So many floats from there; what does not fit in the list is left out.
    void add(const float* from, std::size_t count) {
        if (last_ < parts_.size()) parts_[last_++] = {reinterpret_cast<const char*>(from), reinterpret_cast<const char*>(from + count)};
    }
    /// Spreads what was added over that many rows.
    void spread(int rows) {
        std::ptrdiff_t bytes = 0;
        for (const part& p : parts_) bytes += p.end - p.from;
        lines_ = std::clamp<std::ptrdiff_t>((bytes / line + rows - 1) / std::max(rows, 1), 1, most);
    }
    /// To be called once a row; next() between rows, where another part may begin.
    [[gnu::always_inline]] void some() {
        part& now = parts_[first_];
        if (now.from >= now.end) return;
        for (std::ptrdiff_t k = 0; k < lines_; ++k) __builtin_prefetch(now.from + k * line, 0, 2);
        now.from += lines_ * line;
    }
    void next() {
        if (first_ + 1 < last_ && parts_[first_].from >= parts_[first_].end) ++first_;
    }

private:
    struct part {
        const char *from = nullptr, *end = nullptr;
    };
    static constexpr std::ptrdiff_t line = 64, most = 32;
    std::array<part, 4> parts_{};
    std::size_t first_ = 0, last_ = 0;
    std::ptrdiff_t lines_ = 1;
};

}  // namespace redoubt::kernel::inline v1
