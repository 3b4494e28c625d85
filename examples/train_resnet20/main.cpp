// SPDX-License-Identifier: MIT
// Trains ResNet-20 on Fashion-MNIST: train_resnet20 [OUT.safetensors [EPOCHS [THREADS [DATA]]]]. A run that was stopped goes on from its last finished
// epoch, out of OUT.checkpoint, with the bits that it would have had. The recipe is that of examples/train_reference.py but for the
// shifts, which are drawn for each image.
#include <redoubt/io/dataset.hpp>
#include <redoubt/model/resnet_cifar.hpp>
#include <redoubt/train/accuracy.hpp>
#include <redoubt/train/checkpoint.hpp>
#include <redoubt/train/deploy.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace rd = redoubt;
using net = rd::model::resnet20<rd::image<1, 28, 28>>;

static int failed(const rd::error& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
}

int main(int argc, char** argv) {
    const auto argument = [&](int i, const char* otherwise) { return std::string{argc > i ? argv[i] : otherwise}; };
    const std::string out = argument(1, "resnet20-fashion-mnist.safetensors"), data = argument(4, "/usr/share/datasets/fashion-mnist");
    const int epochs = std::atoi(argument(2, "14").c_str()), threads = std::atoi(argument(3, "1").c_str());
    if (epochs < 1 || threads < 1) return failed(rd::error{"epochs and threads are whole numbers above 0"});
    const auto lessons = rd::io::load_dataset(data, rd::io::part::train), exam = rd::io::load_dataset(data, rd::io::part::test);
    if (!lessons || !exam) return failed(lessons ? exam.reason() : lessons.reason());

    rd::train::recipe by;
    by.epochs = static_cast<std::uint64_t>(epochs);
    by.threads = static_cast<unsigned>(threads);
    by.optimiser = {.kind = rd::train::optimiser_kind::adamw, .decay = 1e-2};
    by.schedule = {.kind = rd::train::schedule_kind::one_cycle, .rate = 1e-2};
    by.augment = {.crop_pad = 2, .flip = true, .normalise = {{0.2860f}, {0.3530f}}};
    rd::train::trainer<net> t{by};
    const std::string checkpoint = out + ".checkpoint";
    if (std::filesystem::exists(checkpoint)) {
        if (const auto resumed = rd::train::resume(t, checkpoint); !resumed) return failed(resumed.reason());
        std::fprintf(stderr, "going on after epoch %d\n", static_cast<int>(t.epochs_done()));
    }
    while (t.epochs_done() < by.epochs) {
        const auto start = std::chrono::steady_clock::now();
        const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
        const auto report = t.epoch(*lessons, [&](std::uint64_t step, std::uint64_t steps, const rd::train::step_report& did) {
            if (step % 20 != 19) return;
            std::fprintf(stderr, "\repoch %d of %d, step %d of %d: loss %.4f, %.0f images a second ", static_cast<int>(t.epochs_done()) + 1, epochs,
                         static_cast<int>(step) + 1, static_cast<int>(steps), did.loss, static_cast<double>((step + 1) * by.batch) / seconds());
        });
        if (!report) return failed(report.reason());
        std::fprintf(stderr, "\repoch %d of %d: loss %.4f, %.0f seconds                                  \n", static_cast<int>(report->epoch), epochs,
                     report->loss, seconds());
        if (const auto saved = rd::train::save(t, checkpoint); !saved) return failed(saved.reason());
    }
    if (const auto written = t.export_to(out); !written) return failed(written.reason());
    const auto weights = rd::train::deploy<net>(t);
    const std::size_t right = rd::train::right_answers<net>(*weights, *exam, by.augment.normalise, t.parts().threads());
    std::printf("right on %d of %d test images\n", static_cast<int>(right), static_cast<int>(exam->size()));
    std::filesystem::remove(checkpoint);
}
