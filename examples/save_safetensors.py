# SPDX-License-Identifier: MIT
"""Writes a PyTorch state dict as a safetensors file without the safetensors package."""
import json
import struct


def save(path, state):
    header, data = {}, b""
    for name, tensor in state.items():
        if tensor.is_floating_point():  # leaves out batch normalisation's counters
            raw = tensor.detach().cpu().float().contiguous().numpy().tobytes()
            header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
