#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tables of our times beside oneDNN's, from the JSON of bench_kernels and bench_networks.

    bench/compare.py kernels.json networks.json            prints Markdown
    bench/compare.py ... --write docs/performance.md       puts it between the page's markers
    bench/compare.py ... --check                           exit status 1 where a bar is missed or not measured

The files are what `--benchmark_format=json` prints, with repetitions or not: a case's time is the least of its
repetitions. A ratio is oneDNN's time by ours, so above 1 ours is faster; each side takes its best engine. Rates count
executed multiply-adds as two operations. Cases that only one side has are shown and not compared.
"""
import argparse
import json
import math
import pathlib
import re
import sys

MARKED = re.compile(r"(<!-- compare -->\n).*?(<!-- /compare -->)", re.S)
PEAKS = {"int8": "peak/int8/vnni"}  # other numbers are computed in fp32
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}

# What must hold: cases, our engines, oneDNN's engines (None: any), least geometric mean, least single ratio.
BARS = [
    ("fp32 convolutions, direct on both sides", r"conv2d/fp32/", "redoubt_direct", "onednn_direct", 1.0, 0.9),
    ("fp32 3x3 stride 1, 64 channels or more, fast", r"conv2d/fp32/(?:6[4-9]|[7-9]\d|\d{3,})x\d+x\d+-(?:6[4-9]|[7-9]\d|\d{3,})/3s1p1$",
     "redoubt", "onednn", 1.35, None),
    ("int8 convolutions", r"conv2d/int8/", None, None, 0.95, 0.8),
    ("ResNet-20 fp32", r"network/resnet20/fp32$", None, None, 1.0, None),
    ("MobileNet-V2 fp32", r"network/mobilenet_v2/fp32$", None, None, 1.0, None),
    ("ResNet-18 fp32", r"network/resnet18/fp32$", None, None, 1.2, None),
    ("VGG-16 fp32", r"network/vgg16/fp32$", None, None, 1.3, None),
    ("ResNet-18 int8", r"network/resnet18/int8$", None, None, 1.0, None),
]


def read(paths):
    """{case: {engine: (seconds, FLOP/s)}} of the fastest repetitions, and {peak case: FLOP/s}."""
    cases, peaks = {}, {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            runs = json.load(file)["benchmarks"]
        for run in runs:
            if run.get("run_type") == "aggregate" or run.get("error_occurred"):
                continue
            name, rate = run.get("run_name", run["name"]), run.get("FLOP/s", 0.0)
            if name.startswith("peak/"):
                peaks[name] = max(peaks.get(name, 0.0), rate)
                continue
            case, engine = name.rsplit("/", 1)
            # threads wait for each other in wall time only
            seconds = run["real_time" if name.startswith("batch/") else "cpu_time"] * UNITS[run["time_unit"]]
            engines = cases.setdefault(case, {})
            if engine not in engines or seconds < engines[engine][0]:
                engines[engine] = (seconds, rate)
    return cases, peaks


def is_ours(engine):
    return engine.startswith("redoubt")


def best(engines, ours, wanted=None):
    """(engine, seconds, rate) of one side, or None."""
    found = [(seconds, engine, rate) for engine, (seconds, rate) in engines.items()
             if is_ours(engine) == ours and (ours or engine.startswith("onednn")) and wanted in (None, engine)]
    if not found:
        return None
    seconds, engine, rate = min(found)
    return engine, seconds, rate


def ratio(engines, ours=None, theirs=None):
    one, other = best(engines, True, ours), best(engines, False, theirs)
    return other[1] / one[1] if one and other else None


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def number_of(case):
    parts = case.split("/")
    return parts[2 if parts[0] == "network" else 1]


def group_of(case):
    """conv2d fp32, network int8, ..."""
    return f"{case.split('/')[0]} {number_of(case)}"


def peak_of(case, peaks):
    return peaks.get(PEAKS.get(number_of(case), "peak/fp32/fma"))


def cell(side, peak):
    if side is None:
        return "- | -"
    engine, seconds, rate = side
    share = f", {100 * rate / peak:.0f} %" if peak else ""
    return f"{1e6 * seconds:,.1f} µs ({engine}) | {rate / 1e9:.0f}{share}"


def tables(cases, peaks):
    lines = ["Peaks: " + ", ".join(f"{name[5:]} {rate / 1e9:.0f} G/s" for name, rate in sorted(peaks.items())) + ".", ""]
    groups = {}
    for case, engines in cases.items():
        if case.split("/")[0] in ("conv2d", "linear", "network"):
            groups.setdefault(group_of(case), []).append((case, engines))
    for group, members in groups.items():
        lines += [f"**{group}**", "", "| case | ours | G/s, of peak | oneDNN | G/s, of peak | ratio |", "|---|---|---|---|---|---|"]
        ratios = []
        for case, engines in members:
            r, peak = ratio(engines), peak_of(case, peaks)
            ratios += [r] if r else []
            lines.append(f"| {case.split('/', 1)[1]} | {cell(best(engines, True), peak)} | {cell(best(engines, False), peak)} | "
                         f"{f'{r:.2f}' if r else '-'} |")
        if ratios:
            lines.append(f"| geometric mean of {len(ratios)} | | | | | {mean(ratios):.2f} |")
        lines.append("")
    return lines


def batches(cases):
    """Images a second by threads; the engine's place in a name holds IMAGESxTHREADS."""
    lines = []
    for case, runs in cases.items():
        if not case.startswith("batch/"):
            continue
        lines = lines or ["**batches**", "", "| network | images | threads | images a second |", "|---|---|---|---|"]
        for run, (seconds, _) in runs.items():
            images, threads = map(int, run.split("x"))
            lines.append(f"| {case.split('/', 1)[1]} | {images} | {threads} | {images / seconds:,.0f} |")
    return lines + [""] if lines else []


def judge(cases):
    """Rows of the table of bars, and whether all hold."""
    lines = ["| bar | least mean | mean | least single | lowest | |", "|---|---|---|---|---|---|"]
    all_hold = True
    for what, pattern, ours, theirs, least_mean, least_single in BARS:
        ratios = [r for case, engines in cases.items() if re.match(pattern, case)
                  for r in [ratio(engines, ours, theirs)] if r is not None]
        single = "-" if least_single is None else f"{least_single:.2f}"
        if not ratios:
            all_hold = False
            lines.append(f"| {what} | {least_mean:.2f} | - | {single} | - | not measured |")
            continue
        holds = mean(ratios) >= least_mean and (least_single is None or min(ratios) >= least_single)
        all_hold = all_hold and holds
        lines.append(f"| {what} | {least_mean:.2f} | {mean(ratios):.2f} | {single} | {min(ratios):.2f} | "
                     f"{'holds' if holds else '**missed**'} |")
    return lines, all_hold


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--write", metavar="PAGE", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    cases, peaks = read(arguments.files)
    bars, all_hold = judge(cases)
    text = "\n".join(tables(cases, peaks) + batches(cases) + bars) + "\n"
    if arguments.write:
        page = arguments.write.read_text(encoding="utf-8")
        if not MARKED.search(page):
            sys.exit(f"{arguments.write}: no <!-- compare --> ... <!-- /compare -->")
        arguments.write.write_text(MARKED.sub(lambda m: m.group(1) + text + m.group(2), page), encoding="utf-8")
    else:
        print(text, end="")
    return 1 if arguments.check and not all_hold else 0


if __name__ == "__main__":
    sys.exit(main())
