// SPDX-License-Identifier: MIT
#include <redoubt/base/philox.hpp>
#include <redoubt/io/safetensors.hpp>

#include "support/catch.hpp"
#include "support/complaint.hpp"
#include "support/safetensors_bytes.hpp"

namespace io = redoubt::io;
using support::bytes_of;
using support::length_field;
using support::safetensors_bytes;
using support::operator+;

namespace {

auto parse(const support::bytes& file) { return io::parse_safetensors(file, "evil.safetensors"); }

auto parse(std::string_view header, std::size_t data_bytes = 4) { return parse(safetensors_bytes(header, data_bytes)); }

/// A header with one tensor 'w' of those fields.
auto parse_entry(const std::string& fields, std::size_t data_bytes = 4) {
    return parse("{\"w\":{" + fields + "}}", data_bytes);
}

/// Two tensors of bytes at those offsets.
auto parse_pair(const std::string& a, const std::string& b, std::size_t data_bytes) {
    return parse(R"({"a":{"dtype":"U8",)" + a + R"(},"b":{"dtype":"U8",)" + b + "}}", data_bytes);
}

}  // namespace

TEST_CASE("a header length that cannot be is an error", "[io]") {
    CHECK_COMPLAINT(parse(support::bytes{}), "evil.safetensors", "has 0 bytes");
    CHECK_COMPLAINT(parse(support::bytes(7)), "evil.safetensors", "has 7 bytes");
    CHECK_COMPLAINT(parse(length_field(3) + bytes_of("{}")), "evil.safetensors", "length 3", "past the end", "2 bytes");
    CHECK_COMPLAINT(parse(length_field(100'000'001) + bytes_of("{}")), "100000001", "above the limit");
    CHECK_COMPLAINT(parse(length_field(~std::uint64_t{0}) + bytes_of("{}")), "18446744073709551615", "above the limit");
    CHECK_COMPLAINT(parse(length_field(0)), "not a JSON object");
}

TEST_CASE("bad JSON is an error with its place", "[io]") {
    CHECK_COMPLAINT(parse("{"), "evil.safetensors", "bad JSON at byte 2");
    CHECK_COMPLAINT(parse("{\"__metadata__\":{}"), "bad JSON", "unexpected end of input");
    CHECK_COMPLAINT(parse("{} x"), "bad JSON at byte 4");
    CHECK_COMPLAINT(parse("{}{}"), "bad JSON");
    CHECK_COMPLAINT(parse("{\"w\":1e999}"), "bad JSON", "1e999");
    CHECK_COMPLAINT(parse("{\"\xff\":{}}"), "bad JSON", "UTF-8");
    CHECK_COMPLAINT(parse("{\"\xc0\xaf\":{}}"), "bad JSON", "UTF-8");
    CHECK_COMPLAINT(parse(R"({"\ud800":{}})"), "bad JSON", "surrogate");
    CHECK_COMPLAINT(parse("{/**/}"), "bad JSON");
    CHECK_COMPLAINT(parse(std::string_view{"{}\0 more", 8}), "bad JSON at byte 3", "zero byte");
}

TEST_CASE("a header of another form is an error", "[io]") {
    CHECK_COMPLAINT(parse("[]"), "evil.safetensors", "not a JSON object");
    CHECK_COMPLAINT(parse(" {}"), "not a JSON object");
    CHECK_COMPLAINT(parse("\xef\xbb\xbf{}"), "not a JSON object");
    CHECK_COMPLAINT(parse(R"({"w":1})"), "'w'", "a number, not an object");
    CHECK_COMPLAINT(parse(R"({"w":null})"), "'w'", "null, not an object");
    CHECK_COMPLAINT(parse(R"({"w":[]})"), "'w'", "an array, not an object");
    CHECK_COMPLAINT(parse(R"({"w":"x"})"), "'w'", "the string 'x', not an object");
    CHECK_COMPLAINT(parse(R"({"__metadata__":"x"})"), "'__metadata__'", "not an object");
    CHECK_COMPLAINT(parse(R"({"__metadata__":{"k":1}})"), "__metadata__", "'k'", "not a string");
    CHECK_COMPLAINT(parse(R"({"__metadata__":{"k":{}}})"), "__metadata__", "'k'", "an object, not a string");
    CHECK_COMPLAINT(parse(R"({"__metadata__":{"k":"1","k":"1"}})"), "__metadata__", "'k' twice");
    CHECK_COMPLAINT(parse(R"({"__metadata__":{},"__metadata__":{}})"), "'__metadata__' twice");
}

TEST_CASE("deep nesting is refused where it begins", "[io]") {
    CHECK_COMPLAINT(parse("{\"w\":" + std::string(1'000'000, '[')), "'w'", "an array, not an object");
    std::string objects;
    for (int i = 0; i < 100'000; ++i) objects += "{\"w\":";
    CHECK_COMPLAINT(parse(objects), "tensor 'w'", "unknown field 'w'");
    CHECK_COMPLAINT(parse_entry(R"("shape":)" + std::string(1'000'000, '[')), "'w'", "shape holds an array");
}

TEST_CASE("missing, repeated and unknown fields are errors", "[io]") {
    CHECK_COMPLAINT(parse_entry(""), "tensor 'w'", "no dtype");
    CHECK_COMPLAINT(parse_entry(R"("dtype":"F32","data_offsets":[0,4])"), "tensor 'w'", "no shape");
    CHECK_COMPLAINT(parse_entry(R"("dtype":"F32","shape":[1])"), "tensor 'w'", "no data_offsets");
    CHECK_COMPLAINT(parse_entry(R"("dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4])"), "'w'",
                    "dtype twice");
    CHECK_COMPLAINT(parse_entry(R"("dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4])"), "'w'", "shape twice");
    CHECK_COMPLAINT(parse_entry(R"("stride":[1],"dtype":"F32","shape":[1],"data_offsets":[0,4])"), "'w'",
                    "unknown field 'stride'");
    CHECK_COMPLAINT(parse(R"({"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                          R"("w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})"), "'w' twice");
    // the second entry does not inherit the first one's fields
    CHECK_COMPLAINT(parse(R"({"v":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"w":{}})"), "'w'", "no dtype");
}

TEST_CASE("fields of the wrong type are errors", "[io]") {
    CHECK_COMPLAINT(parse_entry(R"("dtype":32)"), "tensor 'w'", "dtype is a number, not a string");
    CHECK_COMPLAINT(parse_entry(R"("dtype":["F32"])"), "tensor 'w'", "dtype is an array, not a string");
    CHECK_COMPLAINT(parse_entry(R"("dtype":"float")"), "tensor 'w'", "unknown dtype 'float'");
    CHECK_COMPLAINT(parse_entry(R"("shape":4)"), "tensor 'w'", "shape is a number, not an array");
    CHECK_COMPLAINT(parse_entry(R"("shape":"4")"), "tensor 'w'", "shape is the string '4', not an array");
    CHECK_COMPLAINT(parse_entry(R"("shape":{})"), "tensor 'w'", "shape is an object, not an array");
    CHECK_COMPLAINT(parse_entry(R"("data_offsets":null)"), "tensor 'w'", "data_offsets is null, not an array");
    CHECK_COMPLAINT(parse_entry(R"("shape":[true])"), "shape holds true or false", "not a whole number");
    CHECK_COMPLAINT(parse_entry(R"("shape":["1"])"), "shape holds the string '1'", "not a whole number");
    CHECK_COMPLAINT(parse_entry(R"("data_offsets":[])"), "'w'", "data_offsets holds 0 numbers, not 2");
    CHECK_COMPLAINT(parse_entry(R"("data_offsets":[4])"), "'w'", "data_offsets holds 1 numbers, not 2");
    CHECK_COMPLAINT(parse_entry(R"("data_offsets":[0,4,4])"), "'w'", "more than 2 numbers");
}

TEST_CASE("numbers that are no counts are errors", "[io]") {
    CHECK_COMPLAINT(parse_entry(R"("shape":[-1])"), "'w'", "shape holds a negative number");
    CHECK_COMPLAINT(parse_entry(R"("shape":[1.5])"), "'w'", "shape holds the number '1.5'", "not a whole number");
    CHECK_COMPLAINT(parse_entry(R"("shape":[1e3])"), "'w'", "'1e3'", "not a whole number");
    CHECK_COMPLAINT(parse_entry(R"("shape":[18446744073709551616])"), "'w'", "'18446744073709551616'");
    CHECK_COMPLAINT(parse_entry(R"("data_offsets":[-4,0])"), "'w'", "data_offsets holds a negative number");
    CHECK_COMPLAINT(parse_entry(R"("data_offsets":[0,4.0])"), "'w'", "data_offsets holds the number '4.0'");
}

TEST_CASE("counts that overflow are errors", "[io]") {
    const auto with_shape = [](const std::string& shape) {
        return parse_entry(R"("dtype":"F32","data_offsets":[0,4],"shape":)" + shape);
    };
    CHECK_COMPLAINT(with_shape("[18446744073709551615]"), "'w'", "overflows");
    CHECK_COMPLAINT(with_shape("[4294967296,4294967296]"), "'w'", "overflows");
    CHECK_COMPLAINT(with_shape("[4294967296,4294967296,0]"), "'w'", "overflows");
    // 4 * (2^62 + 1) is 4 in 64 bits
    CHECK_COMPLAINT(with_shape("[4611686018427387905]"), "'w'", "overflows");
    CHECK_COMPLAINT(with_shape("[1152921504606846976]"), "'w'", "overflows");
    std::string ones = "[1";
    for (int i = 0; i < 32; ++i) ones += ",1";
    CHECK_COMPLAINT(with_shape(ones + "]"), "'w'", "more than 32 dimensions");
    CHECK(with_shape(ones.substr(0, ones.size() - 2) + "]"));
}

TEST_CASE("bytes that do not match the shape are errors", "[io]") {
    CHECK_COMPLAINT(parse_entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), "evil.safetensors", "'w'",
                    "has 4 bytes", "[2]", "F32", "takes 8");
    CHECK_COMPLAINT(parse_entry(R"("dtype":"F32","shape":[],"data_offsets":[0,3])", 3), "'w'", "has 3 bytes",
                    "takes 4");
    CHECK_COMPLAINT(parse_entry(R"("dtype":"F6_E2M3","shape":[3],"data_offsets":[0,3])", 3), "'w'", "within a byte");
}

TEST_CASE("offsets outside the data are errors", "[io]") {
    CHECK_COMPLAINT(parse_entry(R"("dtype":"U8","shape":[5],"data_offsets":[0,5])"), "'w'", "end at 5", "past the end",
                    "at 4");
    CHECK_COMPLAINT(parse_entry(R"("dtype":"U8","shape":[4],"data_offsets":[4,0])"), "'w'", "begin at 4",
                    "after their end at 0");
    CHECK_COMPLAINT(parse_entry(R"("dtype":"U8","shape":[3],"data_offsets":)"
                                R"([18446744073709551612,18446744073709551615])"), "'w'", "past the end");
}

TEST_CASE("overlaps, gaps and trailing bytes are errors", "[io]") {
    CHECK_COMPLAINT(parse_pair(R"("shape":[4],"data_offsets":[0,4])", R"("shape":[4],"data_offsets":[3,7])", 7),
                    "'b'", "overlaps 'a'", "offset 3", "ends at 4");
    CHECK_COMPLAINT(parse_pair(R"("shape":[4],"data_offsets":[0,4])", R"("shape":[4],"data_offsets":[0,4])", 4),
                    "'b'", "overlaps 'a'");
    CHECK_COMPLAINT(parse_pair(R"("shape":[4],"data_offsets":[0,4])", R"("shape":[0],"data_offsets":[2,2])", 4),
                    "'b'", "overlaps 'a'");
    CHECK_COMPLAINT(parse_pair(R"("shape":[4],"data_offsets":[6,10])", R"("shape":[4],"data_offsets":[0,4])", 10),
                    "'a'", "2 bytes before it", "gap");
    CHECK_COMPLAINT(parse_entry(R"("dtype":"U8","shape":[3],"data_offsets":[1,4])"), "'w'", "1 bytes before it", "gap");
    CHECK_COMPLAINT(parse_entry(R"("dtype":"U8","shape":[4],"data_offsets":[0,4])", 6), "the last 2 bytes",
                    "no tensor");
    CHECK_COMPLAINT(parse("{}", 1), "the last 1 bytes");
    // empty tensors lie anywhere between others
    CHECK(parse_pair(R"("shape":[4],"data_offsets":[0,4])", R"("shape":[0,9],"data_offsets":[4,4])", 4));
    CHECK(parse_pair(R"("shape":[4],"data_offsets":[0,4])", R"("shape":[0],"data_offsets":[0,0])", 4));
}

TEST_CASE("a hostile name cannot write to the terminal", "[io]") {
    const auto outcome = parse(R"({"\u001b[2J)" + std::string(5000, 'x') + R"(":{"dtype":"X"}})");
    const std::string text = support::complaint(outcome);
    CAPTURE(text);
    CHECK(support::says(text, {"'?[2Jxx", "...'", "unknown dtype 'X'"}));
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.size() < 300);
}

TEST_CASE("random edits of a file never do worse than an error", "[io]") {
    const std::string_view header =
        R"({"__metadata__":{"format":"pt"},"conv.weight":{"dtype":"F32","shape":[2,1,3],"data_offsets":[0,24]},)"
        R"("bn.steps":{"dtype":"I64","shape":[],"data_offsets":[24,32]},)"
        R"("half":{"dtype":"F16","shape":[2],"data_offsets":[32,36]}}  )";
    const support::bytes good = safetensors_bytes(header, 36);
    REQUIRE(parse(good));
    // half of the bytes put in are ones that mean something in a header
    constexpr std::string_view telling = "{}[]\",:0123456789-.eE\\u \n";
    redoubt::random_stream random{1, {}};
    std::size_t accepted = 0, consistent = 0;
    for (int round = 0; round < 20'000; ++round) {
        support::bytes bad = good;
        const std::uint64_t edits = 1 + random.below(4);
        for (std::uint64_t i = 0; i < edits && !bad.empty(); ++i) {
            const auto at = static_cast<std::ptrdiff_t>(random.below(bad.size()));
            const char drawn = random.below(2) == 0 ? telling[random.below(telling.size())]
                                                    : static_cast<char>(random.below(256));
            switch (random.below(8)) {
                case 0: bad.resize(static_cast<std::size_t>(at)); break;
                case 1: bad.erase(bad.begin() + at); break;
                case 2: bad.insert(bad.begin() + at, static_cast<std::byte>(drawn)); break;
                case 3: bad[random.below(std::min<std::size_t>(8, bad.size()))] = static_cast<std::byte>(drawn); break;
                default: bad[static_cast<std::size_t>(at)] = static_cast<std::byte>(drawn);
            }
        }
        const auto outcome = parse(bad);
        if (!outcome) {
            if (!outcome.reason().text().starts_with("evil.safetensors: ")) FAIL(outcome.reason().text());
            continue;
        }
        ++accepted;
        // what is accepted is whole: it can be written and read again
        const auto bytes = io::format_safetensors(*outcome);
        if (bytes && *io::parse_safetensors(*bytes, "again") == *outcome) ++consistent;
    }
    CAPTURE(accepted);
    CHECK(accepted > 100);
    CHECK(accepted < 15'000);
    CHECK(consistent == accepted);
}
