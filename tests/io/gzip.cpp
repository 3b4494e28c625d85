// SPDX-License-Identifier: MIT
#include <redoubt/io/gzip.hpp>

#include "support/catch.hpp"
#include "support/complaint.hpp"
#include "support/gzipped.hpp"
#include "support/temp_folder.hpp"

namespace io = redoubt::io;
using support::bytes_of;
using support::operator+;

namespace {

support::bytes content(std::size_t size) {
    support::bytes all(size);
    for (std::size_t i = 0; i < size; ++i) all[i] = static_cast<std::byte>(i * i >> 7 & 255);
    return all;
}

}  // namespace

TEST_CASE("plain and gzipped files read alike", "[io]") {
    const support::temp_folder folder;
    for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5000}, std::size_t{300'000}}) {
        const support::bytes all = content(size);
        CHECK(*io::read_maybe_gzip(folder.write("plain", all)) == all);
        CHECK(*io::read_maybe_gzip(folder.write("packed", support::gzipped(all))) == all);
    }
    // one byte of the magic alone is not gzip
    CHECK(*io::read_maybe_gzip(folder.write("one", bytes_of({0x1f}))) == bytes_of({0x1f}));
}

TEST_CASE("members of a gzip file are joined", "[io]") {
    const support::bytes one = support::gzipped(bytes_of("one ")), two = support::gzipped(bytes_of("two"));
    CHECK(*io::gunzip(one + two, "two members") == bytes_of("one two"));
}

TEST_CASE("a truncated gzip file is an error at every length", "[io]") {
    const support::bytes packed = support::gzipped(content(2000));
    for (std::size_t size = 0; size < packed.size(); ++size)
        CHECK_COMPLAINT(io::gunzip(std::span{packed}.first(size), "cut.gz"), "cut.gz", "truncated");
}

TEST_CASE("a corrupt gzip file is an error", "[io]") {
    const support::temp_folder folder;
    const support::bytes good = support::gzipped(content(2000));
    support::bytes bad = good;
    bad[bad.size() - 6] ^= std::byte{1};  // in the checksum
    const std::string path = folder.write("bad.gz", bad);
    CHECK_COMPLAINT(io::read_maybe_gzip(path), path, "corrupt");
    CHECK_COMPLAINT(io::gunzip(good + bytes_of("rest"), "long.gz"), "long.gz", "4 bytes follow the end");
    CHECK_COMPLAINT(io::gunzip(bytes_of("no gzip at all"), "text"), "text", "corrupt");
}

TEST_CASE("a decompression bomb stops at the limit", "[io]") {
    const support::temp_folder folder;
    const support::bytes all(20'000'000);
    const support::bytes packed = support::gzipped(all);
    REQUIRE(packed.size() < 30'000);
    const std::string path = folder.write("bomb.gz", packed);
    CHECK_COMPLAINT(io::read_maybe_gzip(path, 1'000'000), path, "more than the 1000000 bytes");
    CHECK_COMPLAINT(io::read_maybe_gzip(path, all.size() - 1), path, "more than");
    CHECK(io::read_maybe_gzip(path, all.size())->size() == all.size());
}
