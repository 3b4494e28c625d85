// SPDX-License-Identifier: MIT
// Recipes, logs and curves of training.
#include "support/catch.hpp"

#include <redoubt/app/curves.hpp>
#include <redoubt/app/training_recipe.hpp>

#include <filesystem>
#include <limits>

using namespace redoubt;
using namespace redoubt::app;

namespace {

std::string refusal_of(const char* text) {
    const auto r = read_recipe(nlohmann::ordered_json::parse(text));
    return r ? std::string{} : std::string{r.reason().text()};
}

}  // namespace

TEST_CASE("a recipe's parts become what a trainer is given", "[app]") {
    const auto r = read_recipe(nlohmann::ordered_json::parse(R"({"model": "m", "epochs": 9, "storage": "q2.5", "optimiser": {"kind": "adam", "first": 0.8},
        "schedule": {"kind": "step", "milestones": [3, 5]}, "function": {"kind": "softsign", "bound": 2},
        "faults": {"weights": {"model": "adsaf", "rate": 0.1, "block_gradient": true, "lasts": true}, "features": {"model": "mibb", "rate": 1e-4}, "statistics": "clean"},
        "augment": {"crop_pad": 3}, "data": "here"})"));
    REQUIRE(r);
    const auto statistics_of = [](const char* faults) {
        const auto recipe = read_recipe(nlohmann::ordered_json::parse(std::string{R"({"model": "m", "storage": "int8", "faults": )"} + faults + "}"));
        REQUIRE(recipe);
        return recipe->by.faulty.own_statistics;
    };
    CHECK_FALSE(statistics_of(R"({"weights": {"rate": 0.1}})"));
    CHECK(statistics_of(R"({"weights": {"rate": 0.1}, "statistics": "both"})"));
    CHECK(statistics_of(R"({"features": {"model": "mibb", "rate": 0.1}})"));
    const auto operators = read_recipe(nlohmann::ordered_json::parse(R"({"model": "m", "faults": {"features": {"model": "classes", "rate": 1e-5}, "share": 1}})"));
    REQUIRE(operators);
    CHECK((operators->feature_faults->model.does == fault::effect::struck_operator && operators->by.faulty.share == 1.0));
    CHECK((r->by.epochs == 9 && r->by.batch == 128 && r->by.augment.crop_pad == 3));
    CHECK((r->by.optimiser.kind == train::optimiser_kind::adam && r->by.optimiser.first == 0.8 && r->by.optimiser.second == 0.999));
    CHECK((r->by.schedule.kind == train::schedule_kind::step && r->by.schedule.milestones == std::vector<std::uint64_t>{3, 5}));
    CHECK((r->storage == train::weight_storage::q2_5 && r->function->function == kernel::saturation::softsign && r->function->bound == 2.0f));
    CHECK((r->weight_faults->model.does == fault::effect::stuck_cell && r->weight_faults->blocks_gradient && r->weight_faults->lasts));
    CHECK((r->by.maps.size() == 1 && r->by.functions.size() == 1 && r->by.faulty.maps.size() == 1 && r->by.faulty.features && !r->by.features));
    CHECK((r->by.faulty.share == 0.5 && !r->by.faulty.own_statistics));
    // where images lie is not part of what a checkpoint must be of
    CHECK(r->by.name.find("here") == std::string::npos);
    CHECK(r->by.name.find("softsign") != std::string::npos);
}

TEST_CASE("what is wrong with a recipe is named", "[app]") {
    CHECK(refusal_of(R"({"model": "m"})").empty());
    CHECK(refusal_of("{}") == "model: must be a network's name");
    CHECK(refusal_of("[1]") == "the file: must be an object, is array");
    CHECK(refusal_of(R"({"model": "m", "optimiser": 3})") == "optimiser: must be an object, is number");
    CHECK(refusal_of(R"({"model": "m", "optimiser": {"nesterov": 1}})") == "optimiser.nesterov: must be true or false, is number");
    CHECK(refusal_of(R"({"model": "m", "schedule": {"milestones": [5, 3]}})") == "schedule.milestones: must be rising epochs");
    CHECK(refusal_of(R"({"model": "m", "schedule": {"milestones": ["a"]}})")== "schedule.milestones[0]: must be a whole number from 0, is string");
    CHECK(refusal_of(R"({"model": "m", "faults": {"weights": {"model": "burst:3", "rate": 0.1}}})").starts_with("faults.weights.model: must be"));
    CHECK(refusal_of(R"({"model": "m", "faults": {"weights": {"rate": 2}}})") == "faults.weights.rate: must be above 0 and at most 1");
    CHECK(refusal_of(R"({"model": "m", "faults": {"features": {"model": "adsaf", "rate": 0.1}}})").starts_with("faults.features.model: must be"));
    CHECK(refusal_of(R"({"model": "m", "faults": {"weights": {"model": "classes", "rate": 0.1}}})").starts_with("faults.weights.model: must be"));
    CHECK(refusal_of(R"({"model": "m", "function": {"kind": "sigmoid"}})") == "function.kind: 'sigmoid' is none of tanh, arctan, softsign, hardtanh");
    CHECK(refusal_of(R"({"model": "m", "seed": -1})") == "seed: must be a whole number from 0, is -1");
    CHECK(refusal_of(R"({"model": "m", "teacher": {"weights": "w", "heat": 2}})") == "teacher.heat: is not known; there is model, weights, share, temperature");
}

TEST_CASE("a log reads back as it was written, up to an epoch", "[app]") {
    const std::string path = (std::filesystem::temp_directory_path() / "redoubt_training_log.csv").string();
    const std::vector<training_row> rows{{1, 0.1, 2.25, 0.0, 0.5, 3.0}, {2, 1e-5, 1.0 / 3.0, 0.75, 0.875, 2.5}};
    REQUIRE(io::write_file_atomically(path, training_csv(rows)));
    const auto both = read_training_csv(path, 9), first = read_training_csv(path, 1);
    REQUIRE((both && first));
    CHECK((both->size() == 2 && first->size() == 1));
    CHECK(((*both)[1].loss == rows[1].loss && (*both)[1].accuracy == 0.875 && (*both)[1].epoch == 2));
    for (const char* broken : {"", "epoch\n", "epoch,rate,loss,faulty_loss,accuracy,seconds\n1,2,3\n", "epoch,rate,loss,faulty_loss,accuracy,seconds\n1,2,3,4,5,6,7\n",
                               "epoch,rate,loss,faulty_loss,accuracy,seconds\n1,2,3,4,x,6\n"}) {
        REQUIRE(io::write_file_atomically(path, broken));
        CHECK_FALSE(read_training_csv(path, 9));
    }
    std::filesystem::remove(path);
    CHECK_FALSE(read_training_csv(path, 9));
}

TEST_CASE("curves are drawn of any values", "[app]") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const std::vector<training_row>& rows : {std::vector<training_row>{}, {{1, 0.1, 2.0, 0.0, 1.0, 3.0}}, {{1, 0.1, nan, nan, 0.1, 3.0}, {2, 0.1, 2.0, 3.0, 0.2, 3.0}}}) {
        const std::string drawing = training_svg(rows, "a <network>", false);
        CHECK(drawing.ends_with("</svg>\n"));
        CHECK(drawing.find("a &lt;network&gt;") != std::string::npos);
        CHECK(drawing.find("<network>") == std::string::npos);
        CHECK(drawing.find("nan") == std::string::npos);
    }
}
