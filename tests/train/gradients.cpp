// SPDX-License-Identifier: MIT
// Whole steps: the reference in double against finite differences, the engine in float against the reference.
#include "train/networks.hpp"

#include <redoubt/train/reference.hpp>

#include "support/catch.hpp"
#include "support/kernels.hpp"

#include <algorithm>
#include <cmath>

using namespace train_tests;

namespace {

/// Logical parameters of a layout: padding lanes are none.
template <class Body>
void for_each_parameter(const train::training_plan& plan, const train::parameter_layout& layout, Body&& body) {
    for (std::size_t s = 0; s < plan.slots.size(); ++s) {
        const auto& g = plan.slots[s].geometry;
        const auto& r = layout.slots[s];
        for (std::size_t i = 0; i < g.weights(); ++i) body(s, r.weights + kernel::wide_layout{}.index_of_logical(g, i));
        for (std::size_t c = 0; c < static_cast<std::size_t>(g.out.channels); ++c) {
            body(s, r.scale + c);
            if (r.has_norm) body(s, r.shift + c);
        }
    }
}

template <network_type Net>
struct both {
    train::trainer<Net> fast{train::recipe{}};
    train::reference_step<double> exact{train::trainer<Net>::plan_of()};
    batch data;
    std::vector<double> pixels;

    explicit both(std::size_t images, std::uint64_t seed) : data{drawn_batch<Net>(images, seed)}, pixels(data.pixels.begin(), data.pixels.end()) {
        disturb(fast.parts().parameters, seed);
        // what lies in no logical place stays zero
        std::vector<bool> logical(fast.parts().parameters.size());
        for_each_parameter(exact.plan(), exact.layout(), [&](std::size_t, std::size_t at) { logical[at] = true; });
        for (std::size_t i = 0; i < logical.size(); ++i)
            if (!logical[i]) fast.parts().parameters[i] = 0.0f;
        std::copy(fast.parts().parameters.begin(), fast.parts().parameters.end(), exact.parameters.begin());
    }
};

template <network_type Net>
void against_differences(std::uint64_t seed) {
    both<Net> b{3, seed};
    b.exact.run(b.pixels, b.data.labels, 0.1);
    const std::vector<double> gradients = b.exact.gradients;
    random_stream random{seed, {3}};
    int checked = 0, bent = 0;
    double worst = 0.0;
    for_each_parameter(b.exact.plan(), b.exact.layout(), [&](std::size_t, std::size_t at) {
        if (random.below(19) != 0 && at + 60 < gradients.size()) return;
        const auto slope = [&](double h) { return central_difference(b.exact.parameters[at], h, [&] { return b.exact.forward(b.pixels, b.data.labels, 0.1); }); };
        // a step across a bend of an activation or a pool shows as slopes that do not agree
        const double wide = slope(2e-5), narrow = slope(1e-5);
        ++checked;
        if (std::abs(wide - narrow) > 1e-7) {
            ++bent;
            return;
        }
        worst = std::max(worst, std::abs(narrow - gradients[at]));
    });
    CHECK(worst < 1e-6);
    CHECK(checked > 20);
    CHECK(bent * 5 < checked);
}

template <network_type Net>
void against_reference(std::size_t images, std::uint64_t seed) {
    both<Net> b{images, seed};
    const double exact = b.exact.run(b.pixels, b.data.labels);
    const auto fast = b.fast.gradients_of(b.data.pixels, b.data.labels);
    REQUIRE(fast);
    CHECK(*fast == Approx(exact).epsilon(1e-5));
    std::vector<double> most(b.exact.plan().slots.size()), apart(most.size());
    for_each_parameter(b.exact.plan(), b.exact.layout(), [&](std::size_t s, std::size_t at) {
        most[s] = std::max(most[s], std::abs(b.exact.gradients[at]));
        apart[s] = std::max(apart[s], std::abs(b.exact.gradients[at] - static_cast<double>(b.fast.parts().gradients[at])));
    });
    for (std::size_t s = 0; s < most.size(); ++s) {
        INFO("slot " << s << " of " << most.size() << " " << b.exact.plan().slots[s].name.view());
        CHECK(apart[s] <= 2e-5 * most[s]);
    }
    // padding lanes neither have gradients nor move
    std::vector<bool> logical(b.exact.gradients.size());
    for_each_parameter(b.exact.plan(), b.exact.layout(), [&](std::size_t, std::size_t at) { logical[at] = true; });
    bool clean = true;
    for (std::size_t i = 0; i < logical.size(); ++i) clean = clean && (logical[i] || b.fast.parts().gradients[i] == 0.0f);
    CHECK(clean);
}

}  // namespace

TEST_CASE("the reference's gradients are finite differences of its loss") {
    against_differences<plain>(1);
    against_differences<residuals>(2);
    against_differences<branches>(3);
}

TEST_CASE("the engine's gradients are the reference's") {
    for (const std::size_t images : {std::size_t{1}, std::size_t{3}, std::size_t{21}}) {
        INFO(images << " images");
        against_reference<plain>(images, 4 + images);
        if (images > 1) against_reference<residuals>(images, 5 + images);
        against_reference<branches>(images, 6 + images);
    }
}

TEST_CASE("norms that keep the statistics of the pass before pass no gradient through them") {
    both<residuals> b{7, 3};
    b.exact.run(b.pixels, b.data.labels);
    REQUIRE(b.fast.gradients_of(b.data.pixels, b.data.labels));
    const auto running = b.fast.parts().running[0].mean;
    // the same batch through other weights
    for (std::size_t i = 0; i < b.exact.parameters.size(); ++i) {
        const float w = b.fast.parts().parameters[i] * (i % 3 == 0 ? 1.25f : 0.9f);
        b.fast.parts().parameters[i] = w;
        b.exact.parameters[i] = static_cast<double>(w);
    }
    // scales belong to what is kept in the engine: as between two passes of a step, they stay
    for (std::size_t s = 0; s < b.exact.layout().slots.size(); ++s) {
        const auto& r = b.exact.layout().slots[s];
        if (!r.has_norm) continue;
        for (std::size_t c = 0; c < r.channels; ++c)
            for (const std::size_t at : {r.scale + c, r.shift + c}) {
                const float old = b.fast.parts().parameters[at] / (at % 3 == 0 ? 1.25f : 0.9f);
                b.fast.parts().parameters[at] = old;
                b.exact.parameters[at] = static_cast<double>(old);
            }
    }
    train::batch_options kept;
    kept.keeps_statistics = true;
    const double loss = b.fast.parts().run(b.data.labels, kept);
    b.exact.keeps_statistics = true;
    CHECK(loss == Approx(b.exact.run(b.pixels, b.data.labels)).epsilon(1e-4));
    CHECK(b.fast.parts().running[0].mean == running);
    const auto gradients = b.exact.gradients;
    double largest = 0.0, apart = 0.0, wrong = 0.0;
    random_stream random{8, {}};
    for_each_parameter(b.exact.plan(), b.exact.layout(), [&](std::size_t, std::size_t at) {
        largest = std::max(largest, std::abs(gradients[at]));
        apart = std::max(apart, std::abs(gradients[at] - static_cast<double>(b.fast.parts().gradients[at])));
        if (random.below(40) != 0) return;
        const auto slope = [&](double h) { return central_difference(b.exact.parameters[at], h, [&] { return b.exact.forward(b.pixels, b.data.labels); }); };
        const double narrow = slope(1e-6);
        if (std::abs(slope(2e-6) - narrow) > 1e-6) return;  // across a bend
        wrong = std::max(wrong, std::abs(narrow - gradients[at]));
    });
    CHECK(largest > 1e-3);
    CHECK(apart <= 1e-4 * largest);
    CHECK(wrong < 1e-5);
}
