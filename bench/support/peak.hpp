// SPDX-License-Identifier: MIT
// What the core can do, measured in the same run, and the rate of a case as a share of it.
#pragma once

#include <redoubt/kernel/conv2d.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>

#if REDOUBT_LEVEL_NUMBER >= 2
#include <immintrin.h>
#endif

namespace bench {

using namespace redoubt;

// Independent accumulators in registers, enough to hide the latency.
inline constexpr int chains = 24;

#if REDOUBT_LEVEL_NUMBER >= 4
using float_register = __m512;
inline float_register zero_floats() { return _mm512_setzero_ps(); }
inline float_register multiply_add(float_register a, float_register sum) { return _mm512_fmadd_ps(a, a, sum); }
#elif REDOUBT_LEVEL_NUMBER >= 3
using float_register = __m256;
inline float_register zero_floats() { return _mm256_setzero_ps(); }
inline float_register multiply_add(float_register a, float_register sum) { return _mm256_fmadd_ps(a, a, sum); }
#endif

/// Makes the compiler believe that a register is needed.
template <class Register>
[[gnu::always_inline]] inline void keep([[maybe_unused]] Register& value) {
#if REDOUBT_LEVEL_NUMBER >= 3
    asm volatile("" : : "v"(value));
#endif
}

/// Multiply-adds of `rounds` rounds of fp32 chains; 0 where the instruction set has none.
inline double run_fp32_chains([[maybe_unused]] int rounds) {
#if REDOUBT_LEVEL_NUMBER >= 3
    constexpr int used = REDOUBT_LEVEL_NUMBER >= 4 ? chains : 12;
    float_register sum[used], a = zero_floats();
    asm volatile("" : "+v"(a));
    kernel::impl::unrolled<used>([&](auto i) __attribute__((always_inline)) { sum[i()] = a; });
    for (int round = 0; round < rounds; ++round) {
        asm volatile("" : "+v"(a));
        kernel::impl::unrolled<used>(
            [&](auto i) __attribute__((always_inline)) { sum[i()] = multiply_add(a, sum[i()]); });
    }
    kernel::impl::unrolled<used>([&](auto i) __attribute__((always_inline)) { keep(sum[i()]); });
    return static_cast<double>(rounds) * used * static_cast<double>(sizeof a / sizeof(float));
#else
    return 0.0;
#endif
}

/// Multiply-adds of `rounds` rounds of VNNI chains; 0 where the instruction set has none.
inline double run_vnni_chains([[maybe_unused]] int rounds) {
#if REDOUBT_LEVEL_NUMBER >= 5
    __m512i sum[chains], a = _mm512_setzero_si512();
    asm volatile("" : "+v"(a));
    kernel::impl::unrolled<chains>([&](auto i) __attribute__((always_inline)) { sum[i()] = a; });
    for (int round = 0; round < rounds; ++round) {
        asm volatile("" : "+v"(a));
        kernel::impl::unrolled<chains>(
            [&](auto i) __attribute__((always_inline)) { sum[i()] = _mm512_dpbusd_epi32(sum[i()], a, a); });
    }
    kernel::impl::unrolled<chains>([&](auto i) __attribute__((always_inline)) { keep(sum[i()]); });
    return static_cast<double>(rounds) * chains * 64.0;
#else
    return 0.0;
#endif
}

/// The best rate seen so far in this run, in multiply-adds a second.
class peak {
public:
    explicit peak(double (*chains_of)(int)) : run_{chains_of} {}

    /// The best rate after a few more samples of about a millisecond; 0 where there is nothing to run.
    double sample() {
        for (int i = 0; i < 5; ++i) {
            const std::clock_t start = std::clock();
            const double macs = run_(100000);
            const auto seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
            if (macs > 0.0 && seconds > 0.0) best_ = std::max(best_, macs / seconds);
        }
        return best_;
    }

private:
    double (*run_)(int);
    double best_ = 0.0;
};

inline peak fp32_peak{run_fp32_chains}, vnni_peak{run_vnni_chains};

/// Runs `body` as the state asks and reports the rate, `macs` a run; one multiply-add is two operations. CPU time, so
/// that a shared core disturbs less.
template <class Body>
void measure(benchmark::State& state, double macs, peak& machine, Body body) {
    machine.sample();
    const std::clock_t start = std::clock();
    for (auto _ : state) {
        body();
        benchmark::ClobberMemory();
    }
    const auto seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    const double rate = macs * static_cast<double>(state.iterations()) / seconds, best = machine.sample();
    state.counters["FLOP/s"] = 2.0 * rate;
    if (best > 0.0) state.counters["%peak"] = 100.0 * rate / best;
}

inline void bench_peak(benchmark::State& state, peak& machine, double (*run)(int)) {
    constexpr int rounds = 100000;
    measure(state, run(rounds), machine, [run] { benchmark::DoNotOptimize(run(rounds)); });
}

/// The peak cases, for a program to register: what the percentages of the others refer to.
inline void add_peaks() {
    if (level >= instruction_level::v3)
        benchmark::RegisterBenchmark("peak/fp32/fma", [](benchmark::State& state) {
            bench_peak(state, fp32_peak, run_fp32_chains);
        })->Unit(benchmark::kMicrosecond);
    if (level >= instruction_level::v4_vnni)
        benchmark::RegisterBenchmark("peak/int8/vnni", [](benchmark::State& state) {
            bench_peak(state, vnni_peak, run_vnni_chains);
        })->Unit(benchmark::kMicrosecond);
}

}  // namespace bench
