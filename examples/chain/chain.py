#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""From a trained network to a smaller, hardened one: rank, prune, train on, rank, harden, campaign, and a loop that anyone may attack. Each step's files lie in a folder of their
own; what is there is not made again.

    examples/chain/chain.py --out FOLDER [--jobs N]
"""
import argparse
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--weights", type=lambda p: pathlib.Path(p).resolve(), default=ROOT / "examples" / "weights" / "resnet20-fashion-mnist.safetensors")
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--ratio", default="0.5", help="of each layer's channels, removed")
    parser.add_argument("--twice", default="0.3", help="of each layer's channels, computed twice")
    parser.add_argument("--trials", default="50")
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--compiler", default="g++")
    o = parser.parse_args()
    o.out.mkdir(parents=True, exist_ok=True)
    build = o.out / "build"
    began = time.monotonic()

    def step(what, made, *commands):
        # what is built is always asked for: the build knows what is new
        if made.startswith("build/") or not (o.out / made).exists():
            for command in commands:
                done = subprocess.run([str(word) for word in command], cwd=o.out, check=False)
                if done.returncode != 0:
                    sys.exit(f"{what}: {' '.join(str(word) for word in command)} ended with {done.returncode}")
        print(f"[{time.monotonic() - began:4.0f} s] {what}: {made}", flush=True)

    def built(target):
        return ["cmake", "--build", build, "--target", target, "-j", o.jobs]

    images = ["--data", pathlib.Path(o.data).resolve()]
    configure = ["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", f"-DREDOUBT_CHAIN={o.out}", "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_CXX_COMPILER={o.compiler}",
                 "-DCMAKE_CXX_FLAGS_RELEASE=-O3 -DNDEBUG", "-DREDOUBT_TESTS=OFF", "-DREDOUBT_ARCH=native", "-DREDOUBT_EXAMPLES=ON"]
    step("build", "build/bin/chain_whole", configure, built("chain_whole"))
    step("rank", "1-ranked/rank.html", ["build/bin/chain_whole", "rank", "--model", "resnet20", "--weights", o.weights, *images, "--formula", "parameter-vulnerability,l2-norm", "--out", "1-ranked"])
    step("prune", "2-pruned/pruned_network.html", ["build/bin/chain_whole", "prune", "--model", "resnet20", "--weights", o.weights, *images, "--ranking", "1-ranked/ranking-parameter-vulnerability.json",
                                          "--ratio", o.ratio, "--block", "16", "--out", "2-pruned"])
    step("build what is left", "build/bin/chain_lean", built("chain_lean"))
    step("train on", "3-trained/training.json", ["build/bin/chain_lean", "train", HERE / "recipe.json", *images, "--threads", "0", "--out", "3-trained"])
    weights = "3-trained/weights.safetensors"
    step("rank again", "4-ranked/rank.html", ["build/bin/chain_lean", "rank", "--model", "lean", "--weights", weights, *images, "--out", "4-ranked"])
    step("harden", "5-hardened/hardened.html", ["build/bin/chain_lean", "harden", "--model", "lean", "--weights", weights, *images, "--ranking", "4-ranked/ranking-parameter-vulnerability.json",
                                              "--ratio", o.twice, "--out", "5-hardened"])
    step("build it hardened", "build/bin/chain_guarded", built("chain_guarded"))
    step("build the loop", "build/bin/chain_loop", built("chain_loop"))
    step("campaign", "6-campaign/report.html", ["build/bin/chain_guarded", *images, "--weights", "5-hardened/hardened.safetensors", "--number", "fp32,int8", "--fault", "weights",
                                                "--protect", "none,range,clip_weights,planned,tmr_parameters", "--ber", "1e-5,1e-4", "--trials", o.trials, "--images", "200", "--out", "6-campaign"])
    subprocess.run([build / "bin" / "chain_loop", "--protect", "planned", "--seconds", "2", *images], check=True)


if __name__ == "__main__":
    main()
