// SPDX-License-Identifier: MIT
// A run that is stopped and goes on ends with the bits of one that was not.
#include "train/networks.hpp"

#include <redoubt/train/checkpoint.hpp>

#include "support/catch.hpp"
#include "support/kernels.hpp"
#include "support/temp_folder.hpp"

using namespace train_tests;

namespace {

io::image_set noise(std::size_t images) {
    io::image_set set{"noise", 3, 8, 8, {}, {}, 5};
    random_stream random{9, {}};
    for (std::size_t i = 0; i < images * 192; ++i) set.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
    for (std::size_t i = 0; i < images; ++i) set.labels.push_back(static_cast<int>(random.below(5)));
    return set;
}

train::recipe recipe_of(train::optimiser_kind kind) {
    train::recipe by;
    by.epochs = 4;
    by.batch = 16;
    by.optimiser.kind = kind;
    by.schedule = {.kind = train::schedule_kind::one_cycle, .rate = 0.02};
    by.augment = {.crop_pad = 1, .flip = true, .cutout = 2};
    return by;
}

}  // namespace

TEST_CASE("a resumed run has the bits of one that was never stopped") {
    const io::image_set set = noise(70);
    const support::temp_folder folder;
    for (const auto kind : {train::optimiser_kind::sgd, train::optimiser_kind::adamw}) {
        train::trainer<residuals> whole{recipe_of(kind)};
        for (int e = 0; e < 4; ++e) REQUIRE(whole.epoch(set));
        {
            train::trainer<residuals> first{recipe_of(kind)};
            for (int e = 0; e < 2; ++e) REQUIRE(first.epoch(set));
            REQUIRE(train::save(first, folder.file("run")));
        }
        train::trainer<residuals> second{recipe_of(kind)};
        REQUIRE(train::resume(second, folder.file("run")));
        CHECK(second.epochs_done() == 2);
        for (int e = 2; e < 4; ++e) REQUIRE(second.epoch(set));
        CHECK(second.tensors() == whole.tensors());
        CHECK(second.momenta().first() == whole.momenta().first());
    }
}

TEST_CASE("a checkpoint of another run is refused") {
    const support::temp_folder folder;
    train::trainer<residuals> t{recipe_of(train::optimiser_kind::sgd)};
    REQUIRE(train::save(t, folder.file("run")));
    const auto reason = [](const auto& r) { return std::string{r ? "" : r.reason().text()}; };
    train::recipe other = recipe_of(train::optimiser_kind::sgd);
    other.seed = 8;
    train::trainer<residuals> elsewhere{other};
    CHECK(reason(train::resume(elsewhere, folder.file("run"))).find("belongs to another run (seed 1, batch 16") != std::string::npos);
    REQUIRE(t.export_to(folder.file("weights")));
    CHECK(reason(train::resume(t, folder.file("weights"))).ends_with("is not a training checkpoint"));
    CHECK_FALSE(reason(train::resume(t, folder.file("nowhere"))).empty());
}
