// SPDX-License-Identifier: MIT
// Gradients of logits: the reference in double against finite differences, the kernels against the reference.
#include "analyze/oracle.hpp"

#include "support/catch.hpp"

using namespace analyze_tests;

namespace {

template <network_type Net>
void check_differences(std::uint64_t seed) {
    const auto weights = support::drawn_network<Net>(seed);
    logit_oracle oracle{*weights};
    const auto image = support::drawn_images<Net>(1, seed)[0];
    const std::size_t classes = oracle.net.classes();
    std::vector<double> pull(classes);
    for (std::size_t c = 0; c < classes; ++c) pull[c] = c % 2 == 0 ? 1.0 : -0.5 * static_cast<double>(c);
    const std::vector<double> gradient = oracle.gradient(image, pull);
    random_stream random{seed, {3}};
    double worst = 0.0;
    int checked = 0, bent = 0;
    for (std::size_t s = 0; s < oracle.slots(); ++s)
        for (std::size_t w = 0; w < oracle.weights_of(s); ++w) {
            if (random.below(1 + oracle.weights_of(s) / 12) != 0) continue;
            const std::size_t at = oracle.place(s, w);
            const auto value = [&](double h) {
                const double old = oracle.exact.parameters[at];
                oracle.exact.parameters[at] = old + h;
                const auto z = oracle.logits(image);
                oracle.exact.parameters[at] = old;
                double sum = 0.0;
                for (std::size_t c = 0; c < classes; ++c) sum += pull[c] * z[c];
                return sum;
            };
            const double wide = (value(2e-5) - value(-2e-5)) / 4e-5, narrow = (value(1e-5) - value(-1e-5)) / 2e-5;
            ++checked;
            if (std::abs(wide - narrow) > 1e-7) ++bent;
            else worst = std::max(worst, std::abs(narrow - gradient[at]));
        }
    CHECK(worst < 1e-6);
    CHECK(checked > 20);
    CHECK(bent * 5 < checked);
}

template <network_type Net>
void check_kernels(std::uint64_t seed) {
    const auto weights = support::drawn_network<Net>(seed);
    logit_oracle oracle{*weights};
    analyze::gradient_pass pass{oracle.net};
    const std::size_t classes = oracle.net.classes();
    for (const auto& image : support::drawn_images<Net>(3, seed)) {
        const std::vector<float> logits{pass.forward(image).begin(), pass.forward(image).end()};
        if constexpr (Net::output.words != word_kind::real) {
            const auto answer = support::answer_of<Net>(*weights, image);
            for (std::size_t c = 0; c < classes; ++c) CHECK(to_word(logits[c]) == to_word(answer.logits[c]));
        }
        const auto exact = oracle.logits(image);
        for (std::size_t c = 0; c < classes; ++c) CHECK(logits[c] == Approx(exact[c]).margin(1e-4));
        for (std::size_t c = 0; c < classes; ++c) {
            std::vector<double> seed_of(classes);
            train::floats seed_in_float(classes), gradient(oracle.net.layout().words);
            seed_of[c] = 1.0;
            seed_of[(c + 1) % classes] = -1.0;
            std::copy(seed_of.begin(), seed_of.end(), seed_in_float.begin());
            pass.backward(seed_in_float, gradient);
            const auto& wanted = oracle.gradient(image, seed_of);
            for (std::size_t s = 0; s < oracle.slots(); ++s) {
                const auto& r = oracle.net.layout().slots[s];
                double most = 0.0, off = 0.0;
                for (std::size_t w = r.weights; w < r.weights + r.words(); ++w) {
                    most = std::max(most, std::abs(wanted[w]));
                    off = std::max(off, std::abs(wanted[w] - static_cast<double>(gradient[w])));
                }
                INFO("slot " << s << " class " << c);
                CHECK(off <= 2e-5 * most);
            }
        }
    }
}

}  // namespace

TEST_CASE("the reference's gradients of logits are finite differences") {
    check_differences<train_tests::plain>(1);
    check_differences<train_tests::residuals>(2);
    check_differences<train_tests::branches>(3);
}

TEST_CASE("the pass has the logits of an inference, and the gradients of the reference") {
    check_kernels<train_tests::plain>(4);
    check_kernels<train_tests::residuals>(5);
    check_kernels<train_tests::branches>(6);
}
