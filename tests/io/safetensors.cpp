// SPDX-License-Identifier: MIT
#include <redoubt/io/safetensors.hpp>

#include "support/catch.hpp"
#include "support/complaint.hpp"
#include "support/safetensors_bytes.hpp"
#include "support/temp_folder.hpp"

namespace io = redoubt::io;
using support::bytes_of;
using support::safetensors_bytes;
using support::operator+;

namespace {

io::tensor_file sample() {
    io::tensor_file file;
    file.metadata = {{"format", "pt"}, {"note", "line\nbreak, \"quotes\" and gr\xc3\xbc\xc3\x9f" "e"}};
    file.tensors = {
        {"conv1.weight", io::dtype::f32, {2, 1, 1, 3}, support::bytes(24, std::byte{1})},
        {"bytes", io::dtype::i8, {3}, bytes_of({1, 2, 3})},
        {"steps", io::dtype::i64, {}, support::bytes(8, std::byte{2})},
        {"none", io::dtype::f32, {0, 5}, {}},
        {"half", io::dtype::f16, {2}, bytes_of({0, 0x3c, 0, 0xc0})},
        {"\xe5\xb1\x82 \\ \"1\"\t", io::dtype::boolean, {1}, bytes_of({1})},
    };
    return file;
}

}  // namespace

TEST_CASE("writing gives the bytes of the format", "[io]") {
    io::tensor_file file;
    file.metadata = {{"a", "b"}};
    file.tensors = {{"x", io::dtype::u8, {2}, bytes_of({0, 1})}, {"y", io::dtype::f32, {}, bytes_of({0, 0, 128, 63})}};
    // wider types come first in the data, names stay in their order; 130 characters are padded to 136
    const std::string_view header = R"({"__metadata__":{"a":"b"},"x":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},)"
                                    R"("y":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})";
    support::bytes expected = support::length_field(136) + bytes_of(header);
    expected.resize(8 + 136, std::byte{' '});
    expected = expected + bytes_of({0, 0, 128, 63, 0, 1});
    CHECK(*io::format_safetensors(file) == expected);
    CHECK(*io::format_safetensors({}) == support::length_field(8) + bytes_of("{}      "));
}

TEST_CASE("what was written is read", "[io]") {
    const io::tensor_file file = sample();
    const auto bytes = io::format_safetensors(file);
    REQUIRE(bytes);
    const auto again = io::parse_safetensors(*bytes, "sample");
    CAPTURE(support::complaint(again));
    REQUIRE(again);
    CHECK(*again == file);
    CHECK(*io::format_safetensors(*again) == *bytes);
    CHECK((*bytes)[0] == static_cast<std::byte>(static_cast<unsigned>((*bytes)[0]) & 0xf8u));
    REQUIRE(again->find("half") != nullptr);
    CHECK(*io::as_floats(*again->find("half")) == std::vector<float>{1.0f, -2.0f});
    CHECK(again->find("hal") == nullptr);

    const support::temp_folder folder;
    REQUIRE(io::write_safetensors(folder.file("a.safetensors"), file));
    CHECK(*io::read_safetensors(folder.file("a.safetensors")) == file);
    CHECK(folder.entries() == 1);
}

TEST_CASE("other writers' habits are read", "[io]") {
    // spaces, an order of its own, escapes, no padding
    const auto file = io::parse_safetensors(
        safetensors_bytes(R"({ "b\u00e9" : {"data_offsets":[2, 6],"shape":[1 ,2],"dtype":"F16"},)"
                          "\n\t" R"("a":{"dtype":"I8","data_offsets":[0,2],"shape":[2]}, "__metadata__":{}}  )", 6),
        "habits");
    CAPTURE(support::complaint(file));
    REQUIRE(file);
    REQUIRE(file->tensors.size() == 2);
    CHECK(file->tensors[0].name == "b\xc3\xa9");
    CHECK(file->tensors[0].shape == std::vector<std::size_t>{1, 2});
    CHECK(file->tensors[0].data == bytes_of({2, 3, 4, 5}));
    CHECK(file->tensors[1].data == bytes_of({0, 1}));
    CHECK(io::parse_safetensors(safetensors_bytes("{}", 0), "empty")->tensors.empty());
}

TEST_CASE("types that are not computed with are kept", "[io]") {
    const auto file = io::parse_safetensors(
        safetensors_bytes(R"({"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                          R"("q":{"dtype":"F4","shape":[3,2],"data_offsets":[8,11]}})", 11), "kept");
    CAPTURE(support::complaint(file));
    REQUIRE(file);
    CHECK(file->find("n")->type == io::dtype::i64);
    CHECK(file->find("q")->type == io::dtype::f4);
    CHECK_COMPLAINT(io::as_floats(*file->find("n")), "'n'", "I64");
}

TEST_CASE("what cannot be written is an error", "[io]") {
    const auto outcome = [](std::vector<io::tensor_entry> tensors,
                            std::vector<std::pair<std::string, std::string>> metadata = {}) {
        return io::format_safetensors({std::move(tensors), std::move(metadata)});
    };
    const io::tensor_entry good{"w", io::dtype::u8, {1}, bytes_of({1})};
    CHECK_COMPLAINT(outcome({good, good}), "two tensors", "'w'");
    CHECK_COMPLAINT(outcome({{"w", io::dtype::f32, {2}, support::bytes(4)}}), "'w'", "4 bytes", "takes 8");
    CHECK_COMPLAINT(outcome({{"w", io::dtype::u8, std::vector<std::size_t>(33, 1), support::bytes(1)}}), "'w'",
                    "more than 32 dimensions");
    CHECK_COMPLAINT(outcome({{"__metadata__", io::dtype::u8, {1}, support::bytes(1)}}), "__metadata__");
    CHECK_COMPLAINT(outcome({{"\xff", io::dtype::u8, {1}, support::bytes(1)}}), "not valid UTF-8");
    CHECK_COMPLAINT(outcome({good}, {{"k", "\xc3"}}), "metadata", "not valid UTF-8");
    CHECK_COMPLAINT(outcome({good}, {{"k", "1"}, {"k", "2"}}), "metadata", "'k' twice");

    const support::temp_folder folder;
    CHECK_COMPLAINT(io::write_safetensors(folder.file("bad"), {{good, good}, {}}), folder.file("bad"), "two tensors");
    CHECK(folder.entries() == 0);
}

TEST_CASE("a file that cannot be read is an error", "[io]") {
    const support::temp_folder folder;
    CHECK_COMPLAINT(io::read_safetensors(folder.file("none")), folder.file("none"), "No such file");
    const std::string path = folder.write("bad.safetensors", bytes_of("text"));
    CHECK_COMPLAINT(io::read_safetensors(path), path, "has 4 bytes");
}
