// SPDX-License-Identifier: MIT
// What a campaign is asked: options and plans, checked before anything runs.
#pragma once

#include <redoubt/app/engine.hpp>
#include <redoubt/app/json_file.hpp>
#include <redoubt/io/file.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace redoubt::app::inline v1 {

/// Everything the command line can say; lists keep its order.
struct options {
    std::string program = "resilience";     ///< name of the program, without its folder
    // the plan: what results depend on
    std::vector<std::string> models;
    std::string data = "/usr/share/datasets/fashion-mnist";
    std::string weights;
    std::vector<std::string> faults{"weights", "features"};
    std::string fault_model = "flip";
    std::vector<double> rates;              ///< empty: the defaults of each fault
    std::uint64_t flips = 0;
    std::string bits = "any";
    std::string layer;
    bool lasts = false;
    std::string sampling = "uniform";
    std::vector<std::string> numbers;
    std::vector<std::string> protections;   ///< empty: the defaults of each fault
    std::string ranking;                    ///< of channels that are computed more than once; empty: by the lengths of filters
    int trials = 20;
    int images = 100;
    int calibration = 2000;
    std::uint64_t seed = 1;
    std::string normalise;
    double margin = 0.0;                    ///< ends a cell; 0: its trials do
    double relative_margin = 0.0;
    double fit_per_megabit = 0.0;           ///< raw upset rate; 0: not known
    // how and where
    unsigned threads = 0;
    std::string out = ".";
    std::string plan;
    std::string shard;
    std::vector<std::string> join;          ///< journals of shards to take over
    std::string record;
    int only_trial = -1;                    ///< of a replay
    std::string dump_outputs;
    bool names = false;

    /// Calls visit(key, member) for each part of the plan, as JSON files spell it.
    template <class Self, class Visit>
    static void for_each_of_plan(Self& o, Visit&& visit) {
        visit("model", o.models);
        visit("data", o.data);
        visit("weights", o.weights);
        visit("fault", o.faults);
        visit("fault_model", o.fault_model);
        visit("ber", o.rates);
        visit("flips", o.flips);
        visit("bits", o.bits);
        visit("layer", o.layer);
        visit("lasts", o.lasts);
        visit("sampling", o.sampling);
        visit("number", o.numbers);
        visit("protect", o.protections);
        visit("ranking", o.ranking);
        visit("trials", o.trials);
        visit("images", o.images);
        visit("calibration", o.calibration);
        visit("seed", o.seed);
        visit("normalise", o.normalise);
        visit("margin", o.margin);
        visit("relative_margin", o.relative_margin);
        visit("fit_per_megabit", o.fit_per_megabit);
    }
};

/// Where a program of its own departs from the defaults.
struct program_defaults {
    std::string description = "Fault-injection campaign: accuracy, SDC rate and cost of protections under bit flips.";
    std::string data = "/usr/share/datasets/fashion-mnist";
    std::string weights = "examples/weights/{model}-fashion-mnist.safetensors";
    std::string normalise = "0.2860/0.3530";
    std::string model;  ///< empty: the first one there is
    std::vector<std::string> numbers{"fp32", "fp16", "int8"};
};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

namespace impl {

inline std::string joined_list(const std::vector<std::string>& words, const char* between = ", ") {
    std::string text;
    for (const std::string& w : words) text += (text.empty() ? "" : between) + w;
    return text;
}

inline result<void> check_words(std::string_view option, const std::vector<std::string>& given,
                                const std::vector<std::string>& known) {
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (std::find(known.begin(), known.end(), given[i]) == known.end())
            return error{option} << ": '" << given[i] << "' is not known; there is " << joined_list(known);
        if (std::find(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(i), given[i]) !=
            given.begin() + static_cast<std::ptrdiff_t>(i))
            return error{option} << ": '" << given[i] << "' stands twice";
    }
    return {};
}

}  // namespace impl

/// The bits of --bits as a fault spec has them; false where the text is none.
inline bool read_bits(const std::string& text, fault::fault_spec& spec) {
    for (bit_class c : {bit_class::any, bit_class::sign, bit_class::exponent, bit_class::fraction}) {
        if (text == name_of(c)) {
            spec.bits = c;
            return true;
        }
    }
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), spec.position);
    return failure == std::errc{} && end == text.data() + text.size() && spec.position >= 0 && spec.position < 32;
}

/// The fault model of --fault-model: an effect, or a pattern with its number of bits after a colon, or both
/// ("stuck_at_1", "adjacent:2", "stuck_at_0:burst:8").
inline bool read_fault_model(std::string_view text, fault::fault_model& model) {
    const auto head_of = [](std::string_view t) { return t.substr(0, t.find(':')); };
    model = {};
    std::string_view head = head_of(text);
    if (const auto at = std::find(fault::effect_names.begin(), fault::effect_names.end(), head); at != fault::effect_names.end()) {
        model.does = static_cast<fault::effect>(at - fault::effect_names.begin());
        if (head.size() == text.size()) return true;
        text.remove_prefix(head.size() + 1);
        head = head_of(text);
        if (model.takes_words()) return false;
    }
    const auto at = std::find(fault::pattern_names.begin(), fault::pattern_names.end(), head);
    if (at == fault::pattern_names.end()) return false;
    model.lies = static_cast<fault::pattern>(at - fault::pattern_names.begin());
    if (model.lies == fault::pattern::single) return head.size() == text.size();
    if (head.size() == text.size()) return false;
    text.remove_prefix(head.size() + 1);
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), model.bits);
    return failure == std::errc{} && end == text.data() + text.size() && model.bits >= 1 && model.bits <= 4096;
}

/// Shard i of n, from "i/n"; false where the text is none.
inline bool read_shard(std::string_view text, int& i, int& n) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return false;
    const auto whole = [](std::string_view t, int& v) {
        const auto [end, failure] = std::from_chars(t.data(), t.data() + t.size(), v);
        return failure == std::errc{} && end == t.data() + t.size();
    };
    return whole(text.substr(0, slash), i) && whole(text.substr(slash + 1), n) && 1 <= i && i <= n && n <= 1'000'000;
}

/// Takes the parts of a plan out of JSON; others keep what they have. An error says which key and what is wrong with it.
inline result<void> read_plan(const nlohmann::ordered_json& plan, options& o) {
    if (!plan.is_object()) return error{"a plan is a JSON object"};
    for (const auto& [key, value] : plan.items()) {
        bool known = false;
        error wrong;
        options::for_each_of_plan(o, [&](const char* name, auto& member) {
            if (key != name) return;
            known = true;
            using type = std::remove_reference_t<decltype(member)>;
            try {
                if constexpr (std::is_same_v<type, int> || std::is_same_v<type, std::uint64_t>) {
                    if (!value.is_number_unsigned()) throw std::invalid_argument{"a whole number, not negative"};
                    const auto v = value.template get<std::uint64_t>();
                    if (v > static_cast<std::uint64_t>(std::numeric_limits<type>::max())) throw std::invalid_argument{"a smaller number"};
                    member = static_cast<type>(v);
                } else {
                    member = value.template get<type>();
                }
            } catch (const std::exception&) {
                wrong << "'" << key << "' holds " << value.dump() << ", which is no "
                      << (std::is_same_v<type, bool> ? "true or false" : std::is_same_v<type, std::string> ? "text"
                          : std::is_same_v<type, std::vector<std::string>> ? "list of texts"
                          : std::is_same_v<type, std::vector<double>> ? "list of numbers"
                          : std::is_same_v<type, double> ? "number" : "whole number that fits");
            }
        });
        if (!known) return error{"'"} << key << "' is no part of a plan";
        if (!wrong.text().empty()) return wrong;
    }
    return {};
}
inline result<void> read_plan_file(const std::string& path, options& o) {
    return read_json_file(path, std::size_t{1} << 24, [&](const nlohmann::ordered_json& plan) { return read_plan(plan, o); });
}
/// The plan as JSON: what results depend on.
inline nlohmann::ordered_json plan_json(const options& o) {
    nlohmann::ordered_json plan;
    options::for_each_of_plan(o, [&](const char* name, const auto& member) { plan[name] = member; });
    return plan;
}

/// What may stand in a plan.
struct known_words {
    std::vector<std::string> models, numbers, protections;
};

/// The same for a plan from a file and from the command line: an error says which option and what may stand there.
inline result<void> check_plan(const options& o, const known_words& known) {
    const std::vector<std::string> kinds{campaign::fault_kind_names.begin(), campaign::fault_kind_names.end()};
    if (auto r = impl::check_words("--model", o.models, known.models); !r) return r;
    if (auto r = impl::check_words("--number", o.numbers, known.numbers); !r) return r;
    if (auto r = impl::check_words("--protect", o.protections, known.protections); !r) return r;
    if (auto r = impl::check_words("--fault", o.faults, kinds); !r) return r;
    if (auto r = impl::check_words("--sampling", {o.sampling}, {"uniform", "exhaustive", "stratified"}); !r) return r;
    if (o.models.empty() || o.numbers.empty() || o.faults.empty()) return error{"an empty list asks for nothing"};
    for (double rate : o.rates)
        if (!(rate >= 0.0 && rate <= 1.0)) return error{"--ber: rates lie between 0 and 1"};
    if (o.flips != 0 && !o.rates.empty()) return error{"--flips and --ber contradict each other: a count or a rate"};
    fault::fault_spec spec;
    if (!read_bits(o.bits, spec))
        return error{"--bits: '"} << o.bits << "' is none of any, sign, exponent, fraction, 0..31";
    if (!read_fault_model(o.fault_model, spec.model)) {
        std::vector<std::string> effects{fault::effect_names.begin(), fault::effect_names.end()};
        return error{"--fault-model: '"} << o.fault_model << "' is none of " << impl::joined_list(effects)
                                         << ", adjacent:N, scattered:N, burst:N, or an effect on bits and a pattern (stuck_at_1:burst:8)";
    }
    if (o.sampling != "uniform") {
        if (!o.rates.empty() || o.flips > 1) return error{"--sampling "} << o.sampling << " strikes one place a trial: no --ber, no --flips above 1";
        for (const std::string& fault : o.faults)
            if (fault == "features" || fault == "activations" || fault == "macs")
                return error{"--sampling "} << o.sampling << " is of faults in parameters, not of " << fault;
        if (spec.model.lies == fault::pattern::burst && o.sampling == "stratified")
            return error{"--sampling stratified: bursts run over the ends of words, which strata do not"};
    }
    for (const double margin : {o.margin, o.relative_margin})
        if (!(margin >= 0.0 && margin < 1.0)) return error{"--margin, --relative-margin: from 0 (not asked for) to below 1"};
    if ((o.margin > 0.0 || o.relative_margin > 0.0) && o.sampling != "uniform")
        return error{"--margin, --relative-margin: of uniform sampling; --sampling "} << o.sampling << " has its number of trials";
    if (!(o.fit_per_megabit >= 0.0 && o.fit_per_megabit < 1e15)) return error{"--fit-per-megabit: a rate, not negative"};
    if (o.fit_per_megabit > 0.0 && o.sampling == "uniform" && o.flips != 1)
        return error{"--fit-per-megabit needs single faults: --flips 1, or --sampling exhaustive or stratified"};
    if (o.trials < 1 || o.trials > 1'000'000'000) return error{"--trials: from 1 to 1000000000"};
    if (o.images < 1) return error{"--images: at least 1"};
    if (o.calibration < 1) return error{"--calibration: at least 1"};
    if (o.models.size() > 1 && !o.weights.empty()) return error{"--weights names one checkpoint, but --model several networks"};
    if (o.models.size() > 1 && !o.ranking.empty()) return error{"--ranking is of one network, but --model names several"};
    return {};
}

}  // namespace redoubt::app::inline REDOUBT_ABI
