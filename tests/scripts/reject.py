# SPDX-License-Identifier: MIT
"""A file that must not compile. Its lines `// expect: text` say what the compiler's message must hold, and its line
`// control: -DFLAG` the flag under which the same file must compile, so that it fails for the right reason."""
import argparse
import pathlib
import sys
import tempfile

from common import STANDARD, WARNINGS, directives, fail, need_compiler, run


def problem_with(compiler, flags, path):
    """What is wrong with the case, or None; and the compiler's message."""
    expected, controls = directives(path, "expect"), directives(path, "control")
    if not expected:
        return "it has no line `// expect: text`", ""
    if len(controls) != 1:
        return "it needs one line `// control: -DFLAG`", ""
    command = [compiler, *STANDARD, *WARNINGS, "-Werror", "-fsyntax-only", *flags]
    control = run([*command, *controls[0].split(), path])
    if control.returncode != 0:
        return f"with {controls[0]} it must compile, and does not", control.stdout
    case = run([*command, path])
    if case.returncode == 0:
        return "it compiles", case.stdout
    missing = [text for text in expected if text not in case.stdout]
    if missing:
        return f"the message does not hold: {' | '.join(missing)}", case.stdout
    return None, case.stdout


# Cases that the harness itself must see through.
BAD_CASES = {
    "it compiles": "// expect: x\n// control: -DOK\nint x;\n",
    "the message does not hold": "// expect: no such words\n// control: -DOK\n#ifndef OK\nint x = y;\n#endif\n",
    "with -DOK it must compile": "// expect: y\n// control: -DOK\nint x = y;\n",
    "it has no line": "// control: -DOK\nint x = y;\n",
    "it needs one line": "// expect: y\nint x = y;\n",
}


def self_test(compiler, flags):
    with tempfile.TemporaryDirectory() as folder:
        for words, text in BAD_CASES.items():
            path = pathlib.Path(folder) / "case.cpp"
            path.write_text(text, encoding="utf-8")
            problem, _ = problem_with(compiler, flags, path)
            if problem is None or words not in problem:
                fail(f"a case for '{words}' was judged: {problem}")
    print(f"{len(BAD_CASES)} bad cases seen through")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--file", type=pathlib.Path)
    parser.add_argument("--flag", action="append", default=[])
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    need_compiler(options.compiler)
    if options.self_test:
        self_test(options.compiler, options.flag)
        return
    problem, message = problem_with(options.compiler, options.flag, options.file)
    print(message)
    if problem:
        fail(f"{options.file.name}: {problem}")
    print(f"{options.file.name}: rejected, with the expected words")


if __name__ == "__main__":
    sys.exit(main())
