// SPDX-License-Identifier: MIT
#include <redoubt/io/idx.hpp>

#include "support/catch.hpp"
#include "support/complaint.hpp"
#include "support/data_files.hpp"
#include "support/gzipped.hpp"
#include "support/temp_folder.hpp"

namespace io = redoubt::io;
using support::big_endian;
using support::bytes_of;
using support::operator+;

namespace {

/// Reads two files of that content from a folder of their own.
redoubt::result<io::image_set> read(const support::bytes& images, const support::bytes& labels) {
    const support::temp_folder folder;
    return io::read_idx(folder.write("images", images), folder.write("labels", labels));
}

}  // namespace

TEST_CASE("IDX images and labels are read, plain and gzipped", "[io]") {
    const support::bytes images = support::idx_images(3, 2, 4), labels = support::idx_labels({7, 0, 2});
    for (const auto& set : {read(images, labels), read(support::gzipped(images), support::gzipped(labels))}) {
        CAPTURE(support::complaint(set));
        REQUIRE(set);
        CHECK(set->size() == 3);
        CHECK(set->channels == 1);
        CHECK(set->height == 2);
        CHECK(set->width == 4);
        CHECK(set->classes == 8);
        CHECK(set->labels == std::vector<int>{7, 0, 2});
        CHECK(set->pixels.size() == 24);
        CHECK(set->image(1)[0] == 8);
        CHECK(set->image(2)[7] == 23);
    }
}

TEST_CASE("IDX files that are wrong are errors that name the file", "[io]") {
    const support::bytes images = support::idx_images(3, 2, 4), labels = support::idx_labels({7, 0, 2});
    const auto shorter = [](support::bytes all, std::size_t size) { return all.resize(size), all; };
    CHECK_COMPLAINT(read(shorter(images, 39), labels), "/images", "truncated", "take 40 bytes", "has 39");
    CHECK_COMPLAINT(read(shorter(images, 15), labels), "/images", "truncated", "15 bytes");
    CHECK_COMPLAINT(read({}, labels), "/images", "truncated", "0 bytes");
    CHECK_COMPLAINT(read(images + bytes_of({0}), labels), "/images", "too long", "has 41");
    CHECK_COMPLAINT(read(shorter(support::gzipped(images), 30), labels), "/images", "gzip", "truncated");
    CHECK_COMPLAINT(read(images, shorter(labels, 10)), "/labels", "truncated", "has 10");
    CHECK_COMPLAINT(read(images, shorter(labels, 4)), "/labels", "truncated", "4 bytes");
    CHECK_COMPLAINT(read(images, labels + bytes_of({0})), "/labels", "too long");
    CHECK_COMPLAINT(read(images, support::idx_labels({1, 2})), "/labels", "2 labels", "3 images", "/images");
    CHECK_COMPLAINT(read(support::idx_images(0, 2, 4), support::idx_labels({})), "/images", "no images");
    CHECK_COMPLAINT(read(labels + images, labels), "/images", "holds IDX labels, not images");
    CHECK_COMPLAINT(read(images, images), "/labels", "holds IDX images, not labels");
    CHECK_COMPLAINT(read(bytes_of("a text of some length"), labels), "/images", "0x61207465 instead of 0x00000803");
}

TEST_CASE("IDX headers cannot ask for more than the file has", "[io]") {
    const support::bytes labels = support::idx_labels({1}), some(100);
    CHECK_COMPLAINT(read(big_endian({0x803, ~0u, 65535, 65535}) + some, labels), "truncated");
    CHECK_COMPLAINT(read(big_endian({0x803, 1, ~0u, ~0u}) + some, labels), "4294967295 x 4294967295");
    CHECK_COMPLAINT(read(big_endian({0x803, 1, 0, 5}), labels), "0 x 5");
    CHECK_COMPLAINT(read(support::idx_images(1, 1, 1), big_endian({0x801, ~0u}) + some), "/labels", "truncated");
}
