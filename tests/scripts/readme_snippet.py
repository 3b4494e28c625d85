# SPDX-License-Identifier: MIT
"""Compares the code that README.md and docs/ show with the files that are compiled.

README's first ```cpp block is the whole of examples/01_first.cpp. Every other block of C++, CMake or Python stands
below a line `<!-- from path -->` and is a run of lines of that file, indentation of the whole block aside.
"""
import argparse
import pathlib
import re
import textwrap

from common import fail

LANGUAGES = ("cpp", "cmake", "python")
FIRST = "examples/01_first.cpp"
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
SOURCE = re.compile(r"<!-- from ([^ ]+) -->\n+\Z")


def plain(text):
    """The text without common indentation, so that a part of a function can stand at the left of a page."""
    return textwrap.dedent(text).strip("\n")


def stands_in(block, text):
    """Whether the block's lines follow each other in the text, all moved by the same indentation."""
    wanted, lines = plain(block).split("\n"), text.split("\n")
    return any(plain("\n".join(lines[i:i + len(wanted)])).split("\n") == wanted
               for i in range(len(lines) - len(wanted) + 1))


def complaints(root, page, text, first):
    for match in BLOCK.finditer(text):
        _, language, block = match.groups()
        line = text.count("\n", 0, match.start()) + 1
        if language not in LANGUAGES or (page == pathlib.Path("README.md") and block == first):
            continue
        named = SOURCE.search(text[:match.start()])
        if named is None:
            yield f"{page}:{line}: this block names no file; put <!-- from path --> above it"
            continue
        source = root / named.group(1)
        if not source.is_file():
            yield f"{page}:{line}: there is no {named.group(1)}"
        elif not stands_in(block, source.read_text(encoding="utf-8")):
            yield f"{page}:{line}: this block is not in {named.group(1)}"


def check(root):
    """All that is wrong, and how many blocks were looked at."""
    wrong, count = [], 0
    first = (root / FIRST).read_text(encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8")
    shown = next((match for match in BLOCK.finditer(readme) if match.group(2) == "cpp"), None)
    if shown is None or shown.group(3) != first:
        wrong.append(f"README.md: the first block of C++ is not {FIRST}")
    elif readme.count("\n", 0, shown.end()) + 1 > 40:
        wrong.append("README.md: the first program ends after line 40")
    for page in [root / "README.md", *sorted((root / "docs").glob("**/*.md"))]:
        text = page.read_text(encoding="utf-8")
        wrong += complaints(root, page.relative_to(root), text, first)
        count += sum(1 for match in BLOCK.finditer(text) if match.group(2) in LANGUAGES)
    return wrong, count


def self_test():
    """Changed blocks must be noticed."""
    program = "int main() {\n    f();\n    g();\n}\n"
    for block, good in (("f();\n", True), ("    f();\n    g();\n", True), ("f();\ng();\n", True), ("f();\n  g();\n", False),
                        ("g();\nf();\n", False), ("h();\n", False)):
        if stands_in(block, program) is not good:
            fail(f"self-test: {block!r} was {'not ' if good else ''}found")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source-dir", type=pathlib.Path, required=True)
    options = parser.parse_args()
    self_test()
    wrong, count = check(options.source_dir)
    if wrong:
        fail("\n".join(wrong))
    print(f"{count} blocks are as in their files")


if __name__ == "__main__":
    main()
