#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Bytes that each network takes beside the least possible, from the JSON of bench_networks.

    bench/memory_table.py networks.json docs/results/memory.csv

Times do not matter here: `--benchmark_filter=redoubt --benchmark_min_time=0.001` is enough.
"""
import csv
import json
import sys

COUNTERS = ["space", "least_space", "weights", "least_weights"]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        runs = json.load(file)["benchmarks"]
    rows = {}
    for run in runs:
        name = run.get("run_name", run["name"])
        if run.get("run_type") == "aggregate" or "least_space" not in run:
            continue
        _, network, number, engine = name.split("/")[:4]
        rows[network, number, engine] = [int(run[c]) for c in COUNTERS]
    if not rows:
        sys.exit(f"{sys.argv[1]}: no network of ours in it")
    with open(sys.argv[2], "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["network", "number", "engine", *COUNTERS])
        for key, counts in rows.items():
            writer.writerow([*key, *counts])
    print(f"{len(rows)} networks into {sys.argv[2]}")


if __name__ == "__main__":
    main()
