// SPDX-License-Identifier: MIT
// What protections cost: the same inference without and with each of them, in one run. Before a case is timed its outputs are
// compared with the unprotected network's, bit for bit, and its status must be clean. Each file beside this one registers some networks.
#pragma once

#include "support/subject.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace bench {

template <class W> inline constexpr bool is_zero_space = false;
template <class... L> inline constexpr bool is_zero_space<zero_space<L...>> = true;
/// Whether stored weights are not exactly those of the unprotected network: a function without exact inverse, or small ones.
template <class Net>
inline constexpr bool saturates = []<class... W>(pack<W...>) {
    return ((requires { W::transform::bound; } || is_zero_space<W>) || ...);
}(typename Net::wrappers{});
/// Whether parameters are looked at by scrub() alone: it runs before each inference then.
template <class Net>
inline constexpr bool is_scrubbed = []<class... W>(pack<W...>) {
    return (requires { requires W::store::only_scrubbed; } || ...);
}(typename Net::wrappers{});

/// Times the steps from `First`: 0 for whole inferences, 1 to leave the image's conversion out of a layer's time.
template <class Net, int First>
void bench_protected(benchmark::State& state, const std::string& name) {
    static const auto net = std::make_unique<subject<Net>>();
    static const auto plain = std::make_unique<subject<without_protection<Net>>>();
    const auto& got = net->infer();
    const auto& expected = plain->infer();
    // functions of weights have an inverse that rounds
    for (std::size_t i = 0; i < got.logits.size() && !saturates<Net>; ++i) {
        if (to_word(got.logits[i]) == to_word(expected.logits[i])) continue;
        std::fprintf(stderr, "%s: output %zu is not the unprotected network's\n", name.c_str(), i);
        std::exit(1);
    }
    if (!(got.status.total() == fault_counters{})) {
        std::fprintf(stderr, "%s: detects faults where there are none\n", name.c_str());
        std::exit(1);
    }
    for (auto _ : state) {
        if constexpr (is_scrubbed<Net>) benchmark::DoNotOptimize(net->scrub());
        if constexpr (First == 0) benchmark::DoNotOptimize(net->infer());
        else net->template rerun<First>();
        benchmark::ClobberMemory();
    }
    state.counters["weights"] = static_cast<double>(parameter_bytes<Net>);
    state.counters["space"] = static_cast<double>(workspace_bytes<Net>);
}

template <class Net, int First>
void add_protected(const std::string& of, const std::string& protection) {
    const std::string name = "harden/" + std::string{Net::number_type::name} + '/' + of + '/' + protection;
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { bench_protected<Net, First>(state, name); })
        ->Unit(benchmark::kMicrosecond);
}

template <class... Layers> struct softsign : basic_saf<saturation::softsign, 1, 1, Layers...> {};
template <class... Layers> struct hardtanh : basic_saf<saturation::hardtanh, 1, 1, Layers...> {};

/// Every protection around every layer that has parameters; duplicates where there are blocks of channels to duplicate.
template <class Net, int First = 0>
int add_protections(const std::string& of) {
    add_protected<Net, First>(of, "none");
    add_protected<harden<Net, protect<is_weighted, range>>, First>(of, "range");
    add_protected<harden<Net, protect<is_weighted, range_neurons>>, First>(of, "range_neurons");
    add_protected<harden<Net, protect<is_weighted, clip_weights>>, First>(of, "clip_weights");
    add_protected<harden<Net, protect<is_weighted, parity>>, First>(of, "parity");
    add_protected<harden<Net, protect<is_weighted, secded>>, First>(of, "secded");
    add_protected<harden<Net, protect<is_weighted, scrubbed_secded>>, First>(of, "scrubbed_secded");
    add_protected<harden<Net, protect<is_weighted, crc>>, First>(of, "crc");
    add_protected<harden<Net, protect<is_weighted, tmr_parameters>>, First>(of, "tmr_parameters");
    add_protected<harden<Net, protect<is_weighted, saf>>, First>(of, "saf");
    add_protected<harden<Net, protect<is_weighted, softsign>>, First>(of, "softsign");
    add_protected<harden<Net, protect<is_weighted, hardtanh>>, First>(of, "hardtanh");
    if constexpr (Net::number_type::is_integer) add_protected<harden<Net, protect<is_weighted, zero_space>>, First>(of, "zero_space");
    else add_protected<harden<Net, protect<is_weighted, scale>>, First>(of, "scale");
    add_protected<harden<Net, protect<is_weighted, abft>>, First>(of, "abft");
    add_protected<harden<Net, duplicate_share<15>>, First>(of, "duplicate15");
    add_protected<harden<Net, duplicate_share<30>>, First>(of, "duplicate30");
    add_protected<harden<Net, duplicate_share<30, triplicate>>, First>(of, "triplicate30");
    add_protected<harden<Net, protect<is_weighted, dmr>>, First>(of, "dmr");
    add_protected<harden<Net, protect<is_weighted, dmr>, protect<is_weighted, diverse>>, First>(of, "diverse_dmr");
    add_protected<harden<Net, protect<is_weighted, tmr>>, First>(of, "tmr");
    return 0;
}

/// One 3x3 convolution with ReLU, without the image's conversion.
template <class N, int Channels, int Size, int Groups = 1>
int add_layer(const std::string& of) {
    return add_protections<network<image<Channels, Size, Size>, N,
                                   conv2d<conv_spec{.out = Channels, .kernel = 3, .pad = 1, .groups = Groups}>, relu>,
                           1>(of);
}

}  // namespace bench
