# SPDX-License-Identifier: MIT
"""Checks who includes whom. A header includes its own folder and lower floors, never a sibling of its floor; third
parties and hosted parts of the standard library stay where they are allowed. With --plant, a copy of the tree gets one
forbidden include and the check must notice it."""
import argparse
import pathlib
import re
import shutil
import sys
import tempfile

from common import fail

FLOORS = {
    "base": 0, "number": 1, "tensor": 2, "kernel": 3, "nn": 4,
    "harden": 5, "fault": 5, "io": 5, "model": 5,
    "train": 6, "campaign": 6, "analyze": 7, "search": 7, "app": 8,
}
EMBEDDED = {"base", "number", "tensor", "kernel", "nn", "harden", "fault", "model"}
UMBRELLAS = {"redoubt.hpp": EMBEDDED, "hosted.hpp": set(FLOORS)}

# Parts of the standard library that bring heap, exceptions, streams, threads or draws that differ between libraries.
HOSTED_STANDARD = set("""
    any condition_variable deque filesystem forward_list fstream functional future iomanip ios iostream istream list
    locale map memory_resource mutex ostream queue regex semaphore set shared_mutex sstream stack stdexcept streambuf
    string syncstream thread typeindex typeinfo unordered_map unordered_set vector
""".split())
# Nowhere: their results differ between standard libraries.
BANNED_STANDARD = {"random"}
# Contract mode 3 is an exception by name, behind its own #if.
EXEMPT = {("base/contract.hpp", "stdexcept")}

# Third parties: what the include starts with, and the folders that may name it.
THIRD_PARTIES = [
    (re.compile(r"xsimd/"), {"kernel"}),
    (re.compile(r"(\w*intrin|arm_neon|arm_sve|arm_acle)\.h$"), {"kernel"}),
    (re.compile(r"nlohmann/"), set(FLOORS) - EMBEDDED),
    (re.compile(r"CLI/"), {"app"}),
    (re.compile(r"zlib\.h$"), {"io"}),
    (re.compile(r"mpi\.h$"), {"campaign"}),
    (re.compile(r"Eigen/"), {"io", "app"}),
    (re.compile(r"(sys/\w+|unistd|fcntl|poll|signal|sched)\.h$"), set(FLOORS) - EMBEDDED),
]

INCLUDE = re.compile(r"^\s*#\s*include\b\s*(.*)$")
NAMED = re.compile(r"<([^>]+)>")
BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def includes(path):
    """Line numbers and what follows #include; block comments blanked, lines kept."""
    text = path.read_text(encoding="utf-8")
    text = BLOCK_COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1).strip()


def check_own(folder, target, root):
    """What is wrong with an include of one of our headers, or None."""
    if not (root / target).is_file():
        return "there is no such header"
    parts = target.split("/")
    if len(parts) < 3:
        return "a floor does not include an umbrella header"
    other = parts[1]
    if other not in FLOORS:
        return f"folder '{other}' is on no floor"
    if other == folder or FLOORS[other] < FLOORS[folder]:
        return None
    way = "a sibling" if FLOORS[other] == FLOORS[folder] else "upward"
    return f"{way}: {folder} is on floor {FLOORS[folder]}, {other} on floor {FLOORS[other]}"


def check_foreign(folder, name, target):
    """What is wrong with an include of anything else, or None."""
    for pattern, allowed in THIRD_PARTIES:
        if pattern.match(target):
            return None if folder in allowed else f"third party: allowed in {', '.join(sorted(allowed))} only"
    if "/" in target or target.endswith((".h", ".hpp")):
        return "third party: not one of those that redoubt uses"
    if target in BANNED_STANDARD:
        return "its results differ between standard libraries"
    if folder in EMBEDDED and target in HOSTED_STANDARD and (name, target) not in EXEMPT:
        return f"hosted part of the standard library on the embedded floor {folder}"
    return None


def check(root):
    """All complaints about the tree below root (the folder that holds redoubt/)."""
    complaints = []
    headers = sorted(path for path in (root / "redoubt").rglob("*") if not path.is_dir())
    for path in headers:
        name = path.relative_to(root / "redoubt").as_posix()
        folder = name.split("/")[0]
        if path.suffix != ".hpp":
            complaints.append(f"redoubt/{name}: not a .hpp file")
            continue
        if "/" not in name and name not in UMBRELLAS:
            complaints.append(f"redoubt/{name}: only the umbrella headers stand outside the floors")
            continue
        if "/" in name and folder not in FLOORS:
            complaints.append(f"redoubt/{name}: folder '{folder}' is on no floor")
            continue
        for line, text in includes(path):
            match = NAMED.match(text)
            target = match.group(1) if match else ""
            if not match:
                problem = "write #include <redoubt/...> or a system header in angle brackets"
            elif name in UMBRELLAS:
                other = target.split("/")[1] if target.startswith("redoubt/") else ""
                ok = other in UMBRELLAS[name] or (name == "hosted.hpp" and target == "redoubt/redoubt.hpp")
                problem = None if ok else "this umbrella does not cover that"
                if ok and not (root / target).is_file():
                    problem = "there is no such header"
            elif target.startswith("redoubt/"):
                problem = check_own(folder, target, root)
            else:
                problem = check_foreign(folder, name, target)
            if problem:
                complaints.append(f"redoubt/{name}:{line}: #include {text}: {problem}")
    return complaints, len(headers)


# Where a forbidden include is planted, what it is, and the word of the complaint.
PLANTS = {
    "upward": ("tensor/planted.hpp", "redoubt/nn/planted_above.hpp", "upward"),
    "sibling": ("harden/planted.hpp", "redoubt/fault/planted_beside.hpp", "a sibling"),
    "third_party": ("nn/planted.hpp", "xsimd/xsimd.hpp", "third party"),
    "heap": ("harden/planted.hpp", "vector", "hosted part of the standard library"),
}


def check_plant(root, plant):
    where, target, word = PLANTS[plant]
    with tempfile.TemporaryDirectory() as temporary:
        copy = pathlib.Path(temporary) / "include"
        shutil.copytree(root, copy)
        before, _ = check(copy)
        if target.startswith("redoubt/"):
            (copy / target).parent.mkdir(parents=True, exist_ok=True)
            (copy / target).write_text("#pragma once\n", encoding="utf-8")
        (copy / "redoubt" / where).parent.mkdir(parents=True, exist_ok=True)
        (copy / "redoubt" / where).write_text(f"#pragma once\n#include <{target}>\n", encoding="utf-8")
        after, _ = check(copy)
    new = [complaint for complaint in after if complaint not in before]
    if len(new) != 1 or not new[0].startswith(f"redoubt/{where}:2:") or word not in new[0]:
        fail(f"planted {where} -> {target}; the check said {new}")
    print(f"rejected as it should be: {new[0]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--include-dir", type=pathlib.Path, required=True)
    parser.add_argument("--plant", choices=sorted(PLANTS))
    options = parser.parse_args()
    if options.plant:
        check_plant(options.include_dir, options.plant)
        return
    complaints, count = check(options.include_dir)
    for complaint in complaints:
        print(complaint)
    if complaints:
        fail(f"{len(complaints)} includes break the floors")
    if count == 0:
        fail("no headers found")
    print(f"floors: {count} headers, every include in order")


if __name__ == "__main__":
    sys.exit(main())
