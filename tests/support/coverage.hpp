// SPDX-License-Identifier: MIT
// Simulated campaigns of which the true rate is known, to count how often an interval holds it.
#pragma once

#include <redoubt/base/philox.hpp>
#include <redoubt/campaign/interval.hpp>
#include <redoubt/campaign/paired.hpp>
#include <redoubt/campaign/sequential.hpp>
#include <redoubt/campaign/stratified.hpp>
#include <redoubt/campaign/trial_interval.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace support {

inline constexpr int images = 100;
inline constexpr double clean_rate = 0.93, chance = 0.1;

/// Probabilities of 0, ..., images successes in a trial.
using count_law = std::vector<double>;

/// The law of a beta-binomial trial by Polya's urn: the images of a trial come one after the other, and each is right with
/// a probability that the earlier ones have moved. `correlation` is that of two images; 0 makes it binomial.
inline count_law beta_binomial(double rate, double correlation) {
    count_law law(images + 1, 0.0);
    law[0] = 1.0;
    // Right with probability (rate + correlation / (1 - correlation) right) / (1 + correlation / (1 - correlation) seen).
    const double pull = correlation / (1.0 - correlation);
    for (int seen = 0; seen < images; ++seen) {
        const double all = std::fma(pull, seen, 1.0);
        for (int right = seen; right >= 0; --right) {
            const auto r = static_cast<std::size_t>(right);
            const double next = std::fma(pull, right, rate) / all;
            law[r + 1] = std::fma(law[r], next, law[r + 1]);
            law[r] *= 1.0 - next;
        }
    }
    return law;
}

/// The law of a trial that collapses to chance with probability `share`.
inline count_law collapsing(double correlation, double share) {
    count_law law = beta_binomial(clean_rate, correlation);
    const count_law collapsed = beta_binomial(chance, correlation);
    for (std::size_t s = 0; s < law.size(); ++s) law[s] = std::fma(share, collapsed[s] - law[s], law[s]);
    return law;
}

/// Its mean rate.
inline double mean_of(const count_law& law) {
    double mean = 0.0;
    for (std::size_t s = 0; s < law.size(); ++s) mean = std::fma(law[s], static_cast<double>(s) / images, mean);
    return mean;
}

/// Draws from a law.
class counts {
public:
    explicit counts(const count_law& law) {
        double sum = 0.0;
        for (const double p : law) cumulative_.push_back(sum += p);
        cumulative_.back() = 2.0;
    }
    double operator()(redoubt::random_stream& random) const {
        return static_cast<double>(std::lower_bound(cumulative_.begin(), cumulative_.end(), random.unit()) - cumulative_.begin());
    }

private:
    std::vector<double> cumulative_;
};

/// How often an interval held the truth, how wide it was on average, and of how many trials.
struct tally {
    int campaigns = 0, held = 0;
    double width = 0.0, trials = 0.0;
    void add(const redoubt::campaign::interval& i, double truth, double n) {
        ++campaigns;
        held += i.holds(truth) ? 1 : 0;
        width += i.high - i.low;
        trials += n;
    }
    double coverage() const { return static_cast<double>(held) / campaigns; }
    double mean_width() const { return width / campaigns; }
    double mean_trials() const { return trials / campaigns; }
};

/// A cell of the grid.
struct coverage_cell {
    int trials;
    double correlation, collapse;
};

inline redoubt::random_stream stream_of(std::uint64_t seed, std::uint32_t study, const coverage_cell& cell) {
    return {seed, {study, static_cast<std::uint32_t>(cell.trials), static_cast<std::uint32_t>(std::lround(1000.0 * cell.correlation)),
                   static_cast<std::uint32_t>(std::lround(1000.0 * cell.collapse))}};
}

/// trial_interval, cluster_interval and Wilson's over the images, on the same campaigns.
inline std::array<tally, 3> cover_trials(const coverage_cell& cell, int campaigns, std::uint64_t seed) {
    using namespace redoubt::campaign;
    const count_law law = collapsing(cell.correlation, cell.collapse);
    const counts draw{law};
    const double truth = mean_of(law);
    redoubt::random_stream random = stream_of(seed, 1, cell);
    std::array<tally, 3> all;
    std::vector<double> successes(static_cast<std::size_t>(cell.trials));
    for (int c = 0; c < campaigns; ++c) {
        double sum = 0.0;
        for (double& s : successes) sum += s = draw(random);
        all[0].add(trial_interval(successes, images), truth, cell.trials);
        all[1].add(cluster_interval(successes, images), truth, cell.trials);
        all[2].add(wilson(sum, images * static_cast<double>(cell.trials)), truth, cell.trials);
    }
    return all;
}

/// A sequential campaign of cell.trials at most, looked at after every tenth trial: its intervals where it stops at a
/// margin of 10 points and at one of half the error rate, and whether all of them held (with the last one's width).
inline std::array<tally, 3> cover_sequential(const coverage_cell& cell, int campaigns, std::uint64_t seed) {
    using namespace redoubt::campaign;
    const count_law law = collapsing(cell.correlation, cell.collapse);
    const counts draw{law};
    const double truth = 1.0 - mean_of(law);
    redoubt::random_stream random = stream_of(seed, 2, cell);
    std::array<tally, 3> all;
    for (int c = 0; c < campaigns; ++c) {
        sequential_mean mean;
        bool absolute = false, relative = false, ever_missed = false;
        interval bounds;
        for (int trial = 1; trial <= cell.trials; ++trial) {
            mean.add((images - draw(random)) / images);
            if (trial % 10 != 0) continue;
            bounds = mean.bounds();
            ever_missed = ever_missed || !bounds.holds(truth);
            const bool last = trial == cell.trials;
            const estimate now{mean.rate(), bounds};
            if (!absolute && (last || within(now, 0.1))) absolute = true, all[0].add(bounds, truth, trial);
            if (!relative && (last || within_relative(now, 0.5))) relative = true, all[1].add(bounds, truth, trial);
        }
        all[2].add(bounds, ever_missed ? 2.0 : bounds.low, cell.trials);
    }
    return all;
}

/// Two protections under the same faults: where the first collapses, the second does in every second trial.
inline tally cover_paired(const coverage_cell& cell, int campaigns, std::uint64_t seed) {
    using namespace redoubt::campaign;
    const count_law clean = beta_binomial(clean_rate, cell.correlation), collapsed = beta_binomial(chance, cell.correlation);
    const counts draw_clean{clean}, draw_collapsed{collapsed};
    const double truth = 0.5 * cell.collapse * (mean_of(clean) - mean_of(collapsed));
    redoubt::random_stream random = stream_of(seed, 3, cell);
    std::vector<double> first(static_cast<std::size_t>(cell.trials)), second = first;
    tally all;
    for (int c = 0; c < campaigns; ++c) {
        for (std::size_t i = 0; i < first.size(); ++i) {
            const double u = random.unit();
            first[i] = u <= 0.5 * cell.collapse ? draw_collapsed(random) : draw_clean(random);
            second[i] = u <= cell.collapse ? draw_collapsed(random) : draw_clean(random);
        }
        all.add(compare_trials(first, second, images).bounds, truth, cell.trials);
    }
    return all;
}

/// Strata by their share of the fault space, faults struck and failure rate.
struct stratified_cell {
    const char* name;
    struct part { double size, faults, rate; };
    std::vector<part> parts;
};

/// Layers by bit classes as a network has them: most bits harmless, few that matter, with several ways to share out faults.
inline std::vector<stratified_cell> stratified_cells() {
    std::vector<stratified_cell> cells;
    const auto add = [&](const char* name, double sign, double exponent, double fraction, bool proportional, double faults) {
        stratified_cell cell{name, {}};
        for (const double layer : {450.0, 2400.0, 48000.0, 10080.0, 840.0}) {
            cell.parts.push_back({layer, 0.0, sign});
            cell.parts.push_back({layer * 8.0, 0.0, exponent});
            cell.parts.push_back({layer * 23.0, 0.0, fraction});
        }
        double size = 0.0;
        for (const auto& p : cell.parts) size += p.size;
        for (auto& p : cell.parts) {
            p.faults = proportional ? std::ceil(faults * p.size / size) : std::ceil(faults / static_cast<double>(cell.parts.size()));
        }
        cells.push_back(cell);
    };
    for (const bool proportional : {true, false}) {
        const char* way = proportional ? "in proportion" : "equal";
        for (const double faults : {150.0, 1500.0}) {
            add(way, 0.0, 0.001, 0.0, proportional, faults);
            add(way, 0.01, 0.05, 0.001, proportional, faults);
            add(way, 0.2, 0.4, 0.02, proportional, faults);
            add(way, 0.5, 0.5, 0.5, proportional, faults);
            add(way, 0.99, 0.9, 0.999, proportional, faults);
        }
    }
    return cells;
}

inline double rate_of(const stratified_cell& cell) {
    double size = 0.0, rate = 0.0;
    for (const auto& p : cell.parts) size += p.size;
    for (const auto& p : cell.parts) rate = std::fma(p.size / size, p.rate, rate);
    return rate;
}

inline tally cover_stratified(const stratified_cell& cell, std::uint32_t number, int campaigns, std::uint64_t seed) {
    using namespace redoubt::campaign;
    const double truth = rate_of(cell);
    redoubt::random_stream random{seed, {4, number, 0, 0}};
    double faults = 0.0;
    std::vector<stratum> strata;
    for (const auto& p : cell.parts) strata.push_back({p.size, p.faults, 0.0}), faults += p.faults;
    tally all;
    for (int c = 0; c < campaigns; ++c) {
        for (std::size_t i = 0; i < strata.size(); ++i) {
            strata[i].failures = 0.0;
            for (double f = 0.0; f < strata[i].faults; f += 1.0) strata[i].failures += random.unit() <= cell.parts[i].rate ? 1.0 : 0.0;
        }
        all.add(stratified_estimate(strata).bounds, truth, faults);
    }
    return all;
}

/// The exact coverage of an interval of k in n at a rate: the binomial probabilities of the k whose interval holds it.
template <class Interval>
double binomial_coverage(int n, double rate, Interval&& interval_of) {
    using namespace redoubt::campaign;
    double covered = 0.0;
    for (int k = 0; k <= n; ++k) {
        double weight = 0.0;
        if (rate == 0.0 || rate == 1.0) {
            weight = k == (rate == 0.0 ? 0 : n) ? 1.0 : 0.0;
        } else {
            const double ways = log_gamma(n + 1.0) - log_gamma(k + 1.0) - log_gamma(n - k + 1.0);
            weight = redoubt::exponential(std::fma(k, redoubt::natural_log(rate), std::fma(n - k, log_complement(rate), ways)));
        }
        // Weights that cannot matter save their interval.
        if (weight < 1e-18) continue;
        if (interval_of(static_cast<double>(k), static_cast<double>(n)).holds(rate)) covered += weight;
    }
    return std::min(covered, 1.0);
}

/// The normal approximation's interval, to show that the checks notice it.
inline redoubt::campaign::interval wald(double k, double n) {
    const double rate = k / n, deviation = std::sqrt(rate * (1.0 - rate) / n);
    return {std::fma(-1.959964, deviation, rate), std::fma(1.959964, deviation, rate)};
}

}  // namespace support
