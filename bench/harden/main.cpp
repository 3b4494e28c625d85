// SPDX-License-Identifier: MIT
// What protections cost, on single layers and networks. Names: harden/NUMBER/LAYER or NETWORK/PROTECTION; `weights` and `space` are
// bytes of parameters and workspace. Pin it to a quiet core:
// `taskset -c 0 build/bench/bin/bench_harden --benchmark_enable_random_interleaving=true --benchmark_repetitions=5
// --benchmark_out=harden.json --benchmark_out_format=json`, then `bench/harden_table.py harden.json docs/results/harden.csv`.
#include <benchmark/benchmark.h>

BENCHMARK_MAIN();
