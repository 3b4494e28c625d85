// SPDX-License-Identifier: MIT
// What stands between stored weights and kernels, and what strikes features.
#include "train/networks.hpp"

#include <redoubt/train/adapt.hpp>
#include <redoubt/train/deploy.hpp>
#include <redoubt/train/reference.hpp>

#include "support/catch.hpp"
#include "support/kernels.hpp"

#include <cmath>

using namespace train_tests;

namespace {

template <saturation F, int N, int D>
using bent = network<image<1, 6, 6>, float32, basic_saf<F, N, D, conv<4>, batch_norm, relu, conv2d<conv_spec{.out = 5, .kernel = 3, .stride = 2}>, relu, linear<3>>>;

double bent_weight(saturation f, double x) {
    switch (f) {
        case saturation::tanh: return std::tanh(x);
        case saturation::arctan: return std::atan(x);
        case saturation::softsign: return x / (1.0 + std::abs(x));
        default: return std::min(std::max(x, -1.0), 1.0);
    }
}
double bent_slope(saturation f, double x) {
    switch (f) {
        case saturation::tanh: return 1.0 - std::tanh(x) * std::tanh(x);
        case saturation::arctan: return 1.0 / (1.0 + x * x);
        case saturation::softsign: return 1.0 / ((1.0 + std::abs(x)) * (1.0 + std::abs(x)));
        default: return std::abs(x) < 1.0 ? 1.0 : 0.0;
    }
}

template <saturation F, int N, int D>
void check_function() {
    using net = bent<F, N, D>;
    constexpr double bound = static_cast<double>(N) / D;
    INFO("function " << static_cast<int>(F) << " bound " << bound);
    train::trainer<net> t{train::recipe{}};
    train::reference_step<double> exact{train::trainer<net>::plan_of()};
    exact.weight_function = [](double w) { return bound * bent_weight(F, w / bound); };
    exact.weight_slope = [](double w) { return bent_slope(F, w / bound); };
    std::copy(t.parts().parameters.begin(), t.parts().parameters.end(), exact.parameters.begin());
    const batch b = drawn_batch<net>(9, 4);
    const std::vector<double> pixels(b.pixels.begin(), b.pixels.end());
    const double loss = exact.run(pixels, b.labels);
    const auto got = t.gradients_of(b.pixels, b.labels);
    REQUIRE(got);
    CHECK(*got == Approx(loss).epsilon(1e-5));
    double most = 0.0, apart = 0.0;
    for (std::size_t i = 0; i < exact.gradients.size(); ++i) {
        most = std::max(most, std::abs(exact.gradients[i]));
        apart = std::max(apart, std::abs(exact.gradients[i] - static_cast<double>(t.parts().gradients[i])));
    }
    CHECK(apart < 1e-5 * most);

    // deployed, the functions give back the weights that were trained
    REQUIRE(t.step(b.pixels, b.labels));
    const auto p = train::deploy<net>(t);
    const auto plain = train::deploy<without_protection<net>>(t);
    static state<net> memory;
    static workspace<net> space;
    static state<without_protection<net>> plain_memory;
    static workspace<without_protection<net>> plain_space;
    const std::span<const float> first{b.pixels.data(), 36};
    const auto one = infer<net>(*p, memory, first, space).logits;
    const auto other = infer<without_protection<net>>(*plain, plain_memory, first, plain_space).logits;
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(std::abs(one[i] - other[i]) < 1e-5f);
}

}  // namespace

TEST_CASE("a network trains through the functions of its weights") {
    check_function<saturation::tanh, 4, 1>();
    check_function<saturation::arctan, 3, 1>();
    check_function<saturation::softsign, 9, 1>();
    check_function<saturation::hardtanh, 5, 1>();
}

TEST_CASE("maps run forward in their order and backward in reverse") {
    const batch b = drawn_batch<plain>(8, 4);
    train::recipe doubled;
    doubled.maps.push_back(train::identity_map{});
    std::vector<std::string> calls;
    doubled.maps.push_back(train::function_map{
        [&](const train::map_place& at, std::span<const float> from, std::span<float> to) {
            if (at.slot == 0) calls.push_back("first");
            for (std::size_t i = 0; i < from.size(); ++i) to[i] = 2.0f * from[i];
        },
        [&](const train::map_place& at, std::span<const float>, std::span<float> gradient) {
            if (at.slot == 0) calls.push_back("first back");
            for (float& g : gradient) g *= 2.0f;
        }});
    doubled.maps.push_back(train::function_map{
        [&](const train::map_place& at, std::span<const float> from, std::span<float> to) {
            if (at.slot == 0) calls.push_back("second");
            std::copy(from.begin(), from.end(), to.begin());
        },
        [&](const train::map_place& at, std::span<const float>, std::span<float>) {
            if (at.slot == 0) calls.push_back("second back");
        }});
    train::trainer<plain> mapped{doubled}, twice{train::recipe{}};
    for (const auto& r : twice.parts().layout().slots)
        for (std::size_t i = 0; i < r.weight_words; ++i) twice.parts().parameters[r.weights + i] *= 2.0f;
    const auto one = mapped.gradients_of(b.pixels, b.labels), other = twice.gradients_of(b.pixels, b.labels);
    REQUIRE((one && other));
    CHECK(*one == *other);
    CHECK(calls == std::vector<std::string>{"first", "second", "second back", "first back"});
    for (const auto& r : twice.parts().layout().slots) {
        CHECK(mapped.parts().gradients[r.weights] == 2.0f * twice.parts().gradients[r.weights]);
        CHECK(mapped.parts().gradients[r.bias] == twice.parts().gradients[r.bias]);
    }
}

TEST_CASE("a map that masks leaves struck weights without gradients") {
    const batch b = drawn_batch<residuals>(8, 4);
    const auto struck = [](const train::map_place& at, std::size_t i) { return (i + static_cast<std::size_t>(at.step)) % 3 == 0; };
    train::recipe faulty;
    faulty.maps.push_back(train::function_map{
        [&](const train::map_place& at, std::span<const float> from, std::span<float> to) {
            for (std::size_t i = 0; i < from.size(); ++i) to[i] = struck(at, i) ? 0.0f : from[i];
        },
        [&](const train::map_place& at, std::span<const float>, std::span<float> gradient) {
            for (std::size_t i = 0; i < gradient.size(); ++i)
                if (struck(at, i)) gradient[i] = 0.0f;
        }});
    train::trainer<residuals> t{faulty};
    for (std::uint64_t step = 0; step < 2; ++step) {
        REQUIRE(t.step(b.pixels, b.labels));
        const auto& r = t.parts().layout().slots[1];
        double kept = 0.0, masked = 0.0;
        for (std::size_t i = 0; i < r.weight_words; ++i) ((i + step) % 3 == 0 ? masked : kept) += std::abs(static_cast<double>(t.parts().gradients[r.weights + i]));
        CHECK(masked == 0.0);
        CHECK(kept > 0.0);
    }
}

TEST_CASE("features are struck after the norm, by place, with any number of threads") {
    const batch b = drawn_batch<residuals>(20, 4);
    const auto gradients = [&](unsigned threads, float by) {
        train::recipe faulty;
        faulty.threads = threads;
        if (by >= 0.0f)
            faulty.features = [by](const train::feature_place& at, std::span<float> features) {
                features[(at.image * 7 + static_cast<std::size_t>(at.slot)) % features.size()] += by;
            };
        train::trainer<residuals> t{faulty};
        REQUIRE(t.gradients_of(b.pixels, b.labels));
        return std::vector<float>(t.parts().gradients.begin(), t.parts().gradients.end());
    };
    CHECK(gradients(1, -1.0f) == gradients(1, 0.0f));  // a hook that does nothing changes nothing
    CHECK(gradients(1, 3.0f) != gradients(1, 0.0f));
    CHECK(gradients(1, 3.0f) == gradients(3, 3.0f));
}

TEST_CASE("a plain network is adapted to a function without loss under norms") {
    using net = network<image<3, 6, 6>, float32, conv<20>, batch_norm, relu, conv<24, 3, 2>, batch_norm, relu, linear<3>>;
    const batch b = drawn_batch<net>(16, 4);
    train::recipe by, bending;
    const train::saturating_map through{kernel::saturation::tanh, 0.25f};
    bending.functions = {through};
    train::trainer<net> plain{by}, adapted{bending};
    for (float& w : plain.parts().parameters) w *= 2.0f;  // past 0.25 in both convolutions
    REQUIRE(plain.gradients_of(b.pixels, b.labels));       // statistics that are not 0 and 1
    const io::tensor_file before = plain.tensors();
    REQUIRE(adapted.start_from(before, "test"));
    const train::adaptation did = train::adapt(adapted, through);
    CHECK(did.weights == 20 * 27 + 24 * 180 + 3 * 216);
    CHECK(did.beyond == 0);  // the last layer's lie within +-0.14 by their start
    const auto p = train::deploy<net>(plain), q = train::deploy<net>(adapted);
    static state<net> memory;
    static workspace<net> space;
    const std::span<const float> first{b.pixels.data(), 108};
    const auto want = infer<net>(*p, memory, first, space).logits;
    const std::vector<float> kept(want.begin(), want.end());
    const auto got = infer<net>(*q, memory, first, space).logits;
    for (std::size_t i = 0; i < kept.size(); ++i) CHECK(got[i] == Approx(kept[i]).epsilon(1e-3).margin(1e-3));
    // without a norm what lies beyond is clipped, and counted
    using last = network<image<3, 6, 6>, float32, linear<3>>;
    train::trainer<last> wide{by}, held{bending};
    for (float& w : wide.parts().parameters) w *= 10.0f;
    REQUIRE(held.start_from(wide.tensors(), "test"));
    std::size_t beyond = 0;
    for (const float w : wide.parts().parameters) beyond += std::abs(w) > 0.25f ? 1u : 0u;
    CHECK(train::adapt(held, through).beyond + 3 >= beyond);  // of all parameters, biases are not weights
    CHECK(beyond > 100);
}
