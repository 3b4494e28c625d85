#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the main job and checks what it promises.

    main_job.py reproducible --program P [--program Q ...] [-- options]   same results.json apart from `timing`
    main_job.py golden --program P --golden FILE -- options  fault-free outputs within 1e-4 of FILE's, same top-1
    main_job.py clean --program P --least A --lost B --agree C -- options  clean accuracy of the first cell at least A %,
                                             that of the others at most B points less, their top-1 as of none on C %
    main_job.py accuracy --program P --expect PERCENT --need FILE ... -- options   clean accuracy of the first cell
    main_job.py resilient --program P                       the figures of weight flips at a bit error rate of 1e-5
    main_job.py refuses --program P --text WORDS [--code N] -- options    exits with N and says WORDS
"""
import argparse
import array
import json
import os
import struct
import subprocess
import sys
import tempfile


def run(program, options):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "--out", folder] + options, check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(folder, "results.json"), encoding="utf-8") as file:
            return json.load(file)


def without_timing(node):
    if isinstance(node, dict):
        return {k: without_timing(v) for k, v in node.items() if k != "timing"}
    if isinstance(node, list):
        return [without_timing(v) for v in node]
    return node


def reproducible(o):
    first = None
    for program in o.program:
        for threads in ("1", "2"):
            got = without_timing(run(program, ["--seed", "7", "--threads", threads] + o.rest))
            first = first or got
            if got != first:
                print(f"{program} with {threads} threads differs from the first run")
                return 1
    cells = first["cells"]
    print(f"{len(o.program)} program(s), 1 and 2 threads: {len(cells)} cells identical apart from timing")
    return 0


def accuracy(o):
    skip_without(o.need)
    got = 100 * run(o.program[0], o.rest)["cells"][0]["clean_accuracy"]
    print(f"clean accuracy {got:.2f} %, expected {o.expect} %")
    return 0 if abs(got - o.expect) < 1e-9 else 1


def skip_without(files):
    missing = [f for f in files if not os.path.exists(f)]
    if missing:
        print("SKIPPED: not there: " + ", ".join(missing))
        sys.exit(77)


def outputs(path):
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        entry = json.loads(file.read(length))["outputs"]
        values = array.array("f", file.read())
    rows, columns = entry["shape"]
    return [values[r * columns:(r + 1) * columns] for r in range(rows)]


def golden(o):
    theirs = outputs(o.golden)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "outputs.safetensors")
        subprocess.run([o.program[0], "--out", folder, "--images", str(len(theirs)), "--number", "fp32",
                        "--dump-outputs", path] + o.rest, check=True, stdout=subprocess.DEVNULL)
        ours = outputs(path)
    worst = max(max(abs(a - b) for a, b in zip(x, y)) / max(map(abs, y)) for x, y in zip(ours, theirs))
    same = sum(list(x).index(max(x)) == list(y).index(max(y)) for x, y in zip(ours, theirs))
    print(f"{same} of {len(theirs)} with the same top-1, largest relative difference {worst:.2e}")
    return 0 if len(ours) == len(theirs) == same and worst <= 1e-4 else 1


def clean(o):
    cells = run(o.program[0], o.rest)["cells"]
    good = 100 * cells[0]["clean_accuracy"] >= o.least
    for c in cells:
        lost = 100 * (cells[0]["clean_accuracy"] - c["clean_accuracy"])
        agree = 100 * c["clean_top1_as_none"]
        print(f"{c['number']} {c['protection']}: clean {100 * c['clean_accuracy']:.2f} %, top-1 as unprotected {agree:.2f} %")
        good &= lost <= o.lost and agree >= o.agree
    return 0 if good else 1


def resilient(o):
    cells = run(o.program[0], ["--fault", "weights", "--number", "fp32", "--protect", "none,range", "--ber", "1e-5"] + o.rest)["cells"]
    none, restricted = cells
    images = 100
    clean, mean = none["clean_accuracy"], none["accuracy"]["rate"]
    collapsed = sum(t["right"] < 0.2 * images for t in none["trials"])
    kept = restricted["clean_accuracy"] - restricted["accuracy"]["rate"]
    print(f"BER 1e-5 fp32: unprotected {100 * mean:.1f} % of {100 * clean:.1f} % clean, {collapsed} of {len(none['trials'])} "
          f"trials under 20 %; range loses {100 * kept:.1f} points")
    good = clean - mean >= 0.20 and 3 * collapsed >= len(none["trials"]) and kept <= 0.05
    print("holds" if good else "DOES NOT HOLD")
    return 0 if good else 1


def refuses(o):
    with tempfile.TemporaryDirectory() as folder:  # not the source tree: a journal may be begun
        out = [] if "--out" in o.rest else ["--out", folder]
        done = subprocess.run([o.program[0]] + o.rest + out, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    missing = [t for t in o.text if t not in said]
    if done.returncode != o.code or missing:
        print(f"exit code {done.returncode}, wanted {o.code}; words missing: {missing}; it said:\n{said}")
        return 1
    return 0


def main():
    arguments = sys.argv[1:]
    rest = []
    if "--" in arguments:
        rest = arguments[arguments.index("--") + 1:]
        arguments = arguments[: arguments.index("--")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("reproducible", "golden", "clean", "accuracy", "resilient", "refuses"))
    parser.add_argument("--program", action="append", required=True)
    parser.add_argument("--need", action="append", default=[])
    parser.add_argument("--text", action="append", default=[])
    parser.add_argument("--golden")
    parser.add_argument("--least", type=float, default=0)
    parser.add_argument("--lost", type=float, default=100)
    parser.add_argument("--agree", type=float, default=0)
    parser.add_argument("--expect", type=float)
    parser.add_argument("--code", type=int, default=2)
    options = parser.parse_args(arguments)
    options.rest = rest
    return globals()[options.what](options)


if __name__ == "__main__":
    sys.exit(main())
