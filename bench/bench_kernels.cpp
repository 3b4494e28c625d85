// SPDX-License-Identifier: MIT
// Convolution and linear kernels against what the core can do. The first cases measure that peak; every other case
// samples it again and reports its own rate, from executed multiply-adds, as a percentage of it. Single-threaded: pin
// the program to a quiet core, as in `taskset -c 0 build/bench/bin/bench_kernels --benchmark_repetitions=5`.
#include <redoubt/base/philox.hpp>
#include <redoubt/kernel/conv2d.hpp>

#include "support/peak.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#ifdef REDOUBT_BENCH_ONEDNN
#include "support/onednn.hpp"
#endif

namespace {

using namespace bench;

// ---- the kernels ----------------------------------------------------------------------------------------------------

kernel::conv_geometry square(int in, int extent, int out, int size, int pad) {
    return {.in = {in, extent, extent}, .out = {out, extent, extent}, .kernel = size, .pad = pad};
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
    using onednn::tag, onednn::words;
    onednn::context on;
    const dnnl::memory::desc in{{1, g.in.channels, g.in.height, g.in.width}, words::f32, tag::any};
    const dnnl::memory::desc weights{{g.out.channels, g.in.channels, g.kernel.h, g.kernel.w}, words::f32, tag::any};
    const dnnl::memory::desc bias{{g.out.channels}, words::f32, tag::a};
    const dnnl::memory::desc out{{1, g.out.channels, g.out.height, g.out.width}, words::f32, tag::any};
    const dnnl::convolution_forward::desc what{dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                               in, weights, bias, out, {g.stride.h, g.stride.w}, {g.pad.h, g.pad.w},
                                               {g.pad.h, g.pad.w}};
    const dnnl::convolution_forward::primitive_desc how{what, onednn::with_relu(), on.engine};
    const dnnl::convolution_forward convolution{how};
    const auto filled = [&](const dnnl::memory::desc& layout) { return onednn::filled(layout, on.engine); };
    const std::unordered_map<int, dnnl::memory> operands{{DNNL_ARG_SRC, filled(how.src_desc())},
                                                         {DNNL_ARG_WEIGHTS, filled(how.weights_desc())},
                                                         {DNNL_ARG_BIAS, filled(how.bias_desc())},
                                                         {DNNL_ARG_DST, filled(how.dst_desc())}};
    measure(state, static_cast<double>(g.executed_macs()), fp32_peak, [&] {
        convolution.execute(on.stream, operands);
        on.stream.wait();
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
           text(g.in.width) + '-' + text(g.out.channels) + '/' + text(g.kernel.h) + 's' + text(g.stride.h) + 'p' +
           text(g.pad.h) + '/' + std::string{engine};
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
    add_peaks();
    add_number<float32>();
    add_number<float16>();
    add_number<int8>();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
