# SPDX-License-Identifier: MIT
"""What tests share that compile what an example program writes into a program of its own."""
import argparse
import pathlib
import re

from common import STANDARD, WARNINGS, fail, need_compiler, run


def device_arguments(doc):
    """The command line of such a test."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--program", required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--source-dir", type=pathlib.Path, required=True)
    parser.add_argument("--flag", action="append", default=[])
    arguments = parser.parse_args()
    need_compiler(arguments.compiler)
    return arguments


def write_for(o, argument):
    """Has the example write its files, or fails."""
    done = run([o.program, argument])
    if done.returncode != 0:
        fail(done.stdout)


def run_device(o, root, example, until, text, units, expected):
    """Compiles root/main.cpp, `text` with NETWORK replaced by the example's network (what stands before `until`), with some units of root, and expects its output."""
    source = (o.source_dir / "examples" / example).read_text(encoding="utf-8")
    network = re.search(rf"namespace rd = .*?;\n.*?(?={until})", source, re.S)[0]
    (root / "main.cpp").write_text(text.replace("NETWORK", network), encoding="utf-8")
    built = run([o.compiler, *STANDARD, *WARNINGS, "-Werror", "-O1", *o.flag, root / "main.cpp", *[root / unit for unit in units], "-o", root / "device"])
    if built.returncode != 0:
        fail(built.stdout)
    ran = run([root / "device"])
    if ran.returncode != 0 or ran.stdout != expected:
        fail(f"the program ended with {ran.returncode}: {ran.stdout}")


def expect_missing_folder(o, path):
    """Nowhere to write: a message, and an exit code."""
    done = run([o.program, path])
    if done.returncode == 0 or "missing" not in done.stdout:
        fail(f"a folder that is not there: exit {done.returncode}, says {done.stdout}")
