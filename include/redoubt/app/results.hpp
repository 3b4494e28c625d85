// SPDX-License-Identifier: MIT
// results.json read back (docs/results-schema.md). Files are taken as hostile: every field is checked before it is used.
#pragma once

#include <redoubt/base/result.hpp>
#include <redoubt/campaign/summary.hpp>
#include <redoubt/io/json_fields.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace redoubt::app::inline v1 {

/// The schema that results_json writes and read_results takes.
inline constexpr std::uint64_t results_schema = 2;

/// SDC-1 where one bit of one layer was struck.
struct layer_bit_result {
    std::string layer;
    int bit = 0;
    std::uint64_t trials = 0;  ///< 0: not tested
    double sdc1 = 0.0;
};

/// A difference to the unprotected network under the same faults.
struct difference_result {
    double difference = 0.0, low = -1.0, high = 1.0;
    double p_value = 1.0;
};
/// A rate in failures in time; hours are empty where they have no end.
struct field_result {
    double fit = 0.0, fit_low = 0.0, fit_high = 0.0;
    std::optional<double> hours, hours_low, hours_high;
};
/// The mean height of an accuracy curve.
struct curve_result {
    std::string fault, model, number, protection;
    double lowest_ber = 0.0, highest_ber = 0.0, mean_accuracy = 0.0;
};

/// A cell as the file has it.
struct cell_result {
    std::string fault, covers, model, number, protection;
    double ber = 0.0;
    std::uint64_t flips = 0;  ///< instead of a rate where not 0
    double clean_accuracy = 0.0;
    campaign::estimate accuracy{}, sdc1{}, unusable{};
    std::uint64_t faults = 0, detected = 0, corrected = 0, uncorrected = 0, out_of_range = 0;
    double memory_factor = 1.0;
    std::optional<double> time_factor;
    std::uint64_t trial_count = 0;
    std::optional<difference_result> accuracy_gain, sdc1_gain;
    std::optional<field_result> field;
    std::vector<layer_bit_result> by_layer_and_bit;

    /// Where the cell stands on the axis of faults.
    double amount() const { return flips != 0 ? static_cast<double>(flips) : ber; }
};

/// A checkpoint and its checksum.
struct weights_result {
    std::string model, file, crc32c;
};

/// What was asked and found.
struct campaign_results {
    std::string program, version, command;
    std::string data, bits, layer, normalise, ranking, ranking_crc32c;
    std::uint64_t seed = 0, trials = 0, images = 0, calibration_images = 0, flips = 0;
    std::vector<std::string> faults, models, numbers, protections;
    std::vector<double> rates;
    std::vector<weights_result> weights;
    double confidence = 0.95;
    double margin = 0.0, relative_margin = 0.0, fit_per_megabit = 0.0;
    std::vector<cell_result> cells;
    std::vector<curve_result> curves;
};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

namespace impl {

using io::json_fields;

inline campaign::estimate estimate_in(const json_fields& of, const char* name) {
    const json_fields f = of.object(name);
    const campaign::estimate e{f.rate("rate"), {f.rate("low"), f.rate("high")}};
    if (!e.bounds.holds(e.rate)) f.refuse("the rate does not lie between low and high");
    return e;
}
/// A difference of two rates, with its bounds.
inline difference_result difference_in(const json_fields& of, const char* name) {
    const json_fields f = of.object(name);
    const difference_result d{f.number("difference", -1.0, 1.0), f.number("low", -1.0, 1.0), f.number("high", -1.0, 1.0), f.rate("p_value")};
    if (!(d.low <= d.difference && d.difference <= d.high)) f.refuse("the difference does not lie between low and high");
    return d;
}

inline std::vector<layer_bit_result> read_layers_and_bits(const json_fields& f) {
    std::vector<layer_bit_result> all;
    std::set<std::pair<std::string, int>> seen;
    f.objects("by_layer_and_bit", [&](const json_fields& entry) {
        all.push_back({entry.text("layer"), static_cast<int>(entry.count("bit", 63)), entry.count("trials"), entry.rate("sdc1")});
        if (!seen.insert({all.back().layer, all.back().bit}).second) entry.refuse("this layer and bit stand twice");
    });
    return all;
}

inline cell_result read_cell(const json_fields& f) {
    cell_result c;
    c.fault = f.text("fault");
    c.covers = f.text("covers");
    c.model = f.text("model");
    c.number = f.text("number");
    c.protection = f.text("protection");
    c.ber = f.rate("ber");
    c.flips = f.count("flips");
    c.clean_accuracy = f.rate("clean_accuracy");
    c.accuracy = estimate_in(f, "accuracy");
    c.sdc1 = estimate_in(f, "sdc1");
    c.unusable = estimate_in(f, "unusable");
    c.faults = f.count("faults");
    c.detected = f.count("detected");
    c.corrected = f.count("corrected");
    c.uncorrected = f.count("uncorrected");
    c.out_of_range = f.count("out_of_range");
    c.memory_factor = f.factor("memory_factor");
    if (f.has("timing")) c.time_factor = f.object("timing").factor("time_factor");
    if (f.has("trial_count")) c.trial_count = f.count("trial_count");
    if (f.has("minus_none")) {
        const json_fields none = f.object("minus_none");
        c.accuracy_gain = difference_in(none, "accuracy");
        c.sdc1_gain = difference_in(none, "sdc1");
    }
    if (f.has("field")) {
        const json_fields field = f.object("field"), fit = field.object("fit"), hours = field.object("mttf_hours");
        constexpr double most = std::numeric_limits<double>::max();
        c.field = field_result{fit.number("rate", 0.0, most), fit.number("low", 0.0, most), fit.number("high", 0.0, most),
                               hours.number_or_null("mean", 0.0, most), hours.number_or_null("low", 0.0, most),
                               hours.number_or_null("high", 0.0, most)};
    }
    if (f.has("by_layer_and_bit")) c.by_layer_and_bit = read_layers_and_bits(f);
    return c;
}

inline void read_options(const json_fields& f, campaign_results& r) {
    r.data = f.text("data");
    r.seed = f.count("seed");
    r.trials = f.count("trials");
    r.images = f.count("images");
    r.calibration_images = f.count("calibration_images");
    r.bits = f.text("bits");
    r.layer = f.text("layer");
    r.flips = f.count("flips");
    r.normalise = f.text("normalise");
    r.faults = f.texts("faults");
    r.models = f.texts("models");
    r.numbers = f.texts("numbers");
    r.protections = f.texts("protections");
    r.rates = f.rates("rates");
    if (f.has("ranking")) r.ranking = f.text("ranking");
    if (f.has("ranking_crc32c")) r.ranking_crc32c = f.text("ranking_crc32c");
    if (f.has("margin")) r.margin = f.rate("margin");
    if (f.has("relative_margin")) r.relative_margin = f.rate("relative_margin");
    if (f.has("fit_per_megabit")) r.fit_per_megabit = f.number("fit_per_megabit", 0.0, 1e15);
}

inline curve_result read_curve(const json_fields& f) {
    return {f.text("fault"), f.text("model"), f.text("number"), f.text("protection"), f.rate("lowest_ber"), f.rate("highest_ber"),
            f.rate("mean_accuracy")};
}

}  // namespace impl

/// The results of a campaign out of their JSON. Errors name the field and what is wrong with it: missing, of another
/// type, NaN, outside its range, or of another schema. `timing` and `by_layer_and_bit` may be missing.
inline result<campaign_results> read_results(const nlohmann::ordered_json& json) {
    std::optional<error> wrong;
    const io::json_fields f{json, "", wrong};
    campaign_results r;
    if (const auto schema = f.count("schema"); !wrong && schema != results_schema)
        return error{"schema: is "} << schema << ", this program reads " << results_schema;
    r.program = f.object("program").text("name");
    r.version = f.object("program").text("version");
    r.command = f.text("command");
    impl::read_options(f.object("options"), r);
    f.objects("weights", [&](const io::json_fields& w) {
        r.weights.push_back({w.text("model"), w.text("file"), w.text("crc32c")});
    });
    r.confidence = f.rate("confidence");
    f.objects("cells", [&](const io::json_fields& cell) { r.cells.push_back(impl::read_cell(cell)); });
    if (f.has("curves")) f.objects("curves", [&](const io::json_fields& curve) { r.curves.push_back(impl::read_curve(curve)); });
    if (wrong) return *wrong;
    return r;
}

}  // namespace redoubt::app::inline REDOUBT_ABI
