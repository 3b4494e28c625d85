// SPDX-License-Identifier: MIT
// A device under attack: infers Fashion-MNIST images for some seconds from one block of parameters and says each second what came
// out. Write to that block from outside, with a debugger or through /proc/PID/mem, and watch:
//     guarded_loop --seconds 60 --protect secded
//     pid 4711 parameters 0x7f00deadbeef bytes 1220288
//     second 1 inferences 1338 wrong 0 detected 0 corrected 0 uncorrected 0
#include <redoubt/app/fitting_images.hpp>
#include <redoubt/app/presets.hpp>
#include <redoubt/base/barrier.hpp>
#include <redoubt/campaign/images.hpp>
#include <redoubt/harden/scrub.hpp>
#include <redoubt/io/checkpoint.hpp>
#include <redoubt/io/dataset.hpp>
#include <redoubt/io/file.hpp>
#include <redoubt/io/safetensors.hpp>
#include <redoubt/redoubt.hpp>

#include <CLI/CLI.hpp>

#ifdef GUARDED_NETWORK
#include GUARDED_NETWORK  // says guarded::net and guarded::presets
#endif

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#ifndef GUARDED_WEIGHTS
#define GUARDED_WEIGHTS REDOUBT_WEIGHTS "/resnet20-fashion-mnist.safetensors"
#endif

#ifndef GUARDED_NETWORK
namespace guarded {

using net = redoubt::model::resnet20<redoubt::image<1, 28, 28>>;
using presets = redoubt::app::usual_presets;

}  // namespace guarded
#endif

namespace {

namespace rd = redoubt;
using net = guarded::net;

struct options {
    int seconds = 10;
    int images = 1000;
    int scrub = 0;
    std::string protect = "none";
    std::string data = "/usr/share/datasets/fashion-mnist";
    std::string normalise = "0.2860/0.3530";
    std::string weights = GUARDED_WEIGHTS;
};

[[noreturn]] void fail(std::string_view what) {
    std::fprintf(stderr, "guarded_loop: %.*s\n", static_cast<int>(what.size()), what.data());
    std::exit(1);
}

rd::campaign::prepared_images images_of(const options& o, rd::io::part which, int count) {
    const auto set = rd::io::load_dataset(o.data, which);
    if (!set) fail(set.reason().text());
    if (const auto fits = rd::app::check_images(*set, o.data, "the network", net::input_shape, net::outputs); !fits) fail(fits.reason().text());
    const auto by = rd::io::parse_normalisation(o.normalise, set->channels);
    if (!by) fail("--normalise: " + std::string{by.reason().text()});
    return rd::campaign::prepare(*set, *by, static_cast<std::size_t>(count));
}

/// The loop of one protection: what a device would run, and the counting around it.
template <class Net>
void run(const options& o, const rd::parameters<net>& plain, const rd::calibration<net>& seen, const rd::campaign::prepared_images& training, const rd::campaign::prepared_images& test) {
    const auto weights = std::make_unique<rd::parameters<Net>>();
    rd::convert<net, Net>(plain, seen, *weights);
    rd::set_bounds<net, Net>(seen, *weights);
    if constexpr (rd::has_intervals<Net>) {
        const auto bare = std::make_unique<rd::workspace<net>>();
        rd::channel_ranges<net> ranges;
        for (std::size_t i = 0; i < training.size(); ++i) rd::observe_channels<net>(plain, training.image(i), *bare, ranges);
        rd::set_intervals<net, Net>(ranges, *weights);
    }
    rd::encode<Net>(*weights);
    const auto scratch = std::make_unique<rd::workspace<Net>>();
    rd::state<Net> memory;
    std::vector<int> expected;
    for (std::size_t i = 0; i < test.size(); ++i) expected.push_back(rd::infer<Net>(*weights, memory, test.image(i), *scratch).top1());

    std::printf("pid %d parameters %p bytes %zu\n", static_cast<int>(getpid()), static_cast<void*>(weights.get()), sizeof(*weights));
    std::fflush(stdout);
    const auto start = std::chrono::steady_clock::now();
    std::size_t next = 0;
    for (int second = 1; second <= o.seconds; ++second) {
        unsigned long long inferences = 0, wrong = 0;
        rd::fault_counters count;
        while (std::chrono::steady_clock::now() < start + std::chrono::seconds{second}) {
            if (o.scrub > 0 && memory.inferences % static_cast<unsigned>(o.scrub) == 0) count += rd::scrub<Net>(*weights, memory);
            rd::forget_memory();  // somebody else may have written to it
            const auto answer = rd::infer<Net>(*weights, memory, test.image(next), *scratch);
            ++inferences;
            wrong += answer.top1() == expected[next] ? 0u : 1u;
            count += answer.status.total();
            next = (next + 1) % test.size();
        }
        std::printf("second %d inferences %llu wrong %llu detected %u corrected %u uncorrected %u", second, inferences, wrong, count.detected,
                    count.corrected, count.uncorrected);
        if (count.out_of_range != 0) std::printf(" out_of_range %u", count.out_of_range);
        std::printf("\n");
        std::fflush(stdout);
    }
}

template <class... P>
void run_named(rd::pack<P...>, const options& o, const rd::parameters<net>& plain, const rd::calibration<net>& seen,
               const rd::campaign::prepared_images& training, const rd::campaign::prepared_images& test) {
    ((P::name == o.protect ? run<typename P::template apply<net>>(o, plain, seen, training, test) : void()), ...);
}

}  // namespace

int main(int argc, char** argv) {
    options o;
    CLI::App cli{"Infers images in a loop from parameters that anyone may attack from outside."};
    const auto names = []<class... P>(rd::pack<P...>) { return std::vector<std::string>{std::string{P::name}...}; }(guarded::presets{});
    cli.add_option("--seconds", o.seconds, "how long")->check(CLI::Range(1, 1'000'000))->capture_default_str();
    cli.add_option("--protect", o.protect, "protection")->check(CLI::IsMember(names))->capture_default_str();
    cli.add_option("--scrub", o.scrub, "repair in place every N inferences; 0: never, faults are then met and counted at each inference")
        ->check(CLI::Range(0, 1'000'000'000))->capture_default_str();
    cli.add_option("--images", o.images, "test images, over and over")->check(CLI::Range(1, 10000))->capture_default_str();
    cli.add_option("--data", o.data, "folder of the images, Fashion-MNIST's for the network that comes with this")->capture_default_str();
    cli.add_option("--normalise", o.normalise, "mean/deviation of pixels in [0, 1]")->capture_default_str();
    cli.add_option("--weights", o.weights, "checkpoint of the network")->capture_default_str();
    CLI11_PARSE(cli, argc, argv);

    const auto test = images_of(o, rd::io::part::test, o.images), training = images_of(o, rd::io::part::train, 200);
    const auto plain = std::make_unique<rd::parameters<net>>();
    const auto bytes = rd::io::read_file(o.weights);
    if (!bytes) fail(bytes.reason().text());
    const auto file = rd::io::parse_safetensors(*bytes, o.weights);
    if (!file) fail(file.reason().text());
    if (const auto r = rd::io::load<net>(*file, o.weights, *plain); !r) fail(r.reason().text());
    const auto seen = std::make_unique<rd::calibration<net>>();
    const auto scratch = std::make_unique<rd::workspace<net>>();
    for (std::size_t i = 0; i < training.size(); ++i) rd::observe<net>(*plain, training.image(i), *scratch, *seen);
    run_named(guarded::presets{}, o, *plain, *seen, training, test);
    return 0;
}
