// SPDX-License-Identifier: MIT
// Mode 0: a broken precondition costs nothing and is not even looked at.
#include <redoubt/base/contract.hpp>

#include <cstdio>

namespace {

int looked = 0;

[[maybe_unused]] bool look() {
    ++looked;
    return false;
}

}  // namespace

int main() {
    REDOUBT_EXPECTS(look());
    std::puts(looked == 0 ? "went on" : "looked");
    return looked;
}
