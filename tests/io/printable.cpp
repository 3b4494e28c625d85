// SPDX-License-Identifier: MIT
#include <redoubt/io/printable.hpp>

#include "support/catch.hpp"

using redoubt::io::printable;

TEST_CASE("text from files is made fit for a message", "[io]") {
    CHECK(printable("conv1.weight") == "'conv1.weight'");
    CHECK(printable("") == "''");
    CHECK(printable("a\x1b[31m\n\x7f") == "'a?[31m?" "?'");
    CHECK(printable("gr\xc3\xb6\xc3\x9f" "e") == "'gr\xc3\xb6\xc3\x9f" "e'");
    CHECK(printable("\xff\xc3") == "'?" "?'");
    CHECK(printable("\xc2\x9b") == "'?" "?'");
    CHECK(printable("abcdef", 3) == "'abc...'");
    CHECK(printable("ab\xc3\xb6", 3) == "'ab...'");
}
