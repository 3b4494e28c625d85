// SPDX-License-Identifier: MIT
// Bounds of neurons that were calibrated beside trained ones, under faults in weights. For docs/protections.md:
//
//     cmake --build build/release --target bounds_study
//     build/release/bin/bounds_study WEIGHTS DATA docs/results/bounds.csv [epochs [decay [rate]]]
//
// DATA is the folder of Fashion-MNIST, WEIGHTS a ResNet-20's. Bounds are observed on 2,000 training images and trained on the first 20,000; trials are the same for all rows: 100 of 200 test images.
#include <redoubt/app/presets.hpp>
#include <redoubt/campaign/subject.hpp>
#include <redoubt/campaign/summary.hpp>
#include <redoubt/io/checkpoint.hpp>
#include <redoubt/io/dataset.hpp>
#include <redoubt/io/file.hpp>
#include <redoubt/io/safetensors.hpp>
#include <redoubt/model/resnet_cifar.hpp>
#include <redoubt/train/bounds.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace redoubt;

namespace {

using net = model::resnet20<image<1, 28, 28>>;
template <number N> using bare = with_number<net, N>;
template <number N> using per_step = app::presets::range::apply<bare<N>>;
template <number N> using per_neuron = app::presets::range_neurons::apply<bare<N>>;

constexpr int trials = 100;
constexpr std::size_t struck_images = 200, observed_images = 2000, training_images = 20000;
constexpr unsigned threads = 2;

int failed(const error& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
}

/// Images of a set that come first.
io::image_set first_of(const io::image_set& set, std::size_t count) {
    io::image_set some = set;
    some.labels.resize(std::min(count, set.size()));
    some.pixels.resize(some.labels.size() * set.image_size());
    return some;
}

template <network_type Net, class Seen, class Observe>
std::unique_ptr<Seen> observed(const campaign::prepared_images& images, Observe&& observe) {
    auto seen = std::make_unique<Seen>();
    const auto space = std::make_unique<workspace<Net>>();
    for (std::size_t i = 0; i < images.size(); ++i) observe(images.image(i), *space, *seen);
    return seen;
}

/// Rows of one network under faults.
template <network_type Net>
void strike(std::ostringstream& to, const char* number, const char* bounds, std::unique_ptr<parameters<Net>> weights, const campaign::prepared_images& exam, const campaign::prepared_images& all) {
    const campaign::typed_subject<Net> typed{bounds, std::move(weights)};
    const campaign::subject& subject = typed;
    const std::uint32_t right = subject.golden(all, threads).right;
    const campaign::golden_run golden = subject.golden(exam, threads);
    std::vector<int> numbers(trials);
    std::iota(numbers.begin(), numbers.end(), 0);
    for (const double rate : {1e-6, 1e-5, 1e-4, 1e-3}) {
        campaign::cell_spec cell;
        cell.faults.rate = rate;
        cell.trials = trials;
        std::vector<campaign::trial_result> results(trials);
        subject.run(cell, exam, golden, threads, numbers, [&](int t, const campaign::trial_result& r) { results[static_cast<std::size_t>(t)] = r; });
        const auto accuracy = campaign::estimate_of(results, &campaign::trial_result::right, exam.size()), sdc = campaign::estimate_of(results, &campaign::trial_result::changed, exam.size());
        to << number << "," << bounds << "," << right << "," << all.size() << "," << rate;
        for (const campaign::estimate& e : {accuracy, sdc}) to << "," << e.rate << "," << e.bounds.low << "," << e.bounds.high;
        to << "\n";
        std::fprintf(stderr, "%s %s %g: %.2f %% right, %.2f %% changed\n", number, bounds, rate, 100.0 * accuracy.rate, 100.0 * sdc.rate);
    }
}

struct lessons {
    campaign::prepared_images seen, exam, all;
};

template <number N>
void strike_all(std::ostringstream& to, const char* number, const parameters<net>& floats, const lessons& by, train::bound_trainer<per_neuron<float32>>& trained) {
    const auto values = observed<net, calibration<net>>(by.seen, [&](auto image, auto& space, auto& seen) { observe<net>(floats, image, space, seen); });
    auto plain = std::make_unique<parameters<bare<N>>>();
    convert<net, bare<N>>(floats, *values, *plain);
    const auto own = observed<bare<N>, calibration<bare<N>>>(by.seen, [&](auto image, auto& space, auto& seen) { observe<bare<N>>(*plain, image, space, seen); });
    const auto neurons = observed<bare<N>, neuron_ranges<bare<N>>>(by.seen, [&](auto image, auto& space, auto& seen) { observe_neurons<bare<N>>(*plain, image, space, seen); });
    const auto guarded = [&]<network_type To>(type_tag<To>) {
        auto weights = std::make_unique<parameters<To>>();
        convert<net, To>(floats, *values, *weights);
        set_bounds<bare<N>, To>(*own, *weights);
        return weights;
    };
    strike<per_step<N>>(to, number, "pair", guarded(type_tag<per_step<N>>{}), by.exam, by.all);
    auto calibrated = guarded(type_tag<per_neuron<N>>{});
    set_neuron_bounds<bare<N>, per_neuron<N>>(*neurons, *calibrated);
    strike<per_neuron<N>>(to, number, "neurons_calibrated", std::move(calibrated), by.exam, by.all);
    auto learnt = guarded(type_tag<per_neuron<N>>{});
    set_neuron_bounds<bare<N>, per_neuron<N>>(*neurons, *learnt);
    trained.put(*learnt);
    strike<per_neuron<N>>(to, number, "neurons_trained", std::move(learnt), by.exam, by.all);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4 || argc > 7) return failed(error{"usage: bounds_study WEIGHTS DATA BOUNDS.csv [epochs [decay [rate]]]"});
    const auto file = io::read_safetensors(argv[1]);
    if (!file) return failed(file.reason());
    const auto floats = std::make_unique<parameters<net>>();
    if (const auto r = io::load<net>(*file, argv[1], *floats); !r) return failed(r.reason());
    const auto set = io::load_dataset(argv[2], io::part::train), test = io::load_dataset(argv[2], io::part::test);
    if (!set) return failed(set.reason());
    if (!test) return failed(test.reason());
    const io::normalisation normalise{{0.2860f}, {0.3530f}};
    const lessons by{campaign::prepare(*set, normalise, observed_images), campaign::prepare(*test, normalise, struck_images), campaign::prepare(*test, normalise, test->size())};

    train::recipe recipe;
    recipe.epochs = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 3;
    recipe.optimiser = {.kind = train::optimiser_kind::adam, .decay = argc > 5 ? std::atof(argv[5]) : 1e-7};
    recipe.schedule = {.kind = train::schedule_kind::cosine, .rate = argc > 6 ? std::atof(argv[6]) : 0.02};
    recipe.augment.normalise = normalise;
    recipe.threads = threads;
    const auto seen = observed<net, neuron_ranges<net>>(by.seen, [&](auto image, auto& space, auto& ranges) { observe_neurons<net>(*floats, image, space, ranges); });
    train::bound_trainer<per_neuron<float32>> trainer{*floats, *seen, recipe};
    const auto sum = [&] { return std::accumulate(trainer.bounds().high.begin(), trainer.bounds().high.end(), 0.0); };
    const double before = sum();
    const io::image_set some = first_of(*set, training_images);
    for (std::uint64_t e = 0; e < recipe.epochs; ++e) {
        const auto start = std::chrono::steady_clock::now();
        const auto report = trainer.epoch(some);
        if (!report) return failed(report.reason());
        std::fprintf(stderr, "epoch %d: loss %.4f, bounds %.3f of their sum, %.0f s\n", static_cast<int>(e) + 1, report->loss, sum() / before,
                     std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::ostringstream rows;
    rows << "number,bounds,right,images,rate,accuracy,accuracy_low,accuracy_high,sdc1,sdc1_low,sdc1_high\n";
    strike_all<float32>(rows, "fp32", *floats, by, trainer);
    strike_all<int8>(rows, "int8", *floats, by, trainer);
    if (const auto r = io::write_file_atomically(argv[3], std::string_view{rows.str()}); !r) return failed(r.reason());
    return 0;
}
