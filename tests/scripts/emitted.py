# SPDX-License-Identifier: MIT
"""Statements about emitted code. Compiles a file, disassembles it and looks at the instructions of one function.

    same    --file F --symbol RE [--file-b F] [--symbol-b RE] [--flags-a ..] [--flags-b ..]   equal instructions
    differ  the same arguments                                                                not equal
    count   --file F --symbol RE --pattern RE [--min N] [--max N]       how many instructions match
    absent  --file F --symbol RE --pattern RE                           none matches

--symbol is searched in demangled names and must match one function (several with --many, taken together). --loop RE
narrows a function to its innermost loop with the most matches of RE. --any-register takes register names out of
comparisons. --red turns the verdict round: a mutant's code must break the statement.

Exit: 0 the statement holds, 1 it does not, 2 it could not be judged, 77 the compiler is not installed."""
import argparse
import dataclasses
import difflib
import pathlib
import re
import shlex
import sys
import tempfile

from common import STANDARD, need_compiler, run


class CannotJudge(Exception):
    """The code could not be compiled, or the function not found."""


@dataclasses.dataclass
class Instruction:
    address: int
    text: str            # mnemonic and operands, without address and comment
    target: int = None   # address jumped to within the function


HEADER = re.compile(r"^[0-9a-f]+ <(.*)>:$")
LINE = re.compile(r"^\s*([0-9a-f]+):\s+(.*)$")
RELOCATION = re.compile(r"^\s*[0-9a-f]+:\s+R_\w+\s+(.*)$")
JUMP = re.compile(r"^(j\w+|call|b|bl|b\.\w+|cbn?z|tbn?z|loop\w*)\b(.*?)\b([0-9a-f]+) <(.*)>$")
PADDING = re.compile(r"^((data16|cs|xchg\s+ax,ax)\s*)*(nop\b.*|)$|^int3$")
REGISTERS = [(re.compile(pattern), name) for pattern, name in [
    (r"\bzmm\d+\b", "zmm"), (r"\bymm\d+\b", "ymm"), (r"\bxmm\d+\b", "xmm"), (r"\bk[0-7]\b", "k"),
    (r"\b(r(1[0-5]|[89])d|e([abcd]x|[sd]i|[sb]p))\b", "r32"),
    (r"\b(r(1[0-5]|[89])w|[abcd]x|[sd]i|[sb]p)\b", "r16"),
    (r"\b(r(1[0-5]|[89])b|[abcd][lh]|([sd]i|[sb]p)l)\b", "r8"),
    (r"\b(r(1[0-5]|[89])|r([abcd]x|[sd]i|[sb]p))\b", "r64"),
]]


def compile_object(compiler, source, flags, output):
    """Compiles to an object file."""
    done = run([compiler, *STANDARD, *flags, "-c", source, "-o", output])
    if done.returncode != 0:
        raise CannotJudge(f"{source} does not compile with {' '.join(flags)}:\n{done.stdout}")


def disassemble(path):
    """Demangled function name -> its instructions; relocations are written into the operands."""
    listing = run(["objdump", "--disassemble", "--reloc", "--wide", "--demangle", "--no-show-raw-insn", "-M", "intel",
                   path])
    if listing.returncode != 0:
        raise CannotJudge(f"objdump: {listing.stdout}")
    functions, current = {}, None
    for line in listing.stdout.splitlines():
        header = HEADER.match(line)
        if header:
            current = functions.setdefault(header.group(1), [])
            name = header.group(1)
            continue
        relocation = RELOCATION.match(line)
        if relocation and current:
            # Constants are numbered differently in every object: only the section or symbol counts.
            symbol = re.sub(r"[-+]0x[0-9a-f]+$", "", relocation.group(1))
            symbol = re.sub(r"^\.LC\w+$|^\.rodata.*$", "constant", symbol)
            last = current[-1]
            jump = JUMP.match(last.text)
            if jump:
                last.text = f"{jump.group(1)} {symbol}"
                last.target = None
            else:
                last.text += f" @{symbol}"
            continue
        match = LINE.match(line)
        if match and current is not None:
            text = re.sub(r"\s+#.*$", "", match.group(2)).strip()
            text = re.sub(r"\s+", " ", text)
            instruction = Instruction(int(match.group(1), 16), text)
            jump = JUMP.match(text)
            if jump and re.match(re.escape(name) + r"(\+0x[0-9a-f]+)?$", jump.group(4)):
                instruction.target = int(jump.group(3), 16)
                instruction.text = f"{jump.group(1)}{jump.group(2)}".strip()
            current.append(instruction)
    return functions


def functions_of(compiler, source, flags):
    """Compiles and disassembles."""
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "code.o"
        compile_object(compiler, source, flags, output)
        return disassemble(output)


def select(functions, symbol, many=False):
    """The instructions of the function(s) whose name matches; a split-off cold part does not count as a function."""
    names = [name for name in functions if re.search(symbol, name) and "[clone .cold" not in name]
    if not names or (len(names) > 1 and not many):
        shown = "\n  ".join(names or functions)
        raise CannotJudge(f"'{symbol}' matches {len(names)} functions" + (f":\n  {shown}" if shown else ""))
    return [instruction for name in names for instruction in functions[name]]


def innermost_loop(code, pattern):
    """Of the loops with no loop inside, the instructions of the one with the most matches."""
    loops = [(i.target, i.address) for i in code if i.target is not None and i.target <= i.address]
    bodies = []
    for start, end in loops:
        if not any((s, e) != (start, end) and start <= s and e <= end for s, e in loops):
            bodies.append([i for i in code if start <= i.address <= end])
    best = max(bodies, key=lambda body: len(matches(body, pattern)), default=[])
    if not matches(best, pattern):
        raise CannotJudge(f"no innermost loop with '{pattern}' among {len(bodies)}")
    return best


def matches(code, pattern):
    """The instructions that match."""
    return [i for i in code if re.search(pattern, i.text)]


def normalised(code, any_register=False):
    """Comparable lines: no addresses, no padding; a jump names the instruction it goes to by its number."""
    code = [i for i in code if not PADDING.match(i.text)]
    number = {}
    for index, instruction in enumerate(code):
        number[instruction.address] = index
    lines = []
    for instruction in code:
        text = instruction.text
        if any_register:
            for pattern, name in REGISTERS:
                text = pattern.sub(name, text)
        if instruction.target is not None:
            # A jump to padding goes to what follows it; one out of the extract keeps no number.
            after = [index for address, index in number.items() if address >= instruction.target]
            inside = code and code[0].address <= instruction.target <= code[-1].address
            text += f" -> {min(after)}" if inside and after else " -> out"
        lines.append(text)
    return lines


def judge(options):
    """Whether the statement holds, and what to print."""
    def code_of(path, flags, symbol):
        code = select(functions_of(options.compiler, path, options.flag + flags), symbol, options.many)
        return innermost_loop(code, options.loop) if options.loop else code

    first = code_of(options.file, shlex.split(options.flags_a), options.symbol)
    if options.subcommand in ("count", "absent"):
        found = matches(first, options.pattern)
        low, high = (0, 0) if options.subcommand == "absent" else (options.min, options.max)
        report = f"{len(found)} of {len(first)} instructions match '{options.pattern}'; wanted {low} to {high}"
        report += "".join(f"\n  {i.text}" for i in found[:20])
        return low <= len(found) and (high is None or len(found) <= high), report
    second = code_of(options.file_b or options.file, shlex.split(options.flags_b), options.symbol_b or options.symbol)
    a, b = normalised(first, options.any_register), normalised(second, options.any_register)
    difference = list(difflib.unified_diff(a, b, "a", "b", lineterm="", n=1))
    report = f"{len(a)} and {len(b)} instructions, {'equal' if a == b else 'different'}"
    report += "".join(f"\n  {line}" for line in difference[:60])
    return (a == b) == (options.subcommand == "same"), report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subcommand", required=True, choices=["same", "differ", "count", "absent"])
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--flag", action="append", default=[], help="for every compilation")
    parser.add_argument("--file", type=pathlib.Path, required=True)
    parser.add_argument("--file-b", type=pathlib.Path)
    parser.add_argument("--flags-a", default="")
    parser.add_argument("--flags-b", default="")
    parser.add_argument("--symbol", required=True)
    parser.add_argument("--symbol-b")
    parser.add_argument("--many", action="store_true")
    parser.add_argument("--loop")
    parser.add_argument("--pattern")
    parser.add_argument("--min", type=int, default=0)
    parser.add_argument("--max", type=int)
    parser.add_argument("--any-register", action="store_true")
    parser.add_argument("--red", action="store_true")
    arguments = sys.argv[1:]
    if arguments and not arguments[0].startswith("-"):
        arguments = ["--subcommand", *arguments]
    options = parser.parse_args(arguments)
    need_compiler(options.compiler)
    if options.subcommand in ("count", "absent") and not options.pattern:
        parser.error("--pattern is missing")
    try:
        holds, report = judge(options)
    except CannotJudge as reason:
        print(f"cannot judge: {reason}")
        return 2
    print(report)
    if options.red:
        print("red, as it must be" if not holds else "FAILED: the planted defect was not noticed")
        return 1 if holds else 0
    print("holds" if holds else f"FAILED: {options.subcommand}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
