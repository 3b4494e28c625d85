#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Networks trained under faults beside one that was not: trains by examples/recipes, strikes both alike, and collects docs/results/fault-training.csv.

    docs/fault_training_study.py --program BUILD/bin/resilience_plans --work FOLDER [--only NAME...] [--threads N]

What is in FOLDER already is not made again; rows of what is not run stay as the result file has them.
"""
import argparse
import pathlib

from study_rows import ROOT, kept_rows, struck, trained, write_rows

FASHION = "/usr/share/datasets/fashion-mnist"
PLAIN = "resnet20-fashion-mnist"
# recipe: what it was trained under, and rates around that of its training
STUDIES = {"ftt-mibb": ("features", "mibb", "1e-5,1e-4"), "ftt-adsaf": ("weights", "adsaf_pair", "0.04,0.08,0.12"), "randbet": ("weights", "flip", "0.001,0.005,0.01")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--work", required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--only", nargs="*", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--threads", default="1")
    o = parser.parse_args()
    result = ROOT / "docs" / "results" / "fault-training.csv"
    kept = kept_rows(result, "study", "recipe")
    for study in o.only:
        space, model, rates = STUDIES[study]
        for recipe in (PLAIN, f"{PLAIN}-{study}"):
            folder = trained(o, recipe)
            found = struck(o, folder / f"under-{study}", "--model", "resnet20", "--data", FASHION, "--weights", folder / "weights.safetensors", "--number", "int8", "--fault", space, "--fault-model", model,
                           "--ber", rates, "--protect", "none", "--trials", "300", "--images", "50")
            kept[study, recipe] = [{"study": study, "recipe": recipe, "fault_model": model, **row} for row in found]
    rows = [row for study in STUDIES for recipe in (PLAIN, f"{PLAIN}-{study}") for row in kept.get((study, recipe), [])]
    write_rows(result, rows)


if __name__ == "__main__":
    main()
