// SPDX-License-Identifier: MIT
#include <redoubt/io/cifar.hpp>

#include "support/catch.hpp"
#include "support/complaint.hpp"
#include "support/data_files.hpp"
#include "support/temp_folder.hpp"

namespace io = redoubt::io;
using support::bytes_of;
using support::cifar_record;
using support::operator+;
using paths = std::vector<std::string>;

TEST_CASE("CIFAR-10 batches are joined and their planes interleaved", "[io]") {
    const support::temp_folder folder;
    const paths two{folder.write("1", cifar_record({3}) + cifar_record({0})),
                    folder.write("2", cifar_record({9}, {1, 2, 3}))};
    const auto set = io::read_cifar10(two);
    CAPTURE(support::complaint(set));
    REQUIRE(set);
    CHECK(set->size() == 3);
    CHECK(set->labels == std::vector<int>{3, 0, 9});
    CHECK(set->classes == 10);
    CHECK((set->channels == 3 && set->height == 32 && set->width == 32));
    REQUIRE(set->pixels.size() == 3 * 3072);
    const auto image = set->image(0);
    CHECK((image[0] == 0 && image[1] == 100 && image[2] == 200));
    // row 1, column 2
    CHECK((image[102] == 34 && image[103] == 134 && image[104] == 234));
    CHECK((set->image(2)[0] == 1 && set->image(2)[1] == 2 && set->image(2)[2] == 3));
}

TEST_CASE("CIFAR-100 has fine and coarse labels", "[io]") {
    const support::temp_folder folder;
    const paths one{folder.write("train.bin", cifar_record({19, 99}))};
    CHECK(io::read_cifar100(one)->labels == std::vector<int>{99});
    CHECK(io::read_cifar100(one)->classes == 100);
    CHECK(io::read_cifar100(one, false)->labels == std::vector<int>{19});
    CHECK(io::read_cifar100(one, false)->classes == 20);
    CHECK(io::read_cifar100(one)->image(0)[1] == 100);
}

TEST_CASE("CIFAR files that are wrong are errors that name the file", "[io]") {
    const support::temp_folder folder;
    const std::string good = folder.write("good", cifar_record({3}));
    support::bytes cut = cifar_record({3});
    cut.pop_back();
    const std::string shorter = folder.write("shorter", cut), empty = folder.write("empty", {});
    const std::string wrong = folder.write("wrong", cifar_record({9}) + cifar_record({10}));
    CHECK_COMPLAINT(io::read_cifar10(paths{good, shorter}), shorter, "3072 bytes", "multiple of the 3073");
    CHECK_COMPLAINT(io::read_cifar10(paths{empty}), empty, "is empty");
    CHECK_COMPLAINT(io::read_cifar10(paths{wrong}), wrong, "record 1", "label 10", "not below 10");
    CHECK_COMPLAINT(io::read_cifar10(paths{folder.file("none")}), folder.file("none"), "No such file");
    CHECK_COMPLAINT(io::read_cifar10(paths{}), "no file of CIFAR-10");
    CHECK_COMPLAINT(io::read_cifar100(paths{good}), good, "multiple of the 3074", "CIFAR-100");
    CHECK_COMPLAINT(io::read_cifar100(paths{folder.write("coarse", cifar_record({20, 5}))}), "record 0", "label 20");
    CHECK_COMPLAINT(io::read_cifar100(paths{folder.write("fine", cifar_record({5, 100}))}), "record 0", "label 100");
}
