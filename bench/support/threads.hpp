// SPDX-License-Identifier: MIT
// What several threads reach together, in wall time: threads wait for each other.
#pragma once

#include "support/peak.hpp"

#include <redoubt/campaign/parallel.hpp>

#include <chrono>
#include <map>

namespace bench {

/// Best rate of fp32 multiply-adds in registers that this many threads have reached in this run, after a few samples more.
inline double peak_on(unsigned threads) {
    static std::map<unsigned, double> best;
    double& mine = best[threads];
    for (int i = 0; i < 5; ++i) {
        constexpr int rounds = 300000;
        const auto start = std::chrono::steady_clock::now();
        double macs = 0.0;
        campaign::parallel_for(threads, threads, [] { return 0; }, [&](int, std::size_t which) {
            const double done = run_fp32_chains(rounds);
            if (which == 0) macs = done * threads;
        });
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        mine = std::max(mine, macs / seconds.count());
    }
    return mine;
}

/// As measure(), of a body that runs on several threads.
template <class Body>
void measure_on(benchmark::State& state, unsigned threads, double macs, Body body) {
    peak_on(threads);
    const auto start = std::chrono::steady_clock::now();
    for (auto _ : state) {
        body();
        benchmark::ClobberMemory();
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const double rate = macs * static_cast<double>(state.iterations()) / seconds.count(), most = peak_on(threads);
    state.counters["FLOP/s"] = 2.0 * rate;
    if (most > 0.0) state.counters["%peak"] = 100.0 * rate / most;
}

}  // namespace bench
