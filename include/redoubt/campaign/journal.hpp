// SPDX-License-Identifier: MIT
// The journal of a campaign: one line a finished trial, so that a killed campaign goes on where it was and shards merge.
#pragma once

#include <redoubt/campaign/trial.hpp>
#include <redoubt/io/file.hpp>
#include <redoubt/kernel/crc32c.hpp>

#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::campaign::inline v1 {

/// The finished trials of one cell, by number.
struct cell_trials {
    std::vector<trial_result> results;
    std::vector<char> done;

    explicit cell_trials(int trials = 0)
        : results(static_cast<std::size_t>(trials)), done(static_cast<std::size_t>(trials)) {}
    std::size_t finished() const {
        std::size_t n = 0;
        for (char d : done) n += d != 0 ? 1u : 0u;
        return n;
    }
    bool complete() const { return finished() == done.size(); }
};

}  // namespace redoubt::campaign::inline v1

namespace redoubt::campaign::inline REDOUBT_ABI {

namespace impl {

inline std::string checked_line(std::string_view body) {
    char tail[12];
    std::snprintf(tail, sizeof tail, " %08x\n", kernel::crc32c(reinterpret_cast<const std::byte*>(body.data()), body.size()));
    return std::string{body} + tail;
}
/// The body of a line without its end, or nothing where its checksum is not right.
inline std::string_view body_of(std::string_view line) {
    if (line.size() < 9 || line[line.size() - 9] != ' ') return {};
    const std::string_view body = line.substr(0, line.size() - 9);
    return checked_line(body).substr(body.size() + 1, 8) == line.substr(line.size() - 8) ? body : std::string_view{};
}

/// The numbers of a line; false where they are not `count` of them.
inline bool read_numbers(std::string_view text, std::span<std::uint64_t> out) {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (i > 0 && (at == end || *at++ != ' ')) return false;
        const auto [next, code] = std::from_chars(at, end, out[i]);
        if (code != std::errc{}) return false;
        at = next;
    }
    return at == end;
}

inline std::string trial_line(std::size_t cell, int trial, const trial_result& r) {
    std::string body = std::to_string(cell) + std::string{" "} + std::to_string(trial);
    trial_result::for_each(r, [&](const char*, auto v) { body += std::string{" "} + std::to_string(v); });
    return checked_line(body);
}

inline constexpr std::string_view journal_title = "redoubt-journal 2 ";

}  // namespace impl

/// What a journal file holds.
struct journal_content {
    std::string plan;
    std::vector<cell_trials> cells;
    std::size_t valid_bytes = 0;  ///< what follows is the beginning of a line that was being written
};

/// Reads a journal whose plan has cells of these numbers of trials. A last line without its end is left out. Errors, with the
/// line: a wrong title or checksum, a trial that the plan does not have, two results of one trial that differ.
inline result<journal_content> parse_journal(std::string_view path, std::string_view text, std::span<const int> trials) {
    journal_content content;
    for (int n : trials) content.cells.emplace_back(n);
    std::size_t line_number = 0;
    for (std::size_t at = 0; at < text.size(); ++line_number) {
        const std::size_t end = text.find('\n', at);
        if (end == std::string_view::npos) break;  // cut while it was written
        const std::string_view body = impl::body_of(text.substr(at, end - at));
        const auto wrong = [&](std::string_view what) { return error{path} << ": line " << line_number + 1 << ": " << what; };
        if (body.data() == nullptr) return wrong("its checksum is not right; the file was changed or damaged");
        at = end + 1;
        content.valid_bytes = at;
        if (line_number == 0) {
            if (!body.starts_with(impl::journal_title)) return wrong("this is no journal of this version");
            content.plan = body.substr(impl::journal_title.size());
            continue;
        }
        std::uint64_t head[2 + 13];
        if (!impl::read_numbers(body, head)) return wrong("not a trial");
        if (head[0] >= content.cells.size() || head[1] >= content.cells[head[0]].done.size())
            return wrong("a trial that the plan does not have");
        trial_result r;
        std::size_t n = 2;
        trial_result::for_each(r, [&](const char*, auto& v) { v = static_cast<std::remove_reference_t<decltype(v)>>(head[n++]); });
        cell_trials& cell = content.cells[head[0]];
        if (cell.done[head[1]] != 0 && !(cell.results[head[1]] == r)) return wrong("another result of a trial that is there already");
        cell.results[head[1]] = r;
        cell.done[head[1]] = 1;
    }
    return content;
}

/// An open journal. Writing needs one process at a time.
class journal {
public:
    /// Opens or begins the journal of a plan. `plan` is one line that says everything on which results depend; a file with
    /// another plan is an error, and so is a damaged one. `trials` are those of each cell.
    static result<journal> open(const std::string& path, const std::string& plan, std::span<const int> trials) {
        REDOUBT_EXPECTS(plan.find('\n') == std::string::npos);
        const std::string head = impl::checked_line(std::string{impl::journal_title} + plan);
        journal opened{path};
        std::string text;
        if (::access(path.c_str(), F_OK) == 0) {
            const auto bytes = io::read_file(path);
            if (!bytes) return bytes.reason();
            text.assign(reinterpret_cast<const char*>(bytes->data()), bytes->size());
        }
        // killed before the first line was whole: there is nothing to lose
        if (head.starts_with(text) && text.size() < head.size()) {
            if (auto r = io::write_file_atomically(path, head); !r) return r.reason();
            text = head;
        }
        auto content = parse_journal(path, text, trials);
        if (!content) return content.reason();
        if (content->plan != plan)
            return error{path} << ": is the journal of another campaign. Its plan: " << content->plan << ". This one: " << plan;
        opened.cells_ = std::move(content->cells);
        opened.file_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (opened.file_ < 0) return io::impl::system_error(path, "cannot be opened for writing");
        if (::ftruncate(opened.file_, static_cast<off_t>(content->valid_bytes)) != 0 || ::lseek(opened.file_, 0, SEEK_END) < 0)
            return io::impl::system_error(path, "cannot be cut to its last whole line");
        return opened;
    }

    journal(journal&& other) noexcept
        : path_{std::move(other.path_)}, cells_{std::move(other.cells_)}, waiting_{std::move(other.waiting_)},
          file_{std::exchange(other.file_, -1)} {}
    journal(const journal& other) = delete;
    journal& operator=(const journal&) = delete;
    ~journal() {
        if (file_ >= 0) ::close(file_);
    }

    const cell_trials& cell(std::size_t i) const { return cells_[i]; }
    const std::string& path() const { return path_; }

    /// Notes a finished trial; flush() puts it on the disk.
    void add(std::size_t cell, int trial, const trial_result& r) {
        const auto t = static_cast<std::size_t>(trial);
        if (cells_[cell].done[t] != 0) return;
        cells_[cell].results[t] = r;
        cells_[cell].done[t] = 1;
        waiting_ += impl::trial_line(cell, trial, r);
    }
    /// Writes what is noted. On an error the file ends in whole lines, or in a part that the next open() cuts off.
    result<void> flush() {
        if (waiting_.empty()) return {};
        if (!io::impl::write_all(file_, std::as_bytes(std::span{waiting_.data(), waiting_.size()})))
            return io::impl::system_error(path_, "cannot be written; what it holds so far can be resumed");
        waiting_.clear();
        return {};
    }

private:
    explicit journal(std::string path) : path_{std::move(path)} {}

    std::string path_;
    std::vector<cell_trials> cells_;
    std::string waiting_;
    int file_ = -1;
};

}  // namespace redoubt::campaign::inline REDOUBT_ABI
