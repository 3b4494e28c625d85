#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`resilience train` from the outside, on images that are drawn here.

    training.py same --program P      a run, the same on two threads, the same killed and gone on with: one weights file; what its files hold
    training.py refuses --program P   recipes and images that are wrong, a loss that is no number, a disk that is full: the reason, and the last checkpoint kept
"""
import argparse
import csv
import json
import os
import random
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time

RECIPE = {
    "model": "lenet5", "normalise": "0.5/0.5", "epochs": 3, "batch": 64, "seed": 5, "validation": 100, "label_smoothing": 0.05, "clip_norm": 5.0,
    "optimiser": {"kind": "adamw", "decay": 0.01}, "schedule": {"kind": "one_cycle", "rate": 0.004}, "augment": {"crop_pad": 1, "flip": True, "cutout": 4},
    "storage": "fp16", "function": {"kind": "tanh", "bound": 0.5},
    "faults": {"weights": {"model": "flip", "rate": 0.005}, "share": 0.5, "clamp": 0.05, "statistics": "clean"},
}


def write_images(folder, count, size=28, seed=1):
    """Bars at ten places, in the format of MNIST."""
    draw = random.Random(seed)
    os.makedirs(folder, exist_ok=True)
    for part, images in (("train", count), ("t10k", 200)):
        pixels, labels = bytearray(), bytearray()
        for _ in range(images):
            label = draw.randrange(10)
            rows = range(size * label // 10, size * label // 10 + 3)
            for row in range(size):
                pixels += bytes(draw.randrange(80) + (150 if row in rows else 0) for _ in range(size))
            labels.append(label)
        with open(os.path.join(folder, f"{part}-images-idx3-ubyte"), "wb") as file:
            file.write(struct.pack(">IIII", 0x803, images, size, size) + pixels)
        with open(os.path.join(folder, f"{part}-labels-idx1-ubyte"), "wb") as file:
            file.write(struct.pack(">II", 0x801, images) + labels)


def write(folder, name, recipe):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(recipe if isinstance(recipe, str) else json.dumps(recipe))
    return path


def contents(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def train(o, recipe, out, *more, **options):
    return subprocess.run([o.program, "train", recipe, "--out", out, *more], capture_output=True, text=True, **options)


def same(o):
    failures = []
    with tempfile.TemporaryDirectory() as root:
        images = os.path.join(root, "images")
        write_images(images, 3000)
        recipe = write(root, "recipe.json", dict(RECIPE, data=images))
        outs = {name: os.path.join(root, name) for name in ("one", "two", "killed", "taught", "adapted")}
        did = train(o, recipe, outs["one"])
        if did.returncode != 0:
            return [did.stderr]
        right = int(re.search(r"right on (\d+) of 200", did.stdout).group(1))
        if right < 150:
            failures.append(f"right on {right} of 200 images only")
        expected = contents(outs["one"], "weights.safetensors")
        about = json.loads(contents(outs["one"], "training.json"))
        rows = list(csv.DictReader(contents(outs["one"], "log.csv").decode().splitlines()))
        if about["right"] != right or about["recipe"]["seed"] != 5 or [r["epoch"] for r in rows] != ["1", "2", "3"] or float(rows[2]["loss"]) >= float(rows[0]["loss"]):
            failures.append("training.json or log.csv do not hold what happened")
        if b"</svg>" not in contents(outs["one"], "curves.svg") or b"under faults" not in contents(outs["one"], "curves.svg"):
            failures.append("curves.svg is no drawing of both losses")
        train(o, recipe, outs["two"], "--threads", "2", check=True)
        if contents(outs["two"], "weights.safetensors") != expected:
            failures.append("2 threads give other weights")

        # killed again and again, at any moment, until it comes to its end
        draw, kills = random.Random(3), 0
        while not os.path.exists(os.path.join(outs["killed"], "weights.safetensors")):
            process = subprocess.Popen([o.program, "train", recipe, "--out", outs["killed"]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            checkpoint = os.path.join(outs["killed"], "checkpoint.safetensors")
            before = os.path.getmtime(checkpoint) if os.path.exists(checkpoint) else 0
            end = time.monotonic() + 120
            while process.poll() is None and time.monotonic() < end:
                if os.path.exists(checkpoint) and os.path.getmtime(checkpoint) != before:
                    time.sleep(draw.random() * 0.3)
                    break
                time.sleep(0.005)
            if process.poll() is None:
                kills += 1
                process.send_signal(signal.SIGKILL)
            process.wait()
            if kills > 20:
                return failures + ["does not come to its end"]
        if kills == 0:
            failures.append("was never killed: the test shows nothing")
        if contents(outs["killed"], "weights.safetensors") != expected:
            failures.append(f"killed {kills} times, it ended with other weights")
        again = train(o, recipe, outs["killed"])
        if again.returncode != 0 or "goes on after epoch 3 of 3" not in again.stderr or contents(outs["killed"], "weights.safetensors") != expected:
            failures.append("a finished run does not end as it was")

        # another network as a teacher; weights to start from, through a function
        weights = os.path.join(outs["one"], "weights.safetensors")
        taught = train(o, write(root, "taught.json", dict(RECIPE, data=images, epochs=1, teacher={"weights": weights, "share": 0.7})), outs["taught"])
        adapted = train(o, write(root, "adapted.json", dict(RECIPE, data=images, epochs=1, start=weights, storage="q2.5", function={"kind": "softsign"},
                                                           faults={"features": {"model": "mibb", "rate": 1e-4}})), outs["adapted"])
        for done in (taught, adapted):
            if done.returncode != 0:
                failures.append(done.stderr)
        if "weights lay beyond the function's range" not in adapted.stdout:
            failures.append("the start does not say what was clipped: " + adapted.stdout)
    return failures


def refuses(o):
    failures = []

    def expect(what, did, code, *texts):
        if did.returncode != code:
            failures.append(f"{what}: ended with {did.returncode}, not {code}: {did.stderr}")
        for text in texts:
            if text not in did.stderr:
                failures.append(f"{what}: '{text}' is not in: {did.stderr}")

    with tempfile.TemporaryDirectory() as root:
        images, small = os.path.join(root, "images"), os.path.join(root, "small")
        write_images(images, 600)
        write_images(small, 200, size=20)
        out = os.path.join(root, "out")
        base = dict(RECIPE, data=images)
        cases = [
            ("an unknown key", dict(base, learning_rate=0.1), "recipe.json: learning_rate: is not known; there is model"),
            ("an unknown key within", dict(base, schedule={"kind": "cosine", "speed": 1}), "schedule.speed: is not known"),
            ("an unknown word", dict(base, schedule={"kind": "linear"}), "schedule.kind: 'linear' is none of constant, step, cosine, one_cycle"),
            ("text for a number", dict(base, epochs="many"), "epochs: must be a whole number from 0, is string"),
            ("no epochs", dict(base, epochs=0), "epochs: must be 1 to 100000"),
            ("a negative rate", dict(base, schedule={"rate": -1.0}), "schedule.rate: must be above 0"),
            ("Adam without epsilon", dict(base, optimiser={"kind": "adam", "epsilon": 0.0}), "optimiser.epsilon: must be above 0"),
            ("a negative pad", dict(base, augment={"crop_pad": -1}), "augment.crop_pad: must be a whole number from 0 to 2147483647, is -1"),
            ("faults of nothing", dict(base, faults={"share": 0.5}), "faults.weights: must be there"),
            ("features' faults in weights", dict(base, faults={"weights": {"model": "mibb", "rate": 0.1}}), "faults.weights.model: must be one of weights"),
            ("a teacher without weights", dict(base, teacher={}), "teacher.weights: must be a checkpoint's path"),
            ("half a file", json.dumps(base)[:80], "parse error"),
            ("a number past all numbers", json.dumps(base)[:-1] + ', "clip_norm": 1e999}', "recipe.json: "),
            ("an empty word", dict(base, storage=""), "storage: '' is none of fp32"),
            ("int8 words of a function", dict(base, storage="int8"), "storage: must be another than int8 with a 'function'"),
            ("statistics of no pass", dict(base, faults=dict(base["faults"], share=1.0)), "faults.statistics: must be 'both' with a 'share' of 1"),
            ("a falling back on nothing", dict(base, faults=dict(base["faults"], share=1.0, only_below=1.0)), "faults.only_below: must be with a 'share' below 1"),
        ]
        for what, recipe, text in cases:
            expect(what, train(o, write(root, "recipe.json", recipe), out), 2, text)
        expect("no such file", train(o, os.path.join(root, "none.json"), out), 2, "none.json")
        for what, recipe, text in [
            ("no such network", dict(base, model="lenet6"), "model: 'lenet6' is not known; this program trains lenet5"),
            ("images of another size", dict(base, data=small), "images are 1x20x20, lenet5 takes 1x28x28"),
            ("no images", dict(base, data=os.path.join(root, "nowhere")), "data: "),
            ("all images kept", dict(base, validation=600), "leave none to train on"),
            ("fewer images than a batch", dict(base, batch=4096), "fewer than a batch of 4096"),
            ("a start that is not there", dict(base, start=os.path.join(root, "none.safetensors")), "none.safetensors"),
        ]:
            expect(what, train(o, write(root, "recipe.json", recipe), out), 1, text)

        # the rate grows past all bounds in the third epoch: two are kept
        wild = dict(base, epochs=4, clip_norm=0.0, optimiser={"kind": "sgd"}, schedule={"kind": "step", "rate": 0.01, "milestones": [2], "factor": 1e30}, storage="fp32")
        wild.pop("faults"), wild.pop("function")
        recipe, out = write(root, "wild.json", wild), os.path.join(root, "wild")
        expect("a loss that is no number", train(o, recipe, out), 1, "the loss of epoch 3, step", "the checkpoint is of epoch 2", "clip_norm")
        kept = contents(out, "checkpoint.safetensors")
        if len(contents(out, "log.csv").splitlines()) != 3 or os.path.exists(os.path.join(out, "weights.safetensors")):
            failures.append("after a loss that is no number the log or the weights are not those of two epochs")
        expect("another recipe's checkpoint", train(o, write(root, "other.json", dict(wild, seed=6)), out), 1, "belongs to another run")
        if contents(out, "checkpoint.safetensors") != kept:
            failures.append("the checkpoint was touched")

        def no_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

        out = os.path.join(root, "full")
        expect("a full disk", train(o, write(root, "recipe.json", base), out, preexec_fn=no_room), 1, "checkpoint.safetensors")
        left = sorted(os.listdir(out))
        if left != ["curves.svg", "log.csv"]:
            failures.append(f"a full disk leaves {left}")
        if train(o, write(root, "recipe.json", base), out).returncode != 0:
            failures.append("with room again the run does not go on")
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=("same", "refuses"))
    parser.add_argument("--program", required=True)
    o = parser.parse_args()
    failures = {"same": same, "refuses": refuses}[o.command](o)
    print("\n".join(failures) if failures else "holds")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
