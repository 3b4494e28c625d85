#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the tables of README.md and docs/ from the result files in docs/results/.

    docs/write_tables.py           rewrites every table between its markers
    docs/write_tables.py --check   fails where a table is not what its file says

A table stands between `<!-- table: NAME -->` and `<!-- /table -->`; its rows come from docs/results/NAME.csv, as the
main job writes it (results.csv).
"""
import csv
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARKED = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- /table -->)", re.S)


def percent(row, name):
    rate, low, high = (100 * float(row[name + end]) for end in ("", "_low", "_high"))
    return f"{rate:.1f} [{low:.1f}, {high:.1f}]"


def table(name):
    with open(ROOT / "docs" / "results" / f"{name}.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = ["| faults in | number | protection | BER | accuracy % [95 %] | SDC-1 % [95 %] | time | memory |",
             "|---|---|---|---|---|---|---|---|"]
    for r in rows:
        lines.append(f"| {r['fault']} | {r['number']} | {r['protection']} | {float(r['ber']):g} | {percent(r, 'accuracy')} | "
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
    print(f"{found} tables, {wrong} pages differ")
    return 1 if wrong or not found else 0


if __name__ == "__main__":
    sys.exit(main())
