// SPDX-License-Identifier: MIT
#include <redoubt/base/result.hpp>

#include "support/catch.hpp"

#include <limits>
#include <memory>
#include <string>
#include <utility>

using namespace redoubt;

namespace {

result<int> half(int value) {
    if (value % 2 != 0) return error{"odd: "} << value;
    return value / 2;
}

result<void> positive(int value) {
    if (value <= 0) return error{"not positive: "} << value;
    return {};
}

}  // namespace

TEST_CASE("a result holds its value or its reason", "[result]") {
    const auto good = half(8);
    REQUIRE(good);
    CHECK(*good == 4);
    const auto bad = half(-7);
    REQUIRE(!bad);
    CHECK(bad.reason().text() == "odd: -7");
    CHECK(bool(positive(1)));
    CHECK(positive(0).reason().text() == "not positive: 0");
}

TEST_CASE("results copy, move and assign, also across kinds", "[result]") {
    result<std::string> word{std::string(100, 'x')};
    result<std::string> copy = word;
    CHECK(*copy == *word);
    copy = error{"gone"};
    REQUIRE(!copy);
    copy = std::move(word);
    REQUIRE(copy);
    CHECK(copy->size() == 100);
    result<std::unique_ptr<int>> owner{std::make_unique<int>(3)};
    const std::unique_ptr<int> taken = *std::move(owner);
    CHECK(*taken == 3);
}

TEST_CASE("a reason writes every whole number", "[result]") {
    error reason;
    reason << std::numeric_limits<long long>::min() << " " << std::numeric_limits<unsigned long long>::max() << " "
           << 0;
    CHECK(reason.text() == "-9223372036854775808 18446744073709551615 0");
}

TEST_CASE("a reason that is too long is cut visibly", "[result]") {
    const error reason{std::string(5000, 'y')};
    CHECK(reason.text().size() == error::capacity);
    CHECK(reason.text().substr(error::capacity - 4) == "y...");
    CHECK(reason.c_str()[error::capacity] == '\0');
}
