// SPDX-License-Identifier: MIT
// A stranger's program on the hosted floors.
#if __has_include(<redoubt/hosted.hpp>)
#include <redoubt/hosted.hpp>
#else
#include <redoubt/base/bits.hpp>
#endif

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include <cstdio>
#include <thread>

int main() {
    std::thread worker{[] { std::puts(nlohmann::json{{"zlib", zlibVersion()}}.dump().c_str()); }};
    worker.join();
    if (redoubt::flip(1.0f, redoubt::bit_mask<float>(31)) != -1.0f) return 1;
    std::puts("consumer works");
}
