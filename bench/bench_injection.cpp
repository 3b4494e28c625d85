// SPDX-License-Identifier: MIT
// Faults into the weights of a ResNet-18 (11.2 million, fp32) and out again: draw, strike, undo, beside one warm copy of the
// weights, which is what an injector that copies the model pays for each fault pattern; with a record of each fault, and without.
// Bytes a second are bytes of weights, struck and restored.
// Pin it to a quiet core: `taskset -c 0 build/bench/bin/bench_injection --benchmark_enable_random_interleaving=true`.
#include <redoubt/fault/flips.hpp>
#include <redoubt/redoubt.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

namespace rd = redoubt;
using net = rd::model::resnet18<rd::image<3, 32, 32>, rd::float32, 10>;

struct subject {
    std::unique_ptr<rd::parameters<net>> weights = std::make_unique<rd::parameters<net>>();
    std::unique_ptr<rd::parameters<net>> copy = std::make_unique<rd::parameters<net>>();
    std::vector<rd::fault::weight_fault> faults;
    std::vector<rd::fault::bit_address> flips;

    subject() {
        rd::random_stream random{1, {}};
        for (int s = 0; s < net::table.slot_count; ++s)
            for (float& w : weights->weights(s)) w = static_cast<float>(random.unit()) - 0.5f;
        *copy = *weights;
    }
};
subject& the_subject() {
    static subject s;
    return s;
}

std::size_t weight_count() { return static_cast<std::size_t>(rd::fault::weight_bits<net>({}, 0) / 32); }

void copy_of_weights(benchmark::State& state) {
    subject& s = the_subject();
    for (auto _ : state) {
        std::memcpy(s.copy->bytes.data(), s.weights->bytes.data(), s.weights->bytes.size());
        benchmark::DoNotOptimize(s.copy->bytes.data());
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(weight_count() * sizeof(float)));
}

std::string short_of(double rate) {
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), "%g", rate);
    return text.data();
}

/// Strikes and restores, trial after trial; the body returns how many faults there were, where it knows.
template <class Body>
void strike_and_restore(benchmark::State& state, double rate, Body&& body) {
    subject& s = the_subject();
    rd::fault::fault_spec spec;
    spec.rate = rate;
    std::uint64_t trial = 0, struck = 0;
    for (auto _ : state) {
        struck += body(s, trial++, spec);
        benchmark::ClobberMemory();
    }
    if (std::memcmp(s.copy->bytes.data(), s.weights->bytes.data(), s.weights->bytes.size()) != 0)
        state.SkipWithError("the weights were not restored");
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(weight_count() * sizeof(float)));
    if (struck != 0) state.counters["faults/s"] = benchmark::Counter(static_cast<double>(struck), benchmark::Counter::kIsRate);
}

void flips(benchmark::State& state, double rate) {
    strike_and_restore(state, rate, [](subject& s, std::uint64_t trial, const rd::fault::fault_spec& spec) {
        s.flips.clear();
        rd::fault::flip_weights<net>(*s.weights, 1, trial, spec, [&](std::span<const rd::fault::bit_address> some) {
            s.flips.insert(s.flips.end(), some.begin(), some.end());
        });
        benchmark::ClobberMemory();
        for (const rd::fault::bit_address at : s.flips) rd::fault::flip_bit(*s.weights, at);
        return s.flips.size();
    });
}

void masks(benchmark::State& state, double rate) {
    strike_and_restore(state, rate, [](subject& s, std::uint64_t trial, const rd::fault::fault_spec& spec) {
        rd::fault::flip_weights<net>(*s.weights, 1, trial, spec);
        benchmark::ClobberMemory();
        rd::fault::flip_weights<net>(*s.weights, 1, trial, spec);
        return std::size_t{0};
    });
}

void records(benchmark::State& state, double rate) {
    strike_and_restore(state, rate, [](subject& s, std::uint64_t trial, const rd::fault::fault_spec& spec) {
        s.faults.clear();
        rd::fault::draw_weights<net>(1, trial, spec, {}, [&](const rd::fault::weight_fault& f) { s.faults.push_back(f); });
        for (auto& f : s.faults) rd::fault::apply<net>(*s.weights, f);
        benchmark::ClobberMemory();
        for (auto f = s.faults.rbegin(); f != s.faults.rend(); ++f) rd::fault::undo<net>(*s.weights, *f);
        return s.faults.size();
    });
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::RegisterBenchmark("injection/fp32/11.2M/copy", copy_of_weights)->Unit(benchmark::kMicrosecond);
    for (double rate : {1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2}) {
        const std::string at = short_of(rate);
        if (rate <= rd::fault::sparse_limit)
            benchmark::RegisterBenchmark(("injection/fp32/11.2M/flips/" + at).c_str(), flips, rate)->Unit(benchmark::kMicrosecond);
        benchmark::RegisterBenchmark(("injection/fp32/11.2M/records/" + at).c_str(), records, rate)->Unit(benchmark::kMicrosecond);
    }
    for (double rate : {0.01, 0.1, 0.5})
        benchmark::RegisterBenchmark(("injection/fp32/11.2M/masks/" + short_of(rate)).c_str(), masks, rate)->Unit(benchmark::kMicrosecond);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
