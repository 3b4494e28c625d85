// SPDX-License-Identifier: MIT
// How far rankings of ResNet-20's channels agree with measured ones, for docs/vulnerability.md:
//
//     cmake --build build/release --target rankings
//     build/release/bin/rankings DATA docs/results/rankings.csv [faults [images]]
//
// DATA is the folder of Fashion-MNIST; 50 faults a channel and 16 images where not given. Images are the last training images. Minutes on one core. A second measurement, with faults of its own,
// says how much of a correlation can be had at all.
#include <redoubt/analyze/deepvigor.hpp>
#include <redoubt/analyze/measured.hpp>
#include <redoubt/analyze/vulnerability.hpp>
#include <redoubt/analyze/weight_scores.hpp>
#include <redoubt/io/dataset.hpp>
#include <redoubt/model/resnet_cifar.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

using namespace redoubt;
using net = model::resnet20<image<1, 28, 28>>;

static int failed(const error& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
}

int main(int argc, char** argv) {
    if (argc < 3) return failed(error{"usage: rankings DATA FILE [faults [images]]"});
    const std::uint64_t faults = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 50;
    const std::size_t count = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 16, proxied = 256;
    const auto set = io::load_dataset(argv[1], io::part::train);
    if (!set) return failed(set.reason());
    const auto file = io::read_safetensors(REDOUBT_SOURCE_DIR "/examples/weights/resnet20-fashion-mnist.safetensors");
    if (!file) return failed(file.reason());
    const auto weights = std::make_unique<parameters<net>>();
    if (const auto loaded = io::load<net>(*file, "the weights", *weights); !loaded) return failed(loaded.reason());
    const auto factors = analyze::norm_factors_of<net>(*file, "the weights");
    if (!factors) return failed(factors.reason());
    io::image_set last = *set;
    const std::size_t first = set->size() - proxied;
    last.labels.erase(last.labels.begin(), last.labels.begin() + static_cast<std::ptrdiff_t>(first));
    last.pixels.erase(last.pixels.begin(), last.pixels.begin() + static_cast<std::ptrdiff_t>(first * last.image_size()));
    const auto all = campaign::prepare(last, {{0.2860f}, {0.3530f}}, proxied), some = campaign::prepare(last, {{0.2860f}, {0.3530f}}, count);

    std::FILE* const out = std::fopen(argv[2], "wb");
    if (out == nullptr) return failed(error{argv[2]} << ": cannot be written");
    std::fprintf(out, "ranking,images,left_out,correlation,network_correlation,shared\n");
    const auto measured = analyze::measured_channels<net>(*weights, some, {.most_faults = faults, .seed = 1, .threads = 2});
    std::puts("measured");
    const auto row = [&](const char* name, const std::function<analyze::ranking()>& make) {
        const auto start = std::chrono::steady_clock::now();
        const analyze::ranking r = make();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        const auto layers = analyze::compare(measured, r);
        if (!layers) return std::puts(layers.reason().c_str()), void();
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
        std::printf("%s: %.1f s\n", name, taken.count());
    };
    row("measured again", [&] { return analyze::measured_channels<net>(*weights, some, {.most_faults = faults, .seed = 2, .threads = 2}); });
    row("parameter-vulnerability", [&] { return analyze::parameter_vulnerability<net>(*weights, all, {.threads = 2}); });
    row("parameter-vulnerability to predictions", [&] { return analyze::parameter_vulnerability<net>(*weights, all, {.target = analyze::margin_to::prediction, .threads = 2}); });
    row("parameter-vulnerability of trained weights", [&] { return analyze::parameter_vulnerability<net>(*weights, all, {.trained = *factors, .threads = 2}); });
    row("batch-vulnerability", [&] { return analyze::batch_vulnerability<net>(*weights, all, {.threads = 2}); });
    row("taylor", [&] { return analyze::taylor<net>(*weights, all, {.threads = 2}); });
    row("l2-norm", [&] { return analyze::filter_norms<net>(*weights); });
    row("salience", [&] { return analyze::salience<net>(*weights); });
    row("deepvigor", [&] { return analyze::channel_vulnerability<net>(*weights, some, {.threads = 2}); });
    row("deepvigor as published", [&] { return analyze::channel_vulnerability<net>(*weights, some, {.as_published = true, .threads = 2}); });
    std::fclose(out);
}
