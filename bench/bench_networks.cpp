// SPDX-License-Identifier: MIT
// Whole inferences: our networks beside the same networks as chains of oneDNN primitives, one image, one thread, with
// biases, activations and residual adds fused and weights packed ahead. Every oneDNN chain is compared with infer()
// before it is timed. Rates count executed multiply-adds; `space` and `weights` are bytes of workspace and parameters,
// `least_space` and `least_weights` what nobody can do without (values alive at once; logical weights and biases).
// Names: network/NETWORK/NUMBER/ENGINE, and batch/NETWORK/NUMBER/IMAGESxTHREADS for many images on several threads. Pin it to a quiet core: `taskset -c 0 build/bench/bin/bench_networks`.
#include <redoubt/campaign/infer_all.hpp>
#include <redoubt/redoubt.hpp>

#include "support/peak.hpp"
#include "support/subject.hpp"
#include "support/threads.hpp"
#ifdef REDOUBT_BENCH_ONEDNN
#include "support/onednn_chain.hpp"
#endif

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace bench;

template <class Body>
void add(const std::string& name, Body body) {
    benchmark::RegisterBenchmark(name.c_str(), body)->Unit(benchmark::kMicrosecond);
}

template <class Net>
void bench_ours(benchmark::State& state) {
    using N = typename Net::number_type;
    static const auto net = std::make_unique<subject<Net>>();
    measure(state, executed_macs<Net>(), N::is_integer ? vnni_peak : fp32_peak, [&] { net->infer(); });
    state.counters["space"] = static_cast<double>(workspace_bytes<Net>);
    state.counters["least_space"] = least_space<Net>();
    state.counters["weights"] = static_cast<double>(parameter_bytes<Net>);
    state.counters["least_weights"] = least_weights<Net>();
}

#ifdef REDOUBT_BENCH_ONEDNN
/// Ends the program when a chain computes something else than infer(): what follows would compare nothing.
void require_equal(const std::string& name, std::span<const float> ours, std::span<const float> theirs, float tolerance) {
    float most = 0.0f, apart = 0.0f;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        most = std::max(most, std::abs(ours[i]));
        apart = std::max(apart, std::abs(ours[i] - theirs[i]));
    }
    if (apart <= tolerance * most) return;
    std::fprintf(stderr, "%s: oneDNN's outputs differ from infer()'s by %g of the largest, more than %g\n", name.c_str(),
                 static_cast<double>(apart / most), static_cast<double>(tolerance));
    std::exit(1);
}

template <class Net>
std::unique_ptr<onednn::chain> checked_chain(const std::string& name, dnnl::algorithm algorithm) {
    using N = typename Net::number_type;
    using base = with_number<Net, float32>;
    subject<Net> ours;
    onednn::blueprint plan;
    if constexpr (N::is_integer) plan = onednn::blueprint::of<base, Net>(*drawn_parameters<base>(), ours.parameters());
    else plan = onednn::blueprint::of<base>(ours.parameters());
    auto chain = std::make_unique<onednn::chain>(std::move(plan), algorithm);
    chain->set_image(ours.image());
    chain->run();
    // int8: both round a product's sum once, but ours has the residual in the accumulator
    require_equal(name, ours.infer().logits, chain->outputs(), N::is_integer ? 0.05f : 1e-4f);
    return chain;
}

template <class Net, dnnl::algorithm Algorithm>
void bench_onednn(benchmark::State& state, const std::string& name) {
    static const auto chain = checked_chain<Net>(name, Algorithm);
    measure(state, executed_macs<Net>(), Net::number_type::is_integer ? vnni_peak : fp32_peak, [&] { chain->run(); });
}
#endif

/// One network in one number on every engine. `redoubt_direct` is canonical; a fast, not canonical one will be `redoubt`.
template <class Net>
void add_engines(const std::string& network) {
    using N = typename Net::number_type;
    const std::string name = "network/" + network + '/' + std::string{N::name} + '/';
    add(name + "redoubt_direct", bench_ours<Net>);
#ifdef REDOUBT_BENCH_ONEDNN
    if constexpr (std::is_same_v<N, float32> || N::is_integer) {
        const std::string automatic = name + "onednn", direct = name + "onednn_direct";
        add(automatic, [=](benchmark::State& s) { bench_onednn<Net, dnnl::algorithm::convolution_auto>(s, automatic); });
        add(direct, [=](benchmark::State& s) { bench_onednn<Net, dnnl::algorithm::convolution_direct>(s, direct); });
    }
#endif
}

template <class Net>
void add_network(const std::string& name) {
    add_engines<Net>(name);
    add_engines<with_number<Net, float16>>(name);
    add_engines<with_number<Net, int8>>(name);
}

using small = model::resnet20<image<3, 32, 32>>;

void bench_batch(benchmark::State& state, unsigned threads) {
    constexpr std::uint32_t count = 64;
    const auto weights = converted_parameters<small>();
    std::vector<float> images;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto one = drawn_image<small>(i);
        images.insert(images.end(), one.begin(), one.end());
    }
    redoubt::state<small> memory;
    std::vector<answer<small>> answers(count);
    measure_on(state, threads, count * executed_macs<small>(),
               [&] { campaign::infer_all<small>(*weights, memory, images, std::span{answers}, threads); });
}

void bench_peak_on(benchmark::State& state, unsigned threads) {
    for (auto _ : state) peak_on(threads);
    state.counters["FLOP/s"] = 2.0 * peak_on(threads);
}

}  // namespace

int main(int argc, char** argv) {
    add_peaks();
    add("peak/fp32/fma/2", [](benchmark::State& state) { bench_peak_on(state, 2); });
    add_network<small>("resnet20");
    add_network<model::resnet18<image<3, 224, 224>>>("resnet18");
    add_network<model::mobilenet_v2<image<3, 224, 224>>>("mobilenet_v2");
    add_network<model::vgg16<image<3, 224, 224>>>("vgg16");
    for (unsigned threads : {1u, 2u})
        add("batch/resnet20/fp32/64x" + std::to_string(threads), [=](benchmark::State& state) { bench_batch(state, threads); });
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
