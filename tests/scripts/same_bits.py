# SPDX-License-Identifier: MIT
"""Builds a program with options that tempt a compiler to round differently (optimisation, contraction, the machine's
own fused multiply-add) and runs it: each time it must print the text of its line `// expected:`."""
import argparse
import pathlib
import tempfile

from common import STANDARD, directives, fail, need_compiler, run

OPTIONS = [["-O0"], ["-O2", "-ffp-contract=off"], ["-O3", "-ffp-contract=fast"],
           ["-O3", "-ffp-contract=fast", "-march=native"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--file", type=pathlib.Path, required=True)
    parser.add_argument("--include-dir", action="append", default=[])
    parser.add_argument("--flag", action="append", default=[], help="ignored: instruction sets are this test's own")
    options = parser.parse_args()
    need_compiler(options.compiler)
    expected = directives(options.file, "expected")
    if len(expected) != 1:
        fail(f"{options.file} needs one line '// expected: text'")

    with tempfile.TemporaryDirectory() as folder:
        for flags in OPTIONS:
            program = pathlib.Path(folder) / "program"
            built = run([options.compiler, *STANDARD, *flags, *(f"-I{path}" for path in options.include_dir),
                         options.file, "-o", program])
            if built.returncode != 0:
                fail(f"does not build with {' '.join(flags)}:\n{built.stdout}")
            printed = run([program]).stdout.strip()
            if printed != expected[0]:
                fail(f"{' '.join(flags)}: printed '{printed}', expected '{expected[0]}'")
    print(f"the same in {len(OPTIONS)} builds: {expected[0]}")


if __name__ == "__main__":
    main()
