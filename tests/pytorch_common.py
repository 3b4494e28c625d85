# SPDX-License-Identifier: MIT
"""What the comparisons with PyTorch share: examples/ on the path, numpy and torch or the end as skipped, and the way back from safetensors."""
import json
import os
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "examples"))


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


try:
    import numpy as np
    import torch
except ImportError as missing:
    skip(f"PyTorch is not installed ({missing}); on Debian: python3-torch, run with /usr/bin/python3")


def read_safetensors(path):
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", entry
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"]).copy()
    return tensors
