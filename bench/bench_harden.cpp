// SPDX-License-Identifier: MIT
// What protections of parameters cost: the same inference without and with each of them, in one run. Before a case is timed its logits are
// compared with the unprotected network's, bit for bit, and its status must be clean. Names:
// harden/NUMBER/NETWORK/PROTECTION; `weights` and `space` are bytes of parameters and workspace.
// Pin it to a quiet core: `taskset -c 0 build/bench/bin/bench_harden --benchmark_enable_random_interleaving=true
// --benchmark_repetitions=5 --benchmark_out=harden.json --benchmark_out_format=json`, then `bench/harden_table.py harden.json docs/results/harden.csv`.
#include <redoubt/redoubt.hpp>

#include "support/subject.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace {

using namespace bench;

template <class Net>
void bench_one(benchmark::State& state, const std::string& name) {
    static const auto net = std::make_unique<subject<Net>>();
    static const auto plain = std::make_unique<subject<without_protection<Net>>>();
    const auto& got = net->infer();
    const auto& expected = plain->infer();
    for (std::size_t i = 0; i < got.logits.size(); ++i) {
        if (to_word(got.logits[i]) == to_word(expected.logits[i])) continue;
        std::fprintf(stderr, "%s: output %zu is not the unprotected network's\n", name.c_str(), i);
        std::exit(1);
    }
    if (!(got.status.total() == fault_counters{})) {
        std::fprintf(stderr, "%s: detects faults where there are none\n", name.c_str());
        std::exit(1);
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(net->infer());
        benchmark::ClobberMemory();
    }
    state.counters["weights"] = static_cast<double>(parameter_bytes<Net>);
    state.counters["space"] = static_cast<double>(workspace_bytes<Net>);
}

template <class Net>
void add(const std::string& of, const std::string& protection) {
    const std::string name = "harden/" + std::string{Net::number_type::name} + '/' + of + '/' + protection;
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { bench_one<Net>(state, name); })->Unit(benchmark::kMicrosecond);
}

/// Protections of parameters. Each is a network type of its own: more of them, or more networks, are another unit.
template <class Net>
void add_all(const std::string& of) {
    add<Net>(of, "none");
    add<harden<Net, protect<is_weighted, clip_weights>>>(of, "clip_weights");
    add<harden<Net, protect<is_weighted, parity>>>(of, "parity");
    add<harden<Net, protect<is_weighted, secded>>>(of, "secded");
    add<harden<Net, protect<is_weighted, crc>>>(of, "crc");
    add<harden<Net, protect<is_weighted, tmr_parameters>>>(of, "tmr_parameters");
}

}  // namespace

int main(int argc, char** argv) {
    add_all<model::resnet20<image<3, 32, 32>>>("resnet20");
    add_all<model::resnet18<image<3, 224, 224>>>("resnet18");
    add_all<model::resnet18<image<3, 224, 224>, int8>>("resnet18");
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
