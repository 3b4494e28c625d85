#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Functions of weights beside their rivals: trains by examples/recipes, strikes the networks, and collects docs/results/weights-study.csv.

    docs/weights_study.py --program BUILD/bin/resilience_weights --work FOLDER [--cifar10 FOLDER] [--only NAME...] [--numbers NAME...] [--threads N]

What is in FOLDER already is not made again, and what was stopped goes on, so the study may run in pieces; rows come from what is finished. Without --cifar10 (the binary files of CIFAR-10) that half is
left out and its rows stay as the result file has them.
"""
import argparse
import pathlib
import sys

from study_rows import ROOT, kept_rows, struck, trained, write_rows

FASHION, CIFAR = "/usr/share/datasets/fashion-mnist", "cifar10"
RECIPES = {"resnet20-fashion-mnist": ("resnet20", FASHION, "0.2860/0.3530"),
           "resnet20-cifar10": ("resnet20_cifar10", CIFAR, "0.4914,0.4822,0.4465/0.2470,0.2435,0.2616"),
           "vgg11-cifar10": ("vgg11_cifar10", CIFAR, "0.4914,0.4822,0.4465/0.2470,0.2435,0.2616")}
SWEEP, THREE = "1e-7,1e-6,1e-5,1e-4,1e-3,1e-2", "1e-6,1e-5,1e-4"
FULL, LARGE, SHORT = ("50", "1000"), ("50", "200"), ("20", "200")  # trials and images; LARGE is of the network that takes longest


def campaigns():
    """(recipe, number, fault, protections, rates, (trials, images)) of each."""
    for network in RECIPES:
        tanh = network + ("-tanh-adapted" if network == "vgg11-cifar10" else "-tanh")
        for recipe, own, rivals in ((network, "none,norm_apart", "range,clip_weights,clip_weights+range,scale"), (tanh, "saf", "saf+range")):
            yield recipe, "fp32", "weights", own, SWEEP, LARGE if network == "vgg11-cifar10" else FULL
            yield recipe, "fp32", "weights", rivals, SWEEP, SHORT
            yield recipe, "fp32", "biases", own, THREE, SHORT
            yield recipe, "fp16", "weights", own + "," + rivals, THREE, SHORT
        if network == "vgg11-cifar10":
            continue
        for function in ("arctan", "softsign", "hardtanh", "half-tanh"):
            yield f"{network}-{function}", "fp32", "weights", "saf_" + function.replace("-", "_"), THREE, SHORT
    for suffix, protections in (("-q2.5", "norm_apart"), ("-q2.5-tanh", "saf")):
        yield "resnet20-fashion-mnist" + suffix, "q2.5", "weights", protections, THREE, SHORT


def network_of(recipe):
    return next(n for n in RECIPES if recipe.startswith(n))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--work", required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--cifar10", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--only", nargs="*", help="recipes")
    parser.add_argument("--numbers", nargs="*", help="of stored weights")
    parser.add_argument("--threads", default="1")
    o = parser.parse_args()
    result = ROOT / "docs" / "results" / "weights-study.csv"
    kept = kept_rows(result, "recipe", "number", "fault", "protection")
    for recipe, number, fault, protections, rates, (trials, images) in campaigns():
        model, data, normalise = RECIPES[network_of(recipe)]
        if data == CIFAR:
            if not o.cifar10:
                continue
            data = o.cifar10
        if o.only and recipe not in o.only or o.numbers and number not in o.numbers:
            continue
        folder = trained(o, recipe, "--data", data)
        found = struck(o, folder / f"{number}-{fault}-{protections.split(',')[0]}", "--model", model, "--data", data, "--normalise", normalise, "--weights", folder / "weights.safetensors", "--number", number,
                       "--fault", fault, "--protect", protections, "--ber", rates, "--trials", trials, "--images", images)
        found = [{"recipe": recipe, "trials": trials, "images": images, **row} for row in found]
        for protection in protections.split(","):
            kept[recipe, number, fault, protection] = [row for row in found if row["protection"] == protection]
    rows = [row for recipe, number, fault, protections, _, _ in campaigns() for p in protections.split(",") for row in kept.get((recipe, number, fault, p), [])]
    if not rows:
        sys.exit("nothing is finished")
    write_rows(result, rows)


if __name__ == "__main__":
    main()
