// SPDX-License-Identifier: MIT
// Convolution and linear kernels against what the core can do. The first cases measure that peak; every other case
// samples it again and reports its own rate, from executed multiply-adds, as a percentage of it. Where oneDNN is there, the values of
// a convolution are compared with its before it is timed. Single-threaded: pin
// the program to a quiet core, as in `taskset -c 0 build/bench/bin/bench_kernels --benchmark_repetitions=5`.
#include <redoubt/base/philox.hpp>
#include <redoubt/kernel/winograd.hpp>
#include <redoubt/tensor/tensor.hpp>

#include "support/peak.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <span>
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

// ---- the shapes -----------------------------------------------------------------------------------------------------

kernel::conv_geometry square(int in, int extent, int out, int size, int stride, int pad, int groups = 1) {
    const int after = (extent + 2 * pad - size) / stride + 1;
    return {.in = {in, extent, extent}, .out = {out, after, after}, .kernel = size, .stride = stride, .pad = pad,
            .groups = groups};
}

/// ResNet-20's, ResNet-18's, pointwise and depthwise ones of MobileNets.
const kernel::conv_geometry shapes[] = {
    square(3, 32, 16, 3, 1, 1),     square(16, 32, 16, 3, 1, 1),   square(32, 16, 32, 3, 1, 1),
    square(64, 8, 64, 3, 1, 1),     square(3, 224, 64, 7, 2, 3),   square(64, 56, 64, 3, 1, 1),
    square(128, 28, 128, 3, 1, 1),  square(256, 14, 256, 3, 1, 1), square(512, 7, 512, 3, 1, 1),
    square(64, 56, 128, 3, 2, 1),   square(64, 56, 128, 1, 1, 0),  square(256, 14, 512, 1, 1, 0),
    square(64, 56, 64, 3, 1, 1, 64), square(256, 14, 256, 3, 1, 1, 256),
};

// ---- our kernels ----------------------------------------------------------------------------------------------------

/// Words in storage aligned as the library's blocks are, filled with small numbers.
template <class Word>
class operand {
public:
    explicit operand(std::size_t count)
        : words_{static_cast<Word*>(std::aligned_alloc(block_alignment, aligned_up(count * sizeof(Word))))}, count_{count} {
        random_stream random{1, {}};
        for (std::size_t i = 0; i < count; ++i) {
            if constexpr (std::is_integral_v<Word>) words_.get()[i] = static_cast<Word>(random.below(256));
            else words_.get()[i] = static_cast<Word>(static_cast<float>(random.unit() - 0.5));
        }
    }
    Word* data() { return words_.get(); }
    std::size_t size() const { return count_; }

private:
    struct release { void operator()(Word* p) const { std::free(p); } };
    std::unique_ptr<Word, release> words_;
    std::size_t count_;
};

/// Operands of one call; the padding lanes of the weights cost the same whatever they hold.
template <number N>
class problem {
public:
    explicit problem(const kernel::conv_geometry& g)
        : in_(static_cast<std::size_t>(g.in.size()) + 3), weights_(kernel::layout_of<N>.size(g)),
          bias_(static_cast<std::size_t>(g.blocks() * kernel::lane_count)), out_(static_cast<std::size_t>(g.out.size())) {
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
    operand<typename N::activation> in_;
    operand<typename N::kernel_weight> weights_;
    operand<typename N::bias> bias_;
    operand<typename N::activation> out_;
};

/// The peak that a number's multiply-adds are measured against.
template <number N>
peak& peak_of() { return N::is_integer ? vnni_peak : fp32_peak; }

template <number N>
void bench_direct(benchmark::State& state, const kernel::conv_geometry& g) {
    const problem<N> p{g};
    measure(state, static_cast<double>(g.executed_macs()), peak_of<N>(), [&] { kernel::conv2d<N>(p.call); });
}

/// By Winograd's transforms, of weights that are transformed ahead.
void bench_fast(benchmark::State& state, const kernel::conv_geometry& g) {
    const kernel::winograd kind = kernel::winograd_for(g);
    const kernel::winograd_plan plan{g, kind};
    problem<float32> p{g};
    operand<float> weights(plan.weights()), scratch(plan.scratch());
    p.call.weights = weights.data();
    measure(state, static_cast<double>(g.executed_macs()), fp32_peak,
            [&] { kernel::winograd_conv2d<float32>(p.call, kind, scratch.data()); });
}

#ifdef REDOUBT_BENCH_ONEDNN
/// The values of one convolution beside oneDNN's, from the same logical operands in the plain layouts of both: fp32 within 1e-5 of the
/// largest magnitude (its chains are split), int8's accumulators exactly. Ends the program where they differ.
template <number N>
void compare_values(const kernel::conv_geometry& g, const std::string& name) {
    using tag = onednn::tag;
    using words = onednn::words;
    using out_word = typename N::logit;
    constexpr bool whole = N::is_integer;
    random_stream random{9, {}};
    const auto drawn = [&] { return whole ? static_cast<float>(random.below(255)) - 127.0f : static_cast<float>(random.unit()) - 0.5f; };
    const auto size = [](const shape& s) { return static_cast<std::size_t>(s.size()); };
    const auto plane = [](const shape& s) { return static_cast<std::size_t>(s.height * s.width); };

    // logical operands, in oneDNN's nchw and (g)oihw
    using plain_word = std::conditional_t<whole, std::int8_t, float>;
    std::vector<plain_word> in(size(g.in)), weights(g.weights());
    std::vector<std::conditional_t<whole, std::int32_t, float>> bias(static_cast<std::size_t>(g.out.channels));
    for (auto& v : in) v = static_cast<plain_word>(drawn());
    for (auto& v : weights) v = static_cast<plain_word>(drawn());
    for (auto& v : bias) v = static_cast<std::remove_reference_t<decltype(v)>>(drawn());

    problem<N> ours{g};
    operand<typename N::activation> our_in(size(g.in) + 3);
    operand<typename N::kernel_weight> our_weights(kernel::layout_of<N>.size(g));
    operand<typename N::bias> our_bias(static_cast<std::size_t>(g.blocks() * kernel::lane_count));
    std::fill_n(our_weights.data(), our_weights.size(), typename N::kernel_weight{});
    std::fill_n(our_bias.data(), our_bias.size(), typename N::bias{});
    for (int c = 0; c < g.in.channels; ++c)
        for (int p = 0; p < g.in.height * g.in.width; ++p) {
            const auto v = in[static_cast<std::size_t>(c) * plane(g.in) + static_cast<std::size_t>(p)];
            auto& to = our_in.data()[p * g.in.channels + c];
            if constexpr (whole) to = static_cast<std::uint8_t>(v + 128);
            else to = v;
        }
    std::size_t next = 0;
    for (int o = 0; o < g.out.channels; ++o) {
        const auto at = static_cast<std::size_t>(g.block_of(o) * kernel::lane_count + g.lane_of(o));
        our_bias.data()[at] = static_cast<typename N::bias>(bias[static_cast<std::size_t>(o)]);
        for (int i = 0; i < g.group_in(); ++i)
            for (int r = 0; r < g.kernel.h; ++r)
                for (int c = 0; c < g.kernel.w; ++c, ++next) {
                    our_weights.data()[kernel::layout_of<N>.index(g, o, r, c, i)] = weights[next];
                    if constexpr (whole) our_bias.data()[at] -= 128 * weights[next];
                }
    }
    operand<out_word> our_out(size(g.out));
    ours.call.in = our_in.data();
    ours.call.weights = our_weights.data();
    ours.call.bias = our_bias.data();
    ours.call.logits = our_out.data();
    ours.call.act = kernel::activation::none;
    kernel::conv2d<N>(ours.call);

    const onednn::context context;
    const auto data = whole ? words::s8 : words::f32, sums = whole ? words::s32 : words::f32;
    const dnnl::memory::desc source{{1, g.in.channels, g.in.height, g.in.width}, data, tag::nchw};
    const dnnl::memory::desc filter = g.groups == 1
        ? dnnl::memory::desc{{g.out.channels, g.in.channels, g.kernel.h, g.kernel.w}, data, tag::oihw}
        : dnnl::memory::desc{{g.groups, g.group_out(), g.group_in(), g.kernel.h, g.kernel.w}, data, tag::goihw};
    const dnnl::memory::desc offset{{g.out.channels}, sums, tag::a};
    const dnnl::memory::desc result{{1, g.out.channels, g.out.height, g.out.width}, sums, tag::nchw};
    const dnnl::memory::dims after{(g.out.height - 1) * g.stride.h + g.kernel.h - g.in.height - g.pad.h,
                                   (g.out.width - 1) * g.stride.w + g.kernel.w - g.in.width - g.pad.w};
    const dnnl::convolution_forward::desc what{dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, source, filter,
                                               offset, result, {g.stride.h, g.stride.w}, {g.pad.h, g.pad.w}, after};
    std::vector<out_word> their_out(size(g.out));
    dnnl::stream stream = context.stream;
    dnnl::convolution_forward{{what, context.engine}}.execute(stream, {{DNNL_ARG_SRC, {source, context.engine, in.data()}},
                                                                       {DNNL_ARG_WEIGHTS, {filter, context.engine, weights.data()}},
                                                                       {DNNL_ARG_BIAS, {offset, context.engine, bias.data()}},
                                                                       {DNNL_ARG_DST, {result, context.engine, their_out.data()}}});
    stream.wait();
    double most = 0.0, worst = 0.0;
    for (int c = 0; c < g.out.channels; ++c)
        for (int p = 0; p < g.out.height * g.out.width; ++p) {
            const auto a = static_cast<double>(our_out.data()[p * g.out.channels + c]);
            const auto b = static_cast<double>(their_out[static_cast<std::size_t>(c) * plane(g.out) + static_cast<std::size_t>(p)]);
            most = std::max(most, std::abs(b));
            worst = std::max(worst, std::abs(a - b));
        }
    if (worst <= (whole ? 0.0 : 1e-5 * most)) return;
    std::fprintf(stderr, "%s: values differ from oneDNN's by up to %g, the largest of which is %g\n", name.c_str(), worst, most);
    std::exit(1);
}

/// oneDNN in the layouts it prefers, the reordering not counted. int8: u8 activations, s8 weights, one scale.
template <number N>
void bench_onednn(benchmark::State& state, const kernel::conv_geometry& g, dnnl::algorithm algorithm) {
    using tag = onednn::tag;
    using words = onednn::words;
    const onednn::context context;
    const dnnl::engine& engine = context.engine;
    const auto data = N::is_integer ? words::u8 : words::f32;
    const dnnl::memory::desc in{{1, g.in.channels, g.in.height, g.in.width}, data, tag::any};
    const dnnl::memory::dims filter = g.groups == 1
        ? dnnl::memory::dims{g.out.channels, g.in.channels, g.kernel.h, g.kernel.w}
        : dnnl::memory::dims{g.groups, g.group_out(), g.group_in(), g.kernel.h, g.kernel.w};
    const dnnl::memory::desc weights{filter, N::is_integer ? words::s8 : words::f32, tag::any};
    const dnnl::memory::desc bias{{g.out.channels}, N::is_integer ? words::s32 : words::f32, tag::a};
    const dnnl::memory::desc out{{1, g.out.channels, g.out.height, g.out.width}, data, tag::any};
    const dnnl::memory::dims after{(g.out.height - 1) * g.stride.h + g.kernel.h - g.in.height - g.pad.h,
                                   (g.out.width - 1) * g.stride.w + g.kernel.w - g.in.width - g.pad.w};
    const dnnl::convolution_forward::desc what{dnnl::prop_kind::forward_inference, algorithm, in, weights, bias, out,
                                               {g.stride.h, g.stride.w}, {g.pad.h, g.pad.w}, after};
    dnnl::primitive_attr attributes = onednn::with_relu();
    if (N::is_integer) attributes.set_output_scales(0, {0.00390625f});
    const dnnl::convolution_forward::primitive_desc how{what, attributes, engine};
    const dnnl::convolution_forward convolution{how};
    const auto filled = [&](const dnnl::memory::desc& layout) {
        if (!N::is_integer) return onednn::filled(layout, engine);
        dnnl::memory memory{layout, engine};
        auto* bytes = static_cast<unsigned char*>(memory.get_data_handle());
        random_stream random{1, {}};
        for (std::size_t i = 0; i < layout.get_size(); ++i) bytes[i] = static_cast<unsigned char>(random.below(256));
        return memory;
    };
    std::unordered_map<int, dnnl::memory> operands{{DNNL_ARG_SRC, filled(how.src_desc())},
                                                   {DNNL_ARG_WEIGHTS, filled(how.weights_desc())},
                                                   {DNNL_ARG_BIAS, filled(how.bias_desc())},
                                                   {DNNL_ARG_DST, filled(how.dst_desc())}};
    state.SetLabel(how.impl_info_str());
    dnnl::stream stream = context.stream;
    measure(state, static_cast<double>(g.executed_macs()), peak_of<N>(), [&] {
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
           text(g.in.width) + '-' + text(g.out.channels) + '/' + text(g.kernel.h) + 's' + text(g.stride.h) + 'p' +
           text(g.pad.h) + (g.groups > 1 ? 'g' + text(g.groups) : std::string{}) + '/' + std::string{engine};
}

template <number N>
void add_convolution(const kernel::conv_geometry& g) {
    add(conv_name(N::name, g, "redoubt_direct"), [g](benchmark::State& state) { bench_direct<N>(state, g); });
    if constexpr (std::is_same_v<N, float32>) {
        if (kernel::winograd_for(g) != kernel::winograd::none)
            add(conv_name(N::name, g, "redoubt"), [g](benchmark::State& state) { bench_fast(state, g); });
    }
#ifdef REDOUBT_BENCH_ONEDNN
    if constexpr (std::is_same_v<N, float32> || N::is_integer) {
        add(conv_name(N::name, g, "onednn"), [g](benchmark::State& state) {
            static std::set<std::string> compared;
            if (const std::string name = conv_name(N::name, g, "onednn"); compared.insert(name).second) compare_values<N>(g, name);
            bench_onednn<N>(state, g, dnnl::algorithm::convolution_auto);
        });
        add(conv_name(N::name, g, "onednn_direct"), [g](benchmark::State& state) {
            bench_onednn<N>(state, g, dnnl::algorithm::convolution_direct);
        });
    }
#endif
}

template <number N>
void add_number() {
    for (const auto& g : shapes) add_convolution<N>(g);
    for (const auto& [in, out] : {std::pair{64, 10}, {400, 120}, {1024, 1000}}) {
        const kernel::conv_geometry g{.in = {in, 1, 1}, .out = {out, 1, 1}};
        const std::string name = "linear/" + std::string{N::name} + '/' + std::to_string(in) + '-' + std::to_string(out);
        add(name + "/redoubt_direct", [g](benchmark::State& state) { bench_direct<N>(state, g); });
        // a batch of sixteen, as infer_batch() has it: one product of matrices
        const kernel::conv_geometry batch{.in = {in, 1, 16}, .out = {out, 1, 16}};
        add(name + "x16/redoubt_direct", [batch](benchmark::State& state) { bench_direct<N>(state, batch); });
    }
}

}  // namespace

int main(int argc, char** argv) {
    add_peaks();
    add_number<float32>();
    add_number<float16>();
    add_number<bfloat16>();
    add_number<int8>();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
