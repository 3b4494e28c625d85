// SPDX-License-Identifier: MIT
// write_page RESULTS OUT: the report page of a results.json, for the script test that looks at it.
#include <redoubt/app/page.hpp>

#include <cstdio>

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const auto written = redoubt::app::write_report(argv[1], argv[2]);
    if (!written) std::printf("%s\n", written.reason().c_str());
    return written ? 0 : 1;
}
