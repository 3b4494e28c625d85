// SPDX-License-Identifier: MIT
// Convolution and linear kernels against what the core can do. The first cases measure that peak; every other case
// samples it again and reports its own rate, from executed multiply-adds, as a percentage of it. Single-threaded: pin
// the program to a quiet core, as in `taskset -c 0 build/bench/bin/bench_kernels --benchmark_repetitions=5`.
#include <redoubt/base/philox.hpp>
#include <redoubt/kernel/conv2d.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#if REDOUBT_LEVEL_NUMBER >= 2
#include <immintrin.h>
#endif
#ifdef REDOUBT_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#include <omp.h>
#endif

namespace {

using namespace redoubt;

// ---- the machine's peak: independent accumulators in registers, enough to hide the latency --------------------------

constexpr int chains = 24;

#if REDOUBT_LEVEL_NUMBER >= 4
using float_register = __m512;
inline float_register zero_floats() { return _mm512_setzero_ps(); }
inline float_register multiply_add(float_register a, float_register sum) { return _mm512_fmadd_ps(a, a, sum); }
#elif REDOUBT_LEVEL_NUMBER >= 3
using float_register = __m256;
inline float_register zero_floats() { return _mm256_setzero_ps(); }
inline float_register multiply_add(float_register a, float_register sum) { return _mm256_fmadd_ps(a, a, sum); }
#endif

/// Multiply-adds of `rounds` rounds of fp32 chains; 0 where the instruction set has none.
double run_fp32_chains([[maybe_unused]] int rounds) {
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
    kernel::impl::unrolled<used>([&](auto i) __attribute__((always_inline)) { asm volatile("" : : "v"(sum[i()])); });
    return static_cast<double>(rounds) * used * static_cast<double>(sizeof a / sizeof(float));
#else
    return 0.0;
#endif
}

/// Multiply-adds of `rounds` rounds of VNNI chains; 0 where the instruction set has none.
double run_vnni_chains([[maybe_unused]] int rounds) {
#if REDOUBT_LEVEL_NUMBER >= 5
    __m512i sum[chains], a = _mm512_setzero_si512();
    asm volatile("" : "+v"(a));
    kernel::impl::unrolled<chains>([&](auto i) __attribute__((always_inline)) { sum[i()] = a; });
    for (int round = 0; round < rounds; ++round) {
        asm volatile("" : "+v"(a));
        kernel::impl::unrolled<chains>(
            [&](auto i) __attribute__((always_inline)) { sum[i()] = _mm512_dpbusd_epi32(sum[i()], a, a); });
    }
    kernel::impl::unrolled<chains>([&](auto i) __attribute__((always_inline)) { asm volatile("" : : "v"(sum[i()])); });
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

peak fp32_peak{run_fp32_chains}, vnni_peak{run_vnni_chains};

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

void bench_peak(benchmark::State& state, peak& machine, double (*run)(int)) {
    constexpr int rounds = 100000;
    measure(state, run(rounds), machine, [run] { benchmark::DoNotOptimize(run(rounds)); });
}

// ---- the kernels ----------------------------------------------------------------------------------------------------

kernel::conv_geometry square(int in, int extent, int out, int size, int pad) {
    return {.in = {in, extent, extent}, .out = {out, extent, extent}, .kernel_h = size, .kernel_w = size, .pad = pad};
}

/// Operands of one call, filled with small numbers.
template <number N>
class problem {
public:
    explicit problem(const kernel::conv_geometry& g)
        : in_(static_cast<std::size_t>(g.in.size()) + 3), weights_(layout.size(g)),
          bias_(static_cast<std::size_t>(g.blocks() * kernel::lane_count)),
          out_(static_cast<std::size_t>(g.out.size())) {
        random_stream random{1, {}};
        const auto fill = [&](auto& words) {
            for (auto& word : words) {
                using type = std::remove_reference_t<decltype(word)>;
                if constexpr (std::is_integral_v<type>) word = static_cast<type>(random.below(256));
                else word = static_cast<type>(static_cast<float>(random.unit() - 0.5));
            }
        };
        fill(in_), fill(bias_);
        fill(weights_);  // also its padding lanes: they cost the same whatever they hold
        call.geometry = g;
        call.in = in_.data();
        call.weights = weights_.data();
        call.bias = bias_.data();
        call.out = out_.data();
        call.act = kernel::activation::relu;
        call.scales = {.input = 5, .weight = 7, .output = 4, .residual = 0};
        call.block_end = g.blocks();
    }

    kernel::conv_call<N> call;

private:
    static constexpr kernel::wide_layout layout = kernel::layout_of<N>;
    std::vector<typename N::activation> in_;
    std::vector<typename N::kernel_weight> weights_;
    std::vector<typename N::bias> bias_;
    std::vector<typename N::activation> out_;
};

template <number N>
void bench_direct(benchmark::State& state, const kernel::conv_geometry& g) {
    const problem<N> p{g};
    measure(state, static_cast<double>(g.executed_macs()), N::is_integer ? vnni_peak : fp32_peak,
            [&] { kernel::conv2d<N>(p.call); });
}

#ifdef REDOUBT_BENCH_ONEDNN
/// oneDNN in the layouts it prefers, the reordering not counted.
void bench_onednn(benchmark::State& state, const kernel::conv_geometry& g) {
    using tag = dnnl::memory::format_tag;
    using words = dnnl::memory::data_type;
    omp_set_num_threads(1);
    const dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    const dnnl::memory::desc in{{1, g.in.channels, g.in.height, g.in.width}, words::f32, tag::any};
    const dnnl::memory::desc weights{{g.out.channels, g.in.channels, g.kernel_h, g.kernel_w}, words::f32, tag::any};
    const dnnl::memory::desc bias{{g.out.channels}, words::f32, tag::a};
    const dnnl::memory::desc out{{1, g.out.channels, g.out.height, g.out.width}, words::f32, tag::any};
    dnnl::post_ops relu;
    relu.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(relu);
    const dnnl::convolution_forward::desc what{dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                               in, weights, bias, out, {g.stride, g.stride}, {g.pad, g.pad},
                                               {g.pad, g.pad}};
    const dnnl::convolution_forward::primitive_desc how{what, attributes, engine};
    const dnnl::convolution_forward convolution{how};
    const auto filled = [&](const dnnl::memory::desc& layout) {
        dnnl::memory memory{layout, engine};
        auto* values = static_cast<float*>(memory.get_data_handle());
        random_stream random{1, {}};
        for (std::size_t i = 0; i < layout.get_size() / sizeof(float); ++i)
            values[i] = static_cast<float>(random.unit() - 0.5);
        return memory;
    };
    const std::unordered_map<int, dnnl::memory> operands{{DNNL_ARG_SRC, filled(how.src_desc())},
                                                         {DNNL_ARG_WEIGHTS, filled(how.weights_desc())},
                                                         {DNNL_ARG_BIAS, filled(how.bias_desc())},
                                                         {DNNL_ARG_DST, filled(how.dst_desc())}};
    measure(state, static_cast<double>(g.executed_macs()), fp32_peak, [&] {
        convolution.execute(stream, operands);
        stream.wait();
    });
}
#endif

// ---- the cases ------------------------------------------------------------------------------------------------------

template <class Body>
void add(const std::string& name, Body body) {
    benchmark::RegisterBenchmark(name.c_str(), body)->Unit(benchmark::kMicrosecond);
}

std::string conv_name(std::string_view number, const kernel::conv_geometry& g, std::string_view engine) {
    const auto text = [](int value) { return std::to_string(value); };
    return "conv2d/" + std::string{number} + '/' + text(g.in.channels) + 'x' + text(g.in.height) + 'x' +
           text(g.in.width) + '-' + text(g.out.channels) + '/' + text(g.kernel_h) + 's' + text(g.stride) + 'p' +
           text(g.pad) + '/' + std::string{engine};
}

template <number N>
void add_number() {
    for (const auto& g : {square(64, 56, 64, 3, 1), square(128, 28, 128, 3, 1), square(16, 32, 16, 3, 1),
                          square(32, 16, 32, 3, 1), square(64, 8, 64, 3, 1), square(3, 32, 16, 3, 1)}) {
        add(conv_name(N::name, g, "redoubt_direct"), [g](benchmark::State& state) { bench_direct<N>(state, g); });
#ifdef REDOUBT_BENCH_ONEDNN
        if (std::is_same_v<N, float32> && g.in.channels >= 64 && g.in.height >= 28)
            add(conv_name(N::name, g, "onednn"), [g](benchmark::State& state) { bench_onednn(state, g); });
#endif
    }
    for (const auto& [in, out] : {std::pair{64, 10}, {400, 120}, {1024, 1000}}) {
        const kernel::conv_geometry g{.in = {in, 1, 1}, .out = {out, 1, 1}};
        add("linear/" + std::string{N::name} + '/' + std::to_string(in) + '-' + std::to_string(out) + "/redoubt_direct",
            [g](benchmark::State& state) { bench_direct<N>(state, g); });
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (level >= instruction_level::v3)
        add("peak/fp32/fma", [](benchmark::State& state) { bench_peak(state, fp32_peak, run_fp32_chains); });
    if (level >= instruction_level::v4_vnni)
        add("peak/int8/vnni", [](benchmark::State& state) { bench_peak(state, vnni_peak, run_vnni_chains); });
    add_number<float32>();
    add_number<float16>();
    add_number<int8>();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
