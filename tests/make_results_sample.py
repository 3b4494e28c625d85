#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/data/results-sample.json: made-up results of a large campaign, in the form of docs/results-schema.md.

    tests/make_results_sample.py    the same bytes each time

Only the form is real: figures follow from formulas, and no network was run for them.
"""
import json
import math
import pathlib

TRIALS, IMAGES = 200, 500
CLEAN = {"fp32": 0.938, "int8": 0.936}
# protection: log10 of the rate at which half of the answers change (fp32, int8), time, memory, clean accuracy lost
PROTECTIONS = {
    "none": (-5.3, -4.4, 1.0, 1.0, 0.0),
    "range": (-3.9, -3.9, 1.09, 1.0, 0.001),
    "clip_weights": (-4.6, -4.2, 1.02, 1.0, 0.004),
    "parity": (-4.0, -4.0, 1.21, 1.13, 0.0),
    "crc": (-3.8, -3.5, 1.33, 1.94, 0.0),
    "secded": (-3.3, -3.2, 1.41, 1.22, 0.0),
    "tmr_parameters": (-2.9, -2.7, 1.37, 2.78, 0.0),
}
RATES = [1e-7, 1e-6, 1e-5, 1e-4, 1e-3]
LAYERS = ["conv1"] + [f"layer{s}.{b}.conv{c}" for s in (1, 2, 3) for b in (0, 1, 2) for c in (1, 2)] + ["fc"]
COVERS = "weights in every copy and checksums; not biases, scales, bounds"


def estimate(rate, n):
    """A rate of n independent observations with Wilson's interval, rounded as a campaign would count it."""
    rate = round(rate * TRIALS * IMAGES) / (TRIALS * IMAGES)
    if rate == 0:
        return {"rate": 0.0, "low": 0.0, "high": round(1 - 0.025 ** (1 / TRIALS), 6)}
    if rate == 1:
        return {"rate": 1.0, "low": round(0.025 ** (1 / TRIALS), 6), "high": 1.0}
    z = 1.96
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    width = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return {"rate": rate, "low": round(max(0, min(rate, middle - width)), 6), "high": round(min(1, max(rate, middle + width)), 6)}


def layers_and_bits(protection):
    """High exponent bits hurt, early layers more than late ones; the first layer's low bits were not tested."""
    entries = []
    for at, layer in enumerate(LAYERS):
        for bit in range(32):
            if layer == "conv1" and bit < 12 or layer == "fc" and bit == 31:
                continue
            hurt = {30: 0.93, 29: 0.31, 28: 0.12, 27: 0.06, 26: 0.03, 31: 0.02, 25: 0.014, 24: 0.009, 23: 0.006}.get(bit, 0.0)
            hurt = hurt if bit > 22 else 0.004 * 2 ** (bit - 22)
            hurt *= (1 - 0.03 * at) * (0.12 if protection == "range" and bit > 25 else 1)
            trials = 400
            entries.append({"layer": layer, "bit": bit, "trials": trials, "sdc1": round(hurt * trials) / trials})
    return entries


def cell(number, protection, rate, at):
    fp32, int8, time, memory, lost = PROTECTIONS[protection]
    half = fp32 if number == "fp32" else int8
    changed = 1 / (1 + math.exp(-2.6 * (math.log10(rate) - half)))
    changed = 0.0 if changed < 2e-5 else min(1.0, changed)
    clean = CLEAN[number] - lost
    site_bits = int(269_722 * (32 if number == "fp32" else 8) * memory)
    faults = round(site_bits * rate * TRIALS)
    seen = 0 if protection in ("none", "clip_weights", "range") else faults * IMAGES
    found = {
        "fault": "weights", "covers": COVERS, "model": "resnet20", "number": number, "protection": protection, "ber": rate,
        "flips": 0, "site_bits": site_bits, "clean_accuracy": round(clean, 4),
        "clean_top1_as_none": 1.0 - lost, "accuracy": estimate(clean * (1 - changed) + 0.1 * changed, 2500),
        "sdc1": estimate(0.9 * changed, 2500), "unusable": estimate(0.3 * changed if number == "fp32" else 0, 2500),
        "faults": faults, "detected": seen, "corrected": 0 if protection == "parity" else round(0.97 * seen),
        "uncorrected": seen if protection == "parity" else seen - round(0.97 * seen),
        "out_of_range": faults * 37 if protection == "range" else 0, "memory_factor": memory,
        "timing": {"time_factor": round(time + 0.01 * at, 3)}, "trials": []}
    if number == "fp32" and protection in ("none", "range") and rate == 1e-5:
        found["by_layer_and_bit"] = layers_and_bits(protection)
    return found


def main():
    names = list(PROTECTIONS)
    results = {
        "schema": 2, "program": {"name": "redoubt", "version": "0.1.0"},
        "command": "resilience --model resnet20 --data made-up --fault weights --ber 1e-7,1e-6,1e-5,1e-4,1e-3 "
                   f"--number fp32,int8 --protect {','.join(names)} --trials {TRIALS} --images {IMAGES} --seed 1",
        "options": {"data": "made-up", "seed": 1, "trials": TRIALS, "images": IMAGES, "calibration_images": 2000, "bits": "any",
                    "layer": "", "flips": 0, "normalise": "0.2860/0.3530", "faults": ["weights"], "models": ["resnet20"],
                    "numbers": list(CLEAN), "protections": names, "rates": RATES},
        "weights": [{"model": "resnet20", "file": "made-up.safetensors", "crc32c": "00c0ffee"}],
        "confidence": 0.95,
        "cells": [cell(number, p, rate, at) for number in CLEAN for rate in RATES for at, p in enumerate(names)]}
    # one line a cell, and one an entry of a map
    cells = results.pop("cells")
    head = json.dumps(results, indent=1)[:-2]
    lines = [json.dumps(c).replace('{"layer"', '\n   {"layer"') for c in cells]
    text = head + ',\n "cells": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n"
    assert json.loads(text)["cells"] == cells
    path = pathlib.Path(__file__).parent / "data" / "results-sample.json"
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
