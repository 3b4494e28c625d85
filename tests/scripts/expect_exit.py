# SPDX-License-Identifier: MIT
"""Runs a command and compares how it ends (exit code or signal) and what it prints with what is expected."""
import argparse
import difflib
import pathlib
import signal
import subprocess
import sys

from common import fail


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--code", help="a number, or 'nonzero' (ended by itself, not by a signal)")
    parser.add_argument("--signal", help="names of signals, one of which must end it: ILL,TRAP")
    parser.add_argument("--text", action="append", default=[], help="text that the output must hold")
    parser.add_argument("--output", type=pathlib.Path, help="file with the whole standard output")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()

    done = subprocess.run(options.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    print(done.stdout, end="")
    print(done.stderr, end="", file=sys.stderr)
    code = done.returncode
    if options.signal:
        wanted = [getattr(signal, f"SIG{name}") for name in options.signal.split(",")]
        if -code not in wanted:
            fail(f"ended with {code}; wanted one of the signals {options.signal}")
    elif options.code == "nonzero":
        if code <= 0:
            fail(f"ended with {code}; wanted an exit code that says failure")
    elif code != int(options.code or 0):
        fail(f"ended with {code}; wanted {options.code or 0}")
    for text in options.text:
        if text not in done.stdout + done.stderr:
            fail(f"did not print '{text}'")
    if options.output:
        wanted = [line.rstrip() for line in options.output.read_text(encoding="utf-8").rstrip().split("\n")]
        printed = [line.rstrip() for line in done.stdout.rstrip().split("\n")]
        if wanted != printed:
            fail("\n".join(difflib.unified_diff(wanted, printed, "expected", "printed", lineterm="")))
    print("as expected")


if __name__ == "__main__":
    main()
