// SPDX-License-Identifier: MIT
// Single faults on ResNet-20: inferences that compute only what the fault can reach beside whole ones of our own kernels, whose
// outcomes are compared bit for bit first. Each fault is drawn uniformly over bits. Cases:
//   campaign/SHAPE/SPACE/IMAGES/{whole,cone}   SPACE: weights, stage3 (weights of the 64-channel stage), features
//   campaign/SHAPE/weights/IMAGES/cone/2       the same on two threads, each with parameters of its own
//   campaign/SHAPE/weights/IMAGES/margin       a campaign until the sequential interval of SDC-1 is within one point; its `faults`
// Rates are struck inferences a second, `faults` of the first kinds struck faults a second. Pin those of one thread:
// `taskset -c 0 build/bench/bin/bench_campaign`.
#include <redoubt/campaign/cone.hpp>
#include <redoubt/campaign/sequential.hpp>
#include <redoubt/campaign/summary.hpp>
#include <redoubt/fault/features.hpp>
#include <redoubt/io/checkpoint.hpp>
#include <redoubt/redoubt.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace {

namespace rd = redoubt;
constexpr int faults = 256;

template <class Net>
struct subject {
    std::unique_ptr<rd::parameters<Net>> weights = std::make_unique<rd::parameters<Net>>();
    std::unique_ptr<rd::workspace<Net>> space = std::make_unique<rd::workspace<Net>>();
    rd::state<Net> memory{};
    rd::campaign::overlay<Net> over;
    std::vector<std::vector<float>> images;
    std::vector<rd::campaign::trace<Net>> traces;
    std::vector<std::uint64_t> chosen{0};
    std::vector<rd::fault::inference_fault> drawn{std::vector<rd::fault::inference_fault>(4)};
    std::vector<rd::kernel::output_fault> in_order{std::vector<rd::kernel::output_fault>(4)};

    explicit subject(const char* file) {
        // trained weights where their shape fits, since what rectification masks depends on them
        const auto read = rd::io::read_safetensors(file);
        if (!read || !rd::io::load<Net>(*read, file, *weights)) {
            rd::random_stream random{3, {}};
            for (int s = 0; s < Net::table.slot_count; ++s) {
                const int fan = Net::table.slots[static_cast<std::size_t>(s)].geometry.fan_in();
                float size = 2.0f;
                while (size * size * static_cast<float>(fan) > 6.0f) size *= 0.5f;
                for (float& w : weights->weights(s)) w = (2.0f * static_cast<float>(random.unit()) - 1.0f) * size;
            }
        }
        rd::random_stream random{4, {}};
        for (int i = 0; i < 100; ++i) {
            std::vector<float> image(static_cast<std::size_t>(Net::input_shape.size()));
            for (float& v : image) v = 2.0f * static_cast<float>(random.unit()) - 0.8f;
            traces.push_back(rd::campaign::record_trace<Net>(*weights, image, over));
            images.push_back(std::move(image));
        }
    }

    /// Fault number n of a space over images [0, count); sink(answer, image) takes each answer.
    template <bool Cone, class Sink>
    void strike(const rd::fault::fault_spec& spec, bool features, int n, int first, int count, Sink&& sink) {
        rd::campaign::strike<Net> what;
        std::vector<rd::fault::weight_fault> struck;
        rd::fault::bit_flips policy{drawn, in_order};
        if (!features)
            rd::fault::draw_weights<Net>(5, static_cast<std::uint64_t>(n), spec, chosen, [&](const rd::fault::weight_fault& f) { struck.push_back(f); });
        for (auto& f : struck) {
            rd::fault::apply<Net>(*weights, f);
            rd::campaign::mark(what, f);
        }
        for (int i = first; i < first + count; ++i) {
            const auto at = static_cast<std::size_t>(i);
            if (features) {
                rd::fault::draw_inference<Net>(5, static_cast<std::uint64_t>(n), static_cast<std::uint32_t>(i), spec,
                                               rd::fault::inference_space::features, chosen, policy);
                what.faults = policy.faults();
            }
            if constexpr (Cone) sink(rd::campaign::infer_struck<Net>(*weights, traces[at], what, over), i);
            else if (features) sink(rd::infer<Net>(*weights, memory, images[at], *space, policy), i);
            else sink(rd::infer<Net>(*weights, memory, images[at], *space), i);
        }
        for (auto f = struck.rbegin(); f != struck.rend(); ++f) rd::fault::undo<Net>(*weights, *f);
    }
};

/// Single faults until the rate of SDC-1 is known within one point, looked at as campaigns do.
template <class Net>
void to_margin(subject<Net>& s, const rd::fault::fault_spec& spec, int images, benchmark::State& state) {
    int n = 0;
    double rate = 0.0;
    for (auto _ : state) {
        rd::campaign::sequential_mean sdc1;
        rd::campaign::estimate seen;
        n = 0;
        do {
            for (const int end = rd::campaign::next_look(n, 1'000'000); n < end; ++n) {
                int changed = 0;
                s.template strike<true>(spec, false, n, images == 1 ? n % 100 : 0, images, [&](const auto& a, int i) {
                    changed += a.top1() != s.traces[static_cast<std::size_t>(i)].golden.top1() ? 1 : 0;
                });
                sdc1.add(static_cast<double>(changed) / images);
            }
            seen = {sdc1.rate(), sdc1.bounds()};
        } while (!rd::campaign::within(seen, 0.01));
        rate = seen.rate;
    }
    state.SetItemsProcessed(state.iterations() * n * images);
    state.counters["faults"] = n;
    state.counters["sdc1"] = rate;
}

template <class Net>
void add(const std::string& shape, const char* file) {
    static std::array<subject<Net>, 2> of_thread{subject<Net>{file}, subject<Net>{file}};
    subject<Net>& s = of_thread[0];
    rd::fault::fault_spec any;
    any.count = 1;
    const auto spec_of = [any](const std::string& space, int n) {
        rd::fault::fault_spec spec = any;
        if (space != "stage3") return spec;
        std::vector<int> slots;
        for (int i = 0; i < Net::table.slot_count; ++i)
            if (Net::table.slots[static_cast<std::size_t>(i)].name.view().starts_with("layer3")) slots.push_back(i);
        // all but the first have the same size, so that turns are as good as a draw
        spec.only_slot = slots[static_cast<std::size_t>(n) % slots.size()];
        return spec;
    };
    for (const std::string space : {"weights", "stage3", "features"}) {
        int wrong = 0;
        for (int n = 0; n < 32; ++n) {
            std::vector<std::array<float, static_cast<std::size_t>(Net::outputs)>> whole(100);
            s.template strike<false>(spec_of(space, n), space == "features", n, 0, 100, [&](const auto& a, int i) { whole[static_cast<std::size_t>(i)] = a.logits; });
            s.template strike<true>(spec_of(space, n), space == "features", n, 0, 100, [&](const auto& a, int i) {
                wrong += std::memcmp(a.logits.data(), whole[static_cast<std::size_t>(i)].data(), sizeof(a.logits)) != 0 ? 1 : 0;
            });
        }
        if (wrong != 0) {
            std::fprintf(stderr, "%s: %d of 3200 answers differ from a whole inference\n", space.c_str(), wrong);
            std::exit(1);
        }
        for (const int images : {100, 1}) {
            const std::string name = "campaign/" + shape + "/" + space + "/" + std::to_string(images);
            const auto run = [=]<bool Cone>(std::bool_constant<Cone>, benchmark::State& state) {
                subject<Net>& own = of_thread[static_cast<std::size_t>(state.thread_index())];
                int n = state.thread_index() * 128;
                for (auto _ : state) {
                    // one image at a time: another for each fault
                    own.template strike<Cone>(spec_of(space, n), space == "features", n % (images == 1 ? 100000 : faults),
                                            images == 1 ? n % 100 : 0, images, [](const auto& a, int) { benchmark::DoNotOptimize(a.logits[0]); });
                    ++n;
                }
                state.SetItemsProcessed(state.iterations() * images);
                state.counters["faults"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
            };
            benchmark::RegisterBenchmark((name + "/whole").c_str(), [=](benchmark::State& st) { run(std::false_type{}, st); })->Unit(benchmark::kMicrosecond);
            benchmark::RegisterBenchmark((name + "/cone").c_str(), [=](benchmark::State& st) { run(std::true_type{}, st); })->Unit(benchmark::kMicrosecond);
            if (space != "weights") continue;
            benchmark::RegisterBenchmark((name + "/cone/2").c_str(), [=](benchmark::State& st) { run(std::true_type{}, st); })
                ->Unit(benchmark::kMicrosecond)->Threads(2)->UseRealTime();
            benchmark::RegisterBenchmark((name + "/margin").c_str(), [=](benchmark::State& st) { to_margin(of_thread[0], any, images, st); })
                ->Unit(benchmark::kMillisecond);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    add<rd::model::resnet20<rd::image<1, 28, 28>>>("resnet20-1x28x28", REDOUBT_BENCH_WEIGHTS "/resnet20-fashion-mnist.safetensors");
    add<rd::model::resnet20<rd::image<3, 32, 32>>>("resnet20-3x32x32", "");
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
