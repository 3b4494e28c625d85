// SPDX-License-Identifier: MIT
// Training steps: ResNet-20 on 32x32 colour images, batches of 128, forward, backward and SGD with momentum; images a second in wall time.
// Names: training/resnet20/THREADS; and infer/NUMBER/NETWORK, what networks cost in use whose norms follow a clip, beside those whose norms are folded. `bench/training_with_pytorch.py` measures PyTorch beside it. Pin it to as many quiet cores as threads:
// `taskset -c 0 build/bench/bin/bench_training --benchmark_filter=/1`.
#include <redoubt/model/clipped_resnet_cifar.hpp>
#include <redoubt/model/resnet_cifar.hpp>
#include <redoubt/train/trainer.hpp>

#include "support/subject.hpp"
#include "support/threads.hpp"

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace redoubt;
using net = model::resnet20<image<3, 32, 32>>;
constexpr std::size_t images = 128;

/// Multiply-adds of a step: each convolution forward, to its weights, and to its inputs where these are not the image's.
double executed_macs() {
    double macs = 0.0;
    for (const step& s : net::table.steps)
        if (s.kind == op::convolution) macs += static_cast<double>(s.geometry.executed_macs()) * (s.in == 0 ? 2.0 : 3.0);
    return macs * static_cast<double>(images);
}

void bench_step(benchmark::State& state, unsigned threads) {
    train::recipe by;
    by.optimiser.decay = 1e-4;
    by.schedule.rate = 0.01;
    by.threads = threads;
    train::trainer<net> t{by};
    random_stream random{1, {}};
    std::vector<float> pixels(images * static_cast<std::size_t>(net::input_shape.size()));
    for (float& p : pixels) p = static_cast<float>(random.unit() * 3.4 - 1.7);
    std::vector<int> labels(images);
    for (int& l : labels) l = static_cast<int>(random.below(10));
    for (int i = 0; i < 2; ++i) static_cast<void>(t.step(pixels, labels));  // memory is touched
    bench::measure_on(state, threads, executed_macs(), [&] { benchmark::DoNotOptimize(t.step(pixels, labels)->loss); });
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(images));
}

template <network_type Net>
void add_inference(const char* name) {
    benchmark::RegisterBenchmark((std::string{"infer/"} + std::string{Net::number_type::name} + "/" + name).c_str(), [](benchmark::State& state) {
        const auto subject = std::make_unique<bench::subject<Net>>();
        for (auto _ : state) benchmark::DoNotOptimize(subject->infer().logits[0]);
    })->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
    for (const unsigned threads : {1u, 2u})
        benchmark::RegisterBenchmark(("training/resnet20/" + std::to_string(threads)).c_str(), [=](benchmark::State& state) { bench_step(state, threads); })
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
    using clipped = model::clipped_resnet20<image<3, 32, 32>>;
    add_inference<net>("resnet20");
    add_inference<clipped>("clipped_resnet20");
    add_inference<with_number<net, int8>>("resnet20");
    add_inference<with_number<clipped, int8>>("clipped_resnet20");
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
