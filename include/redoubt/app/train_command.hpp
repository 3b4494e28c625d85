// SPDX-License-Identifier: MIT
// The command line of training.
#pragma once

#include <redoubt/app/train_session.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace redoubt::app::inline REDOUBT_ABI {

/// PROGRAM train RECIPE [options]; `words` are those after "train". Exit code 0, 1 for what went wrong at work, 2 for a wrong command line or recipe.
inline int train_command(const char* program, const std::vector<const char*>& words, std::vector<std::unique_ptr<trainable>> all) {
    training_options o;
    std::string models;
    for (const auto& t : all) models.append(models.empty() ? "" : ", ").append(t->model());
    CLI::App cli{"Trains a network by a JSON recipe, and goes on where a stopped run of it was."};
    cli.footer("Models: " + models + "\nRecipes: docs/training.md");
    cli.add_option("RECIPE", o.recipe, "JSON file: network, images, optimiser, schedule, faults")->required();
    cli.add_option("--out", o.out, "Folder for the checkpoint, the log, the curves and the weights")->capture_default_str();
    cli.add_option("--data", o.data, "Folder with the images, instead of the recipe's");
    cli.add_option("--threads", o.threads, "Threads (0: one a core); weights do not depend on it")->capture_default_str();
    std::vector<const char*> line{program};
    line.insert(line.end(), words.begin(), words.end());
    const auto failed = [&](const char* reason, int code) {
        std::fflush(stdout);
        std::fprintf(stderr, "%s: %s\n", program, reason);
        return code;
    };
    try {
        cli.parse(static_cast<int>(line.size()), line.data());
    } catch (const CLI::ParseError& e) {
        return cli.exit(e) == 0 ? 0 : 2;
    }
    if (o.threads > 1024) return failed("--threads: at most 1024", 2);
    if (o.threads == 0) o.threads = std::max(1u, std::thread::hardware_concurrency());
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
