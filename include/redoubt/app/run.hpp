// SPDX-License-Identifier: MIT
// The one function that gives any network a whole command line.
#pragma once

#include <redoubt/app/analysis_command.hpp>
#include <redoubt/app/command_line.hpp>
#include <redoubt/app/session.hpp>
#include <redoubt/app/train_command.hpp>
#include <redoubt/campaign/cluster.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace redoubt::app::inline REDOUBT_ABI {

namespace impl {

using engines = std::vector<std::unique_ptr<engine>>;

/// A campaign on one process, or on each rank of a job a shard, which the first one joins.
inline result<void> campaign_on(const campaign::cluster& job, options o, const program_defaults& defaults, engines all) {
    if (job.size() == 1) return session{std::move(o), defaults, std::move(all)}.run();
    if (!o.shard.empty()) return error{"--shard: the ranks of a job are its shards already"};
    if (o.margin > 0.0 || o.relative_margin > 0.0)
        return error{"--margin: not over several ranks; whether a trial is run depends on all before it"};
    if (!o.record.empty()) return error{"--record: not over several ranks; replay needs the plan alone"};
    const auto shard_of = [&](int rank) { return std::to_string(rank + 1) + "/" + std::to_string(job.size()); };
    options own = o;
    own.shard = shard_of(job.rank());
    session shard{own, defaults, std::move(all)};
    const auto done = shard.run();
    if (!done) std::fprintf(stderr, "rank %d: %s\n", job.rank(), done.reason().c_str());
    if (!job.all(static_cast<bool>(done))) return done ? result<void>{error{"another rank failed"}} : done;
    if (job.rank() != 0) return {};
    const std::string mine = shard.journal_path(), tail = std::string{"-"} + std::to_string(job.size()) + ".txt";
    const std::string stem = mine.substr(0, mine.size() - tail.size() - 1);  // ends in the dash before "1"
    for (int r = 0; r < job.size(); ++r) o.join.push_back(stem + std::to_string(r + 1) + tail);
    return session{std::move(o), defaults, shard.take_engines()}.run();
}

/// resilience replay FILE [--trial N] [options of the campaign]
inline result<void> replay(std::vector<const char*> words, options o, const program_defaults& defaults, engines all) {
    const std::string path = words[0];
    const auto bytes = io::read_file(path);
    if (!bytes) return bytes.reason();
    const auto trials = parse_records(path, {reinterpret_cast<const char*>(bytes->data()), bytes->size()}, o.only_trial);
    if (!trials) return trials.reason();
    for (const replayed_trial& t : *trials) {
        const bool known = std::any_of(all.begin(), all.end(), [&](const auto& e) { return e->model() == t.model && e->number() == t.number; });
        if (!known) return error{path} << ": there is no " << t.number << " of " << t.model << " in this program";
        const bool can = std::any_of(all.begin(), all.end(), [&](const auto& e) {
            const auto names = e->protections();
            return e->model() == t.model && e->number() == t.number && std::find(names.begin(), names.end(), t.protection) != names.end();
        });
        if (!can) return error{path} << ": '" << t.protection << "' is no protection that this program has for " << t.number;
    }
    o.models = {trials->front().model};
    o.numbers = {trials->front().number};
    return session{std::move(o), defaults, std::move(all)}.replay(*trials);
}

/// The plan that a shard's journal begins with, as options.
inline result<void> plan_of_journal(const std::string& path, options& o) {
    const auto bytes = io::read_file(path);
    if (!bytes) return bytes.reason();
    const std::string_view text{reinterpret_cast<const char*>(bytes->data()), bytes->size()};
    const auto content = campaign::parse_journal(path, text.substr(0, text.find('\n') + 1), {});
    if (!content) return content.reason();
    if (content->plan.empty()) return error{path} << ": has no whole first line";
    try {
        auto plan = nlohmann::ordered_json::parse(content->plan);
        for (const char* note : {"program", "weights_crc32c", "images_crc32c", "calibration_crc32c", "ranking_crc32c"}) plan.erase(note);
        const auto r = read_plan(plan, o);
        return r ? r : result<void>{error{path} << ": " << r.reason().text()};
    } catch (const nlohmann::json::exception& e) {
        return error{path} << ": " << e.what();
    }
}

}  // namespace impl

/// Runs the command line over these engines: exit code 0, 1 for what went wrong at work, 2 for a wrong command line.
///
///     PROGRAM [campaign] [options]        a campaign, resumed where its journal lies in --out
///     PROGRAM replay FILE [options]       recorded faults, again
///     PROGRAM merge JOURNAL... [options]  the results of a campaign whose shards wrote these journals
///     PROGRAM report RESULTS PAGE         the page of a results.json
///     PROGRAM train RECIPE [options]      a network's weights, for networks that were announced as trainable
///     PROGRAM rank [options]              rankings of a network's channels, for the same networks
///     PROGRAM harden [options]            which channels are computed twice, by a ranking
///     PROGRAM prune [options]             which channels are removed, by a ranking
inline int run(int argc, const char* const* argv, std::vector<std::unique_ptr<engine>> engines,
               const program_defaults& defaults = {}) {
    const campaign::cluster job;
    if (const std::string first = argc > 1 ? argv[1] : ""; first == "train" || first == "rank" || first == "harden" || first == "prune") {
        if (job.size() != 1) {
            if (job.rank() == 0) std::fprintf(stderr, "%s: %s runs on one process; --threads takes its cores\n", argv[0], first.c_str());
            return 2;
        }
        const std::vector<const char*> words{argv + 2, argv + argc};
        return first == "train" ? train_command(argv[0], words, make_announced<trainable>()) : analysis_command(argv[0], first, words, make_announced<analysable>(), defaults);
    }
    known_words known;
    for (const auto& e : engines) {
        const std::string model{e->model()}, number{e->number()};
        if (std::find(known.models.begin(), known.models.end(), model) == known.models.end()) known.models.push_back(model);
        if (std::find(known.numbers.begin(), known.numbers.end(), number) == known.numbers.end()) known.numbers.push_back(number);
        for (const std::string& p : e->protections())
            if (std::find(known.protections.begin(), known.protections.end(), p) == known.protections.end()) known.protections.push_back(p);
    }
    std::sort(known.models.begin(), known.models.end());
    std::sort(known.numbers.begin(), known.numbers.end());

    // the command and its files first, then options
    std::vector<const char*> words{argv, argv + argc}, files;
    std::string command = "campaign";
    if (argc > 1 && argv[1][0] != '-') {
        command = argv[1];
        words.erase(words.begin() + 1);
        while (command != "campaign" && words.size() > 1 && words[1][0] != '-') {
            files.push_back(words[1]);
            words.erase(words.begin() + 1);
        }
    }
    const auto refuse = [&](const std::string& reason) {
        std::fprintf(stderr, "%s: %s\n", argv[0], reason.c_str());
        return 2;
    };
    if (command != "campaign" && command != "replay" && command != "merge" && command != "report")
        return refuse("'" + command + "' is no command; there is campaign, replay, merge, report, train, rank, harden, prune");
    const bool asks_help = std::find(words.begin(), words.end(), std::string_view{"--help"}) != words.end();
    if (command == "replay" && files.size() != 1 && !asks_help) return refuse("replay takes one file, which --record wrote");
    if (command == "report" && files.size() != 2 && !asks_help) return refuse("report takes a results.json and the page to write");
    if (command == "report" && !asks_help) {
        const auto done = write_report(files[0], files[1]);
        if (done) return 0;
        std::fprintf(stderr, "%s: %s\n", argv[0], done.reason().c_str());
        return 1;
    }
    if (command == "merge" && files.empty() && !asks_help) return refuse("merge takes the journals of all shards");

    int exit_code = 0;
    auto chosen = parse(static_cast<int>(words.size()), words.data(), defaults, known, exit_code);
    if (!chosen) return exit_code;
    try {
        if (command == "merge") {
            if (auto r = impl::plan_of_journal(files[0], *chosen); !r) return refuse(r.reason().c_str());
            if (auto r = check_plan(*chosen, known); !r) return refuse(r.reason().c_str());
            chosen->join.assign(files.begin(), files.end());
        }
        for (const std::string& model : chosen->models)
            for (const std::string& number : chosen->numbers)
                if (std::none_of(engines.begin(), engines.end(), [&](const auto& e) { return e->model() == model && e->number() == number; }))
                    return refuse("there is no " + number + " of " + model + " in this program");
        const auto done = command == "replay" ? impl::replay(files, std::move(*chosen), defaults, std::move(engines))
                                              : impl::campaign_on(job, std::move(*chosen), defaults, std::move(engines));
        if (done) return 0;
        std::fflush(stdout);
        std::fprintf(stderr, "%s: %s\n", argv[0], done.reason().c_str());
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s: %s\n", argv[0], e.what());
    }
    return 1;
}

/// The same over every engine that generated translation units have announced (cmake/redoubt_engines.cmake).
inline int run(int argc, const char* const* argv, const program_defaults& defaults = {}) {
    return run(argc, argv, make_announced<engine>(), defaults);
}

/// The same for one network type (float32, without protections) in three numbers, in one translation unit.
template <network_type Net>
int run(int argc, const char* const* argv, std::string name, program_defaults defaults = {}) {
    std::vector<std::unique_ptr<engine>> engines;
    engines.push_back(std::make_unique<typed_engine<Net, float32>>(name));
    engines.push_back(std::make_unique<typed_engine<Net, float16>>(name));
    engines.push_back(std::make_unique<typed_engine<Net, int8>>(name));
    return run(argc, argv, std::move(engines), defaults);
}

}  // namespace redoubt::app::inline REDOUBT_ABI
