// SPDX-License-Identifier: MIT
// The command line over whatever networks are compiled beside it.
#include <redoubt/app/run.hpp>

#ifndef CHAIN_MODEL
#define CHAIN_MODEL "lean"
#endif

int main(int argc, char** argv) {
    redoubt::app::program_defaults defaults;
    defaults.model = CHAIN_MODEL;
    return redoubt::app::run(argc, argv, defaults);
}
