// SPDX-License-Identifier: MIT
#include <redoubt/io/file.hpp>

#include "support/catch.hpp"
#include "support/complaint.hpp"
#include "support/temp_folder.hpp"

#include <csignal>
#include <filesystem>

#include <sys/resource.h>

namespace io = redoubt::io;
using support::bytes_of;

namespace {

/// While it lives no file can grow past a size, which is how a full disk looks from inside.
class file_size_limit {
public:
    explicit file_size_limit(rlim_t bytes) {
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit now{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    file_size_limit(const file_size_limit&) = delete;
    file_size_limit& operator=(const file_size_limit&) = delete;
    ~file_size_limit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    void (*handler_)(int);
    rlimit before_{};
};

support::bytes read(const std::string& path) {
    const auto content = io::read_file(path);
    return content ? *content : bytes_of("unreadable");
}

}  // namespace

TEST_CASE("a file is read whole, up to the limit", "[io]") {
    const support::temp_folder folder;
    const std::string path = folder.write("a", bytes_of("twelve bytes"));
    CHECK(read(path) == bytes_of("twelve bytes"));
    CHECK(*io::read_file(path, 12) == bytes_of("twelve bytes"));
    CHECK_COMPLAINT(io::read_file(path, 11), path, "more than the 11 bytes");
    CHECK(*io::read_file(path, SIZE_MAX) == bytes_of("twelve bytes"));
    CHECK(io::read_file(folder.write("empty", {}), 0)->empty());
    const support::bytes large(300'000, std::byte{7});
    CHECK(read(folder.write("large", large)) == large);
}

TEST_CASE("what cannot be read is an error that names it", "[io]") {
    const support::temp_folder folder;
    CHECK_COMPLAINT(io::read_file(folder.file("none")), folder.file("none"), "cannot be opened", "No such file");
    CHECK_COMPLAINT(io::read_file(folder.path()), folder.path(), "is a folder");
    if (std::filesystem::exists("/dev/zero"))
        CHECK_COMPLAINT(io::read_file("/dev/zero", 100'000), "/dev/zero", "more than the 100000 bytes");
}

TEST_CASE("a file is written, replaced, and keeps its permissions", "[io]") {
    namespace fs = std::filesystem;
    const support::temp_folder folder;
    const std::string path = folder.file("a");
    REQUIRE(io::write_file_atomically(path, "first"));
    CHECK(read(path) == bytes_of("first"));
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    REQUIRE(io::write_file_atomically(path, bytes_of({1, 0, 255})));
    CHECK(read(path) == bytes_of({1, 0, 255}));
    CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    REQUIRE(io::write_file_atomically(path, ""));
    CHECK(read(path).empty());
    CHECK(folder.entries() == 1);
}

TEST_CASE("a symbolic link stays and its target is replaced", "[io]") {
    const support::temp_folder folder;
    const std::string path = folder.write("real", bytes_of("old")), link = folder.file("link");
    std::filesystem::create_symlink("real", link);
    REQUIRE(io::write_file_atomically(link, "new"));
    CHECK(std::filesystem::is_symlink(link));
    CHECK(read(path) == bytes_of("new"));
    CHECK(folder.entries() == 2);
}

TEST_CASE("a full disk leaves the old file and nothing else", "[io]") {
    const support::temp_folder folder;
    const std::string path = folder.write("a", bytes_of("old")), fresh = folder.file("b");
    const support::bytes large(100'000, std::byte{1});
    std::string replaced, created;
    {
        const file_size_limit limit{50'000};
        replaced = support::complaint(io::write_file_atomically(path, large));
        created = support::complaint(io::write_file_atomically(fresh, large));
    }
    CAPTURE(replaced, created);
    CHECK(support::says(replaced, {path, "cannot be written", "too large"}));
    CHECK(support::says(created, {fresh, "cannot be written", "too large"}));
    CHECK(read(path) == bytes_of("old"));
    CHECK(folder.entries() == 1);
}

TEST_CASE("a device is written directly and a full one reported", "[io]") {
    if (!std::filesystem::is_character_file("/dev/full")) {
        WARN("skipped: there is no /dev/full here");
        return;
    }
    CHECK_COMPLAINT(io::write_file_atomically("/dev/full", "text"), "/dev/full", "cannot be written", "No space left");
    CHECK(std::filesystem::is_character_file("/dev/full"));
    CHECK(io::write_file_atomically("/dev/null", "text"));
    CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("what cannot be written is an error that names it", "[io]") {
    const support::temp_folder folder;
    const std::string missing = folder.file("no/such/file");
    CHECK_COMPLAINT(io::write_file_atomically(missing, "x"), missing, "cannot be created", "No such file");
    CHECK_COMPLAINT(io::write_file_atomically(folder.path(), "x"), folder.path(), "is a folder");
    CHECK(folder.entries() == 0);
}
