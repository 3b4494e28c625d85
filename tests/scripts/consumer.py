# SPDX-License-Identifier: MIT
"""Builds a stranger's project against the library, in one of the ways that CMake offers, and runs it. No flag of ours
may reach it: its compile commands hold include directories and the language standard, nothing else."""
import argparse
import json
import pathlib
import shlex
import tempfile

from common import fail, run

WAYS = ["find_package", "hosted", "add_subdirectory", "fetch_content"]


def must(command):
    done = run(command)
    if done.returncode != 0:
        fail(f"{shlex.join(str(part) for part in command)}\n{done.stdout}")
    return done.stdout


def foreign_flags(command):
    """The parts of a compile command that are neither the compiler, a file, an include directory nor the standard."""
    parts = iter(shlex.split(command)[1:])
    left = []
    for part in parts:
        if part in ("-o", "-c", "-isystem", "-I", "-MT", "-MF"):
            next(parts, None)
        elif not (part.startswith(("-I", "-isystem")) or part in ("-std=gnu++20", "-std=c++20", "-MD", "-pthread")):
            left.append(part)
    return left


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--way", choices=WAYS, required=True)
    parser.add_argument("--source-dir", type=pathlib.Path, required=True)
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--generator", required=True)
    parser.add_argument("--compiler", required=True)
    options = parser.parse_args()

    planted = "g++ -I/x -march=native -O2 -Wall -DREDOUBT_CONTRACTS=1 -std=gnu++20 -o a.o -c a.cpp"
    if foreign_flags(planted) != ["-march=native", "-O2", "-Wall", "-DREDOUBT_CONTRACTS=1"]:
        fail(f"planted flags were not noticed: {foreign_flags(planted)}")

    project = options.source_dir / "tests" / "consumer" / options.way
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        build, prefix = folder / "build", folder / "prefix"
        configure = [options.cmake, "-S", project, "-B", build, "-G", options.generator,
                     f"-DCMAKE_CXX_COMPILER={options.compiler}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
        if options.way in ("find_package", "hosted"):
            must([options.cmake, "--install", options.build_dir, "--prefix", prefix])
            for path in prefix.rglob("*.cmake"):
                if str(options.source_dir) in path.read_text(encoding="utf-8"):
                    fail(f"the installed {path.name} names the source directory")
            configure.append(f"-DCMAKE_PREFIX_PATH={prefix}")
        else:
            configure.append(f"-DREDOUBT_DIR={options.source_dir}")
        must(configure)
        must([options.cmake, "--build", build])
        printed = must([build / "consumer"])
        if "consumer works" not in printed:
            fail(f"the program printed: {printed}")
        commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
        if len(commands) != 1:
            fail(f"{len(commands)} files were compiled; the consumer has one, and tests and examples stay off")
        flags = foreign_flags(commands[0]["command"])
        if flags:
            fail(f"flags that are not the consumer's: {flags}")
        print(f"{options.way}: builds, runs, and gets no flag of ours: {commands[0]['command']}")


if __name__ == "__main__":
    main()
