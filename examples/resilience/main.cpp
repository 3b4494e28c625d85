// SPDX-License-Identifier: MIT
// The main job: how accurate do networks stay when bits of their weights and features flip, and what does protection
// cost? Real weights, real images, three numbers, eight protections. `resilience --help` lists what can be asked.
#include <redoubt/app/run.hpp>

#ifndef REDOUBT_DEFAULT_MODEL
#define REDOUBT_DEFAULT_MODEL "resnet20"
#endif

int main(int argc, char** argv) {
    redoubt::app::program_defaults defaults;
    defaults.model = REDOUBT_DEFAULT_MODEL;
    defaults.weights = REDOUBT_WEIGHTS "/{model}-fashion-mnist.safetensors";
    return redoubt::app::run(argc, argv, defaults);
}
