// SPDX-License-Identifier: MIT
// What `train` is asked: a JSON recipe, checked before anything runs.
#pragma once

#include <redoubt/app/json_file.hpp>
#include <redoubt/app/options.hpp>
#include <redoubt/io/json_fields.hpp>
#include <redoubt/train/feature_faults.hpp>
#include <redoubt/train/recipe.hpp>
#include <redoubt/train/stored_map.hpp>

#include <optional>
#include <string>

namespace redoubt::app::inline v1 {

/// A recipe's parts as the file spells them. What results depend on is all here but the images themselves.
struct training_request {
    std::string model, data = "/usr/share/datasets/fashion-mnist", normalise = "0.2860/0.3530";
    std::string start;                  ///< checkpoint to start from; empty: fresh weights
    std::uint64_t validation = 0;       ///< training images kept for the curve, not trained on; 0: the curve is of the test images
    train::recipe by{};                 ///< without maps, functions, hooks and teacher, which are made of the rest
    train::weight_storage storage = train::weight_storage::fp32;
    std::optional<train::saturating_map> function;
    std::optional<train::stored_faults> weight_faults;
    std::optional<train::struck_features> feature_faults;
    std::string teacher_model, teacher;  ///< checkpoint; empty: there is none
    nlohmann::ordered_json json;         ///< the file itself
};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

namespace impl {

/// A fault model under its command-line name.
inline void take_fault_model(io::json_fields& from, fault::fault_model& model) {
    std::string name = "flip";
    from.take("model", name);
    from.check(read_fault_model(name, model) && model.lies != fault::pattern::burst, "model", "a fault model as --fault-model has it, no burst");
}

}  // namespace impl

/// Reads a recipe. Errors name the key and what may stand there; a key that is not known is one.
inline result<training_request> read_recipe(const nlohmann::ordered_json& json) {
    training_request to;
    train::recipe& by = to.by;
    std::optional<error> wrong;
    io::json_fields top{json, "", wrong};
    top.take("model", to.model);
    top.take("data", to.data);
    top.take("normalise", to.normalise);
    top.take("start", to.start);
    top.take("validation", to.validation);
    top.take("epochs", by.epochs);
    top.take("batch", by.batch);
    top.take("seed", by.seed);
    top.take("label_smoothing", by.label_smoothing);
    top.take("clip_norm", by.clip_norm);
    top.take("largest_weight", by.largest_weight);
    static constexpr std::string_view storages[] = {"fp32", "fp16", "q2.5", "int8"};
    top.take("storage", to.storage, storages);
    top.check(to.storage != train::weight_storage::int8 || !top.has("function"), "storage", "another than int8 with a 'function': int8 has norms folded into words, before the function");
    top.check(!to.model.empty(), "model", "a network's name");
    top.check(by.epochs > 0 && by.epochs <= 100000, "epochs", "1 to 100000");
    top.check(by.batch > 1 && by.batch <= 65536, "batch", "2 to 65536");
    top.check(by.label_smoothing >= 0.0 && by.label_smoothing < 1.0, "label_smoothing", "at least 0 and below 1");
    top.check(by.clip_norm >= 0.0, "clip_norm", "0 or more");
    top.check(by.largest_weight >= 0.0, "largest_weight", "0 or more");

    io::json_fields optimiser = top.inner("optimiser");
    static constexpr std::string_view optimisers[] = {"sgd", "adam", "adamw"};
    optimiser.take("kind", by.optimiser.kind, optimisers);
    optimiser.take("momentum", by.optimiser.momentum);
    optimiser.take("nesterov", by.optimiser.nesterov);
    optimiser.take("decay", by.optimiser.decay);
    optimiser.take("first", by.optimiser.first);
    optimiser.take("second", by.optimiser.second);
    optimiser.take("epsilon", by.optimiser.epsilon);
    for (const auto& [key, v] : {std::pair{"momentum", by.optimiser.momentum}, {"first", by.optimiser.first}, {"second", by.optimiser.second}})
        optimiser.check(v >= 0.0 && v < 1.0, key, "at least 0 and below 1");
    optimiser.check(by.optimiser.decay >= 0.0, "decay", "0 or more");
    optimiser.check(by.optimiser.epsilon > 0.0, "epsilon", "above 0");

    io::json_fields schedule = top.inner("schedule");
    static constexpr std::string_view schedules[] = {"constant", "step", "cosine", "one_cycle"};
    schedule.take("kind", by.schedule.kind, schedules);
    schedule.take("rate", by.schedule.rate);
    schedule.take("warm_up", by.schedule.warm_up);
    schedule.take("milestones", by.schedule.milestones);
    schedule.take("factor", by.schedule.factor);
    schedule.take("last", by.schedule.last);
    schedule.take("rising", by.schedule.rising);
    schedule.take("start_divisor", by.schedule.start_divisor);
    schedule.take("end_divisor", by.schedule.end_divisor);
    schedule.check(by.schedule.rate > 0.0, "rate", "above 0");
    schedule.check(by.schedule.factor > 0.0 && by.schedule.last >= 0.0, "factor", "above 0, and 'last' 0 or more");
    schedule.check(by.schedule.rising > 0.0 && by.schedule.rising < 1.0, "rising", "above 0 and below 1");
    schedule.check(by.schedule.start_divisor > 0.0 && by.schedule.end_divisor > 0.0, "start_divisor", "above 0, as 'end_divisor'");
    schedule.check(std::is_sorted(by.schedule.milestones.begin(), by.schedule.milestones.end()), "milestones", "rising epochs");

    io::json_fields augment = top.inner("augment");
    augment.take("crop_pad", by.augment.crop_pad);
    augment.take("flip", by.augment.flip);
    augment.take("cutout", by.augment.cutout);
    augment.check(by.augment.crop_pad <= 1024 && by.augment.cutout <= 1024, "crop_pad", "at most 1024, as 'cutout'");

    io::json_fields function = top.inner("function");
    if (top.has("function")) {
        static constexpr std::string_view functions[] = {"tanh", "arctan", "softsign", "hardtanh"};
        train::saturating_map through;
        function.take("kind", through.function, functions);
        function.take("bound", through.bound);
        function.check(through.bound >= 1e-6f && through.bound <= 1e6f, "bound", "1e-6 to 1e6");
        to.function = through;
    }
    io::json_fields faults = top.inner("faults"), in_weights = faults.inner("weights"), in_features = faults.inner("features");
    if (top.has("faults")) {
        faults.check(faults.has("weights") || faults.has("features"), "weights", "there, or 'features'");
        if (faults.has("weights")) {
            train::stored_faults f;
            impl::take_fault_model(in_weights, f.model);
            in_weights.take("rate", f.rate);
            in_weights.take("lasts", f.lasts);
            in_weights.take("block_gradient", f.blocks_gradient);
            in_weights.check(f.model.does != fault::effect::bit_bias && f.model.does != fault::effect::struck_operator, "model", "one of weights");
            in_weights.check(f.rate > 0.0 && f.rate <= 1.0, "rate", "above 0 and at most 1");
            to.weight_faults = f;
        }
        if (faults.has("features")) {
            train::struck_features f;
            impl::take_fault_model(in_features, f.model);
            in_features.take("rate", f.rate);
            in_features.check((f.model.does < fault::effect::stuck_cell && f.model.does != fault::effect::not_a_number) || f.model.does == fault::effect::struck_operator, "model", "one of features of eight bits");
            in_features.check(f.rate > 0.0 && f.rate <= 1.0, "rate", "above 0 and at most 1");
            to.feature_faults = f;
        }
        train::faulty_pass& pass = by.faulty;
        pass.share = 0.5;
        faults.take("share", pass.share);
        // int8's words have norms folded in: what struck ones do to statistics would come back in the words of the next step, and grow
        pass.own_statistics = pass.share >= 1.0 || !(to.storage == train::weight_storage::int8 && to.weight_faults.has_value());
        faults.take("clamp", pass.clamp);
        faults.take("only_below", pass.only_below);
        static constexpr std::string_view passes[] = {"clean", "both"};
        faults.take("statistics", pass.own_statistics, passes);
        faults.check(pass.share > 0.0 && pass.share <= 1.0, "share", "above 0 and at most 1");
        faults.check(pass.clamp >= 0.0 && pass.only_below >= 0.0, "clamp", "0 or more, as 'only_below'");
        faults.check(pass.only_below == 0.0 || pass.share < 1.0, "only_below", "with a 'share' below 1: there is no clean pass to fall back on");
        faults.check(pass.own_statistics || pass.share < 1.0, "statistics", "'both' with a 'share' of 1: there is no clean pass to take them from");
    }
    io::json_fields teacher = top.inner("teacher");
    if (top.has("teacher")) {
        to.teacher_model = to.model;
        teacher.take("model", to.teacher_model);
        teacher.take("weights", to.teacher);
        teacher.take("share", by.teacher_share);
        teacher.take("temperature", by.temperature);
        teacher.check(!to.teacher.empty(), "weights", "a checkpoint's path");
        teacher.check(by.teacher_share > 0.0 && by.teacher_share <= 1.0, "share", "above 0 and at most 1");
        teacher.check(by.temperature > 0.0 && by.temperature <= 1e6, "temperature", "above 0 and at most 1e6");
    }
    for (const io::json_fields* part : {&top, &optimiser, &schedule, &augment, &function, &in_weights, &in_features, &faults, &teacher}) part->only_known();
    if (wrong) return *wrong;

    // what the parts make of weights and features
    if (to.storage != train::weight_storage::fp32) by.maps.emplace_back(train::stored_map{to.storage, {}});
    if (to.function) by.functions.emplace_back(*to.function);
    if (to.weight_faults) by.faulty.maps.emplace_back(train::stored_map{to.storage, *to.weight_faults});
    else by.faulty.maps = by.maps;
    if (to.feature_faults) by.faulty.features = *to.feature_faults;
    nlohmann::ordered_json named = json;
    named.erase("data");  // where images lie changes nothing
    by.name = named.dump();
    to.json = json;
    return to;
}

inline result<training_request> read_recipe_file(const std::string& path) {
    return read_json_file(path, std::size_t{1} << 24, [](const nlohmann::ordered_json& recipe) { return read_recipe(recipe); });
}

}  // namespace redoubt::app::inline REDOUBT_ABI
