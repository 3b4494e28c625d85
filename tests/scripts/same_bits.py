# SPDX-License-Identifier: MIT
"""Builds one program with options that tempt a compiler to round differently (optimisation, contraction, instruction
sets) and runs each build: all must succeed and print the same. A line `// expected: text` in the file also fixes what
is printed, and so compares the compilers with each other."""
import argparse
import pathlib
import shlex
import subprocess
import tempfile

from common import STANDARD, directives, fail, need_compiler, run

VARIANTS = ["-O0", "-O2 -ffp-contract=off", "-O3 -ffp-contract=fast", "-O3 -ffp-contract=fast -march=native"]

PROBE = """
int main() {
    const int level = __builtin_cpu_supports("avx512vl") ? 4
                      : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 3 : 2;
    return level + (__builtin_cpu_supports("avx512vnni") ? 8 : 0);
}
"""


def machine(compiler, folder):
    """The x86-64 level that this machine runs (0 elsewhere), and whether it has AVX-512 VNNI."""
    source, program = folder / "probe.cpp", folder / "probe"
    source.write_text(PROBE, encoding="utf-8")
    if run([compiler, source, "-o", program]).returncode != 0:
        return 0, False
    answer = subprocess.run([program]).returncode
    return answer % 8, answer >= 8


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--file", type=pathlib.Path, required=True)
    parser.add_argument("--flag", action="append", default=[], help="for every build")
    parser.add_argument("--variant", action="append", help="flags of one build; more than one")
    options = parser.parse_args()
    need_compiler(options.compiler)

    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        level, vnni = machine(options.compiler, folder)
        seen = {}
        for index, variant in enumerate(options.variant or VARIANTS):
            if any(f"x86-64-v{above}" in variant for above in range(level + 1, 5)) or ("vnni" in variant and not vnni):
                print(f"[{variant}] left out: this machine cannot run it")
                continue
            program = folder / f"program{index}"
            built = run([options.compiler, *STANDARD, *options.flag, *shlex.split(variant), options.file, "-o", program])
            if built.returncode != 0:
                fail(f"[{variant}] does not build:\n{built.stdout}")
            ran = subprocess.run([program], stdout=subprocess.PIPE, text=True)
            if ran.returncode != 0:
                fail(f"[{variant}] ended with {ran.returncode} and printed: {ran.stdout}")
            print(f"[{variant}] {ran.stdout.strip() or 'nothing printed'}")
            seen[variant] = ran.stdout
    if len(seen) < 2:
        fail("fewer than two builds to compare")
    if len(set(seen.values())) != 1:
        fail("the builds print different things")
    for expected in directives(options.file, "expected"):
        if expected not in next(iter(seen.values())):
            fail(f"expected: {expected}")
    print(f"{len(seen)} builds, the same output")


if __name__ == "__main__":
    main()
