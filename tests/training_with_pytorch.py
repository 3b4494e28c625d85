#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares training steps of ResNet-20 with PyTorch's on the same parameters and images.

    tests/training_with_pytorch.py --program build/release/bin/train_step

Loss, all gradients, running statistics and the parameters after two steps of SGD with momentum and weight decay, redoubt in
fp32 and PyTorch in fp32, both against PyTorch in float64. The error of a tensor is relative to its largest magnitude; redoubt's
largest may be at most twice PyTorch's.

A value so near 0 that fp32 and float64 disagree about its sign switches a whole gradient on or off at a ReLU, by luck and not by
precision. So the largest error is taken of small batches in which float64 has no value before a ReLU within 4e-6 of 0 (drawn until
found; fp32 is not looked at for it). Of a batch of 64, where some always are, the mean of squares over all tensors and seeds is compared.
Exits with 77 (skipped) where PyTorch is missing.
"""
import argparse
import os
import subprocess
import sys
import tempfile

from pytorch_common import np, read_safetensors, torch
from torch.nn import functional as F

STEPS, NEAREST = 2, 4e-6


def steps(model, pixels, labels):
    """Everything that the program writes, as PyTorch computes it in the model's own precision."""
    model.train()
    optimiser = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=0)
    for group in optimiser.param_groups:
        group["params"] = [p for name, p in model.named_parameters() if p.dim() > 1]
        group["weight_decay"] = 1e-4
    optimiser.add_param_group({"params": [p for name, p in model.named_parameters() if p.dim() <= 1], "weight_decay": 0})
    out = {}
    for i in range(STEPS):
        loss = F.cross_entropy(model(pixels), labels)
        optimiser.zero_grad()
        loss.backward()
        if i == 0:
            out["loss"] = loss.detach().numpy().reshape(1).copy()
            for name, p in model.named_parameters():
                out["gradient." + name] = p.grad.numpy().copy()
        optimiser.step()
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            out[name] = tensor.numpy().copy()
    return out


class nearest_to_zero:
    """The smallest magnitude that goes into a ReLU meanwhile."""

    def __enter__(self):
        self.plain, self.least = F.relu, float("inf")

        def relu(x):
            self.least = min(self.least, float(x.detach().abs().min()))
            return self.plain(x)

        F.relu = relu
        return self

    def __exit__(self, *_):
        F.relu = self.plain


def trial(program, seed, images, needs_distance):
    """(exact, ours, PyTorch's) or None where float64 comes too near to a ReLU's bend."""
    import train_reference as reference

    torch.manual_seed(seed)
    single = reference.ResNet20(3)
    with torch.no_grad():
        for p in single.parameters():
            if p.dim() == 1:
                p += 0.2 * torch.rand_like(p) - 0.1
    double = reference.ResNet20(3).double()
    double.load_state_dict(single.state_dict())
    pixels, labels = torch.randn(images, 3, 32, 32), torch.randint(0, 10, (images,))
    with nearest_to_zero() as nearest:
        tensors = {k: v.clone() for k, v in single.state_dict().items() if v.is_floating_point()}
        exact = steps(double, pixels.double(), labels)
    if needs_distance and nearest.least < NEAREST:
        return None
    with tempfile.TemporaryDirectory() as folder:
        start, end = os.path.join(folder, "in.safetensors"), os.path.join(folder, "out.safetensors")
        reference.save_safetensors(start, {**tensors, "pixels": pixels.permute(0, 2, 3, 1), "labels": labels.float()}, {})
        subprocess.run([program, start, end, str(STEPS)], check=True)
        ours = read_safetensors(end)
    assert set(ours) == set(exact), set(ours) ^ set(exact)
    return exact, ours, steps(single, pixels, labels)


def kind_of(name):
    return name if name == "loss" else "gradient" if name.startswith("gradient.") else "parameter"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--program", required=True)
    options.add_argument("--trials", type=int, default=4)
    options = options.parse_args()
    torch.set_num_threads(1)
    failed = False

    worst, seed, found = {}, 0, 0
    while found < options.trials:
        seed += 1
        if seed > 200:
            print("no batch keeps its distance from the bends")
            return 1
        values = trial(options.program, seed, 2, True)
        if values is None:
            continue
        found += 1
        exact = values[0]
        for who, got in zip(("redoubt", "PyTorch"), values[1:]):
            for name in exact:
                error = float(np.abs(got[name] - exact[name]).max() / np.abs(exact[name]).max())
                worst[who, kind_of(name)] = max(worst.get((who, kind_of(name)), (0.0, "")), (error, name))
    for kind in ("loss", "gradient", "parameter"):
        (mine, name), (peer, other) = worst["redoubt", kind], worst["PyTorch", kind]
        good = mine <= 2 * max(peer, 2.0 ** -24)
        failed |= not good
        print(f"{found} batches of 2, {kind}: largest relative error redoubt {mine:.2e} ({name}), PyTorch fp32 {peer:.2e} ({other}): "
              f"{'good' if good else 'TOO FAR'}")

    squares = {}
    for seed in range(options.trials):
        exact, *both = trial(options.program, 1000 + seed, 64, False)
        for who, got in zip(("redoubt", "PyTorch"), both):
            for name in exact:
                error = np.sum((got[name] - exact[name]) ** 2, dtype=float) / np.sum(exact[name] ** 2, dtype=float)
                squares.setdefault((who, kind_of(name)), []).append(error)
    for kind in ("gradient", "parameter"):
        mine, peer = (float(np.sqrt(np.mean(squares[who, kind]))) for who in ("redoubt", "PyTorch"))
        good = mine <= 2 * peer
        failed |= not good
        print(f"{options.trials} batches of 64, {kind}: root of the mean square of relative errors redoubt {mine:.2e}, PyTorch fp32 {peer:.2e}: "
              f"{'good' if good else 'TOO FAR'}")
    print("TOO FAR" if failed else "as near to float64 as PyTorch")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
