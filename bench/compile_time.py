#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long compilers take: the header alone, an inference of ResNet-20, an inference of MobileNet-V2.

    bench/compile_time.py [--compiler g++] [--repetitions 5] [--check]

User and system time of `COMPILER -std=c++20 -O3 -march=native -c`, the best of some repetitions, as a Markdown table. With
--check the exit status is 1 where g++ is slower than the bar that the table shows.
"""
import argparse
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
INFER = """
using net = {network};
redoubt::answer<net> run(const redoubt::parameters<net>& weights, redoubt::state<net>& memory,
                         std::span<const float> image, redoubt::workspace<net>& space) {{
    return redoubt::infer<net>(weights, memory, image, space);
}}
"""
# name, code after the include, seconds that g++ may take
UNITS = [
    ("header alone", "", 1.5),
    ("ResNet-20 fp32", INFER.format(network="redoubt::model::resnet20<redoubt::image<3, 32, 32>>"), 12.0),
    ("MobileNet-V2 fp32", INFER.format(network="redoubt::model::mobilenet_v2<redoubt::image<3, 224, 224>>"), 25.0),
]


def seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", action="append", help="may be given more than once (default: g++ and clang++-16)")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--flag", action="append", default=[], help="one more compiler flag")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    compilers = [c for c in arguments.compiler or ["g++", "clang++-16"] if shutil.which(c)]
    if not compilers:
        sys.exit("no compiler found")
    slow = False
    print("| unit | bar | " + " | ".join(compilers) + " |")
    print("|---" * (2 + len(compilers)) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for name, code, bar in UNITS:
            source = os.path.join(folder, "unit.cpp")
            with open(source, "w", encoding="utf-8") as file:
                file.write("#include <redoubt/redoubt.hpp>\n" + code)
            best = []
            for compiler in compilers:
                command = [compiler, "-std=c++20", "-O3", "-march=native", *arguments.flag, f"-I{ROOT / 'include'}", "-c",
                           source, "-o", os.path.join(folder, "unit.o")]
                best.append(min(seconds(command) for _ in range(arguments.repetitions)))
                slow = slow or (best[-1] > bar and "clang" not in compiler)
            print(f"| {name} | {bar:.1f} s | " + " | ".join(f"{s:.2f} s" for s in best) + " |", flush=True)
    return 1 if arguments.check and slow else 0


if __name__ == "__main__":
    sys.exit(main())
