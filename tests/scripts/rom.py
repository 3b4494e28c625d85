# SPDX-License-Identifier: MIT
"""Links the C++ source that examples/06_rom_image.cpp writes into a program that infers from it, and looks where the array went."""
import pathlib
import shutil
import tempfile

from common import STANDARD, fail, run
from device import device_arguments, expect_missing_folder, run_device, write_for

MAIN = """
#include <redoubt/redoubt.hpp>
#include <cstdio>
NETWORK
extern "C" const unsigned char trained[rd::rom_bytes<net>];
int main() {
    const auto weights = rd::in_place<net>(trained);
    if (!weights) return std::puts(weights.reason().c_str()), 1;
    if (reinterpret_cast<const unsigned char*>(*weights) != trained + sizeof(rd::rom_header)) return std::puts("copied"), 1;
    static rd::workspace<net> scratch;
    rd::state<net> state;
    const float image[64] = {};
    const auto answer = rd::infer<net>(**weights, state, image, scratch);
    std::printf("corrected %u\\n", answer.status.total().corrected);
}
"""


def main():
    o = device_arguments(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        write_for(o, root / "trained.cpp")
        run_device(o, root, "06_rom_image.cpp", "using trained_as", MAIN, ["trained.cpp"], "corrected 0\n")
        unit = run([o.compiler, *STANDARD, "-c", root / "trained.cpp", "-o", root / "trained.o"])
        if unit.returncode != 0:
            fail(unit.stdout)
        if shutil.which("objdump") and ".rodata.trained" not in run(["objdump", "-h", root / "trained.o"]).stdout:
            fail("the array is not in the section that was asked for")
        # nothing half-written
        expect_missing_folder(o, root / "missing" / "trained.cpp")
    print("linked and read in place")


if __name__ == "__main__":
    main()
