# SPDX-License-Identifier: MIT
"""Compiles every header by itself, warnings as errors: each must include what it uses. Or all together."""
import argparse
import concurrent.futures
import pathlib
import tempfile
import time

from check_floors import EMBEDDED
from common import STANDARD, WARNINGS, fail, need_compiler, run


def compile_alone(compiler, flags, name):
    """Name, exit code, message and seconds of one header's compilation."""
    start = time.monotonic()
    # Twice, so that a missing include guard shows.
    done = run([compiler, *flags, "-x", "c++", "-"], input=f"#include <{name}>\n#include <{name}>\n")
    return name, done.returncode, done.stdout, time.monotonic() - start


# Headers that the check must not let pass.
PLANTS = {
    "dependent.hpp": "#pragma once\ninline std::string text() { return {}; }\n",
    "unguarded.hpp": "struct twice {};\n",
    "warning.hpp": "#pragma once\ninline int narrow(long value) { return value; }\n",
}


def self_test(compiler, flags):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in PLANTS.items():
            (pathlib.Path(folder) / name).write_text(text, encoding="utf-8")
            if compile_alone(compiler, [*flags, f"-I{folder}"], name)[1] == 0:
                fail(f"the planted {name} passed")
    print(f"{len(PLANTS)} planted headers rejected")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--include-dir", type=pathlib.Path, required=True)
    parser.add_argument("--flag", action="append", default=[])
    parser.add_argument("--together", action="store_true", help="all in one unit instead: warnings, not what each includes")
    parser.add_argument("--embedded", action="store_true", help="embedded floors, without exceptions and RTTI")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    need_compiler(options.compiler)

    flags = STANDARD + WARNINGS + ["-Werror", "-fsyntax-only"] + options.flag
    if options.self_test:
        self_test(options.compiler, flags)
        return
    headers = sorted(path.relative_to(options.include_dir).as_posix()
                     for path in options.include_dir.glob("redoubt/**/*.hpp"))
    if options.embedded:
        headers = [name for name in headers if name.split("/")[1] in EMBEDDED | {"redoubt.hpp"}]
        flags += ["-fno-exceptions", "-fno-rtti"]
    if not headers:
        fail("no headers found")
    if options.together:
        done = run([options.compiler, *flags, "-x", "c++", "-"], input="".join(f"#include <{name}>\n" for name in headers))
        if done.returncode != 0 or done.stdout:
            fail(f"the {len(headers)} headers together:\n{done.stdout}")
        print(f"{len(headers)} headers in one unit")
        return

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda name: compile_alone(options.compiler, flags, name), headers))
    bad = [result for result in results if result[1] != 0 or result[2]]
    for name, _, output, _ in bad:
        print(f"--- {name}\n{output}")
    slowest = max(results, key=lambda result: result[3])
    print(f"{len(headers)} headers, {sum(result[3] for result in results):.1f} s of compiling, slowest {slowest[0]} "
          f"{slowest[3]:.1f} s")
    if bad:
        fail(f"{len(bad)} of {len(headers)} headers do not compile alone: {', '.join(result[0] for result in bad)}")


if __name__ == "__main__":
    main()
