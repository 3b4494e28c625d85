# SPDX-License-Identifier: MIT
"""Builds a program without exceptions and RTTI, runs it, and reads its symbols: no heap, exception, RTTI, iostream or
std::string may be needed. A file with lines `// forbidden: symbol` is a control: it must be caught needing those. A line
`// flags: -Os` adds to the compiler's flags."""
import argparse
import pathlib
import re
import shutil
import subprocess
import tempfile

from common import STANDARD, WARNINGS, directives, fail, need_compiler, run

FORBIDDEN = [(what, re.compile(pattern)) for what, pattern in [
    ("heap", r"(__libc_)?(malloc|calloc|realloc|reallocarray|free|aligned_alloc|posix_memalign|memalign|valloc|strdup)$"),
    ("operator new or delete", r"_Z(nw|na|dl|da)[A-Za-z0-9_]*$"),
    ("exceptions", r"__cxa_(throw|rethrow|allocate_exception|free_exception|begin_catch|end_catch|get_exception)"),
    ("exceptions", r"(_Unwind_|__gxx_personality|__gcc_personality|_ZSt\d+__throw_|_ZSt9terminatev)"),
    ("RTTI or virtual tables", r"_ZT[ISVTC]"),
    ("RTTI", r"__dynamic_cast$"),
    ("pure virtual functions", r"__cxa_pure_virtual$"),
    ("iostream", r"(_ZNK?S[iod]|_ZNK?St8ios_base|_ZSt[34]w?c(in|out|err|log)|_ZNK?St\d+basic_\w*stream|_ZNK?St9basic_ios)"),
    ("std::string", r"(_ZNK?Ss|_ZNK?St7__cxx1112basic_string)"),
]]


def symbols(program):
    """Every symbol of a linked program, without version suffix: defined, or undefined and so needed from a library."""
    listing = run(["nm", program])
    if listing.returncode != 0:
        fail(f"nm: {listing.stdout}")
    return {line.split()[-1].split("@")[0] for line in listing.stdout.splitlines() if line.strip()}


def verdicts(program):
    return {symbol: what for symbol in sorted(symbols(program)) for what, pattern in FORBIDDEN
            if pattern.match(symbol)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--file", type=pathlib.Path, required=True)
    parser.add_argument("--flag", action="append", default=[])
    options = parser.parse_args()
    need_compiler(options.compiler)
    if not shutil.which("nm"):
        fail("nm (binutils) is not installed")
    wanted = directives(options.file, "forbidden")
    own_flags = [flag for line in directives(options.file, "flags") for flag in line.split()]

    with tempfile.TemporaryDirectory() as folder:
        for contracts in (0, 1):
            program = pathlib.Path(folder) / f"program{contracts}"
            built = run([options.compiler, *STANDARD, *WARNINGS, "-Werror", "-O2", "-fno-exceptions", "-fno-rtti",
                         f"-DREDOUBT_CONTRACTS={contracts}", *options.flag, *own_flags, options.file, "-o", program])
            if built.returncode != 0:
                fail(f"does not build with contracts {contracts}:\n{built.stdout}")
            found = verdicts(program)
            if wanted:
                missed = [symbol for symbol in wanted if not any(name.startswith(symbol) for name in found)]
                if missed:
                    fail(f"the check did not notice {', '.join(missed)}; it noticed {sorted(found) or 'nothing'}")
                print(f"contracts {contracts}: caught, as it must be: {', '.join(sorted(found))}")
                continue
            if found:
                fail(f"contracts {contracts}: needs " + ", ".join(f"{name} ({what})" for name, what in found.items()))
            ran = subprocess.run([program])
            if ran.returncode != 0:
                fail(f"contracts {contracts}: the program ended with {ran.returncode}")
            size = run(["size", program]).stdout.splitlines()[-1].split()
            print(f"contracts {contracts}: free of heap, exceptions, RTTI and streams; {size[0]} bytes of code and "
                  f"constants, {size[2]} of zeroed data")


if __name__ == "__main__":
    main()
