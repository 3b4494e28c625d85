// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

using namespace redoubt;
using namespace redoubt::fault;
using namespace support;

namespace {

template <int Out>
using conv = conv2d<conv_spec{.out = Out, .pad = 1}>;

template <number N>
using net_of = network<image<2, 6, 5>, N, conv<5>, relu, residual<conv<5>, relu, conv<5>>, relu, max_pool<2>, linear<18>>;

/// Flips bits of a word in the workspace.
template <class Word>
void flip_in(std::span<Word> words, std::uint32_t at, std::uint32_t mask) {
    words[at] = flip(words[at], static_cast<word_of<Word>>(mask));
}
template <class Net>
void flip_value(workspace<Net>& space, int v, std::uint32_t at, std::uint32_t mask) {
    using N = typename Net::number_type;
    if (Net::table.values[static_cast<std::size_t>(v)].words == word_kind::logit)
        flip_in(space.template value<typename N::logit>(v), at, mask);
    else flip_in(space.template value<typename N::activation>(v), at, mask);
}

/// A drawn fault of a stored activation against the same word flipped by hand between two parts of a run.
template <class Net>
void check_stored(int draws) {
    const auto weights = drawn_and_converted<Net>();
    const auto image = drawn_images<Net>(1, 3)[0];
    const auto whole = words_of(answer_of<Net>(*weights, image));
    const auto space = std::make_unique<workspace<Net>>();
    fault_list list{1};
    std::vector<std::uint64_t> chosen(1);
    std::set<int> steps;
    int changed = 0;
    for (int trial = 0; trial < draws; ++trial) {
        fault_spec one;
        one.count = 1;
        draw_inference<Net>(2, static_cast<std::uint64_t>(trial), 0, one, inference_space::activations, chosen, list.policy);
        REQUIRE(list.policy.size() == 1);
        const inference_fault f = list.policy.faults()[0];
        CHECK(f.in_memory);
        const auto got = answer_of<Net>(*weights, image, list.policy);
        status<Net> report;
        no_faults none;
        run<Net>(*weights, image, *space, report, none, 0, f.step + 1);
        flip_value<Net>(*space, Net::table.steps[static_cast<std::size_t>(f.step)].out, f.where.output, f.where.mask);
        run<Net>(*weights, image, *space, report, none, f.step + 1, Net::table.step_count);
        CHECK(words_of(got) == words_of(read_answer<Net>(*weights, *space, report)));
        changed += words_of(got) != whole ? 1 : 0;
        steps.insert(f.step);
    }
    CHECK(changed > draws / 4);
    CHECK(steps.size() == static_cast<std::size_t>(Net::table.step_count - 1));  // all but the image
}

/// The accumulator of one output by its definition: floats skip padding, int8 counts it as the stored zero, 128.
template <class Net>
typename Net::number_type::accumulator accumulator_of(const parameters<Net>& p, workspace<Net>& space, const step& s,
                                                      std::uint32_t output) {
    using N = typename Net::number_type;
    const auto& g = s.geometry;
    const int o = static_cast<int>(output) % g.out.channels, pixel = static_cast<int>(output) / g.out.channels;
    const int row = pixel / g.out.width, column = pixel % g.out.width;
    const auto in = space.template value<typename N::activation>(s.in);
    long long whole = 0;
    float sum = 0.0f;
    if constexpr (N::is_integer) whole = p.biases(s.slot)[static_cast<std::size_t>(o)];
    else sum = static_cast<float>(p.biases(s.slot)[static_cast<std::size_t>(o)]);
    for (int i = 0; i < g.fan_in(); ++i) {
        const int c = i % g.group_in() + g.first_input(o), tap = i / g.group_in();
        const int y = g.row_at(row, tap / g.kernel.w), x = g.column_at(column, tap % g.kernel.w);
        const bool inside = y >= 0 && y < g.in.height && x >= 0 && x < g.in.width;
        const auto w = p.weights(s.slot)[kernel::layout_of<N>.index_of_logical(g, static_cast<std::size_t>(o * g.fan_in() + i))];
        const auto a = inside ? in[static_cast<std::size_t>(g.in.index(y, x, c))] : typename N::activation{};
        if constexpr (N::is_integer) whole += static_cast<long long>(w) * (inside ? a : 128);
        else if (inside && fuses) sum = std::fma(static_cast<float>(a), static_cast<float>(w), sum);
        else if (inside) {
            const float product = static_cast<float>(a) * static_cast<float>(w);
            sum += product;
        }
    }
    if constexpr (N::is_integer) return static_cast<std::int32_t>(whole);
    else return sum;
}

int half_even(double v) { return static_cast<int>(std::nearbyint(v)); }

/// Strikes a feature by hand: its word is the storage type, before residual add and activation; then the step's end.
template <class Net>
void strike_feature(const parameters<Net>& p, workspace<Net>& space, const step& s, const kernel::output_fault& f,
                    typename Net::number_type::accumulator sum, int shift, int residual_shift) {
    using N = typename Net::number_type;
    using word = typename N::activation;
    const auto at = static_cast<std::size_t>(f.output);
    if constexpr (N::is_integer) {
        if (s.stores_logits) {
            space.template value<std::int32_t>(s.out)[at] = flip(sum, f.mask);
            return;
        }
        const int code = std::clamp(half_even(std::ldexp(static_cast<double>(sum), -shift)), -128, 127);
        const int struck = ((code + 128) ^ static_cast<int>(f.mask)) - 128;
        double value = std::ldexp(static_cast<double>(struck), shift);
        if (s.residual >= 0) value += std::ldexp(static_cast<double>(space.template value<word>(s.residual)[at] - 128), residual_shift);
        int out = half_even(std::ldexp(value, -shift));
        if (s.act != kernel::activation::none) out = std::max(out, 0);
        space.template value<word>(s.out)[at] = static_cast<word>(std::clamp(out, -128, 127) + 128);
    } else {
        float value = static_cast<float>(flip(static_cast<word>(canonical(sum)), static_cast<word_of<word>>(f.mask)));
        if (s.residual >= 0) value += static_cast<float>(space.template value<word>(s.residual)[at]);
        if (s.act != kernel::activation::none && value <= 0.0f) value = 0.0f;
        space.template value<word>(s.out)[at] = static_cast<word>(canonical(value));
    }
    static_cast<void>(p);
}

template <class Net>
void check_features(int draws) {
    using N = typename Net::number_type;
    const auto weights = drawn_and_converted<Net>();
    const auto image = drawn_images<Net>(1, 3)[0];
    const auto space = std::make_unique<workspace<Net>>();
    fault_list list{1};
    std::vector<std::uint64_t> chosen(1);
    std::set<int> steps;
    for (int trial = 0; trial < draws; ++trial) {
        fault_spec one;
        one.count = 1;
        draw_inference<Net>(2, static_cast<std::uint64_t>(trial), 0, one, inference_space::features, chosen, list.policy);
        const inference_fault f = list.policy.faults()[0];
        const step& s = Net::table.steps[static_cast<std::size_t>(f.step)];
        REQUIRE(s.kind == op::convolution);
        CHECK_FALSE(f.in_memory);
        CHECK(f.where.step == kernel::output_fault::feature);
        CAPTURE(f.step, f.where.output, f.where.mask);
        const auto got = answer_of<Net>(*weights, image, list.policy);
        status<Net> report;
        no_faults none;
        run<Net>(*weights, image, *space, report, none, 0, f.step);
        // before the step writes: its output may take its input's place only after it
        const auto sum = accumulator_of<Net>(*weights, *space, s, f.where.output);
        int shift = 0, residual_shift = 0;
        if constexpr (N::is_integer) {
            const auto frac = [&](int v) {
                return weights->of_unit(Net::table.steps[static_cast<std::size_t>(
                    find_step<Net>([&](const step& t) { return t.out == v; }))].unit).frac;
            };
            const int wide = frac(s.in) + weights->weight_frac(s.slot);
            shift = wide - frac(s.out);
            if (s.residual >= 0) residual_shift = wide - frac(s.residual);
        }
        run<Net>(*weights, image, *space, report, none, f.step, f.step + 1);
        strike_feature<Net>(*weights, *space, s, f.where, sum, shift, residual_shift);
        run<Net>(*weights, image, *space, report, none, f.step + 1, Net::table.step_count);
        CHECK(words_of(got) == words_of(read_answer<Net>(*weights, *space, report)));
        steps.insert(f.step);
    }
    CHECK(steps.size() == static_cast<std::size_t>(Net::table.slot_count));
}

}  // namespace

TEST_CASE("a fault of a stored activation strikes the intended word and bit, fp32", "[fault]") {
    check_stored<net_of<float32>>(150);
}
TEST_CASE("a fault of a stored activation strikes the intended word and bit, int8", "[fault]") {
    check_stored<net_of<int8>>(150);
}
TEST_CASE("a fault of a feature is that of the scalar definition, fp32", "[fault]") {
    check_features<net_of<float32>>(300);
}
TEST_CASE("a fault of a feature is that of the scalar definition, fp16", "[fault]") {
    check_features<net_of<float16>>(150);
}
TEST_CASE("a fault of a feature is that of the scalar definition, bf16", "[fault]") {
    check_features<net_of<bfloat16>>(150);
}
TEST_CASE("a fault of a feature is that of the scalar definition, int8", "[fault]") {
    check_features<net_of<int8>>(300);
}
