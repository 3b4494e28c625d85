// SPDX-License-Identifier: MIT
// How far rankings of channels agree with measured ones, for docs/vulnerability.md:
//
//     cmake --build build/release --target rankings
//     build/release/bin/rankings lenet5 DATA docs/results/rankings.csv [faults [images]]
//
// DATA is the folder of Fashion-MNIST; 200 faults a channel and 32 images where not given, the first training images; rankings that need no faults take 256.
// Minutes for lenet5, most of an hour for resnet20. A second measurement, with faults of its own, says how much of a correlation can be had at all.
#include <redoubt/analyze/deepvigor.hpp>
#include <redoubt/analyze/measured.hpp>
#include <redoubt/analyze/vulnerability.hpp>
#include <redoubt/analyze/weight_scores.hpp>
#include <redoubt/io/dataset.hpp>
#include <redoubt/model/lenet.hpp>
#include <redoubt/model/resnet_cifar.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace redoubt;

static int failed(const error& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
}

template <network_type Net>
static int compare_all(const std::string& weights_of, const char* data, const char* to, std::uint64_t faults, std::size_t count) {
    const auto set = io::load_dataset(data, io::part::train);
    if (!set) return failed(set.reason());
    const auto file = io::read_safetensors(REDOUBT_SOURCE_DIR "/examples/weights/" + weights_of + "-fashion-mnist.safetensors");
    if (!file) return failed(file.reason());
    const auto weights = std::make_unique<parameters<Net>>();
    if (const auto loaded = io::load<Net>(*file, weights_of, *weights); !loaded) return failed(loaded.reason());
    const auto factors = analyze::norm_factors_of<Net>(*file, weights_of);
    if (!factors) return failed(factors.reason());
    const io::normalisation by{{0.2860f}, {0.3530f}};
    const auto all = campaign::prepare(*set, by, 256), some = campaign::prepare(*set, by, count);

    std::FILE* const out = std::fopen(to, "wb");
    if (out == nullptr) return failed(error{to} << ": cannot be written");
    std::fprintf(out, "ranking,images,left_out,correlation,network_correlation,shared\n");
    const auto measured = analyze::measured_channels<Net>(*weights, some, {.most_faults = faults, .seed = 1, .threads = 2});
    const auto row = [&](const char* name, const std::function<analyze::ranking()>& make) {
        const auto start = std::chrono::steady_clock::now();
        const analyze::ranking r = make();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        const auto layers = analyze::compare(measured, r);
        if (!layers) return static_cast<void>(failed(layers.reason()));
        double shared = 0.0, channels = 0.0;
        std::vector<double> a, b;
        for (std::size_t s = 0; s < layers->size(); ++s) {
            const double n = static_cast<double>(r.of.layers[s].out);
            shared += n * (*layers)[s].shared;
            channels += n;
            for (std::size_t c = 0; c < r.layers[s].channels.size(); ++c) {
                a.push_back(analyze::contribution(measured, static_cast<int>(s), c));
                b.push_back(analyze::contribution(r, static_cast<int>(s), c));
            }
        }
        std::fprintf(out, "%s,%llu,%llu,%.3f,%.3f,%.3f\n", name, static_cast<unsigned long long>(r.images), static_cast<unsigned long long>(r.left_out),
                     analyze::mean_correlation(r.of, *layers).value_or(0.0), analyze::spearman(a, b).value_or(0.0), shared / channels);
        std::fflush(out);
        std::fprintf(stderr, "%s: %.1f s\n", name, taken.count());
    };
    row("measured again", [&] { return analyze::measured_channels<Net>(*weights, some, {.most_faults = faults, .seed = 2, .threads = 2}); });
    row("parameter-vulnerability", [&] { return analyze::parameter_vulnerability<Net>(*weights, all, {.threads = 2}); });
    row("parameter-vulnerability to predictions", [&] { return analyze::parameter_vulnerability<Net>(*weights, all, {.target = analyze::margin_to::prediction, .threads = 2}); });
    if (std::ranges::any_of(*factors, [](const auto& f) { return !f.empty(); }))
        row("parameter-vulnerability of trained weights", [&] { return analyze::parameter_vulnerability<Net>(*weights, all, {.trained = *factors, .threads = 2}); });
    row("batch-vulnerability", [&] { return analyze::batch_vulnerability<Net>(*weights, all, {.threads = 2}); });
    row("taylor", [&] { return analyze::taylor<Net>(*weights, all, {.threads = 2}); });
    row("l2-norm", [&] { return analyze::filter_norms<Net>(*weights); });
    row("salience", [&] { return analyze::salience<Net>(*weights); });
    row("deepvigor", [&] { return analyze::channel_vulnerability<Net>(*weights, some, {.threads = 2}); });
    row("deepvigor as published", [&] { return analyze::channel_vulnerability<Net>(*weights, some, {.pooled = true, .threads = 2}); });
    std::fclose(out);
    return 0;
}

int main(int argc, char** argv) {
    if (argc < 4) return failed(error{"usage: rankings lenet5|resnet20 DATA FILE [faults [images]]"});
    const std::string model = argv[1];
    const std::uint64_t faults = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 200;
    const std::size_t count = argc > 5 ? std::strtoull(argv[5], nullptr, 10) : 32;
    if (model == "lenet5") return compare_all<model::lenet5<image<1, 28, 28>, float32>>(model, argv[2], argv[3], faults, count);
    if (model == "resnet20") return compare_all<model::resnet20<image<1, 28, 28>>>(model, argv[2], argv[3], faults, count);
    return failed(error{"networks: lenet5, resnet20"});
}
