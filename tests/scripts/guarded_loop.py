# SPDX-License-Identifier: MIT
"""Attacks guarded_loop from outside, as anyone may: flips bits of its parameters through /proc/PID/mem while it runs, and reads its lines."""
import argparse
import os
import random
import re
import subprocess
import sys

from common import SKIPPED, fail

FIRST = re.compile(r"pid (\d+) parameters (0x[0-9a-f]+) bytes (\d+)$")
LINE = re.compile(r"second (\d+) inferences (\d+) wrong (\d+) detected (\d+) corrected (\d+) uncorrected (\d+)( out_of_range \d+)?$")
WORDS = ["second", "inferences", "wrong", "detected", "corrected", "uncorrected"]


class Attacked:
    def __init__(self, program, protect, seconds, *more):
        self.child = subprocess.Popen([program, "--protect", protect, "--seconds", str(seconds), "--images", "50", *more],
                                      stdout=subprocess.PIPE, text=True)
        first = self.child.stdout.readline().rstrip("\n")
        found = FIRST.match(first)
        if not found:
            self.child.kill()
            fail(f"{protect}: the first line is '{first}'")
        self.pid, self.address, self.bytes = int(found[1]), int(found[2], 16), int(found[3])
        if self.pid != self.child.pid:
            fail(f"{protect}: says pid {self.pid}, is {self.child.pid}")

    def second(self):
        line = self.child.stdout.readline().rstrip("\n")
        found = LINE.match(line)
        if not found:
            fail(f"not a line: '{line}'")
        return dict(zip(WORDS, map(int, found.groups()[:6])))

    def flip(self, places):
        try:
            with open(f"/proc/{self.pid}/mem", "r+b", buffering=0) as memory:
                for byte, bit in places:
                    memory.seek(self.address + byte)
                    value = memory.read(1)[0]
                    memory.seek(self.address + byte)
                    memory.write(bytes([value ^ (1 << bit)]))
        except PermissionError:
            self.child.kill()
            print("skipped: this system lets nobody write to /proc/PID/mem")
            sys.exit(SKIPPED)

    def end(self):
        rest = self.child.stdout.read()
        if self.child.wait() != 0:
            fail(f"ended with {self.child.returncode}")
        return rest


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    o = parser.parse_args()
    if not os.path.exists("/usr/share/datasets/fashion-mnist"):
        print("skipped: Fashion-MNIST is not installed")
        sys.exit(SKIPPED)
    draw = random.Random(5)

    # the highest exponent bit of a thousand words: little is left of the unprotected network
    loop = Attacked(o.program, "none", 3)
    quiet = loop.second()
    if quiet["second"] != 1 or quiet["inferences"] < 1 or quiet["wrong"] or quiet["detected"]:
        fail(f"none, before the attack: {quiet}")
    loop.flip([(4 * draw.randrange(loop.bytes // 4) + 3, 6) for _ in range(1000)])
    loop.second()
    struck = loop.second()
    if struck["wrong"] == 0:
        fail(f"none: a thousand flipped exponents did nothing: {struck}")
    loop.end()

    # single bits anywhere in the block, copies and code words included: seen and put right at each inference (crc looks at its second copy
    # only where the first is broken), and gone after a scrub
    for protect, scrubs in [("tmr_parameters", False), ("crc", False), ("secded", False), ("secded", True)]:
        loop = Attacked(o.program, protect, 4, *(["--scrub", "10"] if scrubs else []))
        if loop.second()["detected"] != 0:
            fail(f"{protect}: detects faults where there are none")
        loop.flip([(draw.randrange(4096, loop.bytes), draw.randrange(8)) for _ in range(12)])
        during, after = loop.second(), loop.second()
        rest = LINE.match(loop.end().strip())
        for line in (during, after):
            if line["wrong"] or line["uncorrected"] or line["corrected"] != line["detected"]:
                fail(f"{protect}: {line}")
        least = 1 if scrubs else after["inferences"] * (1 if protect == "crc" else 8)
        if during["detected"] + after["detected"] < least:
            fail(f"{protect}: {during['detected']} and {after['detected']} detected of twelve flips")
        if scrubs and int(rest[4]) != 0:
            fail(f"{protect}: still detected after scrubs: {rest[0]}")
        print(f"{protect}{' with scrubs' if scrubs else ''}: {during['detected']} detected in the second of the attack, {rest[4]} in the last, none wrong")

    for arguments, text in [(["--protect", "prayer"], "prayer"), (["--seconds", "0"], "seconds"), (["--weights", "/nowhere"], "/nowhere"),
                            (["--data", "/nowhere"], "/nowhere")]:
        done = subprocess.run([o.program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode == 0 or text not in done.stdout:
            fail(f"{' '.join(arguments)}: exit {done.returncode}, says: {done.stdout}")
    print("guarded")


if __name__ == "__main__":
    main()
