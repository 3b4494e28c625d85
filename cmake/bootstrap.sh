#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing (Debian), builds the release preset, then runs the main job or the test suite.
set -eu

usage() {
    cat >&2 <<'END'
usage: cmake/bootstrap.sh demo [arguments of resilience]
       cmake/bootstrap.sh test
END
    exit 2
}

[ $# -ge 1 ] || usage
job=$1
shift
case $job in
    demo) ;;
    test) [ $# -eq 0 ] || usage ;;
    *) usage ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd)

have() { command -v "$1" >/dev/null 2>&1; }

# Prints the Debian packages whose tools, headers or files are not there.
missing() {
    have g++ || echo g++
    have cmake || echo cmake
    have ninja || echo ninja-build
    [ -e /usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz ] || echo dataset-fashion-mnist
    if [ "$job" = test ]; then
        have clang++-16 || have clang++-17 || have clang++-18 || have clang++-19 || have clang++-20 || echo clang-16
        { have objdump && have nm && have size; } || echo binutils
        have python3 || echo python3
        [ -e /usr/share/libonnx-testdata/data/node ] || echo libonnx-testdata
        # other processors: cross compilers and emulators
        have aarch64-linux-gnu-g++ || echo g++-aarch64-linux-gnu
        have qemu-aarch64 || echo qemu-user
        have arm-none-eabi-g++ || echo gcc-arm-none-eabi
        have qemu-system-arm || echo qemu-system-arm
        has_header arm-none-eabi-g++ array || echo libstdc++-arm-none-eabi-newlib
    fi
    # One preprocessor run asks for every header, wherever the compiler finds them.
    {
        ask xsimd/xsimd.hpp libxsimd-dev
        ask nlohmann/json.hpp nlohmann-json3-dev
        ask CLI/CLI.hpp libcli11-dev
        ask zlib.h zlib1g-dev
        cat <<'END'
#if !__has_include(<catch2/catch.hpp>) && !__has_include(<catch2/catch_all.hpp>)
package: catch2
#endif
END
        if [ "$job" = test ]; then
            cat <<'END'
#if !__has_include(<Eigen/Core>) && !__has_include(<eigen3/Eigen/Core>)
package: libeigen3-dev
#endif
END
        fi
    } | preprocess | sed -n 's/^package: //p'
}

ask() { printf '#if !__has_include(<%s>)\npackage: %s\n#endif\n' "$1" "$2"; }

has_header() { echo "#include <$2>" | "$1" -std=c++20 -E -x c++ - >/dev/null 2>&1; }

# Without a compiler every header counts as missing.
preprocess() {
    if have g++; then g++ -std=c++20 -E -P -x c++ -; else cat; fi
}

packages=$(missing | tr '\n' ' ')
if [ -n "$packages" ]; then
    if ! have apt-get; then
        echo "bootstrap: this system has no apt-get. Install what these Debian packages hold, then try again:" >&2
        echo "  $packages" >&2
        exit 1
    fi
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        if ! have sudo; then
            echo "bootstrap: as root, run: apt-get install $packages" >&2
            exit 1
        fi
        as_root=sudo
    fi
    echo "bootstrap: installing $packages"
    $as_root apt-get update
    # shellcheck disable=SC2086  # the list is meant to be split
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages
    packages=$(missing | tr '\n' ' ')
    if [ -n "$packages" ]; then
        echo "bootstrap: still missing after the installation: $packages" >&2
        exit 1
    fi
fi

jobs=$(nproc 2>/dev/null || echo 2)

if [ "$job" = demo ]; then
    (cd "$root" && cmake --preset release >/dev/null && cmake --build --preset release -j "$jobs" --target resilience)
    exec "$root/build/release/bin/resilience" "$@"
fi

cd "$root"
cmake --preset release
cmake --build --preset release -j "$jobs"
log=build/release/ctest.log
status=0
ctest --preset release -j "$jobs" --output-log "$log" || status=$?
# The closing line once more, so that it is the last.
grep -E '^[0-9]+% tests passed, [0-9]+ tests failed out of [0-9]+' "$log" || true
exit "$status"
