#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ResNet-20 pruned by several rankings to one size and trained on alike: collects docs/results/pruned.csv.

    docs/pruned_study.py --chain FOLDER [--threads N]

FOLDER is what examples/chain/chain.py made: its programs and its first rankings are used. What is there already is not made again.
"""
import argparse
import json
import pathlib
import re
import subprocess

from study_rows import ROOT, run, write_rows

WEIGHTS = ROOT / "examples" / "weights" / "resnet20-fashion-mnist.safetensors"
RANKINGS = ("parameter-vulnerability", "l2-norm")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chain", required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--threads", default="1")
    o = parser.parse_args()
    programs = o.chain / "build" / "bin"
    recipe = json.loads((ROOT / "examples" / "chain" / "recipe.json").read_text(encoding="utf-8"))
    rows = []
    for ranking in RANKINGS:
        folder = o.chain / "study" / ranking
        folder.mkdir(parents=True, exist_ok=True)
        said = folder / "prune.txt"
        if not said.exists():
            done = subprocess.run([programs / "chain_whole", "prune", "--model", "resnet20", "--weights", WEIGHTS, "--formula", ranking, "--ratio", "0.5", "--block", "16", "--out", folder],
                                  check=True, capture_output=True, text=True)
            said.write_text(done.stdout, encoding="utf-8")
        if not (folder / "trained" / "training.json").exists():
            own = folder / "recipe.json"
            own.write_text(json.dumps(dict(recipe, start=str(folder / "pruned_network.safetensors"))), encoding="utf-8")
            run(programs / "chain_lean", "train", own, "--threads", o.threads, "--out", folder / "trained")
        plan = json.loads((folder / "pruned_network.json").read_text(encoding="utf-8"))
        before, images, whole = re.search(r"right on (\d+) of (\d+) test images, before on (\d+)", said.read_text(encoding="utf-8")).groups()
        rows.append({"network": "resnet20", "ranking": ranking, "multiply_adds": plan["left"] / plan["multiply_adds"], "weights": plan["weights_left"] / plan["weights"], "right_whole": whole, "right_pruned": before,
                     "right_trained_on": json.loads((folder / "trained" / "training.json").read_text(encoding="utf-8"))["right"], "images": images})
    write_rows(ROOT / "docs" / "results" / "pruned.csv", rows)


if __name__ == "__main__":
    main()
