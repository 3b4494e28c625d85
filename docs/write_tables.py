#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the tables of README.md and docs/ from the result files in docs/results/.

    docs/write_tables.py           rewrites every table between its markers
    docs/write_tables.py --check   fails where a table is not what its file says

A table stands between `<!-- table: NAME -->` and `<!-- /table -->`; its rows come from docs/results/NAME.csv, as the
main job writes it (results.csv), or for a name coverage-STUDY from docs/results/coverage.csv, as tests/tools/coverage.cpp
writes it, or strength-FAULT-NUMBER from strength.csv (the results.csv of several campaigns, one after the other), of which the chart
strength.svg is made too, or as tests/ground_truth.py (ground-truth, exhaustive-NUMBER), bench/harden_table.py (harden-KIND from harden.csv),
bench/memory_table.py (memory), bench/size_table.py (sizes) or tests/tools/rankings.cpp (rankings) and tests/tools/pruning_study.cpp (pruning, guarantee) or tests/tools/bounds_study.cpp (bounds) or docs/pruned_study.py (pruned) write it; of a name study-NETWORK-NUMBER-FAULT from
weights-study.csv, as docs/weights_study.py collects it, and of plans-NETWORK-NUMBER from plans.csv, as docs/vulnerability_study.py does; fault-training is from
docs/fault_training_study.py.
"""
import csv
import pathlib
import re
import sys

import strength_chart

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARKED = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- /table -->)", re.S)


def percent(row, name):
    rate, low, high = (100 * float(row[name + end]) for end in ("", "_low", "_high"))
    return f"{rate:.1f} [{low:.1f}, {high:.1f}]"


def read(name):
    with open(ROOT / "docs" / "results" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def columns(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def covered(row):
    return f"{100 * float(row['coverage']):.2f}"


def side_by_side(rows, methods, keys, parts):
    """One line for each value of the keys, with the parts of each method's row."""
    by_key = {}
    for r in rows:
        by_key.setdefault(tuple(r[k] for k in keys), {})[r["method"]] = r
    return [[*key, *(part(found[m]) for m in methods for part in parts)] for key, found in by_key.items()]


def coverage_table(study):
    rows = read("coverage")
    if study == "least":
        least = {}
        for r in rows:
            method = "stratified_estimate" if r["study"] == "stratified" else r["method"]
            method = f"sequential_mean, {method}" if r["study"] == "sequential" else method
            name = (f"{method} (single faults)" if r["study"] == "binomial" else method)
            worst, cells = least.get(name, (r, 0))
            least[name] = (min(worst, r, key=lambda one: float(one["coverage"])), cells + 1)
        return columns(["interval", "cells", "least coverage %", "there: trials or faults", "correlation", "share or rate"],
                       [[name, str(cells), covered(r), r["trials"], r["correlation"], r["share"]]
                        for name, (r, cells) in least.items()])
    rows = [r for r in rows if r["study"] == study]
    if not rows:
        sys.exit(f"coverage.csv has no study {study}")
    width = [covered, lambda r: f"{100 * float(r['width']):.1f}"]
    if study == "binomial":
        return columns(["faults", "rate", "Clopper-Pearson %", "Wilson %", "normal approximation %"],
                       side_by_side(rows, ["clopper_pearson", "wilson", "wald"], ["trials", "share"], [covered]))
    if study == "trials":
        return columns(["trials", "correlation", "collapse", "`trial_interval` %", "width", "`cluster_interval` %", "width",
                        "Wilson over images %", "width"],
                       side_by_side(rows, ["trial_interval", "cluster_interval", "wilson"], ["trials", "correlation", "share"],
                                    width))
    if study == "paired":
        return columns(["trials", "correlation", "collapse", "`compare_trials` %", "width"],
                       side_by_side(rows, ["compare_trials"], ["trials", "correlation", "share"], width))
    if study == "stratified":
        return columns(["faults", "shared out", "true rate %", "`stratified_estimate` %", "width"],
                       [[r["trials"], r["method"], f"{100 * float(r['share']):.3f}", *(part(r) for part in width)] for r in rows])
    if study == "sequential":
        stop = [covered, lambda r: f"{float(r['mean_trials']):.0f}"]
        lines = side_by_side(rows, ["absolute", "relative", "every look"], ["correlation", "share"], stop)
        return columns(["correlation", "collapse", "at 10 points %", "trials", "at half the rate %", "trials", "every look %"],
                       [line[:-1] for line in lines])
    sys.exit(f"there is no table of the study {study}")


def exhaustive_table(rows):
    """SDC-1 in per cent: a line for each bit, from the highest, a column for each layer."""
    layers = list(dict.fromkeys(r["layer"] for r in rows))
    found = {(r["layer"], int(r["bit"])): float(r["sdc1"]) for r in rows}
    bits = sorted({bit for _, bit in found}, reverse=True)
    return columns(["bit", *layers], [[str(bit), *(f"{100 * found[layer, bit]:.3f}" for layer in layers)] for bit in bits])


def ground_truth_table(rows):
    words = {"accuracy": "accuracy", "sdc1": "SDC-1", "sdc10": "SDC-10 %", "masked": "masked"}
    return columns(["number", "sampling", "quantity", "true %", "seeds whose interval holds it", "mean width, points"],
                   [[r["number"], r["sampling"], words[r["quantity"]], f"{100 * float(r['true']):.4f}", f"{r['held']} of {r['seeds']}",
                     f"{100 * float(r['mean_width']):.2f}"] for r in rows])


HARDEN = {"parameters": ["clip_weights", "parity", "secded", "scrubbed_secded", "zero_space", "crc", "tmr_parameters"],
          "values": ["range", "range_neurons", "scale", "hardtanh", "softsign", "saf"],
          "computation": ["abft", "duplicate15", "duplicate30", "triplicate30", "dmr", "diverse_dmr", "tmr"]}


def harden_table(rows, kind):
    """Factors of time and memory, a line for each network, a column for each protection of a kind; - where it does not apply."""
    cases = list(dict.fromkeys((r["number"], r["of"]) for r in rows))
    found = {(r["number"], r["of"], r["protection"]): r for r in rows}

    def cell(key):
        if key not in found:
            return "-"
        return f"{float(found[key]['time_factor']):.2f}, {float(found[key]['memory_factor']):.2f}"
    return columns(["number", "layer or network", *HARDEN[kind]],
                   [[number, of, *(cell((number, of, p)) for p in HARDEN[kind])] for number, of in cases])


def memory_table(rows):
    """Kilobytes of workspace and parameters, and how much more than the least that is."""
    def beside(r, name):
        return f"{int(r[name]) / 1000:,.1f} ({int(r[name]) / int(r['least_' + name]):.2f})"
    engine = {"redoubt_direct": "direct", "redoubt": "fast"}
    return columns(["network", "number", "kernels", "workspace, kB", "parameters, kB"],
                   [[r["network"], r["number"], engine[r["engine"]], beside(r, "space"), beside(r, "weights")] for r in rows])


def strength_table(rows, fault, number):
    """Accuracy and, below it, SDC-1 with its interval: a line for each protection, a column for each rate."""
    rows = [r for r in rows if r["fault"] == fault and r["number"] == number]
    rates = sorted({float(r["ber"]) for r in rows})
    found = {(r["protection"], float(r["ber"])): r for r in rows}

    def cell(key):
        if key not in found:
            return "-"
        r = found[key]
        low, high = (100 * float(r["sdc1" + end]) for end in ("_low", "_high"))
        return f"{100 * float(r['accuracy']):.1f}; {100 * float(r['sdc1']):.1f} [{low:.1f}, {high:.1f}]"
    names = list(dict.fromkeys(r["protection"] for r in rows))
    one = {r["protection"]: r for r in rows}
    return columns(["protection", "time, memory", *(f"{rate:g}" for rate in rates)],
                   [[name, f"{float(one[name]['timing_factor']):.2f}, {float(one[name]['memory_factor']):.2f}", *(cell((name, rate)) for rate in rates)]
                    for name in names])


def sizes_table(rows):
    """Bytes, and in brackets how many more than without protection: code for both targets, parameters and workspace on the small one."""
    found = {(r["target"], r["number"], r["protection"]): r for r in rows}

    def more(r, part):
        return f"{int(r[part]):,}" + ("" if r["protection"] == "none" else f" ({int(r[part + '_more']):+,})")
    return columns(["number", "protection", "code, Cortex-M4", "code, x86-64-v3", "parameters", "workspace"],
                   [[r["number"], r["protection"], more(r, "code"), more(found["x86-64-v3", r["number"], r["protection"]], "code"),
                     more(r, "parameters"), more(r, "workspace")] for r in rows if r["target"] == "cortex-m4"])


def rankings_table(rows):
    return columns(["ranking", "images", "correlation within layers", "over the network", "first 15 % shared"],
                   [[f"`{name}`{rest and ' ' + rest}", r["images"], r["correlation"], r["network_correlation"], f"{100 * float(r['shared']):.0f} %"]
                    for r in rows for name, _, rest in [r["ranking"].partition(" ")]])


def rate_text(rate):
    return f"{float(rate):g}".replace("e-0", "e-")


def study_table(rows, network, number, fault):
    """One line for each recipe and way to read its weights, accuracy at each rate."""
    rows = [r for r in rows if r["recipe"].startswith(network) and r["number"] == number.replace("q25", "q2.5") and r["fault"] == fault]
    if not rows:
        sys.exit(f"weights-study.csv has no faults in {fault} of {network}, {number}")
    rates = sorted({r["ber"] for r in rows}, key=float)
    lines = {}
    for r in rows:
        trained = r["recipe"].removeprefix(network).strip("-") or "plain"
        lines.setdefault((trained, r["protection"], r["trials"], r["images"]), {})[r["ber"]] = r
    some = [[trained, f"`{protection}`", f"{trials} x {images}", f"{100 * float(next(iter(found.values()))['clean_accuracy']):.1f}", *(percent(found[b], "accuracy") if b in found else "" for b in rates)]
            for (trained, protection, trials, images), found in lines.items()]
    return columns(["trained", "read by", "trials x images", "clean", *map(rate_text, rates)], some)


def fault_training_table(rows):
    """Accuracy of both networks under the same faults, a line for each rate."""
    lines = {}
    for r in rows:  # the plain network's recipe comes first
        lines.setdefault((r["study"], r["fault"], r["fault_model"], r["ber"]), []).append(r)
    return columns(["trained under", "struck", "rate", "plain, clean", "plain, struck", "trained, clean", "trained, struck"],
                   [[study, f"{fault}, `{model}`", rate_text(rate), *(text for r in found for text in (f"{100 * float(r['clean_accuracy']):.1f}", percent(r, "accuracy")))]
                    for (study, fault, model, rate), found in lines.items()])


def pruning_table(rows):
    """Test images that are right, by ranking and ratio."""
    ratios = sorted({r["ratio"] for r in rows}, key=float)
    lines = {}
    for r in rows:
        lines.setdefault((r["network"], r["ranking"]), {})[r["ratio"]] = r
    def cell(r):
        return f"{100 * int(r['right']) / int(r['images']):.1f}"
    return columns(["network", "ranking", *(f"{100 * float(x):.0f} %" for x in ratios)],
                   [[network, f"`{ranking}`", *(cell(found[x]) if x in found else "" for x in ratios)] for (network, ranking), found in lines.items()])


def plans_table(rows, network, number):
    """Accuracy and, below it, SDC-1 with its interval: a line for each protection and ranking, a column for each rate."""
    rows = [r for r in rows if r["network"] == network and r["number"] == number]
    if not rows:
        sys.exit(f"plans.csv has no {number} of {network}")
    rates = sorted({r["ber"] for r in rows}, key=float)
    lines = {}
    for r in rows:
        lines.setdefault((r["protection"], r["ranking"]), {})[r["ber"]] = r

    def cell(r):
        low, high = (100 * float(r["sdc1" + end]) for end in ("_low", "_high"))
        return f"{100 * float(r['accuracy']):.1f}; {100 * float(r['sdc1']):.1f} [{low:.1f}, {high:.1f}]"
    order = {name: i for i, name in enumerate(("none", "range", "clip_weights", "duplicate15", "duplicate30", "triplicate30", "tmr_parameters"))}
    return columns(["protection", "by", "time, memory", *map(rate_text, rates)],
                   [[protection, ranking and f"`{ranking}`", "{:.2f}, {:.2f}".format(*(float(next(iter(found.values()))[k]) for k in ("timing_factor", "memory_factor"))), *(cell(found[b]) for b in rates)]
                    for (protection, ranking), found in sorted(lines.items(), key=lambda line: order[line[0][0]])])


def guarantee_table(rows):
    return columns(["network", "ranking", "splits", "promises broken", "ratio: least, mean, largest", "mean share of other answers"],
                   [[r["network"], f"`{r['ranking']}`", r["splits"], r["violations"], ", ".join(f"{100 * float(r[k]):.0f} %" for k in ("least_ratio", "mean_ratio", "largest_ratio")),
                     f"{100 * float(r['mean_risk']):.2f} %"] for r in rows])


def bounds_table(rows):
    """Accuracy and SDC-1 by kind of bound, a column for each rate."""
    rates = sorted({r["rate"] for r in rows}, key=float)
    lines = {}
    for r in rows:
        lines.setdefault((r["number"], r["bounds"], r["right"], r["images"]), {})[r["rate"]] = r
    names = {"pair": "a pair a step", "neurons_calibrated": "of neurons, calibrated", "neurons_trained": "of neurons, trained"}

    def cell(r):
        return f"{100 * float(r['accuracy']):.1f}; {percent(r, 'sdc1')}"
    return columns(["number", "bounds", "right without faults", *map(rate_text, rates)],
                   [[number, names[bounds], f"{100 * int(right) / int(images):.2f} %", *(cell(found[x]) for x in rates)] for (number, bounds, right, images), found in lines.items()])


def table(name):
    if name.startswith("study-"):
        network, number, fault = name.removeprefix("study-").rsplit("-", 2)
        return study_table(read("weights-study"), network, number, fault)
    if name == "fault-training":
        return fault_training_table(read(name))
    if name.startswith("plans-"):
        return plans_table(read("plans"), *name.removeprefix("plans-").rsplit("-", 1))
    if name == "pruning":
        return pruning_table(read(name))
    if name == "pruned":
        return columns(["network", "ranking", "multiply-adds left", "weights left", "right, whole", "right, pruned", "right, trained on"],
                       [[r["network"], f"`{r['ranking']}`", *(f"{100 * float(r[k]):.1f} %" for k in ("multiply_adds", "weights")), *(f"{100 * int(r[k]) / int(r['images']):.2f} %" for k in ("right_whole", "right_pruned", "right_trained_on"))]
                        for r in read(name)])
    if name == "bounds":
        return bounds_table(read(name))
    if name == "guarantee":
        return guarantee_table(read(name))
    if name.startswith("strength-"):
        return strength_table(read("strength"), *name.removeprefix("strength-").split("-"))
    if name.startswith("coverage-"):
        return coverage_table(name.removeprefix("coverage-"))
    if name.startswith("exhaustive-"):
        return exhaustive_table(read(name))
    if name.startswith("harden-"):
        return harden_table(read("harden"), name.removeprefix("harden-"))
    if name == "memory":
        return memory_table(read(name))
    if name == "sizes":
        return sizes_table(read(name))
    if name == "rankings":
        return rankings_table(read(name))
    if name == "ground-truth":
        return ground_truth_table(read(name))
    rows = read(name)
    lines = ["| faults in | number | protection | BER | accuracy % [95 %] | SDC-1 % [95 %] | time | memory |",
             "|---|---|---|---|---|---|---|---|"]
    for r in rows:
        rate = f"n={r['flips']}" if int(r["flips"]) else f"{float(r['ber']):g}"  # as the command line prints it
        lines.append(f"| {r['fault']} | {r['number']} | {r['protection']} | {rate} | {percent(r, 'accuracy')} | "
                     f"{percent(r, 'sdc1')} | {float(r['timing_factor']):.2f} | {float(r['memory_factor']):.2f} |")
    return "\n".join(lines) + "\n"


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    wrong = found = 0
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        found += len(MARKED.findall(text))
        fresh = MARKED.sub(lambda m: m.group(1) + table(m.group(2)) + m.group(3), text)
        if fresh != text and check:
            print(f"{path.relative_to(ROOT)}: a table differs from its result file; run docs/write_tables.py")
            wrong += 1
        elif fresh != text:
            path.write_text(fresh, encoding="utf-8")
    drawing = ROOT / "docs" / "results" / "strength.svg"
    fresh = strength_chart.chart(read("strength"), "weights", {"fp32": 1e-5, "int8": 1e-5})
    if not drawing.exists() or drawing.read_text(encoding="utf-8") != fresh:
        if check:
            print(f"{drawing.relative_to(ROOT)}: is not what strength.csv says; run docs/write_tables.py")
            wrong += 1
        else:
            drawing.write_text(fresh, encoding="utf-8")
    print(f"{found} tables, {wrong} pages differ")
    return 1 if wrong or not found else 0


if __name__ == "__main__":
    sys.exit(main())
