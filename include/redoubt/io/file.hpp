// SPDX-License-Identifier: MIT
// Whole files in and out: read with a limit, written so that a reader meets the old file or the new one, never a part.
#pragma once

#include <redoubt/base/result.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace redoubt::io::inline REDOUBT_ABI {

/// The most bytes a reader takes unless told otherwise: 2 GiB.
inline constexpr std::size_t default_read_limit = std::size_t{1} << 31;

namespace impl {

/// An error that says which path, what failed and what the system calls it.
inline error system_error(std::string_view path, std::string_view what, int code = errno) {
    return error{path} << ": " << what << ": " << std::generic_category().message(code);
}

/// An open file that closes itself.
class descriptor {
public:
    explicit descriptor(int number) : number_{number} {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    explicit operator bool() const { return number_ >= 0; }
    int number() const { return number_; }
    /// Closes now; some file systems report a failed write only here.
    bool close() { return ::close(std::exchange(number_, -1)) == 0; }

private:
    int number_;
};

/// The next size of a buffer that is full but may not pass `most`.
inline std::size_t grown(std::size_t size, std::size_t most) {
    return size > most / 2 ? most : std::max(2 * size, std::min(most, std::size_t{1} << 16));
}

inline error over_limit(std::string_view path, std::size_t limit) {
    return error{path} << ": has more than the " << limit << " bytes that this reader takes";
}

inline bool write_all(int file, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

/// Devices and pipes have no old content to keep, and renaming a file over one would destroy it.
inline result<void> write_through(const std::string& path, std::span<const std::byte> bytes) {
    descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (!file) return system_error(path, "cannot be opened for writing");
    if (!write_all(file.number(), bytes)) return system_error(path, "cannot be written");
    if (!file.close()) return system_error(path, "cannot be closed after writing");
    return {};
}

/// Opens a new file whose name no other writer has, and tells the name.
inline int open_beside(const std::string& path, std::string& name) {
    static std::atomic<unsigned> count{0};
    for (int attempt = 0;; ++attempt) {
        name = path + ".part-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
        const int file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0 || errno != EEXIST || attempt == 100) return file;
    }
}

/// The file a path leads to: a symbolic link stays, what it points at is replaced.
inline std::string behind_links(const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return path;
    char* found = ::realpath(path.c_str(), nullptr);
    if (found == nullptr) return path;
    std::string real{found};
    std::free(found);
    return real;
}

/// Fills and closes the temporary file and puts it in the target's place; the caller removes it on failure.
inline result<void> fill_and_rename(descriptor& file, const std::string& name, const std::string& target,
                                    std::span<const std::byte> bytes, const struct stat* old) {
    if (old != nullptr && ::fchmod(file.number(), old->st_mode & 07777) != 0)
        return system_error(target, "cannot be given the permissions of the file it replaces");
    if (!write_all(file.number(), bytes)) return system_error(target, "cannot be written");
    // EINVAL: the file system has no notion of it
    if (::fsync(file.number()) != 0 && errno != EINVAL) return system_error(target, "cannot be written to the disk");
    if (!file.close()) return system_error(target, "cannot be closed after writing");
    if (::rename(name.c_str(), target.c_str()) != 0) return system_error(target, "cannot be replaced");
    return {};
}

}  // namespace impl

/// All bytes of a file. Errors: it cannot be opened or read, is a folder, or has more than `limit` bytes.
inline result<std::vector<std::byte>> read_file(const std::string& path, std::size_t limit = default_read_limit) {
    const impl::descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file) return impl::system_error(path, "cannot be opened");
    struct stat status{};
    if (::fstat(file.number(), &status) != 0) return impl::system_error(path, "cannot be examined");
    if (S_ISDIR(status.st_mode)) return error{path} << ": is a folder, not a file";
    // one byte more than allowed tells a file that fits from one that does not; pipes and devices state no size
    const std::size_t most = std::min(limit, std::numeric_limits<std::size_t>::max() / 2) + 1;
    const std::size_t stated = S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) : 0;
    if (stated >= most) return impl::over_limit(path, limit);

    std::vector<std::byte> bytes(stated + 1);
    std::size_t size = 0;
    for (;;) {
        if (size == bytes.size()) bytes.resize(impl::grown(size, most));
        const ssize_t got = ::read(file.number(), bytes.data() + size, bytes.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return impl::system_error(path, "cannot be read");
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
        if (size >= most) return impl::over_limit(path, limit);
    }
    bytes.resize(size);
    return bytes;
}

/// Writes a file whole or not at all: into a new file beside it, flushed to the disk, then renamed over the target.
/// On an error (full disk, missing folder, no permission) the temporary file is gone and an existing target untouched.
/// A target that is a device or a pipe is written directly.
inline result<void> write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
    const std::string target = impl::behind_links(path);
    struct stat old{};
    const bool replaces = ::stat(target.c_str(), &old) == 0;
    if (replaces && S_ISDIR(old.st_mode)) return error{path} << ": is a folder, a file cannot take its place";
    if (replaces && !S_ISREG(old.st_mode)) return impl::write_through(target, bytes);
    if (replaces && ::access(target.c_str(), W_OK) != 0) return impl::system_error(path, "cannot be replaced");

    std::string name;
    impl::descriptor file{impl::open_beside(target, name)};
    if (!file) return impl::system_error(path, "cannot be created");
    result<void> done = impl::fill_and_rename(file, name, target, bytes, replaces ? &old : nullptr);
    if (!done) ::unlink(name.c_str());
    return done;
}

/// The same for text.
inline result<void> write_file_atomically(const std::string& path, std::string_view text) {
    return write_file_atomically(path, std::as_bytes(std::span{text.data(), text.size()}));
}

}  // namespace redoubt::io::inline REDOUBT_ABI
