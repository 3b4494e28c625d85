// SPDX-License-Identifier: MIT
// What pruning turns into time: networks of thumbnails, whole, with half of the channels of each layer that can lose some, and with half in blocks of 16, each without protection and with channels computed twice.
// Names: harden/NUMBER/NETWORK-KIND/PROTECTION. Pin it to a quiet core:
// `taskset -c 0 build/bench/bin/bench_prune --benchmark_enable_random_interleaving=true --benchmark_repetitions=5`.
#include <benchmark/benchmark.h>

BENCHMARK_MAIN();
