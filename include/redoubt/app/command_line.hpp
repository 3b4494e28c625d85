// SPDX-License-Identifier: MIT
// The command line of a campaign.
#pragma once

#include <redoubt/app/options.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <optional>
#include <thread>

namespace redoubt::app::inline REDOUBT_ABI {

/// Reads the command line. An empty optional asks the program to end with `exit_code` (help was printed, or an error).
inline std::optional<options> parse(int argc, const char* const* argv, const program_defaults& defaults,
                                    const known_words& known, int& exit_code) {
    options o;
    if (argc > 0) o.program = std::string{argv[0]}.substr(std::string_view{argv[0]}.rfind('/') + 1);
    o.data = defaults.data;
    o.normalise = defaults.normalise;
    o.models = {defaults.model.empty() ? known.models.front() : defaults.model};
    for (const std::string& n : defaults.numbers)
        if (std::find(known.numbers.begin(), known.numbers.end(), n) != known.numbers.end()) o.numbers.push_back(n);
    const std::vector<std::string> kinds{campaign::fault_kind_names.begin(), campaign::fault_kind_names.end()};

    CLI::App cli{defaults.description};
    cli.footer("Lists are separated by commas. A trial is one fault pattern (weights) or one pattern an image (features,\n"
               "activations) over the first --images test images; intervals are 95 % over trials. Scales and bounds come\n"
               "from training images.\n\nProtections: " + impl::joined_list(known.protections) + "\nNumbers: " +
               impl::joined_list(known.numbers) + "\nModels: " + impl::joined_list(known.models));
    cli.add_option("--model", o.models, "Networks")->delimiter(',')->capture_default_str();
    cli.add_option("--data", o.data, "Folder with IDX (MNIST) or CIFAR binary files, or one CIFAR-10 file")->capture_default_str();
    cli.add_option("--weights", o.weights, "safetensors checkpoint (default: " + defaults.weights + ")");
    cli.add_option("--fault", o.faults, "What is struck: " + impl::joined_list(kinds))->delimiter(',')->capture_default_str();
    cli.add_option("--fault-model", o.fault_model,
                   "What a fault does: flip, adjacent:N, scattered:N, burst:N, stuck_at_0, stuck_at_1, zero, random_word, nan,\n"
                   "out_of_range, mibb (features), adsaf, adsaf_pair (weights), classes (features, activations)")->capture_default_str();
    cli.add_flag("--lasts", o.lasts, "Faults of features, activations, macs: the same for all images of a trial");
    cli.add_option("--sampling", o.sampling, "uniform; exhaustive (trial t strikes place t); stratified over layers and bits")
        ->capture_default_str();
    cli.add_option("--ber", o.rates, "Bit error rates, 0 to 1 (default: 1e-6,1e-5,1e-4 for weights, else 1e-6)")->delimiter(',');
    cli.add_option("--flips", o.flips, "Exactly this many distinct bits a trial (an image for features) instead of --ber");
    cli.add_option("--bits", o.bits, "Bits struck: any, sign, exponent, fraction, or a position from 0")->capture_default_str();
    cli.add_option("--layer", o.layer, "Only this layer (its name in --names)");
    cli.add_option("--number", o.numbers, "Numbers")->delimiter(',')->capture_default_str();
    cli.add_option("--protect", o.protections, "Protections (default: none,range,tmr_parameters,crc for weights, else none,range,dmr,tmr)")->delimiter(',');
    cli.add_option("--ranking", o.ranking, "JSON file that `rank` wrote: which channels are the first to be computed more than once (default: those of the longest filters)");
    cli.add_option("--trials", o.trials, "Trials a cell")->capture_default_str();
    cli.add_option("--margin", o.margin, "End a cell as soon as SDC-1 is known to +- this much (0.01: one point); --trials is then the most");
    cli.add_option("--relative-margin", o.relative_margin, "The same relative to SDC-1 itself (0.2: a fifth)");
    cli.add_option("--fit-per-megabit", o.fit_per_megabit,
                   "Raw upsets of 10^6 bits in 10^9 hours: gives FIT and MTTF of each cell of single faults");
    cli.add_option("--images", o.images, "Test images a trial")->capture_default_str();
    cli.add_option("--calibration", o.calibration, "Training images for scales and bounds")->capture_default_str();
    cli.add_option("--threads", o.threads, "Threads (0: one a core); results do not depend on it")->capture_default_str();
    cli.add_option("--seed", o.seed, "Seed of every draw")->capture_default_str();
    cli.add_option("--normalise", o.normalise, "mean/deviation of pixels in [0, 1], each one number or one a channel")->capture_default_str();
    cli.add_option("--out", o.out, "Folder for the journal and the results; the same campaign there goes on where it was")->capture_default_str();
    cli.add_option("--plan", o.plan, "JSON file with these options (long names, without the dashes); the command line goes before it");
    cli.add_option("--shard", o.shard, "i/n: only every n-th trial, from the i-th; `merge` joins the journals");
    cli.add_option("--record", o.record, "Also write every injected fault to this CSV file");
    cli.add_option("--trial", o.only_trial, "replay: this trial alone");
    cli.add_option("--dump-outputs", o.dump_outputs, "Write the fault-free outputs of the test images to this safetensors file and end");
    cli.add_flag("--names", o.names, "Print the tensors that a checkpoint of the network holds, and end");
    const auto refuse = [&](const error& reason) {
        std::fprintf(stderr, "%s: %s\n", argv[0], reason.c_str());
        exit_code = 2;
        return std::optional<options>{};
    };
    try {
        cli.parse(argc, argv);
        if (!o.plan.empty()) {
            if (auto r = read_plan_file(o.plan, o); !r) return refuse(r.reason());
            cli.clear();
            cli.parse(argc, argv);  // the command line goes before the file
        }
    } catch (const CLI::ParseError& e) {
        exit_code = cli.exit(e);
        if (exit_code != 0) exit_code = 2;
        return {};
    }
    if (auto r = check_plan(o, known); !r) return refuse(r.reason());
    int i = 1, n = 1;
    if (!o.shard.empty() && !read_shard(o.shard, i, n)) return refuse(error{"--shard: '"} << o.shard << "' is no i/n with 1 <= i <= n");
    if (o.threads > 1024) return refuse(error{"--threads: at most 1024"});
    if (!o.dump_outputs.empty() && o.models.size() * o.numbers.size() > 1)
        return refuse(error{"--dump-outputs writes one network in one number: choose by --model and --number"});
    if (!o.record.empty() && o.names) return refuse(error{"--names injects nothing that --record could write"});
    if (!o.record.empty() && !o.shard.empty()) return refuse(error{"--record and --shard: record the whole campaign, or replay its faults"});
    if (!o.shard.empty() && (o.margin > 0.0 || o.relative_margin > 0.0))
        return refuse(error{"--shard and --margin: whether a trial is run depends on all before it, which no shard has"});
    if (o.threads == 0) o.threads = std::max(1u, std::thread::hardware_concurrency());
    return o;
}

}  // namespace redoubt::app::inline REDOUBT_ABI
