# SPDX-License-Identifier: MIT
"""The same inference on this machine and on an emulated Cortex-M7: the answers must be equal bit for bit. The host program
writes parameters and image, the device program holds them in read-only memory. Also prints the device program's sizes."""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

from common import SKIPPED, STANDARD, WARNINGS, fail, run

CPU = ["-mcpu=cortex-m7", "-mthumb"]
FPUS = {"double precision FPU": ["-mfpu=fpv5-d16", "-mfloat-abi=hard"], "no FPU": ["-mfloat-abi=soft"]}
FLAGS = ["-O2", "-DREDOUBT_NO_SIMD=1", "-fno-exceptions", "-fno-rtti", "-ffunction-sections", "-fdata-sections", "-Werror"]
EMULATOR = ["qemu-system-arm", "-M", "mps2-an500", "-display", "none", "-monitor", "none", "-serial", "none", "-chardev",
            "stdio,id=console", "-semihosting-config", "enable=on,target=native,chardev=console", "-kernel"]


def need_tools(compiler, folder):
    for tool in (compiler, EMULATOR[0]):
        if not shutil.which(tool):
            print(f"skipped: {tool} is not installed")
            sys.exit(SKIPPED)
    probe = folder / "probe.cpp"
    probe.write_text("#include <array>\n", encoding="utf-8")
    if run([compiler, *STANDARD, *CPU, "-fsyntax-only", probe]).returncode != 0:
        print(f"skipped: {compiler} has no C++ library (Debian: libstdc++-arm-none-eabi-newlib)")
        sys.exit(SKIPPED)


def build(options, fpu, folder):
    program = folder / "device.elf"
    sources = options.source_dir / "tests" / "cortex_m"
    built = run([options.compiler, *STANDARD, *WARNINGS, *CPU, *fpu, *FLAGS, f"-I{options.source_dir / 'include'}",
                 f"-I{options.source_dir / 'tests'}", f"-Wa,-I,{folder}", sources / "device.cpp", sources / "board.cpp",
                 "-nostartfiles", "-Wl,--gc-sections", "-T", sources / "board.ld", "-o", program])
    if built.returncode != 0:
        fail(f"does not build:\n{built.stdout}")
    return program


def sections(compiler, program):
    """Bytes of each section of the program."""
    tool = compiler.removesuffix("g++") + "size"
    listing = run([tool, "-A", program]).stdout.splitlines()
    words = [line.split() for line in listing if line.startswith(".")]
    return {name: int(size) for name, size, *_ in words}


def compare(options, program, folder, expected):
    """Runs the device program: its first lines must be the expected ones."""
    try:
        device = subprocess.run([*EMULATOR, program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        fail("the device program does not end")
    print(device.stdout.rstrip())
    size = sections(options.compiler, program)
    blocks = sum((folder / name).stat().st_size for name in ("lenet.int8", "lenet.fp32", "image"))
    print(f"device: code {size['.text']} bytes, constants {size['.rodata'] - blocks} bytes and {blocks} of parameters "
          f"and image, data {size.get('.data', 0) + size.get('.bss', 0)} bytes")
    if device.returncode != 0:
        fail(f"the device program ended with {device.returncode}")
    lines = expected.splitlines()
    if not lines or device.stdout.splitlines()[:len(lines)] != lines:
        fail(f"the host answers otherwise:\n{expected}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", default="arm-none-eabi-g++")
    parser.add_argument("--host", type=pathlib.Path, required=True, help="the program cortex_m_host")
    parser.add_argument("--source-dir", type=pathlib.Path, required=True)
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        need_tools(options.compiler, folder)
        weights = options.source_dir / "examples" / "weights" / "lenet5-fashion-mnist.safetensors"
        host = run([options.host, weights, options.data, folder])
        if host.returncode != 0:
            fail(f"the host program ended with {host.returncode}:\n{host.stdout}")
        for name, fpu in FPUS.items():
            print(f"--- {name}")
            compare(options, build(options, fpu, folder), folder, host.stdout)
    print("the same answers, bit for bit")


if __name__ == "__main__":
    main()
