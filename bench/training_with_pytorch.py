#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures training of ResNet-20 with redoubt and with PyTorch in turns, one thread each.

    taskset -c 0 /usr/bin/python3 bench/training_with_pytorch.py --program build/bench/bin/bench_training

Batches of 128 colour images of 32x32; forward, backward, SGD with momentum and weight decay. PyTorch runs in both memory formats, and
the better one counts. Rounds alternate, and of each engine the best round counts. The last line is the ratio of images a second.
"""
import argparse
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "examples"))

try:
    import torch
    from torch.nn import functional as F
except ImportError as missing:
    print(f"SKIPPED: PyTorch is not installed ({missing}); on Debian: python3-torch, run with /usr/bin/python3")
    sys.exit(77)


class peer:
    def __init__(self, memory_format):
        import train_reference as reference

        torch.manual_seed(1)
        self.model = reference.ResNet20(3).to(memory_format=memory_format).train()
        self.pixels = torch.randn(128, 3, 32, 32).to(memory_format=memory_format)
        self.labels = torch.randint(0, 10, (128,))
        self.optimiser = torch.optim.SGD(self.model.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)

    def step(self):
        loss = F.cross_entropy(self.model(self.pixels), self.labels)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()

    def rate(self, steps=6):
        best = float("inf")
        for _ in range(steps):
            start = time.perf_counter()
            self.step()
            best = min(best, time.perf_counter() - start)
        return 128 / best


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--program", required=True)
    options.add_argument("--rounds", type=int, default=5)
    options = options.parse_args()
    torch.set_num_threads(1)
    peers = {"PyTorch, channels first": peer(torch.contiguous_format), "PyTorch, channels last": peer(torch.channels_last)}
    for one in peers.values():
        one.step()
    best = {}
    for _ in range(options.rounds):
        text = subprocess.run([options.program, "--benchmark_filter=training/resnet20/1", "--benchmark_format=json", "--benchmark_repetitions=3"],
                              check=True, stdout=subprocess.PIPE, text=True).stdout
        rates = [b["items_per_second"] for b in json.loads(text)["benchmarks"] if b.get("run_type") != "aggregate"]
        best["redoubt"] = max([best.get("redoubt", 0.0), *rates])
        for name, one in peers.items():
            best[name] = max(best.get(name, 0.0), one.rate())
    for name, rate in best.items():
        print(f"{name}: {rate:.0f} images a second")
    print(f"ratio {best['redoubt'] / max(rate for name, rate in best.items() if name != 'redoubt'):.2f}")


if __name__ == "__main__":
    main()
