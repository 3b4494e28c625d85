// SPDX-License-Identifier: MIT
// Saturating and scaled weights: functions against libm, networks against plain ones with the same weights read.
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <cmath>
#include <limits>

using namespace redoubt;
using namespace support;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

template <saturation F>
double by_libm(double x) {
    if (std::isnan(x)) return 0.0;
    switch (F) {
        case saturation::tanh: return std::tanh(x);
        case saturation::arctan: return std::atan(x);
        case saturation::softsign: return std::isinf(x) ? std::copysign(1.0, x) : x / (1.0 + std::abs(x));
        default: return std::clamp(x, -1.0, 1.0);
    }
}

std::vector<float> test_values() {
    std::vector<float> all;
    for (float v : {0.0f, 1.0f, std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::min(), std::numeric_limits<float>::max(), inf,
                    std::numeric_limits<float>::quiet_NaN(), 9.01f, 9.02f, 0x1p25f, 0.99999994f, 1.0000001f})
        for (float sign : {1.0f, -1.0f}) all.push_back(sign * v);
    random_stream random{3, {}};
    for (int i = 0; i < 20000; ++i) {
        const auto e = static_cast<int>(random.below(60)) - 45;
        all.push_back(static_cast<float>(std::ldexp(random.unit() * 2.0 - 1.0, e)));
    }
    for (int i = 0; i < 2000; ++i) all.push_back(from_word<float>(static_cast<std::uint32_t>(random())));
    return all;
}

template <saturation F>
void check_function(float most) {
    const auto values = test_values();
    std::vector<float> out(values.size());
    const std::uint32_t odd = kernel::saturate<F>(values.data(), values.size(), out.data(), 1.0f, 0);
    std::uint32_t expected_odd = 0;
    int far = 0, other = 0, beyond = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double expected = by_libm<F>(static_cast<double>(values[i]));
        const double ulp = std::max(std::ldexp(std::abs(expected), -23), std::ldexp(1.0, -149));
        far += std::abs(static_cast<double>(out[i]) - expected) <= 3.0 * ulp ? 0 : 1;
        other += to_word(kernel::saturated<F>(values[i])) == to_word(out[i]) ? 0 : 1;
        beyond += std::abs(out[i]) <= most ? 0 : 1;
        expected_odd += std::isfinite(values[i]) ? 0u : 1u;
    }
    CHECK(far == 0);
    CHECK(other == 0);
    CHECK(beyond == 0);
    CHECK(odd == expected_odd);
    // a bound of its own
    std::vector<float> half_as_high(values.size());
    kernel::saturate<F>(values.data(), values.size(), half_as_high.data(), 0.5f, 0);
    int wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double expected = 0.5 * by_libm<F>(2.0 * static_cast<double>(values[i]));
        const double ulp = std::max(std::ldexp(std::abs(expected), -23), std::ldexp(1.0, -149));
        wrong += std::abs(static_cast<double>(half_as_high[i]) - expected) <= 4.0 * ulp ? 0 : 1;
    }
    CHECK(wrong == 0);
    // and back
    for (float v : {0.0f, 1e-30f, 0.1f, -0.3f, 0.7f, -0.99f}) {
        const float back = kernel::saturated<F>(kernel::unsaturated<F>(v));
        CHECK(std::abs(back - v) <= 3.0f * std::max(std::ldexp(std::abs(v), -23), std::numeric_limits<float>::denorm_min()));
    }
    // past the range: the smallest that gives the bound
    const float end = kernel::unsaturated<F>(-2.0f);
    CHECK(kernel::saturated<F>(end) == -kernel::saturated<F>(std::numeric_limits<float>::max()));
    CHECK(std::abs(kernel::saturated<F>(std::nextafter(end, 0.0f))) < std::abs(kernel::saturated<F>(end)));
}

template <number N, template <class...> class P>
using net_of = network<image<5, 9, 8>, N, P<conv2d<conv_spec{.out = 24, .kernel = 3, .pad = 1}>>, relu,
                       P<conv2d<conv_spec{.out = 24, .kernel = 3, .stride = 2, .groups = 24}>>, P<linear<20>>, relu, P<linear<7>>>;
template <class L> using arctan_weights = basic_saf<saturation::arctan, 1, 1, L>;
template <class L> using hard_weights = basic_saf<saturation::hardtanh, 1, 1, L>;
template <class L> using quarter_tanh = basic_saf<saturation::tanh, 1, 4, L>;
template <class L> using coded = secded<saf<L>>;

/// The same logits as a plain network whose weights are what is read.
template <class Net, class Function>
void check_network(Function&& function) {
    using plain = without_protection<Net>;
    using word = typename parameters<Net>::weight;
    using out = typename Net::number_type::kernel_weight;
    const auto weights = drawn_and_converted<Net>();
    const auto pixels = drawn_images<Net>(1, 3)[0];
    const auto bare = drawn_and_converted<plain>();
    if constexpr (std::is_same_v<word, out>) {
        for (int s = 0; s < Net::table.slot_count; ++s)
            for (std::size_t i = 0; i < weights->weights(s).size(); ++i) {
                if constexpr (std::is_integral_v<word>) {
                    const int frac = weights->weight_frac(s);
                    bare->weights(s)[i] = static_cast<word>(round_saturate(scaled(function(scaled(static_cast<float>(weights->weights(s)[i]), -frac)), frac), -128, 127));
                } else {
                    bare->weights(s)[i] = static_cast<word>(function(static_cast<float>(weights->weights(s)[i])));
                }
            }
        CHECK(words_of(answer_of<Net>(*weights, pixels)) == words_of(answer_of<plain>(*bare, pixels)));
    }
    CHECK(answer_of<Net>(*weights, pixels).status.total() == fault_counters{});
}

}  // namespace

TEST_CASE("saturating functions are libm's within three units and the same for one and many", "[harden]") {
    check_function<saturation::tanh>(1.0f);
    check_function<saturation::arctan>(1.5707964f);
    check_function<saturation::softsign>(1.0f);
    check_function<saturation::hardtanh>(1.0f);
}

TEST_CASE("kernels read saturated weights", "[harden]") {
    const auto tanh = [](float w) { return kernel::saturated<saturation::tanh>(w); };
    check_network<net_of<float32, saf>>(tanh);
    check_network<net_of<float16, saf>>(tanh);
    check_network<net_of<bfloat16, saf>>(tanh);
    check_network<net_of<int8, saf>>(tanh);
    check_network<net_of<stored<float32, fixed<2, 5>>, saf>>(tanh);
    check_network<net_of<float32, coded>>(tanh);
    check_network<net_of<float32, arctan_weights>>([](float w) { return kernel::saturated<saturation::arctan>(w); });
    check_network<net_of<float32, hard_weights>>([](float w) { return w; });
    check_network<net_of<int8, hard_weights>>([](float w) { return std::clamp(w, -1.0f, 1.0f); });
    check_network<net_of<float32, quarter_tanh>>([](float w) { return kernel::saturated<saturation::tanh>(w, 0.25f, 4.0f); });
}

TEST_CASE("words of eight bits go through a table of their function", "[harden]") {
    std::vector<fixed<2, 5>> codes;
    for (int c = -128; c < 128; ++c) codes.push_back(fixed<2, 5>::from_code(static_cast<std::int8_t>(c)));
    std::vector<float> out(codes.size());
    CHECK(kernel::saturate<saturation::softsign>(codes.data(), codes.size(), out.data(), 1.0f, 0) == 0);
    int wrong = 0;
    for (std::size_t i = 0; i < codes.size(); ++i) wrong += out[i] == kernel::saturated<saturation::softsign>(static_cast<float>(codes[i])) ? 0 : 1;
    CHECK(wrong == 0);
}

TEST_CASE("plain weights are stored so that a transform reads them back", "[harden]") {
    using net = net_of<float32, saf>;
    using plain = without_protection<net>;
    auto weights = drawn_and_converted<net>();
    const auto bare = drawn_and_converted<plain>();
    store_for_transforms<net>(*weights);
    encode<net>(*weights);
    const auto pixels = drawn_images<net>(1, 3)[0];
    const auto got = answer_of<net>(*weights, pixels);
    const auto expected = answer_of<plain>(*bare, pixels);
    for (std::size_t i = 0; i < got.logits.size(); ++i) CHECK(std::abs(got.logits[i] - expected.logits[i]) < 1e-5f);
}

TEST_CASE("weights past a function's range are stored as numbers", "[harden]") {
    using transform = basic_saf<saturation::softsign, 1, 1, linear<1>>::transform;
    half words[] = {half{1.0f}, half{-3.0f}, half{0.25f}};
    float limit = 0.0f;
    transform::invert(std::span<half>{words}, limit, 0);
    fault_counters count;
    half read[3];
    transform::apply(std::span<const half>{words}, read, limit, count, 0);
    CHECK(count == fault_counters{});
    CHECK(static_cast<float>(read[0]) > 0.999f);
    CHECK(static_cast<float>(read[1]) < -0.999f);
    CHECK(std::abs(static_cast<float>(read[2]) - 0.25f) < 1e-3f);
    using clamp = basic_saf<saturation::hardtanh, 1, 1, linear<1>>::transform;
    float ends[] = {1.0f, -1.0f, -7.0f, 0.5f};
    clamp::invert(std::span<float>{ends}, limit, 0);
    CHECK((ends[0] == 1.0f && ends[1] == -1.0f && ends[2] == -1.0f && ends[3] == 0.5f));
}

TEST_CASE("a scaled code of eight bits is always within its format", "[harden]") {
    using transform = scale<linear<1>>::transform;
    std::vector<fixed<1, 6>> codes;
    for (int c = -128; c < 128; ++c) codes.push_back(fixed<1, 6>::from_code(static_cast<std::int8_t>(c)));
    std::vector<float> read(codes.size());
    fault_counters count;
    transform::apply(std::span<const fixed<1, 6>>{codes}, read.data(), 0.5f, count);
    CHECK(count == fault_counters{});
    for (std::size_t i = 0; i < codes.size(); ++i) CHECK(read[i] == 0.5f * static_cast<float>(codes[i]));
}

TEMPLATE_TEST_CASE("scaled weights change nothing, and no flip makes one large", "[harden]", float32, float16, bfloat16) {
    using net = net_of<TestType, scale>;
    using plain = without_protection<net>;
    using word = typename parameters<net>::weight;
    auto weights = drawn_and_converted<net>();
    const auto bare = drawn_and_converted<plain>();
    store_for_transforms<net>(*weights);
    encode<net>(*weights);
    const auto pixels = drawn_images<net>(1, 3)[0];
    CHECK(words_of(answer_of<net>(*weights, pixels)) == words_of(answer_of<plain>(*bare, pixels)));
    using transform = typename scale<linear<1>>::transform;
    int large = 0;
    std::uint32_t expected_odd = 0;
    fault_counters count;
    for (int s = 0; s < net::table.slot_count; ++s) {
        float most = 0.0f;
        for (const word w : bare->weights(s)) most = std::max(most, std::abs(static_cast<float>(w)));
        for (std::size_t i = 0; i < 200; ++i)
            for (int bit = 0; bit < static_cast<int>(bits_in<word>); ++bit) {
                const word struck = from_word<word>(static_cast<word_of<word>>(to_word(weights->weights(s)[i * 7]) ^ (1u << bit)));
                word read{};
                transform::apply(std::span<const word>{&struck, 1}, &read, weights->weight_limit(s), count);
                large += std::abs(static_cast<float>(read)) <= 2.0f * most ? 0 : 1;
                expected_odd += std::isfinite(static_cast<float>(struck)) ? 0u : 1u;
            }
    }
    CHECK(large == 0);
    CHECK(count.out_of_range == expected_odd);
}
