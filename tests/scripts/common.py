# SPDX-License-Identifier: MIT
"""What the test scripts share: running compilers, and ending with a reason."""
import os
import subprocess
import sys

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wold-style-cast",
            "-Wundef"]
STANDARD = ["-std=c++20"]
SKIPPED = 77


def run(command, **options):
    """Runs a command; messages in plain English and ASCII, whatever the user's locale."""
    environment = dict(os.environ, LC_ALL="C")
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env=environment, **options)


def fail(message):
    print(f"FAILED: {message}")
    sys.exit(1)


def need_compiler(path):
    """Ends with 'skipped' when CMake did not find this compiler."""
    if not path or path.endswith("-NOTFOUND"):
        print("skipped: this compiler (g++ >= 12 or clang++ >= 16) is not installed")
        sys.exit(SKIPPED)


def directives(path, word):
    """The texts of the lines `// word: text` of a file."""
    start = f"// {word}:"
    with open(path, encoding="utf-8") as file:
        return [line[len(start):].strip() for line in file if line.startswith(start)]
