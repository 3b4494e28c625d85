// SPDX-License-Identifier: MIT
// Steps of a trainer: the same bits with any number of threads, the way out to inference, errors.
#include "train/networks.hpp"

#include <redoubt/train/deploy.hpp>

#include "support/catch.hpp"
#include "support/kernels.hpp"
#include "support/temp_folder.hpp"

#include <cmath>
#include <string>

using namespace train_tests;

namespace {

template <network_type Net>
std::vector<float> after_steps(unsigned threads, std::size_t images, int steps) {
    train::recipe by;
    by.threads = threads;
    by.schedule.rate = 0.05;
    by.optimiser = {.kind = train::optimiser_kind::adamw, .decay = 0.01};
    by.clip_norm = 1.0;
    train::trainer<Net> t{by};
    for (int i = 0; i < steps; ++i) {
        const batch b = drawn_batch<Net>(images, static_cast<std::uint64_t>(i));
        REQUIRE(t.step(b.pixels, b.labels));
    }
    std::vector<float> all(t.parts().parameters.begin(), t.parts().parameters.end());
    for (const auto& r : t.parts().running) {
        all.insert(all.end(), r.mean.begin(), r.mean.end());
        all.insert(all.end(), r.variance.begin(), r.variance.end());
    }
    return all;
}

io::image_set striped_set(std::size_t images, int classes) {
    io::image_set set{"stripes", 3, 8, 8, {}, {}, classes};
    random_stream random{5, {}};
    for (std::size_t i = 0; i < images; ++i) {
        const int label = static_cast<int>(random.below(static_cast<std::uint64_t>(classes)));
        for (int row = 0; row < 8; ++row)
            for (int column = 0; column < 8; ++column)
                for (int c = 0; c < 3; ++c) {
                    const int on = (row * (label + 1) / 2 + c) % 3 == 0 ? 150 : 40;
                    set.pixels.push_back(static_cast<std::uint8_t>(on + static_cast<int>(random.below(60))));
                }
        set.labels.push_back(label);
    }
    return set;
}

}  // namespace

TEST_CASE("steps have the same bits with one thread, two and more") {
    for (const std::size_t images : {std::size_t{5}, std::size_t{40}, std::size_t{150}}) {
        const auto one = after_steps<residuals>(1, images, 3);
        CHECK(one == after_steps<residuals>(2, images, 3));
        CHECK(one == after_steps<residuals>(5, images, 3));
    }
    CHECK(after_steps<branches>(1, 33, 2) == after_steps<branches>(3, 33, 2));
}

TEST_CASE("a network learns, and answers after export as it does deployed") {
    const io::image_set set = striped_set(512, 5);
    train::recipe by;
    by.epochs = 4;
    by.batch = 32;
    by.schedule = {.kind = train::schedule_kind::cosine, .rate = 0.05, .warm_up = 4};
    by.augment.normalise = {{0.4f}, {0.3f}};
    train::trainer<residuals> t{by};
    double first = 0.0, last = 0.0;
    for (std::uint64_t e = 0; e < by.epochs; ++e) {
        const auto report = t.epoch(set);
        REQUIRE(report);
        CHECK(report->epoch == e + 1);
        CHECK(report->steps == 16);
        (e == 0 ? first : last) = report->loss;
    }
    CHECK(last < 0.5 * first);

    using net = without_protection<residuals>;
    const auto direct = train::deploy<net>(t);
    const support::temp_folder folder;
    const std::string path = folder.file("trained.safetensors");
    REQUIRE(t.export_to(path));
    static parameters<net> loaded;
    REQUIRE(io::load<net>(path, loaded));
    CHECK(loaded.bytes == direct->bytes);

    // what was trained is what answers: nearly every image of the set is right, softmax included
    static workspace<net> space;
    state<net> memory;
    int right = 0;
    std::vector<float> pixels(set.image_size());
    for (std::size_t i = 0; i < set.size(); ++i) {
        io::normalise(set.image(i), 3, by.augment.normalise, pixels);
        right += infer<net>(loaded, memory, pixels, space).top1() == set.labels[i] ? 1 : 0;
    }
    CHECK(right > 460);

    // and the file is a start for more training
    train::trainer<residuals> again{by};
    const auto file = io::read_safetensors(path);
    REQUIRE(file);
    REQUIRE(again.start_from(*file, path));
    CHECK(again.tensors() == t.tensors());
}

TEST_CASE("replicas and second copies of channels are trained as one") {
    using net = network<image<1, 6, 6>, float32, tmr<conv2d<conv_spec{.out = 4, .kernel = 3}>, batch_norm, relu>, duplicate<16, conv2d<conv_spec{.out = 32, .kernel = 3}>>, relu, tmr<linear<3>>>;
    using bare = without_protection<net>;
    train::trainer<net> guarded{train::recipe{}};
    train::trainer<bare> plainly{train::recipe{}};
    const batch b = drawn_batch<bare>(12, 3);
    for (int i = 0; i < 2; ++i) {
        REQUIRE(guarded.step(b.pixels, b.labels));
        REQUIRE(plainly.step(b.pixels, b.labels));
    }
    CHECK(guarded.tensors() == plainly.tensors());
    static state<net> memory;
    static workspace<net> space;
    static state<bare> bare_memory;
    static workspace<bare> bare_space;
    const auto p = train::deploy<net>(guarded);
    const auto q = train::deploy<bare>(plainly);
    const std::span<const float> first{b.pixels.data(), 36};
    CHECK(infer<net>(*p, memory, first, space).logits == infer<bare>(*q, bare_memory, first, bare_space).logits);
}

TEST_CASE("what does not fit is said") {
    train::trainer<plain> t{train::recipe{}};
    batch b = drawn_batch<plain>(4, 1);
    const auto reason = [](const auto& r) { return std::string{r ? "" : r.reason().text()}; };
    CHECK(reason(t.step({b.pixels.data(), 7}, b.labels)) == "a batch of 4 labels needs 720 pixels, not 7");
    b.labels[2] = 4;
    CHECK(reason(t.step(b.pixels, b.labels)) == "label 4 of image 2 of the batch is not one of the network's 4 classes");
    CHECK(reason(t.step({}, {})) == "a batch needs an image");
    CHECK(reason(t.epoch(striped_set(3, 4))) == "images of stripes are 3x8x8, the network's input is 2x9x10");
    train::trainer<residuals> r{train::recipe{}};
    CHECK(reason(r.epoch(striped_set(3, 4))) == "stripes has 3 images, fewer than a batch of 128");
    CHECK(reason(r.start_from(io::tensor_file{}, "empty")).find("empty: does not fit the network; missing: 0.weight [16, 3, 3, 3]") == 0);
}

TEST_CASE("running statistics are PyTorch's") {
    using net = network<image<1, 1, 2>, float32, conv2d<conv_spec{.out = 1, .kernel = 1}>, batch_norm, linear<2>>;
    train::trainer<net> t{train::recipe{}};
    t.parts().parameters[0] = 1.0f;
    const std::vector<float> pixels{1.0f, 2.0f, 3.0f, 6.0f};
    REQUIRE(t.step(pixels, std::vector<int>{0, 1}));
    CHECK(t.parts().running[0].mean[0] == Approx(0.1 * 3.0));
    CHECK(t.parts().running[0].variance[0] == Approx(0.9 + 0.1 * 14.0 / 3.0));
}
