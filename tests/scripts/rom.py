# SPDX-License-Identifier: MIT
"""Links the C++ source that examples/06_rom_image.cpp writes into a program that infers from it, and looks where the array went."""
import argparse
import pathlib
import re
import shutil
import tempfile

from common import STANDARD, WARNINGS, fail, need_compiler, run

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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--source-dir", type=pathlib.Path, required=True)
    parser.add_argument("--flag", action="append", default=[])
    o = parser.parse_args()
    need_compiler(o.compiler)
    example = (o.source_dir / "examples" / "06_rom_image.cpp").read_text(encoding="utf-8")
    network = re.search(r"namespace rd = .*?;\n.*?(?=using trained_as)", example, re.S)[0]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        done = run([o.program, root / "trained.cpp"])
        if done.returncode != 0:
            fail(done.stdout)
        (root / "main.cpp").write_text(MAIN.replace("NETWORK", network), encoding="utf-8")
        built = run([o.compiler, *STANDARD, *WARNINGS, "-Werror", "-O1", *o.flag, root / "main.cpp", root / "trained.cpp", "-o", root / "device"])
        if built.returncode != 0:
            fail(built.stdout)
        ran = run([root / "device"])
        if ran.returncode != 0 or ran.stdout != "corrected 0\n":
            fail(f"the program ended with {ran.returncode}: {ran.stdout}")
        unit = run([o.compiler, *STANDARD, "-c", root / "trained.cpp", "-o", root / "trained.o"])
        if unit.returncode != 0:
            fail(unit.stdout)
        if shutil.which("objdump") and ".rodata.trained" not in run(["objdump", "-h", root / "trained.o"]).stdout:
            fail("the array is not in the section that was asked for")
        # nowhere to write: a message, and nothing half-written
        done = run([o.program, root / "missing" / "trained.cpp"])
        if done.returncode == 0 or "missing" not in done.stdout:
            fail(f"a folder that is not there: exit {done.returncode}, says {done.stdout}")
    print("linked and read in place")


if __name__ == "__main__":
    main()
