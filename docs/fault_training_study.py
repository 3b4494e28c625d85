#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Networks trained under faults beside one that was not: trains by examples/recipes, strikes both alike, and collects docs/results/fault-training.csv.

    docs/fault_training_study.py --program BUILD/bin/resilience_faults --work FOLDER [--only NAME...] [--threads N]

The program goes on where FOLDER ends; rows of what is not run stay as the result file has them.
"""
import argparse
import pathlib

from study_rows import ROOT, kept_rows, struck, trained, write_rows

FASHION = "/usr/share/datasets/fashion-mnist"
# of each study: the network, the faults, rates around that of training, and the recipes, the plain one first
STUDIES = {"ftt-mibb": ("resnet20", "features", "mibb", "1e-5,1e-4", ("resnet20-fashion-mnist", "resnet20-fashion-mnist-ftt-mibb")),
           "ftt-adsaf": ("resnet20", "weights", "adsaf_pair", "0.04,0.08,0.12", ("resnet20-fashion-mnist", "resnet20-fashion-mnist-ftt-adsaf")),
           "randbet": ("resnet20", "weights", "flip", "1e-5,1e-4,1e-3", ("resnet20-fashion-mnist", "resnet20-fashion-mnist-randbet")),
           "classes": ("resnet8", "features", "classes", "1e-6,1e-5,1e-4", ("resnet8-fashion-mnist", "resnet8-fashion-mnist-classes")),
           "classes, clipped": ("clipped_resnet8", "features", "classes", "1e-6,1e-5,1e-4", ("clipped-resnet8-fashion-mnist", "clipped-resnet8-fashion-mnist-classes"))}


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
        network, space, model, rates, recipes = STUDIES[study]
        for recipe in recipes:
            folder = trained(o, recipe)
            found = struck(o, folder / f"under-{model}", "--model", network, "--data", FASHION, "--normalise", "0.2860/0.3530", "--weights", folder / "weights.safetensors", "--number", "int8",
                           "--fault", space, "--fault-model", model, "--ber", rates, "--protect", "none", "--trials", "300", "--images", "50")
            kept[study, recipe] = [{"study": study, "recipe": recipe, "fault_model": model, **row} for row in found]
        # after each study, so that one that cannot be finished takes nothing with it
        write_rows(result, [row for name, (*_, others) in STUDIES.items() for recipe in others for row in kept.get((name, recipe), [])])


if __name__ == "__main__":
    main()
