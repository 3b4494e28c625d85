#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What sampled campaigns say, beside the truth: every single bit of every weight of LeNet-5 struck once.

    tests/ground_truth.py --work FOLDER [--program P] [--results docs/results] [--images 200] [--trials 640] [--seeds 200]
                          [--recheck 1000] [--threads 2] [--again SAMPLING]

In fp32 and int8: an exhaustive campaign; some of its faults again, each by whole inferences on an untouched path (`resilience replay`);
then for each of the seeds one uniform and one stratified campaign, of which it is counted how many have the truth within their 95 %
intervals. FOLDER keeps the journals: after an interruption the same command goes on where it was. Writes ground-truth.csv
and exhaustive-NUMBER.csv into the results folder; with --again only the rows of that sampling are made anew, beside the truth that
ground-truth.csv already holds, which a change in how faults are sampled does not touch. The last line says whether at least 91 % held in each case.
Ten to thirty minutes on two cores.
"""
import argparse
import concurrent.futures
import csv
import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# of a journal's counts: faults, detected, corrected, uncorrected, out_of_range, right, sdc1, sdc5, sdc10, masked, ...
RIGHT, SDC1, MASKED = 5, 6, 9
LAYERS, WEIGHTS = ["conv1", "conv2", "fc1", "fc2", "fc3"], [150, 2400, 48000, 10080, 840]
QUANTITIES = ["accuracy", "sdc1", "sdc10", "masked"]


def run(o, number, folder, *more):
    command = [o.program, "--model", "lenet5", "--number", number, "--fault", "weights", "--protect", "none", "--images", str(o.images),
               "--calibration", "200", "--out", str(folder), *more]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")


def cell_of(folder):
    with open(pathlib.Path(folder) / "results.json", encoding="utf-8") as file:
        return json.load(file)["cells"][0]


def exhaustive(o, number):
    folder = pathlib.Path(o.work) / f"exhaustive-{number}"
    start = time.monotonic()
    run(o, number, folder, "--sampling", "exhaustive", "--threads", str(o.threads))
    cell = cell_of(folder)
    if cell["trial_count"] != cell["site_bits"]:
        sys.exit(f"{number}: {cell['trial_count']} trials of {cell['site_bits']} bits")
    print(f"{number}: {cell['site_bits']} bits on {o.images} images, {time.monotonic() - start:.0f} s in this run, SDC-1 {100 * cell['sdc1']['rate']:.4f} %", flush=True)
    return folder, cell


def outcomes(folder):
    """The counts of each trial in a journal, as text."""
    found = {}
    for name in glob.glob(str(pathlib.Path(folder) / "journal-*.txt")):
        with open(name, encoding="ascii") as file:
            next(file)
            for line in file:
                fields = line.split()
                found[int(fields[1])] = line.split(" ", 2)[2].rsplit(" ", 1)[0]
    return found


def recheck(o, number, folder, bits):
    """Faults drawn by another campaign, by whole inferences, against the same bits of the exhaustive one."""
    if o.recheck == 0:
        return 0
    with tempfile.TemporaryDirectory() as part:
        record = os.path.join(part, "faults.csv")
        run(o, number, part, "--flips", "1", "--trials", str(o.recheck), "--seed", "12345", "--record", record, "--threads", str(o.threads))
        with open(record, encoding="utf-8", newline="") as file:
            faults = {int(f["trial"]): f for f in csv.DictReader(file)}
        out = subprocess.run([o.program, "replay", record, "--model", "lenet5", "--number", number, "--images", str(o.images),
                              "--calibration", "200"], capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(out.stderr)
    whole = outcomes(folder)
    differ, checked = [], 0
    for line in out.stdout.splitlines()[1:]:
        fields = line.split()
        fault = faults[int(fields[4])]
        first = sum(WEIGHTS[: LAYERS.index(fault["layer"])])
        place = (first + int(fault["word"])) * (bits // sum(WEIGHTS)) + int(fault["bit"])
        checked += 1
        if [whole[place].split()[c] for c in (RIGHT, SDC1, MASKED)] != fields[6:9]:
            differ.append(place)
    if differ or checked != o.recheck:
        sys.exit(f"{number}: of {checked} faults replayed {len(differ)} differ, bit {differ[0] if differ else '-'}")
    print(f"{number}: {checked} faults by whole inferences: the same outcomes", flush=True)
    return checked


def sampled(o, number, sampling, seed):
    """The intervals of one campaign; kept in a file, so that an interrupted study goes on."""
    kept = pathlib.Path(o.work) / f"{number}-{sampling}-{o.trials}" / f"{seed}.json"
    if kept.exists() and not o.again:
        return json.loads(kept.read_text(encoding="ascii"))
    with tempfile.TemporaryDirectory() as folder:
        how = ["--flips", "1"] if sampling == "uniform" else ["--sampling", "stratified"]
        run(o, number, folder, *how, "--seed", str(seed), "--trials", str(o.trials), "--threads", "1")
        cell = cell_of(folder)
    found = {q: cell[q] for q in QUANTITIES}
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(".partial")
    partial.write_text(json.dumps(found), encoding="ascii")
    partial.rename(kept)
    return found


def write(path, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def count(o, row, short):
    """How many of the seeds' intervals hold a row's true rate."""
    with concurrent.futures.ThreadPoolExecutor(o.threads) as pool:
        campaigns = list(pool.map(lambda seed: sampled(o, row["number"], row["sampling"], seed), range(1, o.seeds + 1)))
    q, true = row["quantity"], float(row["true"])
    # half a digit of a rate that was written down
    held = sum(c[q]["low"] <= true + 5e-9 and true - 5e-9 <= c[q]["high"] for c in campaigns)
    width = sum(c[q]["high"] - c[q]["low"] for c in campaigns) / len(campaigns)
    if held < 0.91 * o.seeds:
        short.append(f"{row['number']} {row['sampling']} {q}")
    print(f"{row['number']} {row['sampling']} {q}: {held} of {o.seeds} hold {100 * true:.4f} %, {100 * width:.3f} points wide", flush=True)
    named = ["number", "sampling", "quantity", "bits", "images", "rechecked", "true"]
    return {**{k: row[k] for k in named}, "seeds": o.seeds, "trials": o.trials, "held": held, "mean_width": f"{width:.6f}"}


def finish(o, rows, short):
    write(pathlib.Path(o.results) / "ground-truth.csv", rows)
    print("too few intervals hold the truth: " + ", ".join(short) if short else "sampled campaigns hold the truth")
    return 1 if short else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True)
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/resilience"))
    parser.add_argument("--results", default=str(ROOT / "docs/results"))
    parser.add_argument("--numbers", default="fp32,int8")
    for name, value in (("images", 200), ("trials", 640), ("seeds", 200), ("recheck", 1000), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--again", choices=["uniform", "stratified"])
    o = parser.parse_args()
    rows, short = [], []
    if o.again:
        path = pathlib.Path(o.results) / "ground-truth.csv"
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        if any(int(r["images"]) != o.images for r in rows):
            sys.exit(f"{path}: the truth there is of another number of images")
        rows = [count(o, r, short) if r["sampling"] == o.again else r for r in rows]
        return finish(o, rows, short)
    for number in o.numbers.split(","):
        folder, truth = exhaustive(o, number)
        rechecked = recheck(o, number, folder, truth["site_bits"])
        write(pathlib.Path(o.results) / f"exhaustive-{number}.csv", [
            {"layer": p["layer"], "bit": p["bit"], "faults": p["trials"], "sdc1": f"{p['sdc1']:.8f}"} for p in truth["by_layer_and_bit"]])
        for sampling in ("uniform", "stratified"):
            known = {"number": number, "sampling": sampling, "bits": truth["site_bits"], "images": o.images, "rechecked": rechecked}
            rows += [count(o, {**known, "quantity": q, "true": f"{truth[q]['rate']:.8f}"}, short) for q in QUANTITIES]
    return finish(o, rows, short)



if __name__ == "__main__":
    sys.exit(main())
