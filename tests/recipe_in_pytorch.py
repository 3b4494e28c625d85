#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains ResNet-20 on CIFAR-10 in PyTorch by a recipe of examples/recipes/, to be held against what `resilience train` makes of it.

    /usr/bin/python3 tests/recipe_in_pytorch.py RECIPE DATA [--threads N]

DATA is the folder of CIFAR-10's binary files. Same batches of the same size, AdamW, one cycle, crops and flips of each image by draws of its own; norms and biases do not decay. The last line says how many test images
are right.
"""
import argparse
import json
import os
import sys

from pytorch_common import np, skip, torch
from torch.nn import functional as F

import train_reference


def read(folder, names, mean, deviation):
    data = np.concatenate([np.fromfile(os.path.join(folder, name), np.uint8).reshape(-1, 3073) for name in names])
    pixels = torch.from_numpy(data[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255)
    return (pixels - mean) / deviation, torch.from_numpy(data[:, 0].astype(np.int64))


def augment(x, pad, black, draw):
    """Each image in a window of its own, half of them turned."""
    count, _, height, width = x.shape
    padded = black.expand(count, 3, height + 2 * pad, width + 2 * pad).clone()
    padded[:, :, pad:pad + height, pad:pad + width] = x
    out = torch.empty_like(x)
    for i in range(count):
        top, left = (int(torch.randint(0, 2 * pad + 1, (1,), generator=draw)) for _ in range(2))
        window = padded[i, :, top:top + height, left:left + width]
        out[i] = window.flip(2) if torch.rand(1, generator=draw) < 0.5 else window
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("data")
    parser.add_argument("--threads", type=int, default=1)
    o = parser.parse_args()
    with open(o.recipe, encoding="utf-8") as file:
        recipe = json.load(file)
    if recipe["model"] != "resnet20_cifar10" or recipe["optimiser"]["kind"] != "adamw" or recipe["schedule"]["kind"] != "one_cycle":
        sys.exit("this is for ResNet-20 on CIFAR-10 by AdamW in one cycle")
    if not os.path.exists(os.path.join(o.data, "data_batch_1.bin")):
        skip(f"{o.data} has no data_batch_1.bin")
    torch.set_num_threads(o.threads)
    torch.manual_seed(recipe["seed"])
    mean, deviation = (torch.tensor([float(v) for v in part.split(",")]).view(3, 1, 1) for part in recipe["normalise"].split("/"))
    images, labels = read(o.data, [f"data_batch_{i}.bin" for i in range(1, 6)], mean, deviation)
    tested, answers = read(o.data, ["test_batch.bin"], mean, deviation)
    model = train_reference.ResNet20(3).to(memory_format=torch.channels_last)
    decays = [p for p in model.parameters() if p.dim() > 1]
    stays = [p for p in model.parameters() if p.dim() == 1]
    optimiser = torch.optim.AdamW([{"params": decays, "weight_decay": recipe["optimiser"]["decay"]}, {"params": stays, "weight_decay": 0.0}], lr=recipe["schedule"]["rate"])
    batch, epochs = recipe["batch"], recipe["epochs"]
    steps = len(images) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe["schedule"]["rate"], total_steps=steps * epochs, cycle_momentum=False)
    draw = torch.Generator().manual_seed(recipe["seed"])
    black = -mean / deviation
    for epoch in range(epochs):
        model.train()
        order, total = torch.randperm(len(images), generator=draw), 0.0
        for i in range(steps):
            rows = order[i * batch:(i + 1) * batch]
            x = augment(images[rows], recipe["augment"]["crop_pad"], black, draw).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(model(x), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        right = round(train_reference.accuracy(model, tested, answers) * len(tested))
        print(f"epoch {epoch + 1} of {epochs}: loss {total / steps:.4f}, test {100 * right / len(tested):.2f} %", flush=True)
    print(f"right on {right} of {len(tested)} test images")


if __name__ == "__main__":
    main()
