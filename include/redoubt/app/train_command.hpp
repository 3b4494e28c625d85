// SPDX-License-Identifier: MIT
// The command line of training.
#pragma once

#include <redoubt/app/command_words.hpp>
#include <redoubt/app/train_session.hpp>

#include <CLI/CLI.hpp>

#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace redoubt::app::inline REDOUBT_ABI {

/// PROGRAM train RECIPE [options]; `words` are those after "train". Exit code 0, 1 for what went wrong at work, 2 for a wrong command line or recipe.
inline int train_command(const char* program, const std::vector<const char*>& words, std::vector<std::unique_ptr<trainable>> all) {
    training_options o;
    CLI::App cli{"Trains a network by a JSON recipe, and goes on where a stopped run of it was."};
    cli.footer("Models: " + model_names(all) + "\nRecipes: docs/training.md");
    cli.add_option("RECIPE", o.recipe, "JSON file: network, images, optimiser, schedule, faults")->required();
    cli.add_option("--out", o.out, "Folder for the checkpoint, the log, the curves and the weights")->capture_default_str();
    cli.add_option("--data", o.data, "Folder with the images, instead of the recipe's");
    cli.add_option("--threads", o.threads, "Threads (0: one a core); weights do not depend on it")->capture_default_str();
    const auto failed = [&](const char* reason, int code) { return end_with(program, reason, code); };
    if (const auto ended = parse_words(cli, program, words)) return *ended;
    if (!take_threads(o.threads)) return failed("--threads: at most 1024", 2);
    try {
        auto request = read_recipe_file(o.recipe);
        if (!request) return failed(request.reason().c_str(), 2);
        const auto done = train_session{std::move(*request), std::move(o), std::move(all)}.run();
        return done ? 0 : failed(done.reason().c_str(), 1);
    } catch (const std::exception& e) {
        return failed(e.what(), 1);
    }
}

}  // namespace redoubt::app::inline REDOUBT_ABI
