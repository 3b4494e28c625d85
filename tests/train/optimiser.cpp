// SPDX-License-Identifier: MIT
// Optimisers and schedules against their formulas.
#include <redoubt/train/optimiser.hpp>
#include <redoubt/train/schedule.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <vector>

using namespace redoubt;

namespace {

/// One slot of 3 inputs and 5 outputs with a norm, or with a bias.
train::parameter_layout small_layout(bool has_norm) {
    slot s;
    s.geometry = {.in = {3, 1, 1}, .out = {5, 1, 1}};
    s.has_norm = has_norm;
    return train::parameter_layout{std::vector<slot>{s}};
}

}  // namespace

TEST_CASE("optimisers follow their formulas, and decay is of weights alone") {
    using kind = train::optimiser_kind;
    for (const bool has_norm : {false, true})
        for (const train::optimiser_spec& spec : {train::optimiser_spec{.decay = 0.01}, train::optimiser_spec{.momentum = 0.8, .nesterov = true, .decay = 0.02},
                                                  train::optimiser_spec{.momentum = 0.0}, train::optimiser_spec{.kind = kind::adam, .decay = 0.0123},
                                                  train::optimiser_spec{.kind = kind::adamw, .decay = 0.1, .first = 0.8, .second = 0.99, .epsilon = 1e-3}}) {
            const auto layout = small_layout(has_norm);
            train::team threads{1};
            train::optimiser by{spec, layout};
            std::vector<float> w(layout.words), g(layout.words);
            std::vector<double> exact(layout.words), first(layout.words), second(layout.words);
            for (std::size_t i = 0; i < w.size(); ++i) exact[i] = static_cast<double>(w[i] = static_cast<float>(i % 7) - 3.0f);
            for (int n = 1; n <= 5; ++n) {
                const double rate = 0.1 / n, scale = n == 3 ? 0.5 : 1.0;
                for (std::size_t i = 0; i < g.size(); ++i) g[i] = static_cast<float>(static_cast<int>(i) % 5 - 2) * 0.3f + 0.1f * static_cast<float>(n);
                by.step(threads, w, g, rate, scale);
                for (std::size_t i = 0; i < w.size(); ++i) {
                    const double decay = i < layout.slots[0].bias ? spec.decay : 0.0;
                    double d = static_cast<double>(g[i]) * scale;
                    if (spec.kind == kind::sgd) {
                        d += decay * exact[i];
                        first[i] = spec.momentum * first[i] + d;
                        exact[i] -= rate * (spec.nesterov ? d + spec.momentum * first[i] : first[i]);
                        continue;
                    }
                    if (spec.kind == kind::adamw) exact[i] *= 1.0 - rate * decay;
                    else d += decay * exact[i];
                    first[i] = spec.first * first[i] + (1.0 - spec.first) * d;
                    second[i] = spec.second * second[i] + (1.0 - spec.second) * d * d;
                    const double mean = first[i] / (1.0 - std::pow(spec.first, n)), square = second[i] / (1.0 - std::pow(spec.second, n));
                    exact[i] -= rate * mean / (std::sqrt(square) + spec.epsilon);
                }
            }
            double apart = 0.0;
            for (std::size_t i = 0; i < w.size(); ++i) apart = std::max(apart, std::abs(static_cast<double>(w[i]) - exact[i]));
            CHECK(apart < 3e-6);
        }
}

TEST_CASE("the length of a gradient is the root of its squares") {
    std::vector<float> g(1000, 0.5f);
    g[3] = -7.0f;
    CHECK(train::gradient_norm(g) == Approx(std::sqrt(999 * 0.25 + 49.0)).epsilon(1e-12));
}

TEST_CASE("half a wave is that of the cosine") {
    constexpr double pi = 3.14159265358979323846;
    for (int i = 0; i <= 1000; ++i) CHECK(std::abs(train::half_wave(i / 1000.0) - 0.5 * (1.0 + std::cos(pi * i / 1000.0))) < 1e-15);
}

TEST_CASE("schedules go as they say") {
    using kind = train::schedule_kind;
    const train::schedule_spec flat{.rate = 0.5, .warm_up = 4};
    CHECK(train::rate_at(flat, 0, 100, 10) == Approx(0.125));
    CHECK(train::rate_at(flat, 3, 100, 10) == Approx(0.5));
    CHECK(train::rate_at(flat, 50, 100, 10) == Approx(0.5));

    const train::schedule_spec steps{.kind = kind::step, .rate = 1.0, .milestones = {2, 5}, .factor = 0.1};
    CHECK(train::rate_at(steps, 19, 100, 10) == Approx(1.0));
    CHECK(train::rate_at(steps, 20, 100, 10) == Approx(0.1));
    CHECK(train::rate_at(steps, 50, 100, 10) == Approx(0.01));

    const train::schedule_spec cosine{.kind = kind::cosine, .rate = 1.0, .warm_up = 10, .last = 0.2};
    CHECK(train::rate_at(cosine, 10, 110, 10) == Approx(1.0));
    CHECK(train::rate_at(cosine, 60, 110, 10) == Approx(0.6));
    CHECK(train::rate_at(cosine, 109, 110, 10) == Approx(0.2).epsilon(0.01));

    // PyTorch's OneCycleLR(max_lr=0.01, total_steps=20): pct_start 0.3, div_factor 25, final_div_factor 1e4
    const train::schedule_spec cycle{.kind = kind::one_cycle, .rate = 0.01};
    CHECK(train::rate_at(cycle, 0, 20, 10) == Approx(0.0004));
    CHECK(train::rate_at(cycle, 5, 20, 10) == Approx(0.01));
    CHECK(train::rate_at(cycle, 12, 20, 10) == Approx(0.5 * (0.01 + 4e-8)).epsilon(1e-6));
    CHECK(train::rate_at(cycle, 19, 20, 10) == Approx(4e-8));
}
