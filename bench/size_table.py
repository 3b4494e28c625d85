#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Bytes of code, parameters and workspace that each protection takes, on a Cortex-M4 and on this kind of machine.

    bench/size_table.py docs/results/sizes.csv

Compiles bench/sizes/unit.cpp, one inference of a network of two convolutions and a linear layer, for each target, number and protection: some
minutes. Code is what a linker leaves of it, constants included. On the Cortex-M4 that has the C library's and the compiler's own functions (copying,
arithmetic in double) in it; on x86-64 they are left out.
"""
import argparse
import csv
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMON = ["-std=c++20", "-fno-exceptions", "-fno-rtti", "-ffunction-sections", "-fdata-sections", "-fno-asynchronous-unwind-tables", "-DNDEBUG",
          f"-I{ROOT / 'include'}"]
REACHED = ["-Wl,--gc-sections", "-Wl,-e,redoubt_entry"]
TARGETS = {  # compiler's flags, linker's flags
    "cortex-m4": (["-Os", "-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-DREDOUBT_NO_SIMD=1"], ["-nostartfiles", *REACHED]),
    "x86-64-v3": (["-O2", "-march=x86-64-v3", "-fno-pic"], ["-r", "-nostdlib", *REACHED]),
}
NUMBERS = {"fp32": "float32", "int8": "int8"}
ON_ALL_LAYERS = ["range", "range_clamp", "range_neurons", "clip_weights", "parity", "secded", "scrubbed_secded", "crc", "tmr_parameters", "zero_space", "scale", "saf", "abft", "dmr",
                 "tmr"]
RULES = {"none": "", **{name: f",rd::protect<rd::is_weighted,rd::{name}>" for name in ON_ALL_LAYERS},
         "tmr_bounds+range": ",rd::protect<rd::is_weighted,rd::tmr_bounds>,rd::protect<rd::is_weighted,rd::range>",
         "diverse+dmr": ",rd::protect<rd::is_weighted,rd::dmr>,rd::protect<rd::is_weighted,rd::diverse>",
         **{name: f",rd::duplicate_counts<all_blocks,rd::{name}>" for name in ["duplicate", "duplicate_minimum", "triplicate"]}}
NOT_FOR = {("zero_space", "fp32"), ("scale", "int8")}
CODE = re.compile(r"^\.(text|rodata|data\.rel\.ro)\b")
PARTS = ["code", "parameters", "workspace"]


def run(command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(str(part) for part in command)}:\n{done.stdout}")
    return done.stdout


def code_bytes(size, program):
    """Code and constants of a linked program: `size -A` has a line of name, bytes and address for each section."""
    lines = [line.split() for line in run([size, "-A", program]).splitlines()]
    return sum(int(words[1]) for words in lines if len(words) == 3 and CODE.match(words[0]))


def symbol_bytes(nm, unit):
    lines = [line.split() for line in run([nm, "-S", unit]).splitlines()]
    return {words[3]: int(words[1], 16) for words in lines if len(words) == 4}


def measure(compiler, target, number, protection, folder):
    tools = compiler.removesuffix("g++")
    flags, link = TARGETS[target]
    unit, program = folder / "unit.o", folder / "program"
    run([compiler, *COMMON, *flags, "-include", folder / target, f"-DNUMBER={NUMBERS[number]}", f"-DRULES={RULES[protection]}", "-c", ROOT / "bench" / "sizes" / "unit.cpp", "-o", unit])
    run([compiler, *flags, *link, unit, "-o", program])
    symbols = symbol_bytes(tools + "nm", unit)
    return {"code": code_bytes(tools + "size", program), **{part: symbols["redoubt_" + part] for part in PARTS[1:]}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=pathlib.Path)
    parser.add_argument("--cortex-m", default="arm-none-eabi-g++", help="compiler for the Cortex-M4")
    parser.add_argument("--native", default="g++", help="compiler for x86-64")
    options = parser.parse_args()
    compilers = {"cortex-m4": options.cortex_m, "x86-64-v3": options.native}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for target, compiler in compilers.items():
            # the headers once for all units of a target, which is half of the time
            run([compiler, *COMMON, *TARGETS[target][0], "-x", "c++-header", ROOT / "include" / "redoubt" / "redoubt.hpp", "-o",
                 pathlib.Path(folder) / f"{target}.gch"])
            for number in NUMBERS:
                for protection in RULES:
                    if (protection, number) in NOT_FOR:
                        continue
                    found = measure(compiler, target, number, protection, pathlib.Path(folder))
                    none = found if protection == "none" else none
                    rows.append({"protection": protection, "number": number, "target": target, **found,
                                 **{part + "_more": found[part] - none[part] for part in PARTS}})
                    print(*rows[-1].values(), flush=True)
    with open(options.csv, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
