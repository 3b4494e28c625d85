#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Factors of time and memory of protections, from the JSON of bench_harden.

    bench/harden_table.py harden.json docs/results/harden.csv

A case's time is the least of its repetitions; a factor is that of the unprotected case of the same run. Memory is parameters and
workspace together.
"""
import csv
import json
import sys


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        runs = json.load(file)["benchmarks"]
    times, memory = {}, {}
    for run in runs:
        name = run.get("run_name", run["name"])
        if run.get("run_type") == "aggregate" or not name.startswith("harden/"):
            continue
        if run.get("error_occurred"):
            sys.exit(f"{name}: {run.get('error_message')}")
        _, number, of, protection = name.split("/")[:4]
        key = (number, of, protection)
        times[key] = min(times.get(key, float("inf")), run["cpu_time"])
        memory[key] = run["weights"] + run["space"]
    lacking = [k for k in times if (*k[:2], "none") not in times]
    if lacking or not times:
        sys.exit(f"no unprotected case beside {lacking[0]}" if lacking else "no case of bench_harden in the file")
    with open(sys.argv[2], "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["number", "of", "protection", "time", "time_factor", "memory_factor"])
        for key, time in sorted(times.items()):
            base = (*key[:2], "none")
            writer.writerow([*key, f"{time:.3f}", f"{time / times[base]:.4f}", f"{memory[key] / memory[base]:.4f}"])
    print(f"{len(times)} cases into {sys.argv[2]}")


if __name__ == "__main__":
    main()
