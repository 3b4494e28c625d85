// SPDX-License-Identifier: MIT
#include <redoubt/io/tensor_file.hpp>

#include "support/catch.hpp"
#include "support/complaint.hpp"
#include "support/temp_folder.hpp"

#include <limits>

namespace io = redoubt::io;
using support::bytes_of;

TEST_CASE("every type has its name and back", "[io]") {
    for (std::size_t i = 0; i <= static_cast<std::size_t>(io::dtype::u64); ++i) {
        const auto type = static_cast<io::dtype>(i);
        CHECK(io::dtype_named(io::name_of(type)) == type);
    }
    CHECK(io::name_of(io::dtype::boolean) == "BOOL");
    CHECK(io::name_of(io::dtype::f8_e4m3) == "F8_E4M3");
    CHECK(io::name_of(io::dtype::u64) == "U64");
    CHECK(io::bits_of(io::dtype::f16) == 16);
    CHECK(io::bits_of(io::dtype::i64) == 64);
    CHECK(!io::dtype_named("float32"));
}

TEST_CASE("element counts do not overflow", "[io]") {
    using shape = std::vector<std::size_t>;
    constexpr std::size_t huge = std::numeric_limits<std::size_t>::max();
    CHECK(io::element_count(shape{}) == 1u);
    CHECK(io::element_count(shape{2, 3, 4}) == 24u);
    CHECK(io::element_count(shape{2, 0, 4}) == 0u);
    CHECK(!io::element_count(shape{huge}));
    CHECK(!io::element_count(shape{huge, huge, 0}));
    CHECK(!io::element_count(shape{0, std::size_t{1} << 32, std::size_t{1} << 32}));
    CHECK(*io::byte_count(io::dtype::f4, shape{4}) == 2);
    CHECK_COMPLAINT(io::byte_count(io::dtype::f4, shape{3}), "[3]", "F4", "within a byte");
    CHECK_COMPLAINT(io::byte_count(io::dtype::f32, shape{huge, 2}), "overflows");
}

TEST_CASE("floats, halves and brain floats become floats", "[io]") {
    const io::tensor_entry wide{"w", io::dtype::f32, {2, 2},
                                bytes_of({0, 0, 0x80, 0x3f, 0, 0, 0, 0x80, 1, 0, 0x80, 0x7f, 1, 0, 0, 0})};
    const std::vector<float> values = *io::as_floats(wide);
    REQUIRE(values.size() == 4);
    CHECK(values[0] == 1.0f);
    CHECK(redoubt::to_word(values[1]) == 0x80000000u);
    CHECK(redoubt::to_word(values[2]) == redoubt::canonical_nan_word);
    CHECK(redoubt::to_word(values[3]) == 1u);
    const io::tensor_entry halves{"h", io::dtype::f16, {3}, bytes_of({0, 0x3c, 1, 0, 0, 0xfc})};
    CHECK(*io::as_floats(halves) == std::vector<float>{1.0f, 0x1p-24f, -std::numeric_limits<float>::infinity()});
    const io::tensor_entry brain{"b", io::dtype::bf16, {1}, bytes_of({0x80, 0xbf})};
    CHECK(*io::as_floats(brain) == std::vector<float>{-1.0f});
}

TEST_CASE("other types and wrong sizes are no floats", "[io]") {
    CHECK_COMPLAINT(io::as_floats({"steps", io::dtype::i64, {}, support::bytes(8)}), "'steps'", "is I64");
    CHECK_COMPLAINT(io::as_floats({"w", io::dtype::f32, {2}, support::bytes(7)}), "'w'", "has 7 bytes", "takes 8");
}
