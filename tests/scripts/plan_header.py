# SPDX-License-Identifier: MIT
"""Compiles the header that examples/10_harden.cpp writes into a program: the type of a hardened network, in floats and int8; and sees it refuse another network."""
import json
import pathlib
import tempfile

from common import STANDARD, fail, run
from device import device_arguments, expect_missing_folder, run_device, write_for

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
    o = device_arguments(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        write_for(o, root)
        plan = json.loads((root / "plan.json").read_text(encoding="utf-8"))
        header = (root / "plan.hpp").read_text(encoding="utf-8")
        counts = ", ".join(str(layer["duplicated"]) for layer in plan["layers"])
        if "duplicated{" + counts + "};" not in header:
            fail(f"the header does not say {counts}")
        run_device(o, root, "10_harden.cpp", "static int failed", MAIN, [], "uncorrected 0\n")
        for which in ("OTHER", "OTHER_FILTERS"):
            other = run([o.compiler, *STANDARD, f"-D{which}", f"-DLAST={plan['network']['layers'][2]['out']}", "-fsyntax-only", *o.flag, root / "main.cpp"])
            if other.returncode == 0 or "redoubt: the plan is for a network of other layers" not in other.stdout:
                fail(f"another network ({which}): exit {other.returncode}, says {other.stdout[:2000]}")
        expect_missing_folder(o, root / "missing")
    print("compiled into a type, and refused where it does not fit")


if __name__ == "__main__":
    main()
