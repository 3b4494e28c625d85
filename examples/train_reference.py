#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Train the reference networks of examples/weights/ on Fashion-MNIST with PyTorch.

    /usr/bin/python3 examples/train_reference.py --model resnet20 --out examples/weights

Needs Debian's python3-torch, python3-numpy and dataset-fashion-mnist. One thread and one seed; a run that was
stopped goes on from its last finished epoch (the checkpoint lies beside the result and is removed at the end).
The result is a safetensors file with PyTorch's own names, batch normalisation not folded, and a JSON line on
standard output with the test accuracy and the SHA-256 of the file.
"""
import argparse
import gzip
import hashlib
import json
import os
import struct
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MEAN, DEVIATION = 0.2860, 0.3530  # of the 60,000 training images, pixels in [0, 1]


class LeNet5(nn.Module):
    """Convolutions 6 and 16 of 5x5, two 2x2 max pools, 120-84-10, ReLU throughout."""

    def __init__(self, channels=1, height=28, width=28, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        rows, columns = ((height // 2) - 4) // 2, ((width // 2) - 4) // 2
        self.fc1 = nn.Linear(16 * rows * columns, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut without weights (option A: every second pixel, new channels zero)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.grow = stride, outputs - inputs

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.stride != 1 or self.grow:
            before = self.grow // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, before, self.grow - before))
        return F.relu(y + x)


class ResNet20(nn.Module):
    """The CIFAR form of He et al. 2016: 16-32-64 channels, three stages of three blocks."""

    def __init__(self, channels=1, classes=10, widths=(16, 32, 64), blocks=3):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        before = widths[0]
        for stage, width in enumerate(widths):
            rows = []
            for i in range(blocks):
                rows.append(Block(before, width, 2 if stage and not i else 1))
                before = width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*rows))
        self.linear = nn.Linear(before, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def idx(path):
    """An IDX file of unsigned bytes, gzipped or not, as an array of its own shape."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        magic = struct.unpack(">I", file.read(4))[0]
        shape = struct.unpack(">" + "I" * (magic & 255), file.read(4 * (magic & 255)))
        return np.frombuffer(file.read(), np.uint8).reshape(shape)


def load(folder, part):
    images = idx(os.path.join(folder, f"{part}-images-idx3-ubyte.gz")).astype(np.float32) / 255
    labels = idx(os.path.join(folder, f"{part}-labels-idx1-ubyte.gz")).astype(np.int64)
    images = (images - MEAN) / DEVIATION
    return torch.from_numpy(images[:, None]), torch.from_numpy(labels)


def augment(x, generator):
    """A left-right flip of half of the images and a shift of up to two pixels, one shift a batch."""
    flip = torch.rand(len(x), generator=generator) < 0.5
    x = torch.where(flip[:, None, None, None], x.flip(3), x)
    dy, dx = (int(torch.randint(-2, 3, (1,), generator=generator)) for _ in range(2))
    padded = F.pad(x, (2, 2, 2, 2), value=-MEAN / DEVIATION)
    return padded[:, :, 2 + dy : 30 + dy, 2 + dx : 30 + dx]


@torch.no_grad()
def accuracy(model, images, labels):
    model.eval()
    right = sum(int((model(images[i : i + 500]).argmax(1) == labels[i : i + 500]).sum())
                for i in range(0, len(images), 500))
    return right / len(images)


def save_safetensors(path, state, note):
    """The safetensors layout: length, JSON header, then the tensors; I64 counters are left out."""
    header, blob, at = {"__metadata__": note}, [], 0
    for name, tensor in state.items():
        if tensor.dtype != torch.float32:
            continue
        data = tensor.contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(data)]}
        blob.append(data)
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blob))
    os.replace(path + ".part", path)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", choices=("lenet5", "resnet20"), required=True)
    arguments.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    arguments.add_argument("--out", default="examples/weights")
    arguments.add_argument("--epochs", type=int, default=14)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    model = {"lenet5": LeNet5, "resnet20": ResNet20}[options.model]()
    images, labels = load(options.data, "train")
    batch, rate = 128, 1e-2 if options.model == "resnet20" else 4e-3
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-2)
    steps = len(images) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps * options.epochs)

    target = os.path.join(options.out, f"{options.model}-fashion-mnist.safetensors")
    checkpoint, first = target + ".checkpoint", 0
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint)
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        schedule.load_state_dict(saved["schedule"])
        first = saved["epoch"]
        print(f"going on after epoch {first}", file=sys.stderr)

    for epoch in range(first, options.epochs):
        generator = torch.Generator().manual_seed(options.seed * 1000 + epoch)
        order, total = torch.randperm(len(images), generator=generator), 0.0
        model.train()
        for i in range(steps):
            rows = order[i * batch : (i + 1) * batch]
            loss = F.cross_entropy(model(augment(images[rows], generator)), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        print(f"epoch {epoch + 1} of {options.epochs}: loss {total / steps:.4f}", file=sys.stderr, flush=True)
        torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(),
                    "schedule": schedule.state_dict(), "epoch": epoch + 1}, checkpoint + ".part")
        os.replace(checkpoint + ".part", checkpoint)

    score = accuracy(model, *load(options.data, "t10k"))
    save_safetensors(target, model.state_dict(), {
        "network": options.model, "data": "Fashion-MNIST", "mean": str(MEAN), "deviation": str(DEVIATION),
        "epochs": str(options.epochs), "seed": str(options.seed), "test_accuracy": f"{score:.4f}",
        "made_by": "examples/train_reference.py, PyTorch " + torch.__version__})
    os.remove(checkpoint)
    with open(target, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    print(json.dumps({"file": os.path.basename(target), "test_accuracy": score, "sha256": digest}))


if __name__ == "__main__":
    main()
