# SPDX-License-Identifier: MIT
"""Checks that the weights in examples/weights are the files that docs/weights.md lists, all of them and with its hashes."""
import argparse
import hashlib
import pathlib
import re

from common import fail

ROW = re.compile(r"^\| `([\w./-]+\.safetensors)` \|.*\| `([0-9a-f]{64})` \|$", re.M)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source-dir", required=True, type=pathlib.Path)
    root = parser.parse_args().source_dir
    folder = root / "examples" / "weights"
    listed = dict(ROW.findall((root / "docs" / "weights.md").read_text(encoding="utf-8")))
    there = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.safetensors")}
    for name in sorted(listed.keys() | there.keys()):
        if name not in there:
            fail(f"docs/weights.md lists {name}, which is not there")
        if name not in listed:
            fail(f"docs/weights.md does not list {name}")
        if there[name] != listed[name]:
            fail(f"{name} has SHA-256 {there[name]}, docs/weights.md says {listed[name]}")
    print(f"weights: {len(listed)} files, each as listed")


if __name__ == "__main__":
    main()
