#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Factors of time and memory of protections, from the JSON of bench_harden.

    bench/harden_table.py harden.json [more.json ...] docs/results/harden.csv

A case's time is the least of its repetitions; a factor is that of the unprotected case of the same run. Memory is parameters and
workspace together. A case of a later file takes the place of the same case of an earlier one.
"""
import csv
import json
import sys


def cases_of(path):
    """(number, of, protection) -> (time, time factor, memory factor)."""
    with open(path, encoding="utf-8") as file:
        runs = json.load(file)["benchmarks"]
    times, memory = {}, {}
    for run in runs:
        name = run.get("run_name", run["name"])
        if run.get("run_type") == "aggregate" or not name.startswith("harden/"):
            continue
        if run.get("error_occurred"):
            sys.exit(f"{path}: {name}: {run.get('error_message')}")
        key = tuple(name.split("/")[1:4])
        times[key] = min(times.get(key, float("inf")), run["cpu_time"])
        memory[key] = run["weights"] + run["space"]
    lacking = [k for k in times if (*k[:2], "none") not in times]
    if lacking or not times:
        sys.exit(f"{path}: no unprotected case beside {lacking[0]}" if lacking else f"{path}: no case of bench_harden in the file")
    return {key: (time, time / times[*key[:2], "none"], memory[key] / memory[*key[:2], "none"]) for key, time in times.items()}


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    found = {}
    for path in sys.argv[1:-1]:
        found |= cases_of(path)
    with open(sys.argv[-1], "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["number", "of", "protection", "time", "time_factor", "memory_factor"])
        for key, (time, time_factor, memory_factor) in sorted(found.items()):
            writer.writerow([*key, f"{time:.3f}", f"{time_factor:.4f}", f"{memory_factor:.4f}"])
    print(f"{len(found)} cases into {sys.argv[-1]}")


if __name__ == "__main__":
    main()
