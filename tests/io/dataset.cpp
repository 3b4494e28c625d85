// SPDX-License-Identifier: MIT
#include <redoubt/io/dataset.hpp>

#include "support/catch.hpp"
#include "support/complaint.hpp"
#include "support/data_files.hpp"
#include "support/gzipped.hpp"
#include "support/temp_folder.hpp"

#include <filesystem>

namespace io = redoubt::io;
using support::cifar_record;
using support::operator+;

TEST_CASE("IDX files are found under their names", "[io]") {
    const support::bytes images = support::idx_images(2, 1, 1), labels = support::idx_labels({1, 2});
    for (const std::string separator : {"-", "."})
        for (const std::string ending : {"", ".gz"}) {
            const support::temp_folder folder;
            const auto put = [&](const std::string& name, const support::bytes& content) {
                folder.write(name + ending, ending.empty() ? content : support::gzipped(content));
            };
            put("t10k-images" + separator + "idx3-ubyte", images);
            put("t10k-labels" + separator + "idx1-ubyte", labels);
            const auto set = io::load_dataset(folder.path() + "/", io::part::test);
            CAPTURE(support::complaint(set));
            REQUIRE(set);
            CHECK(set->size() == 2);
            CHECK(folder.path().ends_with("/" + set->name));
            CHECK_COMPLAINT(io::load_dataset(folder.path(), io::part::train), "no data set for training");
        }
}

TEST_CASE("half of an IDX pair is an error that says what is missing", "[io]") {
    const support::temp_folder folder;
    folder.write("train-images-idx3-ubyte", support::idx_images(2, 1, 1));
    CHECK_COMPLAINT(io::load_dataset(folder.path(), io::part::train), folder.path(), "no labels",
                    "train-labels-idx1-ubyte.gz");
    folder.write("t10k-labels.idx1-ubyte", support::idx_labels({1, 2}));
    CHECK_COMPLAINT(io::load_dataset(folder.path(), io::part::test), "no images", "t10k-images-idx3-ubyte");
}

TEST_CASE("CIFAR-10 folders have five batches and a test batch", "[io]") {
    const support::temp_folder folder;
    for (int i = 1; i <= 4; ++i) folder.write("data_batch_" + std::to_string(i) + ".bin", cifar_record({i}));
    CHECK_COMPLAINT(io::load_dataset(folder.path(), io::part::train), "data_batch_5.bin", "No such file");
    folder.write("data_batch_5.bin", cifar_record({5}));
    folder.write("test_batch.bin", cifar_record({0}));
    CHECK(io::load_dataset(folder.path(), io::part::train)->labels == std::vector<int>{1, 2, 3, 4, 5});
    CHECK(io::load_dataset(folder.path(), io::part::test)->labels == std::vector<int>{0});
    CHECK(io::has_separate_parts(folder.path()));
}

TEST_CASE("CIFAR-100 folders have train.bin and test.bin", "[io]") {
    const support::temp_folder folder;
    folder.write("train.bin", cifar_record({1, 42}));
    folder.write("test.bin", cifar_record({2, 43}) + cifar_record({3, 44}));
    CHECK(io::load_dataset(folder.path(), io::part::train)->labels == std::vector<int>{42});
    CHECK(io::load_dataset(folder.path(), io::part::test)->labels == std::vector<int>{43, 44});
}

TEST_CASE("a single file is CIFAR-10 for both parts", "[io]") {
    const support::temp_folder folder;
    const std::string path = folder.write("some.bin", cifar_record({4}) + cifar_record({5}));
    for (const io::part which : {io::part::train, io::part::test}) {
        const auto set = io::load_dataset(path, which);
        REQUIRE(set);
        CHECK(set->name == "some.bin");
        CHECK(set->labels == std::vector<int>{4, 5});
    }
    CHECK(!io::has_separate_parts(path));
    const std::string other = folder.write("other.bin", support::bytes(3072)),
                      named = folder.write("some.dat", cifar_record({4}));
    CHECK_COMPLAINT(io::load_dataset(other, io::part::test), other, "multiple of 3073");
    CHECK_COMPLAINT(io::load_dataset(named, io::part::test), named, ".bin");
}

TEST_CASE("where no data set is the error lists what was looked for", "[io]") {
    const support::temp_folder folder;
    const std::string none = folder.file("none");
    CHECK_COMPLAINT(io::load_dataset(none, io::part::test), none, "no such file or folder");
    CHECK_COMPLAINT(io::load_dataset(folder.path(), io::part::test), folder.path(), "t10k-images-idx3-ubyte.gz",
                    "t10k-images.idx3-ubyte", "test_batch.bin", "test.bin");
    CHECK_COMPLAINT(io::load_dataset(folder.path(), io::part::train), "train-images-idx3-ubyte", "data_batch_5.bin",
                    "train.bin");
}

TEST_CASE("Fashion-MNIST is read as its publishers ship it", "[io]") {
    const std::string path = "/usr/share/datasets/fashion-mnist";
    if (!std::filesystem::is_directory(path)) {
        WARN("skipped: " << path << " is not there; it comes with Debian's package dataset-fashion-mnist");
        return;
    }
    const auto set = io::load_dataset(path, io::part::test);
    CAPTURE(support::complaint(set));
    REQUIRE(set);
    CHECK(set->name == "fashion-mnist");
    CHECK(set->size() == 10'000);
    CHECK((set->channels == 1 && set->height == 28 && set->width == 28));
    CHECK(set->classes == 10);
    // an ankle boot, a pullover, two trousers
    CHECK(std::vector<int>(set->labels.begin(), set->labels.begin() + 4) == std::vector<int>{9, 2, 1, 1});
    std::vector<int> counts(10);
    for (int label : set->labels) ++counts[static_cast<std::size_t>(label)];
    CHECK(counts == std::vector<int>(10, 1000));
}
