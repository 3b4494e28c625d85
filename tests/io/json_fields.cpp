// SPDX-License-Identifier: MIT
// Fields of JSON objects: what is read, and that the first mistake is said with its place.
#include <redoubt/io/json_fields.hpp>

#include "support/catch.hpp"

using namespace redoubt;

namespace {

using json = io::json_fields::json;

/// What read(fields) complains of.
template <class Read>
std::string complaint(const char* text, Read&& read) {
    const json j = json::parse(text);
    std::optional<error> wrong;
    read(io::json_fields{j, "", wrong});
    return std::string{wrong ? wrong->text() : ""};
}

}  // namespace

TEST_CASE("fields of every kind are read") {
    const std::string none = complaint(R"({"a": {"text": "x", "flag": true, "count": 7, "number": -1.5, "numbers": [0, 0.5],
                                                "lists": [[1, 2], []], "objects": [{"n": 1}, {"n": 2}], "nothing": null}})",
        [](const io::json_fields& f) {
            const io::json_fields a = f.object("a");
            CHECK(a.text("text") == "x");
            CHECK(a.flag("flag"));
            CHECK(a.count("count", 7) == 7);
            CHECK(a.number("number", -2.0, 2.0) == -1.5);
            CHECK(a.rates("numbers") == std::vector<double>{0.0, 0.5});
            CHECK_FALSE(a.number_or_null("nothing", 0.0, 1.0));
            std::vector<std::vector<std::uint64_t>> lists;
            a.lists("lists", [&](const std::vector<std::uint64_t>& l) { lists.push_back(l); }, 2);
            CHECK(lists == std::vector<std::vector<std::uint64_t>>{{1, 2}, {}});
            std::uint64_t sum = 0;
            a.objects("objects", [&](const io::json_fields& o) { sum += o.count("n"); });
            CHECK(sum == 3);
        });
    CHECK(none.empty());
}

TEST_CASE("the first mistake is said, with its place") {
    const auto says = [](const char* text, auto&& read) { return complaint(text, read); };
    CHECK(says("[]", [](const auto&) {}) == "the file: must be an object, is array");
    CHECK(says("{}", [](const auto& f) { f.text("a"), f.count("b"); }) == "a: is missing");
    CHECK(says(R"({"a": {"b": 1}})", [](const auto& f) { f.object("a").text("b"); }) == "a.b: must be a string, is number");
    CHECK(says(R"({"a": 1})", [](const auto& f) { f.flag("a"); }) == "a: must be true or false, is number");
    CHECK(says(R"({"a": 8})", [](const auto& f) { f.count("a", 7); }) == "a: must be a whole number from 0 to 7, is 8");
    CHECK(says(R"({"a": [0.5, 2]})", [](const auto& f) { f.rates("a"); }) == "a[1]: lies outside its range, is 2");
    CHECK(says(R"({"a": [[1], [1, -1]]})", [](const auto& f) { f.lists("a", [](const auto&) {}, 9); }).starts_with("a[1][1]: must be a whole number"));
    CHECK(says(R"({"a": [[1], 2]})", [](const auto& f) { f.lists("a", [](const auto&) {}, 9); }) == "a[1]: must be a list, is number");
}
