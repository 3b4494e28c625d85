// SPDX-License-Identifier: MIT
// Simulates campaigns of which the true rate is known and writes how often each interval held it, for docs/statistics.md:
//
//     cmake --build build/release --target coverage
//     build/release/bin/coverage docs/results/coverage.csv [campaigns [seed]]
//
// 20,000 campaigns and seed 1 where not given; some minutes on one core. The same bytes everywhere. `share` is that of
// collapsing trials, or the rate of single faults (studies binomial, which is summed exactly, and stratified).
#include "support/coverage.hpp"

#include <cstdio>
#include <cstdlib>

namespace {

std::FILE* out = nullptr;

void row(const char* study, const char* method, int trials, double correlation, double share, const support::tally& t) {
    std::fprintf(out, "%s,%s,%d,%g,%g,%d,%.4f,%.5f,%.1f\n", study, method, trials, correlation, share, t.campaigns, t.coverage(),
                 t.mean_width(), t.mean_trials());
    std::fflush(out);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || argc > 4 || (out = std::fopen(argv[1], "wb")) == nullptr) {
        std::fprintf(stderr, "usage: coverage FILE [campaigns [seed]]\n");
        return 2;
    }
    const int campaigns = argc > 2 ? std::atoi(argv[2]) : 20000;
    const std::uint64_t seed = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;
    std::fprintf(out, "study,method,trials,correlation,share,campaigns,coverage,width,mean_trials\n");

    using namespace redoubt::campaign;
    for (const int n : {1, 10, 30, 100, 664, 1000}) {
        for (const double rate : {0.0, 1e-4, 0.01, 0.3, 0.5, 1.0}) {
            const auto exact = [&](const char* method, auto interval_of) {
                std::fprintf(out, "binomial,%s,%d,0,%g,0,%.4f,,\n", method, n, rate, support::binomial_coverage(n, rate, interval_of));
            };
            exact("clopper_pearson", [](double k, double size) { return clopper_pearson(k, size); });
            exact("wilson", [](double k, double size) { return wilson(k, size); });
            exact("wald", support::wald);
        }
    }
    for (const int trials : {20, 50, 200}) {
        for (const double correlation : {0.0, 0.1, 0.5}) {
            for (const double collapse : {0.01, 0.1, 0.5}) {
                const auto all = support::cover_trials({trials, correlation, collapse}, campaigns, seed);
                row("trials", "trial_interval", trials, correlation, collapse, all[0]);
                row("trials", "cluster_interval", trials, correlation, collapse, all[1]);
                row("trials", "wilson", trials, correlation, collapse, all[2]);
                row("paired", "compare_trials", trials, correlation, collapse,
                    support::cover_paired({trials, correlation, collapse}, campaigns, seed));
            }
        }
    }
    std::uint32_t number = 0;
    for (const support::stratified_cell& cell : support::stratified_cells()) {
        const support::tally t = support::cover_stratified(cell, ++number, campaigns, seed);
        row("stratified", cell.name, static_cast<int>(t.mean_trials()), 0.0, support::rate_of(cell), t);
    }
    for (const double correlation : {0.0, 0.1, 0.5}) {
        for (const double collapse : {0.01, 0.1, 0.5}) {
            const auto all = support::cover_sequential({200, correlation, collapse}, campaigns, seed);
            row("sequential", "absolute", 200, correlation, collapse, all[0]);
            row("sequential", "relative", 200, correlation, collapse, all[1]);
            row("sequential", "every look", 200, correlation, collapse, all[2]);
        }
    }
    return std::fclose(out) == 0 ? 0 : 1;
}
