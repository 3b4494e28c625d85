// SPDX-License-Identifier: MIT
// The command lines of `rank`, `harden` and `prune`.
#pragma once

#include <redoubt/app/analysis_session.hpp>
#include <redoubt/app/command_words.hpp>
#include <redoubt/app/report.hpp>

#include <CLI/CLI.hpp>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt::app::inline REDOUBT_ABI {

/// PROGRAM rank | harden | prune [options]; `words` are those after the command. Exit code 0, 1 for what went wrong at work, 2 for a wrong command line.
inline int analysis_command(const char* program, const std::string& command, const std::vector<const char*>& words, std::vector<std::unique_ptr<analysable>> all, const program_defaults& defaults) {
    analysis_options o;
    o.data = defaults.data;
    o.normalise = defaults.normalise;
    o.by.threads = 0;
    std::vector<std::string> formulas{formula_names.begin(), formula_names.end()};
    const bool ranks = command == "rank", hardens = command == "harden";
    CLI::App cli{ranks ? "Ranks a network's output channels by what faults in them do." : hardens ? "Plans which channels are computed twice." : "Plans which channels are removed."};
    cli.footer("Models: " + model_names(all) + "\nFormulas: " + impl::joined_list(formulas) + "\nWhat they say: docs/vulnerability.md");
    cli.add_option("--model", o.model, "Network")->required();
    cli.add_option("--weights", o.weights, "safetensors checkpoint")->required();
    cli.add_option("--data", o.data, "Folder with the images")->capture_default_str();
    cli.add_option("--normalise", o.normalise, "mean/deviation of pixels in [0, 1], each one number or one a channel")->capture_default_str();
    cli.add_option("--out", o.out, "Folder for the files and the page")->capture_default_str();
    cli.add_option("--formula", o.formulas, ranks ? "Rankings to make" : "Ranking to make where there is no --ranking")->delimiter(',')->capture_default_str();
    cli.add_option("--images", o.images, "Training images that rankings are made from, the first ones")->capture_default_str();
    cli.add_option("--faults", o.by.faults, "Most faults in a channel, of measured rankings")->capture_default_str();
    cli.add_option("--seed", o.by.seed, "Seed of every draw")->capture_default_str();
    cli.add_option("--threads", o.by.threads, "Threads (0: one a core); results do not depend on it")->capture_default_str();
    double alpha = 0.02, delta = 0.1;
    bool asks_guarantee = false;
    const CLI::Option* ratio = nullptr;
    o.name = hardens ? "hardened" : "pruned_network";
    if (!ranks) {
        cli.add_option("--ranking", o.ranking, "JSON file that `rank` wrote");
        cli.add_option("--name", o.name, "Name of the plan's files and of its header's namespace")->capture_default_str();
    }
    if (hardens) {
        cli.add_option("--ratio", o.hardening.ratio, "Of each layer's channels, twice")->capture_default_str();
        cli.add_option("--added", o.hardening.added, "Instead: of the network's multiply-adds, as many as copies may add");
        cli.add_option("--residual", o.hardening.residual, "Instead: the rate of wrong answers for one fault in the weights that may be left, by a measured ranking or deepvigor");
    } else if (!ranks) {
        ratio = cli.add_option("--ratio", o.pruning.ratio, "Of each layer's channels, removed")->capture_default_str();
        cli.add_option("--ratios", o.pruning.ratios, "Instead: one for each layer")->delimiter(',');
        cli.add_option("--removed", o.pruning.removed, "Instead: of the network's multiply-adds, removed");
        cli.add_option("--block", o.pruning.block, "Channels that stay come in blocks of that many; 16 is what kernels compute at once")->capture_default_str();
        cli.add_option("--rounds", o.rounds, "Ranks what is left anew in so many rounds")->capture_default_str();
        cli.add_flag("--guarantee", asks_guarantee, "Chooses the largest ratio that keeps the answers, with a guarantee");
        cli.add_option("--alpha", alpha, "Share of answers that may differ from the whole network's, under the guarantee")->capture_default_str();
        cli.add_option("--delta", delta, "How often the guarantee may fail")->capture_default_str();
        cli.add_option("--calibration", o.calibration, "Test images that the guarantee is from, drawn by the seed")->capture_default_str();
    }
    const auto failed = [&](const char* reason, int code) { return end_with(program, reason, code); };
    if (const auto ended = parse_words(cli, program, words)) return *ended;
    if (const auto known = impl::check_words("--formula", o.formulas, formulas); !known) return failed(known.reason().c_str(), 2);
    if (!ranks && o.formulas.size() != 1) return failed("--formula: a plan is made from one ranking", 2);
    if (o.images < 1) return failed("--images: at least 1", 2);
    if (o.by.faults < 1) return failed("--faults: at least 1", 2);
    if (!take_threads(o.by.threads)) return failed("--threads: at most 1024", 2);
    if (o.rounds < 1 || o.rounds > 1000) return failed("--rounds: from 1 to 1000", 2);
    if (asks_guarantee) {
        if (ratio->count() != 0 || !o.pruning.ratios.empty() || o.pruning.removed > 0.0 || o.rounds > 1) return failed("--guarantee: chooses the ratio itself, in one round", 2);
        if (!(alpha > 0.0 && alpha < 1.0)) return failed("--alpha: above 0 and below 1", 2);
        if (!(delta > 0.0 && delta < 1.0)) return failed("--delta: above 0 and below 1", 2);
        if (o.calibration < 1) return failed("--calibration: at least 1", 2);
        o.asked = analyze::guarantee{alpha, delta};
    }
    o.command = impl::shell_word(std::string{program}.substr(std::string_view{program}.rfind('/') + 1)).append(" ").append(command);
    for (const char* word : words) o.command.append(" ").append(impl::shell_word(word));
    try {
        analysis_session session{std::move(o), std::move(all)};
        const auto done = ranks ? session.rank() : hardens ? session.harden() : session.prune();
        return done ? 0 : failed(done.reason().c_str(), 1);
    } catch (const std::exception& e) {
        return failed(e.what(), 1);
    }
}

}  // namespace redoubt::app::inline REDOUBT_ABI
