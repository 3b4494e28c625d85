#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares redoubt's fault-free answers with PyTorch's on the same weights and images.

    tests/with_pytorch.py --resilience build/release/bin/resilience

For each network: same top-1 on at least 9,999 of the 10,000 Fashion-MNIST test images, and every logit within 1e-4 of
the image's largest logit magnitude. Exits with 77 (skipped) where PyTorch or the data are missing.
"""
import argparse
import os
import subprocess
import sys
import tempfile

from pytorch_common import ROOT, np, read_safetensors, skip, torch


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--resilience", required=True)
    options.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    options.add_argument("--images", type=int, default=10000)
    options = options.parse_args()
    if not os.path.exists(os.path.join(options.data, "t10k-images-idx3-ubyte.gz")):
        skip(f"no Fashion-MNIST in {options.data}; on Debian: dataset-fashion-mnist")
    import train_reference as reference

    images, labels = reference.load(options.data, "t10k")
    images, labels = images[: options.images], labels[: options.images]
    torch.set_num_threads(os.cpu_count() or 1)
    failed = False
    for name, make in (("lenet5", reference.LeNet5), ("resnet20", reference.ResNet20)):
        weights = os.path.join(ROOT, "examples", "weights", f"{name}-fashion-mnist.safetensors")
        model = make()
        model.load_state_dict({k: torch.from_numpy(v) for k, v in read_safetensors(weights).items()}, strict=False)
        model.eval()
        with torch.no_grad():
            theirs = torch.cat([model(images[i : i + 500]) for i in range(0, len(images), 500)]).numpy()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "outputs.safetensors")
            subprocess.run([options.resilience, "--model", name, "--number", "fp32", "--images", str(len(images)),
                            "--data", options.data, "--dump-outputs", path, "--out", folder],
                           check=True, stdout=subprocess.DEVNULL)
            ours = read_safetensors(path)["outputs"]
        same = int((ours.argmax(1) == theirs.argmax(1)).sum())
        error = float((np.abs(ours - theirs).max(1) / np.abs(theirs).max(1)).max())
        right = float((ours.argmax(1) == labels.numpy()).mean())
        good = same >= len(images) - max(1, len(images) // 10000) and error <= 1e-4
        failed |= not good
        print(f"{name}: same top-1 on {same} of {len(images)}, largest relative difference {error:.2e}, "
              f"accuracy {right:.4f}: {'equal' if good else 'DIFFERENT'}")
    print("DIFFERENT" if failed else "equal to PyTorch")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
