#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`resilience rank`, `harden` and `prune` from the outside, on a network that is trained here.

    analysis.py same --program P --compiler C --source-dir S     rankings that do not depend on threads, plans, their files and pages, headers that compile
    analysis.py refuses --program P --compiler C --source-dir S  networks, rankings, ratios and files that are wrong, a disk that is full: the reason, and nothing half-written
"""
import argparse
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import tempfile

from common import STANDARD, fail, run
from training import contents, train, write, write_images

RECIPE = {"model": "lenet5", "normalise": "0.5/0.5", "epochs": 2, "batch": 64, "seed": 5, "optimiser": {"kind": "adamw"}, "schedule": {"kind": "one_cycle", "rate": 0.004}}
COUNTS = "3, 8, 60, 42, 10"
PROGRAM = """
#include <pruned_network.hpp>
#include <strong.hpp>
using net = redoubt::model::lenet5<redoubt::image<1, 28, 28>>;
using lean = pruned_network::pruned<net>;
static_assert(pruned_network::kept == std::array<int, 5>{COUNTS});
static_assert(lean::table.slots[1].geometry.out.channels == 8 && lean::table.slots[2].geometry.in.channels == 8);
using guarded = strong::hardened<net>;
static_assert(guarded::table.slots[2].folded == 48 && guarded::table.slots[1].folded == 16);
#ifdef OTHER
using other = pruned_network::pruned<redoubt::model::resnet8<redoubt::image<1, 28, 28>>>;
static_assert(other::outputs == 10);
#endif
"""


def prepared(o, root):
    """Images, a trained network, and the words that every command takes."""
    images = os.path.join(root, "images")
    write_images(images, 1200)
    out = os.path.join(root, "trained")
    done = train(o, write(root, "recipe.json", dict(RECIPE, data=images)), out)
    if done.returncode != 0:
        fail(done.stderr)
    return ["--model", "lenet5", "--weights", os.path.join(out, "weights.safetensors"), "--data", images, "--normalise", "0.5/0.5", "--images", "100"]


def asked(o, command, words, out, *more, **options):
    return subprocess.run([o.program, command, *words, "--out", out, *more], capture_output=True, text=True, **options)


def same(o):
    failures = []

    def ran(done):
        if done.returncode != 0:
            fail(done.stderr)
        return done.stdout

    with tempfile.TemporaryDirectory() as root:
        words = prepared(o, root)
        folder = {name: os.path.join(root, name) for name in ("one", "two", "hard", "lean", "promised", "rounds", "norms", "other")}
        formulas = ["parameter-vulnerability", "batch-vulnerability", "taylor", "deepvigor", "measured", "l2-norm", "salience", "random"]
        ran(asked(o, "rank", words, folder["one"], "--formula", ",".join(formulas), "--faults", "20", "--threads", "1"))
        ran(asked(o, "rank", words, folder["two"], "--formula", ",".join(formulas), "--faults", "20", "--threads", "2"))
        for formula in formulas:
            if contents(folder["one"], f"ranking-{formula}.json") != contents(folder["two"], f"ranking-{formula}.json"):
                failures.append(f"{formula}: two threads say otherwise")
        page = contents(folder["one"], "rank.html").decode()
        for text in (*formulas, "Agreement with measured", "conv2", "</html>"):
            if text not in page:
                failures.append(f"the page of rankings does not say {text}")
        if "http" in page.replace("http-equiv", "").replace("http://www.w3.org", ""):
            failures.append("the page asks for something elsewhere")

        measured = os.path.join(folder["one"], "ranking-measured.json")
        ran(asked(o, "harden", words, folder["hard"], "--ranking", measured, "--ratio", "0.3", "--name", "strong"))
        plan = json.loads(contents(folder["hard"], "strong.json"))
        if [layer["duplicated"] for layer in plan["layers"]] != [0, 16, 48, 32, 0] or not plan["layers"][4]["tripled"]:
            failures.append(f"the plan of hardening is {plan['layers']}")
        said = ran(asked(o, "prune", words, folder["lean"], "--ranking", os.path.join(folder["one"], "ranking-taylor.json"), "--ratio", "0.5"))
        if "weights are left; right on" not in said:
            failures.append(f"prune says {said}")
        kept = json.loads(contents(folder["lean"], "pruned_network.json"))
        if ", ".join(str(c) for c in kept["channels"]) != COUNTS or kept["left"] >= kept["multiply_adds"]:
            failures.append(f"the plan of pruning is {kept['channels']}")
        for name in ("hard", "lean"):
            if "Layers" not in contents(folder[name], "strong.html" if name == "hard" else "pruned_network.html").decode():
                failures.append(f"{name}: the page has no layers")
        source = pathlib.Path(root) / "main.cpp"
        source.write_text(PROGRAM.replace("COUNTS", COUNTS), encoding="utf-8")
        compiled = [o.compiler, *STANDARD, *o.flag, "-fsyntax-only", "-I", folder["hard"], "-I", folder["lean"], source]
        built = run(compiled)
        if built.returncode != 0:
            failures.append(built.stdout)
        other = run([*compiled, "-DOTHER"])
        if other.returncode == 0 or "redoubt: the plan is for a network of other layers" not in other.stdout:
            failures.append(f"another network: {other.stdout[:1000]}")

        # a promise that bars may keep; rounds end where one round does, in counts
        ran(asked(o, "prune", words, folder["promised"], "--formula", "taylor", "--guarantee", "--alpha", "0.2", "--calibration", "200"))
        page = contents(folder["promised"], "pruned_network.html").decode()
        taken = re.findall(r'<td class="word">(yes|no)</td><td>([\d.]+)</td>', page)
        ratio = max((float(r) for word, r in taken if word == "yes"), default=0.0) / 100
        expected = [c - int(ratio * c + 1e-9) if c > 10 or s < 4 else c for s, c in enumerate((6, 16, 120, 84, 10))]
        if not taken or json.loads(contents(folder["promised"], "pruned_network.json"))["channels"] != expected:
            failures.append(f"promised was a ratio of {ratio}, removed otherwise")
        # an order counts: the channels that stay by one ranking are others than by another
        ran(asked(o, "prune", words, folder["other"], "--ranking", os.path.join(folder["one"], "ranking-random.json"), "--ratio", "0.5"))
        other = json.loads(contents(folder["other"], "pruned_network.json"))
        if other["channels"] != kept["channels"] or other["kept"] == kept["kept"]:
            failures.append("another ranking keeps the same channels")
        ran(asked(o, "prune", words, folder["rounds"], "--formula", "parameter-vulnerability", "--rounds", "3", "--ratio", "0.5"))
        if json.loads(contents(folder["rounds"], "pruned_network.json"))["channels"] != kept["channels"]:
            failures.append("three rounds leave another number of channels")
        ran(asked(o, "prune", words, folder["norms"], "--formula", "l2-norm", "--rounds", "2", "--ratio", "0.5"))

    return failures


def refuses(o):
    failures = []

    def expect(what, did, code, text):
        if did.returncode != code or text not in did.stderr:
            failures.append(f"{what}: ended with {did.returncode}, not {code}: {did.stderr}")

    with tempfile.TemporaryDirectory() as root:
        words = prepared(o, root)
        out = os.path.join(root, "out")
        asked(o, "rank", words, out, "--formula", "l2-norm", check=True)
        ranking = os.path.join(out, "ranking-l2-norm.json")
        text = contents(ranking).decode()

        def changed(name, what, instead):
            if what not in text:
                fail(f"{name}: the ranking does not say {what}")
            return write(root, name + ".json", text.replace(what, instead, 1))

        def of(words, **instead):
            words = list(words)
            for name, value in instead.items():
                words[words.index(f"--{name}") + 1] = value
            return words

        def plan(command, path, *more):
            return asked(o, command, words, os.path.join(root, "plan"), "--ranking", path, *more)

        def no_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

        first = json.loads(text)["layers"][0]["channels"][0]
        number = repr(first) if repr(first) in text else text.split('"channels": [')[1].split(",")[0].strip()
        for command in ("harden", "prune"):
            expect("a ranking with NaN", plan(command, changed("nan", number, "NaN")), 1, "nan.json: is no JSON")
            expect("a ranking below 0", plan(command, changed("below", number, "-1.5")), 1, "number 0 is below 0")
            expect("a ranking past all numbers", plan(command, changed("huge", number, "1e999")), 1, "huge.json: ")
            expect("another network's ranking", plan(command, changed("other", '"conv2"', '"conv9"')), 1, "the ranking cannot be used: it is of another network: layer 1")
            expect("half a ranking", plan(command, write(root, "half.json", text[:len(text) // 2])), 1, "half.json: is cut off")
            expect("no ranking", plan(command, os.path.join(root, "none.json")), 1, "none.json: cannot be opened")
            expect("a ranking of other weights", plan(command, changed("crc", json.loads(text)["network"]["weights_crc32c"], "00000000")), 1, "the same layers with other weights")
            expect("a full disk", asked(o, command, words, os.path.join(root, "full"), "--ranking", ranking, preexec_fn=no_room), 1, ".safetensors: cannot be written")
            if os.listdir(os.path.join(root, "full")):
                failures.append(f"a full disk leaves {os.listdir(os.path.join(root, 'full'))}")
            expect("no such network", asked(o, command, of(words, model="lenet6"), out), 1, "--model: 'lenet6' is not known; this program analyses lenet5")
            expect("two formulas", asked(o, command, words, out, "--formula", "taylor,l2-norm"), 2, "a plan is made from one ranking")
        expect("the weights that were read", asked(o, "prune", words, os.path.dirname(words[3]), "--ranking", ranking, "--name", "weights"), 1, "would be written over the weights that were read")
        expect("a name that C++ has", plan("harden", ranking, "--name", "class"), 1, "'class' is no name of a namespace")
        expect("all channels", plan("prune", ranking, "--ratio", "1"), 1, "would leave none of them")
        expect("a share for one layer", plan("prune", ranking, "--ratios", "0.5"), 1, "there are 1 shares of channels to remove, the network has 5 layers")
        expect("more than all", plan("prune", ranking, "--removed", "1.5"), 1, "below 1")
        expect("blocks of none", plan("prune", ranking, "--block", "0"), 1, "not of 0")
        expect("rounds by a file", plan("prune", ranking, "--rounds", "2"), 1, "--rounds: rankings are made anew")
        expect("a promise of nothing", plan("prune", ranking, "--guarantee", "--alpha", "1e-6", "--calibration", "200"), 1, "can be promised")
        expect("a promise beside a ratio", plan("prune", ranking, "--guarantee", "--ratio", "0.1"), 2, "--guarantee: chooses the ratio itself")
        expect("no rounds", asked(o, "prune", words, out, "--rounds", "0"), 2, "--rounds: from 1")
        expect("a promise beyond certainty", plan("prune", ranking, "--guarantee", "--delta", "1"), 2, "--delta: ")
        expect("more images than there are", plan("prune", ranking, "--guarantee", "--calibration", "100000"), 1, "has 200 images, needed 100000")
        expect("a rate by lengths", plan("harden", ranking, "--residual", "0.001"), 1, "whose scores are rates of one fault")
        expect("no channels twice", plan("harden", ranking, "--ratio", "0"), 1, "above 0 and at most 1")
        expect("no such formula", asked(o, "rank", words, out, "--formula", "guess"), 2, "--formula: 'guess' is not known; there is parameter-vulnerability")
        expect("no images", asked(o, "rank", of(words, data=os.path.join(root, "nowhere")), out), 1, "--data: ")
        expect("more training images than there are", asked(o, "rank", of(words, images="5000"), out), 1, "has 1200 images, needed 5000")
        expect("no weights", asked(o, "rank", of(words, weights=os.path.join(root, "none.safetensors")), out), 1, "none.safetensors")
        expect("weights of another network", asked(o, "rank", of(words, weights=ranking), out), 1, "ranking-l2-norm.json")
        expect("a word too many", asked(o, "rank", words, out, "more"), 2, "")
        expect("a campaign by another network's ranking", subprocess.run([o.program, *words[:-2], "--number", "fp32", "--fault", "weights", "--protect", "none", "--trials", "1", "--images", "5", "--calibration",
                                                                          "5", "--ranking", os.path.join(root, "other.json"), "--out", out], capture_output=True, text=True, check=False), 1, "the ranking cannot be used")
        expect("an order that changes nothing", subprocess.run([o.program, *words[:-2], "--number", "fp32", "--fault", "weights", "--protect", "none", "--trials", "1", "--images", "5", "--calibration", "5",
                                                                "--ranking", ranking, "--out", out], capture_output=True, text=True, check=False), 1, "their order changes nothing")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["same", "refuses"])
    parser.add_argument("--program", required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--source-dir", type=pathlib.Path, required=True)
    parser.add_argument("--flag", action="append", default=[])
    o = parser.parse_args()
    failures = (same if o.part == "same" else refuses)(o)
    if failures:
        fail("\n".join(failures))
    print("as it should be")


if __name__ == "__main__":
    main()
