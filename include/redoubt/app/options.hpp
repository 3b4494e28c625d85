// SPDX-License-Identifier: MIT
// The command line: what it asks for, checked before anything runs.
#pragma once

#include <redoubt/app/engine.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace redoubt::app::inline v1 {

/// Everything the command line can say; lists keep its order.
struct options {
    std::string program = "resilience";     ///< name of the program, without its folder
    std::vector<std::string> models;
    std::string data = "/usr/share/datasets/fashion-mnist";
    std::string weights;
    std::vector<std::string> faults{"weights", "features"};
    std::vector<double> rates;              ///< empty: the defaults of each fault
    std::vector<std::string> numbers;
    std::vector<std::string> protections;   ///< empty: the defaults of each fault
    std::string bits = "any";
    std::string layer;
    std::uint64_t flips = 0;
    int trials = 20;
    int images = 100;
    int calibration = 2000;
    unsigned threads = 0;
    std::uint64_t seed = 1;
    std::string normalise;
    std::string out = ".";
    std::string record;
    std::string dump_outputs;
    bool names = false;
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

inline std::string joined_list(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& w : words) text += (text.empty() ? "" : ", ") + w;
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

/// Reads the command line. An empty optional asks the program to end with `exit_code` (help was printed, or an error).
inline std::optional<options> parse(int argc, const char* const* argv, const program_defaults& defaults,
                                    const std::vector<std::string>& models, const std::vector<std::string>& numbers,
                                    int& exit_code) {
    options o;
    if (argc > 0) o.program = std::string{argv[0]}.substr(std::string_view{argv[0]}.rfind('/') + 1);
    o.data = defaults.data;
    o.normalise = defaults.normalise;
    o.models = {defaults.model.empty() ? models.front() : defaults.model};
    for (const std::string& n : defaults.numbers)
        if (std::find(numbers.begin(), numbers.end(), n) != numbers.end()) o.numbers.push_back(n);
    std::vector<std::string> protections{protection_names.begin(), protection_names.end()};

    CLI::App cli{defaults.description};
    cli.footer("Lists are separated by commas. A trial is one fault pattern (weights) or one pattern an image (features,\n"
               "activations) over the first --images test images; intervals are 95 % over trials. Scales and bounds come\n"
               "from training images.\n\nProtections: " + impl::joined_list(protections) + "\nNumbers: " +
               impl::joined_list(numbers) + "\nModels: " + impl::joined_list(models));
    cli.add_option("--model", o.models, "Networks")->delimiter(',')->capture_default_str();
    cli.add_option("--data", o.data, "Folder with IDX (MNIST) or CIFAR binary files, or one CIFAR-10 file")->capture_default_str();
    cli.add_option("--weights", o.weights, "safetensors checkpoint (default: " + defaults.weights + ")");
    cli.add_option("--fault", o.faults, "What is struck: weights, features, activations")->delimiter(',')->capture_default_str();
    cli.add_option("--ber", o.rates, "Bit error rates, 0 to 1 (default: 1e-6,1e-5,1e-4 for weights, else 1e-6)")->delimiter(',');
    cli.add_option("--flips", o.flips, "Exactly this many distinct bits a trial (an image for features) instead of --ber");
    cli.add_option("--bits", o.bits, "Bits struck: any, sign, exponent, fraction, or a position from 0")->capture_default_str();
    cli.add_option("--layer", o.layer, "Only this layer (its name in --names)");
    cli.add_option("--number", o.numbers, "Numbers")->delimiter(',')->capture_default_str();
    cli.add_option("--protect", o.protections, "Protections (default: none,range,tmr_parameters,crc for weights, else none,range,dmr,tmr)")->delimiter(',');
    cli.add_option("--trials", o.trials, "Trials a cell")->capture_default_str();
    cli.add_option("--images", o.images, "Test images a trial")->capture_default_str();
    cli.add_option("--calibration", o.calibration, "Training images for scales and bounds")->capture_default_str();
    cli.add_option("--threads", o.threads, "Threads (0: one a core); results do not depend on it")->capture_default_str();
    cli.add_option("--seed", o.seed, "Seed of every draw")->capture_default_str();
    cli.add_option("--normalise", o.normalise, "mean/deviation of pixels in [0, 1], each one number or one a channel")->capture_default_str();
    cli.add_option("--out", o.out, "Folder for results.json, results.csv and report.html")->capture_default_str();
    cli.add_option("--record", o.record, "Also write every injected fault to this CSV file");
    cli.add_option("--dump-outputs", o.dump_outputs, "Write the fault-free outputs of the test images to this safetensors file and end");
    cli.add_flag("--names", o.names, "Print the tensors that a checkpoint of the network holds, and end");
    try {
        cli.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        exit_code = cli.exit(e);
        if (exit_code != 0) exit_code = 2;
        return {};
    }

    const auto checked = [&]() -> result<void> {
        if (auto r = impl::check_words("--model", o.models, models); !r) return r;
        if (auto r = impl::check_words("--number", o.numbers, numbers); !r) return r;
        if (auto r = impl::check_words("--protect", o.protections, protections); !r) return r;
        if (auto r = impl::check_words("--fault", o.faults, {"weights", "features", "activations"}); !r) return r;
        if (o.models.empty() || o.numbers.empty() || o.faults.empty()) return error{"an empty list asks for nothing"};
        for (double rate : o.rates)
            if (!(rate >= 0.0 && rate <= 1.0)) return error{"--ber: rates lie between 0 and 1"};
        if (o.flips != 0 && !o.rates.empty()) return error{"--flips and --ber contradict each other: a count or a rate"};
        fault::fault_spec spec;
        if (!read_bits(o.bits, spec))
            return error{"--bits: '"} << o.bits << "' is none of any, sign, exponent, fraction, 0..31";
        if (o.trials < 1 || o.trials > 1'000'000) return error{"--trials: from 1 to 1000000"};
        if (o.images < 1) return error{"--images: at least 1"};
        if (o.calibration < 1) return error{"--calibration: at least 1"};
        if (o.threads > 1024) return error{"--threads: at most 1024"};
        if (o.models.size() > 1 && !o.weights.empty()) return error{"--weights names one checkpoint, but --model several networks"};
        if (!o.dump_outputs.empty() && o.models.size() * o.numbers.size() > 1)
            return error{"--dump-outputs writes one network in one number: choose by --model and --number"};
        if (!o.record.empty() && o.names) return error{"--names injects nothing that --record could write"};
        return {};
    }();
    if (!checked) {
        std::fprintf(stderr, "%s: %s\n", argv[0], checked.reason().c_str());
        exit_code = 2;
        return {};
    }
    if (o.threads == 0) o.threads = std::max(1u, std::thread::hardware_concurrency());
    return o;
}

}  // namespace redoubt::app::inline REDOUBT_ABI
