#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/data/golden-NETWORK.safetensors: PyTorch's logits of the first 1,000 Fashion-MNIST test images.

    /usr/bin/python3 tests/make_golden.py

They were computed by PyTorch from examples/weights/ and are what tests/app/golden.cpp compares our answers with.
"""
import os
import sys

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from with_pytorch import ROOT, read_safetensors  # noqa: E402  (also puts examples/ on the path)
import train_reference as reference  # noqa: E402


def main():
    images, _ = reference.load("/usr/share/datasets/fashion-mnist", "t10k")
    torch.set_num_threads(1)
    for name, make in (("lenet5", reference.LeNet5), ("resnet20", reference.ResNet20)):
        weights = os.path.join(ROOT, "examples", "weights", f"{name}-fashion-mnist.safetensors")
        model = make()
        model.load_state_dict({k: torch.from_numpy(v) for k, v in read_safetensors(weights).items()}, strict=False)
        model.eval()
        with torch.no_grad():
            logits = model(images[:1000])
        reference.save_safetensors(os.path.join(HERE, "data", f"golden-{name}.safetensors"), {"outputs": logits},
                                   {"network": name, "images": "Fashion-MNIST test 0..999", "made_by": "PyTorch " + torch.__version__})
        print(name, np.asarray(logits[0]))


if __name__ == "__main__":
    main()
