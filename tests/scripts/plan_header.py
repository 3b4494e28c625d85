# SPDX-License-Identifier: MIT
"""Compiles the header that examples/10_harden.cpp writes into a program: the type of a hardened network, in floats and int8; and sees it refuse another network."""
import argparse
import json
import pathlib
import re
import tempfile

from common import STANDARD, WARNINGS, fail, need_compiler, run

MAIN = """
#include "plan.hpp"
#include <cstdio>
NETWORK
#ifdef OTHER_FILTERS
using other = rd::network<rd::image<1, 8, 8>, rd::float32, rd::named<"first", rd::conv2d<rd::conv_spec{.out = 32, .kernel = 3, .pad = 1}>>, rd::relu,
                          rd::residual<rd::named<"second", rd::conv2d<rd::conv_spec{.out = 32, .kernel = 5, .pad = 2}>>>, rd::relu, rd::global_avg_pool, rd::named<"answer", rd::linear<LAST>>>;
static_assert(rd::workspace_bytes<guarded::hardened<other>> > 0);
#endif
#ifdef OTHER
using other = rd::network<rd::image<1, 8, 8>, rd::float32, rd::named<"first", rd::conv2d<rd::conv_spec{.out = 32, .kernel = 3, .pad = 1}>>, rd::named<"answer", rd::linear<3>>>;
static_assert(rd::workspace_bytes<guarded::hardened<other>> > 0);
#endif
using strong = guarded::hardened<net>;
using small = guarded::hardened<rd::with_number<net, rd::int8>, rd::duplicate_minimum>;
static_assert(std::is_same_v<rd::without_protection<strong>, net>);
static_assert(strong::table.slots[0].folded == guarded::duplicated[0] && strong::table.slots[1].folded == guarded::duplicated[1]);
static_assert(small::table.slots[1].folded == guarded::duplicated[1]);
int main() {
    static rd::parameters<strong> weights{};
    rd::encode<strong>(weights);
    static rd::workspace<strong> scratch;
    rd::state<strong> state;
    const float image[64] = {};
    const auto answer = rd::infer<strong>(weights, state, image, scratch);
    std::printf("uncorrected %u\\n", answer.status.total().uncorrected);
}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--source-dir", type=pathlib.Path, required=True)
    parser.add_argument("--flag", action="append", default=[])
    o = parser.parse_args()
    need_compiler(o.compiler)
    example = (o.source_dir / "examples" / "10_harden.cpp").read_text(encoding="utf-8")
    network = re.search(r"namespace rd = .*?;\n.*?(?=static int failed)", example, re.S)[0]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        done = run([o.program, root])
        if done.returncode != 0:
            fail(done.stdout)
        plan = json.loads((root / "plan.json").read_text(encoding="utf-8"))
        header = (root / "plan.hpp").read_text(encoding="utf-8")
        counts = ", ".join(str(layer["duplicated"]) for layer in plan["layers"])
        if "duplicated{" + counts + "};" not in header:
            fail(f"the header does not say {counts}")
        (root / "main.cpp").write_text(MAIN.replace("NETWORK", network), encoding="utf-8")
        built = run([o.compiler, *STANDARD, *WARNINGS, "-Werror", "-O1", *o.flag, root / "main.cpp", "-o", root / "device"])
        if built.returncode != 0:
            fail(built.stdout)
        ran = run([root / "device"])
        if ran.returncode != 0 or ran.stdout != "uncorrected 0\n":
            fail(f"the program ended with {ran.returncode}: {ran.stdout}")
        for which in ("OTHER", "OTHER_FILTERS"):
            other = run([o.compiler, *STANDARD, f"-D{which}", f"-DLAST={plan['network']['layers'][2]['out']}", "-fsyntax-only", *o.flag, root / "main.cpp"])
            if other.returncode == 0 or "redoubt: the plan is for a network of other layers" not in other.stdout:
                fail(f"another network ({which}): exit {other.returncode}, says {other.stdout[:2000]}")
        done = run([o.program, root / "missing"])
        if done.returncode == 0 or "missing" not in done.stdout:
            fail(f"a folder that is not there: exit {done.returncode}, says {done.stdout}")
    print("compiled into a type, and refused where it does not fit")


if __name__ == "__main__":
    main()
