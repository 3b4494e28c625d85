// SPDX-License-Identifier: MIT
// Mode 2: a broken precondition is handed to the program.
#include <redoubt/base/contract.hpp>

#include <cstdio>
#include <cstdlib>

void redoubt::on_violation(const violation& v) noexcept {
    std::printf("broken: %s\n", v.condition);
    std::exit(v.line > 0 && v.file[0] != '\0' ? 7 : 8);
}

int main(int argc, char**) {
    REDOUBT_EXPECTS(argc > 0);
    REDOUBT_EXPECTS(argc > 100);
    return 0;
}
