// SPDX-License-Identifier: MIT
// Mode 3: a broken precondition is an exception.
#include <redoubt/base/contract.hpp>

#include <cstdio>

int main(int argc, char**) {
    try {
        REDOUBT_EXPECTS(argc > 0);
        REDOUBT_EXPECTS(argc > 100);
    } catch (const redoubt::contract_error& e) {
        std::printf("caught: %s\n", e.what());
        return e.where.line > 0 ? 0 : 1;
    }
    return 2;
}
