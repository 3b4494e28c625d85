// SPDX-License-Identifier: MIT
// Bounds of range restrictions tuned under faults, layer by layer, by narrowing an interval: Hoang, Hanif, Shafique, "FT-ClipAct: Resilience analysis of deep
// neural networks and improving their fault tolerance using clipped activation" (DATE 2020, arXiv 1912.00941), with the numbers of public code for it.
#pragma once

#include <redoubt/campaign/images.hpp>
#include <redoubt/campaign/parallel.hpp>
#include <redoubt/fault/weights.hpp>
#include <redoubt/nn/run.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace redoubt::analyze::inline v1 {

/// How bounds are searched. The numbers are the method's own.
struct bound_search_spec {
    std::vector<double> rates{1e-7, 1e-6, 3e-6, 1e-5, 3e-5};  ///< probabilities of each bit of a layer's weights, ascending
    int points = 4;          ///< bounds that a round tries, equally spaced over the interval, its ends included
    int repeats = 20;        ///< fault patterns of each rate
    int least_rounds = 3;    ///< before the search may settle
    int most_rounds = 4;
    double settled = 0.2;    ///< largest difference between the scores of a round at which it does, in points times abscissa
    std::uint64_t seed = 1;
    unsigned threads = 1;    ///< results do not depend on it
};

/// What was found for one layer. Bounds are values for floats and codes for int8; accuracies are in percent.
struct found_bound {
    int slot = -1;
    int unit = -1;
    double calibrated = 0.0;           ///< the upper bound before
    double bound = 0.0;                ///< and after: at most that
    double calibrated_score = 0.0;
    double score = 0.0;                ///< not below calibrated_score
    double calibrated_accuracy = 0.0;  ///< without faults
    double accuracy = 0.0;
    int rounds = 0;
};

/// Area under accuracies in percent over abscissae 1/n, 2/n, ..., 1 by the trapezoid rule: at most 100 (n - 1) / n.
inline double area_under(std::span<const double> accuracies) {
    double sum = 0.0;
    for (std::size_t i = 1; i < accuracies.size(); ++i) sum += 0.5 * (accuracies[i - 1] + accuracies[i]);
    return accuracies.empty() ? 0.0 : sum / static_cast<double>(accuracies.size());
}

}  // namespace redoubt::analyze::inline v1

namespace redoubt::analyze::inline REDOUBT_ABI {

namespace impl {

/// Scores upper bounds of one layer.
template <network_type Net>
class bound_scorer {
public:
    using bound = bound_of<typename Net::number_type>;
    struct scored {
        bound high{};
        double score = 0.0;
        double accuracy = 0.0;  ///< without faults
    };

    bound_scorer(const parameters<Net>& weights, const campaign::prepared_images& images, const bound_search_spec& spec, int slot)
        : weights_{weights}, images_{images}, spec_{spec}, slot_{slot} {}

    /// Every pattern strikes all bounds alike, and the patterns of a lower rate are among those of a higher one. A pattern without a fault takes the answers of
    /// the fault-free run, of which there is one for each bound.
    std::vector<scored> operator()(std::span<const bound> highs) const {
        const std::size_t rates = spec_.rates.size(), repeats = static_cast<std::size_t>(spec_.repeats), each = rates * repeats + 1;
        std::vector<std::uint32_t> right(highs.size() * each, no_fault);
        campaign::parallel_for(right.size(), spec_.threads, [&] { return worker{weights_}; }, [&](worker& w, std::size_t i) {
            w.own->of_unit(unit()).high = highs[i / each];
            copy_bounds<Net>(*w.own, unit());
            const std::size_t pattern = i % each;
            w.struck.clear();
            if (pattern != 0) {
                draw((pattern - 1) / repeats, (pattern - 1) % repeats, w);
                if (w.struck.empty()) return;
            }
            for (fault::weight_fault& f : w.struck) fault::apply<Net>(*w.own, f);
            right[i] = count_right(w);
            for (auto f = w.struck.rbegin(); f != w.struck.rend(); ++f) fault::undo<Net>(*w.own, *f);
        });
        std::vector<scored> all;
        std::vector<double> accuracies(rates);
        for (std::size_t h = 0; h < highs.size(); ++h) {
            const std::uint32_t* const of = right.data() + h * each;
            for (std::size_t r = 0; r < rates; ++r) {
                std::uint64_t sum = 0;
                for (std::size_t t = 0; t < repeats; ++t) sum += of[1 + r * repeats + t] == no_fault ? of[0] : of[1 + r * repeats + t];
                accuracies[r] = percent(sum, repeats);
            }
            all.push_back({highs[h], area_under(accuracies), percent(of[0], 1)});
        }
        return all;
    }

    int unit() const { return Net::table.slots[static_cast<std::size_t>(slot_)].unit; }

private:
    static constexpr std::uint32_t no_fault = ~std::uint32_t{0};

    struct worker {
        std::unique_ptr<parameters<Net>> own;
        std::unique_ptr<workspace<Net>> space = std::make_unique<workspace<Net>>();
        state<Net> memory{};
        std::vector<fault::weight_fault> struck{};

        explicit worker(const parameters<Net>& weights) : own{std::make_unique<parameters<Net>>(weights)} {}
    };

    void draw(std::size_t rate, std::size_t repeat, worker& w) const {
        fault::fault_spec faults;
        faults.rate = spec_.rates[rate];
        faults.only_slot = slot_;
        // trials of their own for each layer
        const auto trial = static_cast<std::uint64_t>(slot_) * static_cast<std::uint64_t>(spec_.repeats) + repeat;
        fault::draw_weights<Net>(spec_.seed, trial, faults, {}, [&](const fault::weight_fault& f) { w.struck.push_back(f); });
    }
    std::uint32_t count_right(worker& w) const {
        std::uint32_t right = 0;
        for (std::size_t i = 0; i < images_.size(); ++i)
            right += infer<Net>(*w.own, w.memory, images_.image(i), *w.space).top1() == images_.labels[i] ? 1u : 0u;
        return right;
    }
    double percent(std::uint64_t right, std::size_t runs) const {
        return 100.0 * static_cast<double>(right) / (static_cast<double>(images_.size()) * static_cast<double>(runs));
    }

    const parameters<Net>& weights_;
    const campaign::prepared_images& images_;
    const bound_search_spec& spec_;
    int slot_;
};

/// `count` numbers from `low` to `high`, both included, of codes rounded; the highest first.
template <class Bound>
std::vector<Bound> spaced(double low, double high, int count) {
    std::vector<Bound> all;
    for (int i = count - 1; i >= 0; --i) {
        double v = i == count - 1 ? high : low + (high - low) * (static_cast<double>(i) / static_cast<double>(count - 1));
        if constexpr (std::is_integral_v<Bound>) v += 0.5;
        all.push_back(static_cast<Bound>(v));
    }
    return all;
}

template <network_type Net>
found_bound search_bound(const parameters<Net>& weights, const campaign::prepared_images& images, const bound_search_spec& spec, int slot) {
    using scorer = bound_scorer<Net>;
    using bound = typename scorer::bound;
    const scorer score{weights, images, spec, slot};
    const bound most = weights.of_unit(score.unit()).high;
    double low = 0.0, high = static_cast<double>(most);
    std::vector<typename scorer::scored> known;  // by all rounds: ends of an interval, and codes, come again
    std::size_t best = 0;
    int rounds = 0;
    while (rounds < spec.most_rounds) {
        ++rounds;
        const std::vector<bound> tried = spaced<bound>(low, high, spec.points);
        std::vector<bound> fresh;
        const auto place_of = [&](bound v) {
            return static_cast<std::size_t>(std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.high == v; }) - known.begin());
        };
        for (const bound v : tried)
            if (place_of(v) == known.size() && std::find(fresh.begin(), fresh.end(), v) == fresh.end()) fresh.push_back(v);
        const auto scores = score(fresh);
        known.insert(known.end(), scores.begin(), scores.end());
        // of equal ones the highest, which is nearest to what was seen without faults
        std::size_t here = 0;
        double least = known[place_of(tried[0])].score, largest = least;
        for (std::size_t i = 1; i < tried.size(); ++i) {
            const double s = known[place_of(tried[i])].score;
            if (s > largest) here = i;
            largest = std::max(largest, s);
            least = std::min(least, s);
        }
        const auto& found = known[place_of(tried[here])];
        if (found.score > known[best].score || (found.score >= known[best].score && found.high > known[best].high)) best = place_of(found.high);
        if (rounds >= spec.least_rounds && largest - least <= spec.settled) break;
        low = static_cast<double>(tried[std::min(here + 1, tried.size() - 1)]);
        high = static_cast<double>(tried[here == 0 ? 0 : here - 1]);
    }
    const auto& before = known[0];
    const auto& after = known[best];
    return {slot, score.unit(), static_cast<double>(most), static_cast<double>(after.high), before.score, after.score, before.accuracy, after.accuracy, rounds};
}

}  // namespace impl

/// Lowers the upper bound of each convolution and linear layer of Net whose outputs a guard holds in the unit's bounds to the one, between 0 and the calibrated one, with
/// the largest score: the area under the accuracy on `images` over the rates of faults in that layer's weights alone, at which others are sound. The first round
/// tries bounds over [0, calibrated], each further one between the neighbours of the best of the last. Layers are searched in their order, each with what was
/// found before. Set calibrated bounds first; layers without a finite one above 0 are left as they are, and so are bounds of neurons.
///
/// `images` are training images, never test images. Deterministic. Cost: for each layer and round up to points * (rates * repeats + 1) * images inferences; a pattern
/// without faults costs none.
template <network_type Net>
std::vector<found_bound> search_bounds(parameters<Net>& weights, const campaign::prepared_images& images, const bound_search_spec& spec = {}) {
    static_assert(!is_fast<typename Net::number_type>, "redoubt: the weights of a fast network are no fault sites");
    REDOUBT_EXPECTS(spec.points >= 2 && spec.repeats > 0 && spec.most_rounds > 0 && spec.rates.size() >= 2 && images.size() > 0);
    using bound = bound_of<typename Net::number_type>;
    std::vector<found_bound> all;
    for (int s = 0; s < Net::table.slot_count; ++s) {
        const int unit = Net::table.slots[static_cast<std::size_t>(s)].unit;
        const unit_place& place = parameters<Net>::place_of_unit(unit);
        const bound most = weights.of_unit(unit).high;
        if (!place.guarded || place.neurons != 0 || !(most > 0) || most >= std::numeric_limits<bound>::max()) continue;
        all.push_back(impl::search_bound<Net>(weights, images, spec, s));
        weights.of_unit(unit).high = static_cast<bound>(all.back().bound);
        copy_bounds<Net>(weights, unit);
    }
    return all;
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
