# SPDX-License-Identifier: MIT
"""bench/compare.py on small files: least times, ratios, means, bars missed and not measured, pages written."""
import argparse
import pathlib
import sys
import tempfile

from common import fail, run


def need(text, words):
    for word in words:
        if word not in text:
            fail(f"'{word}' is missing in:\n{text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source-dir", type=pathlib.Path, required=True)
    root = parser.parse_args().source_dir
    compare = [sys.executable, "-B", root / "bench" / "compare.py"]
    kernels, networks = (root / "tests" / "data" / f"bench-{name}.json" for name in ("kernels", "networks"))

    both = run([*compare, kernels, networks])
    if both.returncode != 0:
        fail(both.stdout)
    need(both.stdout, [
        "Peaks: fp32/fma 250 G/s, int8/vnni 1000 G/s.",
        # the best of each side, of the fastest repetition, not of an aggregate
        "| fp32/64x56x56-64/3s1p1 | 600.0 µs (redoubt) | 333, 133 % | 900.0 µs (onednn) | 222, 89 % | 1.50 |",
        "| int8/64x56x56-64/3s1p1 | 500.0 µs (redoubt_direct) | 500, 50 % |",
        "| fp16/64x56x56-64/3s1p1 | 1,000.0 µs (redoubt_direct) | 200, 80 % | - | - | - |",
        "| geometric mean of 2 | | | | | 1.10 |",
        # direct against direct: 1.1 ms by 1.0 ms, and 0.8 by 1.0
        "| fp32 convolutions, direct on both sides | 1.00 | 0.94 | 0.90 | 0.80 | **missed** |",
        "| fp32 3x3 stride 1, 64 channels or more, fast | 1.35 | 1.50 | - | 1.50 | holds |",
        "| ResNet-18 fp32 | 1.20 | 1.15 | - | 1.15 | **missed** |",
        "| VGG-16 fp32 | 1.30 | 1.40 | - | 1.40 | holds |",
        # wall time
        "| resnet20/fp32 | 64 | 1 | 1,231 |",
        "| ResNet-18 int8 | 1.00 | - | - | - | not measured |"])
    if run([*compare, kernels, networks, "--check"]).returncode != 1:
        fail("--check passed with bars missed")
    need(run([*compare, networks]).stdout, ["| int8 convolutions | 0.95 | - | 0.80 | - | not measured |"])

    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "page.md"
        page.write_text("before\n<!-- compare -->\nold\n<!-- /compare -->\nafter\n", encoding="utf-8")
        written = run([*compare, kernels, networks, "--write", page])
        text = page.read_text(encoding="utf-8")
        if written.returncode != 0 or text != f"before\n<!-- compare -->\n{both.stdout}<!-- /compare -->\nafter\n":
            fail(f"the page is not what was printed: {written.stdout}{text}")
        page.write_text("no markers", encoding="utf-8")
        if run([*compare, networks, "--write", page]).returncode == 0:
            fail("a page without markers was accepted")
    print("tables, bars and pages as expected")


if __name__ == "__main__":
    main()
