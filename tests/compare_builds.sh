#!/bin/sh
# SPDX-License-Identifier: MIT
# The same campaign in builds for different instruction sets: int8 must not differ anywhere, fp32 not between AVX2 and
# AVX-512 (nor, in fact, from the scalar build). Builds the presets scalar, v3 and v4 first; needs a machine with AVX-512.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
for preset in scalar v3 v4; do
    cmake --preset "$preset" -DREDOUBT_TESTS=OFF -DREDOUBT_EXAMPLE_NETWORKS=resnet20 >/dev/null
    cmake --build --preset "$preset" --target resilience
done
check() {
    number=$1
    shift
    python3 -B tests/scripts/main_job.py reproducible "$@" -- --number "$number" --trials 3 --images 6 --calibration 40
}
check int8 --program build/scalar/bin/resilience --program build/v3/bin/resilience --program build/v4/bin/resilience
check fp32 --program build/v3/bin/resilience --program build/v4/bin/resilience
check fp32 --program build/scalar/bin/resilience --program build/v4/bin/resilience
check fp16 --program build/v3/bin/resilience --program build/v4/bin/resilience
echo "identical on every instruction set"
