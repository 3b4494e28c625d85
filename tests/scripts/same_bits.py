# SPDX-License-Identifier: MIT
"""Builds one program with options that tempt a compiler to round differently (optimisation, contraction, instruction
sets) and runs each build: all must succeed and print the same. A line `// expected: text` in the file also fixes what
is printed, and so compares the compilers with each other. With --emulator the builds are for another processor."""
import argparse
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

from common import SKIPPED, STANDARD, directives, fail, need_compiler, run

VARIANTS = ["-O0", "-O2 -ffp-contract=off", "-O3 -ffp-contract=fast", "-O3 -ffp-contract=fast -march=native"]

PROBE = """
int main() {
    const int level = __builtin_cpu_supports("avx512vl") ? 4
                      : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 3 : 2;
    unsigned leaf = 7, part = 1, b, c, d;
    asm volatile("cpuid" : "+a"(leaf), "=b"(b), "+c"(part), "=d"(d));
    const bool avx_vnni = level >= 3 && (leaf & 16u) != 0;
    return level + (__builtin_cpu_supports("avx512vnni") ? 8 : 0) + (avx_vnni ? 16 : 0);
}
"""


def machine(compiler, folder):
    """The x86-64 level that this machine runs (0 elsewhere), and which of the dot product options it has."""
    source, program = folder / "probe.cpp", folder / "probe"
    source.write_text(PROBE, encoding="utf-8")
    if run([compiler, source, "-o", program]).returncode != 0:
        return 0, set()
    answer = subprocess.run([program]).returncode
    return answer % 8, {option for option, bit in (("-mavx512vnni", 8), ("-mavxvnni", 16)) if answer & bit}


def can_run(variant, level, dots):
    """Whether this machine can run what these flags build."""
    above = any(f"x86-64-v{more}" in variant for more in range(level + 1, 5))
    return not above and all(option in dots for option in ("-mavx512vnni", "-mavxvnni") if option in variant)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--file", type=pathlib.Path, required=True)
    parser.add_argument("--flag", action="append", default=[], help="for every build")
    parser.add_argument("--variant", action="append", help="flags of one build; more than one")
    parser.add_argument("--emulator", default="", help="command that runs the programs of a cross compiler")
    parser.add_argument("--directive", default="expected", help="word of the lines that fix what is printed")
    options = parser.parse_args()
    emulator = shlex.split(options.emulator)
    if emulator:
        for tool in (options.compiler, emulator[0]):
            if not shutil.which(tool):
                print(f"skipped: {tool} is not installed")
                sys.exit(SKIPPED)
    need_compiler(options.compiler)

    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        level, dots = (0, set()) if emulator else machine(options.compiler, folder)
        seen = {}
        for index, variant in enumerate(options.variant or VARIANTS):
            if not emulator and not can_run(variant, level, dots):
                print(f"[{variant}] left out: this machine cannot run it")
                continue
            program = folder / f"program{index}"
            built = run([options.compiler, *STANDARD, *options.flag, *shlex.split(variant), options.file, "-o", program])
            if built.returncode != 0:
                fail(f"[{variant}] does not build:\n{built.stdout}")
            ran = subprocess.run([*emulator, program], stdout=subprocess.PIPE, text=True)
            if ran.returncode != 0:
                fail(f"[{variant}] ended with {ran.returncode} and printed: {ran.stdout}")
            print(f"[{variant}] {ran.stdout.strip() or 'nothing printed'}")
            seen[variant] = ran.stdout
    if len(seen) < 2:
        fail("fewer than two builds to compare")
    if len(set(seen.values())) != 1:
        fail("the builds print different things")
    for expected in directives(options.file, options.directive):
        if expected not in next(iter(seen.values())):
            fail(f"expected: {expected}")
    print(f"{len(seen)} builds, the same output")


if __name__ == "__main__":
    main()
