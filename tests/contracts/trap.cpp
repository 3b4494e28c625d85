// SPDX-License-Identifier: MIT
// Mode 1: a broken precondition stops the program by a trap.
#include <redoubt/base/contract.hpp>

int main(int argc, char**) {
    REDOUBT_EXPECTS(argc > 0);
    REDOUBT_EXPECTS(argc > 100);
    return 0;
}
