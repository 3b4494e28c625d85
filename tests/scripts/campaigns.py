#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Campaigns from the outside: the same bytes however they were run.

    campaigns.py same --program P [--mpirun M]   1 and 2 threads, shards merged, killed and resumed, ranks: one results.json
    campaigns.py replay --program P              recorded faults, struck again, have the outcomes of the campaign
    campaigns.py full --program P                a file size limit in the middle: a clear end, then resumed
    campaigns.py exhaustive --program P          every bit of one layer against the sum over its parts
    campaigns.py analysis --program P            cells that end at a margin, pairs, areas, FIT
"""
import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

# exponent bits make NaN and infinity; int8 has none
PLAN_FP32 = ["--model", "lenet5", "--number", "fp32", "--fault", "weights,features", "--protect", "none,range", "--ber", "1e-4",
             "--bits", "exponent", "--trials", "40", "--images", "8", "--calibration", "60", "--seed", "7"]
PLAN_INT8 = ["--model", "lenet5", "--number", "int8", "--fault", "weights,features", "--protect", "none,range", "--ber", "1e-4",
             "--trials", "40", "--images", "8", "--calibration", "60", "--seed", "7"]


def results(folder):
    with open(os.path.join(folder, "results.json"), encoding="utf-8") as file:
        return without_timing(json.load(file))


def without_timing(node):
    if isinstance(node, dict):
        return {k: without_timing(v) for k, v in node.items() if k not in ("timing", "command")}
    if isinstance(node, list):
        return [without_timing(v) for v in node]
    return node


def run(command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **more)


def same(o):
    failures = []
    for plan in (PLAN_FP32, PLAN_INT8):
        with tempfile.TemporaryDirectory() as root:
            def folder(name):
                return os.path.join(root, name)
            run([o.program, *plan, "--threads", "1", "--out", folder("one")])
            expected = results(folder("one"))
            unusable = sum(t["unusable"] for c in expected["cells"] for t in c["trials"])
            if "exponent" in plan and unusable == 0:
                failures.append("no fault gave NaN or infinity: the test shows too little")
            run([o.program, "campaign", *plan, "--threads", "2", "--out", folder("two")])
            if results(folder("two")) != expected:
                failures.append("2 threads differ")

            for i in range(3):
                run([o.program, *plan, "--shard", f"{i + 1}/3", "--out", folder("shards")])
            journals = sorted(os.path.join(folder("shards"), f) for f in os.listdir(folder("shards")))
            run([o.program, "merge", *journals, "--out", folder("merged")])
            if results(folder("merged")) != expected:
                failures.append("merged shards differ")
            lacking = subprocess.run([o.program, "merge", *journals[:2], "--out", folder("lacking")], capture_output=True, text=True)
            if lacking.returncode != 1 or "the shards lack" not in lacking.stderr:
                failures.append("two of three shards were merged: " + lacking.stderr)

            draw = random.Random(5)
            kills = 0
            start = time.monotonic()
            run([o.program, *plan, "--out", folder("timed")])
            whole = time.monotonic() - start
            while kills < 10:
                process = subprocess.Popen([o.program, *plan, "--out", folder("killed")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    code = process.wait(timeout=draw.uniform(0.2, 1.1) * whole)
                    if code == 0:  # begin again
                        for name in os.listdir(folder("killed")):
                            os.unlink(os.path.join(folder("killed"), name))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    kills += 1
            run([o.program, *plan, "--out", folder("killed")])
            if results(folder("killed")) != expected:
                failures.append("killed and resumed differs")
            print(f"killed {kills} times")
            if o.mpirun:
                run([o.mpirun, "--allow-run-as-root", "--oversubscribe", "-n", "4", o.program, *plan, "--threads", "1", "--out", folder("ranks")])
                if results(folder("ranks")) != expected:
                    failures.append("4 ranks differ")
    for f in failures:
        print(f)
    print("failed" if failures else "the same results however they were run")
    return 1 if failures else 0


def replay(o):
    failures = []
    for fault, extra in (("weights", ["--flips", "3"]), ("features", ["--flips", "2"]), ("macs", ["--flips", "1"]),
                         ("activations", ["--flips", "1"]), ("weights", ["--flips", "2", "--fault-model", "burst:40"]),
                         ("features", ["--ber", "1e-4", "--fault-model", "random_word"]), ("biases", ["--flips", "1"])):
        for number in ("fp32", "int8") if fault in ("weights", "features") and len(extra) == 2 else ("int8",):
            with tempfile.TemporaryDirectory() as root:
                record = os.path.join(root, "faults.csv")
                common = ["--model", "lenet5", "--number", number, "--images", "6", "--calibration", "60"]
                run([o.program, *common, "--fault", fault, *extra, "--protect", "none", "--trials", "6", "--out", root, "--record", record])
                with open(record, encoding="utf-8") as file:
                    first = file.read()
                # again, with every trial in the journal already
                run([o.program, *common, "--fault", fault, *extra, "--protect", "none", "--trials", "6", "--out", root, "--record", record])
                with open(record, encoding="utf-8") as file:
                    if file.read() != first:
                        failures.append(f"{fault} {extra} {number}: a resumed campaign records other faults")
                trials = results(root)["cells"][0]["trials"]
                out = subprocess.run([o.program, "replay", record, *common], capture_output=True, text=True)
                lines = out.stdout.splitlines()[1:]
                got = {int(l.split()[4]): [int(x) for x in l.split()[6:9]] for l in lines}
                wanted = {t: [c["right"], c["sdc1"], c["masked"]] for t, c in enumerate(trials) if c["faults"]}
                if got != wanted:
                    failures.append(f"{fault} {extra} {number}: {got} instead of {wanted} {out.stderr}")
                with open(record, encoding="utf-8") as file:
                    text = file.read()
                for change, words in ((text[:-3], "the file was cut"), (text.replace(",conv1,", ",conv9,"), "there is no such layer"),
                                      (text.replace("fault,", "x,", 1), "not the head")):
                    if change == text:
                        continue
                    with open(record, "w", encoding="utf-8") as file:
                        file.write(change)
                    out = subprocess.run([o.program, "replay", record, *common], capture_output=True, text=True)
                    if out.returncode == 0 or words not in out.stderr:
                        failures.append(f"damaged record: {out.returncode} {out.stderr}")
    for f in failures:
        print(f)
    print("failed" if failures else "replayed faults have the outcomes of the campaign")
    return 1 if failures else 0


def full(o):
    with tempfile.TemporaryDirectory() as root:
        def folder(name):
            return os.path.join(root, name)
        run([o.program, *PLAN_INT8, "--out", folder("whole")])

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        out = subprocess.run([o.program, *PLAN_INT8, "--out", folder("full")], capture_output=True, text=True, preexec_fn=limit)
        if out.returncode != 1 or "can be resumed" not in out.stderr:
            print("no clear end:", out.returncode, out.stderr)
            return 1
        if os.path.exists(os.path.join(folder("full"), "results.json")):
            print("half a campaign left results")
            return 1
        run([o.program, *PLAN_INT8, "--out", folder("full")])
        if results(folder("full")) != results(folder("whole")):
            print("resumed after a full disk, the results differ")
            return 1
    print("a full disk ends clearly and is resumed")
    return 0


def exhaustive(o):
    with tempfile.TemporaryDirectory() as root:
        common = ["--model", "lenet5", "--number", "int8", "--fault", "weights", "--protect", "none", "--images", "5", "--calibration", "60",
                  "--layer", "conv1"]
        run([o.program, *common, "--sampling", "exhaustive", "--out", root])
        cell = results(root)["cells"][0]
        bits = cell["site_bits"]
        if cell["trial_count"] != bits or cell["faults"] != bits or len(cell["by_layer_and_bit"]) != 8:
            print("not every bit once:", cell["trial_count"], bits)
            return 1
        if any(p["trials"] * 8 != bits for p in cell["by_layer_and_bit"]):
            print("bits do not share the layer evenly")
            return 1
        # a position alone is a part of it
        run([o.program, *common, "--sampling", "exhaustive", "--bits", "7", "--out", root])
        one = results(root)["cells"][0]["sdc1"]["rate"]
        if abs(one - cell["by_layer_and_bit"][7]["sdc1"]) > 1e-12:
            print("bit 7 alone", one, "differs from its part", cell["by_layer_and_bit"][7])
            return 1
        run([o.program, *common, "--sampling", "stratified", "--trials", "80", "--out", root])
        if any(p["trials"] != 10 for p in results(root)["cells"][0]["by_layer_and_bit"]):
            print("strata are not served evenly")
            return 1
    print("every place is struck once")
    return 0


def analysis(o):
    with tempfile.TemporaryDirectory() as root:
        def folder(name):
            return os.path.join(root, name)
        common = ["--model", "lenet5", "--number", "int8", "--fault", "weights", "--protect", "none,range", "--images", "6", "--calibration", "60"]
        stops = [*common, "--ber", "1e-4,1e-3", "--trials", "300", "--margin", "0.2"]
        run([o.program, *stops, "--threads", "1", "--out", folder("one")])
        run([o.program, *stops, "--threads", "2", "--out", folder("two")])
        stopped = results(folder("one"))
        if stopped != results(folder("two")):
            print("a margin is reached elsewhere on 2 threads")
            return 1
        # the trials of a stopped cell are the first ones of the whole, also where a journal has more of them already
        run([o.program, *common, "--ber", "1e-4,1e-3", "--trials", "300", "--out", folder("whole")])
        whole = results(folder("whole"))
        for a, b in zip(stopped["cells"], whole["cells"]):
            n = a["trial_count"]
            if not 20 <= n < 300 or a["trials"] != b["trials"][:n]:
                print("the stopped cell is no beginning of the whole:", n)
                return 1
            if a["sdc1"]["high"] - a["sdc1"]["low"] > 0.4 or "minus_none" in a:
                print("stopped too early, or compared although it stopped:", a["sdc1"])
                return 1
        # pairs: the difference of the cells' rates, with its sign
        for none, ranged in ((whole["cells"][0], whole["cells"][1]), (whole["cells"][2], whole["cells"][3])):
            if none["protection"] != "none" or ranged["protection"] != "range" or "minus_none" in none:
                print("the cells come in another order")
                return 1
            for quantity in ("accuracy", "sdc1"):
                got = ranged["minus_none"][quantity]
                if abs(got["difference"] - (ranged[quantity]["rate"] - none[quantity]["rate"])) > 1e-12 or not got["low"] <= got["difference"] <= got["high"]:
                    print("the difference is not that of the rates:", quantity, got)
                    return 1
        # areas over two rates are means
        for curve in whole["curves"]:
            two = [c["accuracy"]["rate"] for c in whole["cells"] if c["protection"] == curve["protection"]]
            if abs(curve["mean_accuracy"] - sum(two) / 2) > 1e-12:
                print("the area over two rates is not their mean:", curve, two)
                return 1
        if len(whole["curves"]) != 2:
            print("there are two curves:", whole["curves"])
            return 1
        # FIT: bits times raw rate times SDC-1
        run([o.program, *common, "--flips", "1", "--trials", "100", "--fit-per-megabit", "1000", "--out", folder("fit")])
        for cell in results(folder("fit"))["cells"]:
            for part in ("rate", "low", "high"):
                if abs(cell["field"]["fit"][part] - cell["site_bits"] * 1e-3 * cell["sdc1"][part]) > 1e-9 * cell["site_bits"]:
                    print("FIT is not bits times rate times SDC-1:", cell["field"], cell["site_bits"], cell["sdc1"])
                    return 1
        for name in ("one", "whole", "fit"):
            if "nan" in open(os.path.join(folder(name), "report.html"), encoding="utf-8").read().lower().split("<h1>")[1].replace("nan or infinity", ""):
                print("a NaN on the page of", name)
                return 1
    print("margins, pairs, areas and FIT are what they say")
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("job", choices=["same", "replay", "full", "exhaustive", "analysis"])
    parser.add_argument("--program", required=True)
    parser.add_argument("--mpirun")
    o = parser.parse_args()
    return {"same": same, "replay": replay, "full": full, "exhaustive": exhaustive, "analysis": analysis}[o.job](o)


if __name__ == "__main__":
    sys.exit(main())
