// SPDX-License-Identifier: MIT
// A campaign over some engines, from images to result files.
#pragma once

#include <redoubt/analyze/ranking_file.hpp>
#include <redoubt/app/cells.hpp>
#include <redoubt/app/fitting_images.hpp>
#include <redoubt/app/page.hpp>
#include <redoubt/app/progress.hpp>
#include <redoubt/app/records.hpp>
#include <redoubt/app/report.hpp>
#include <redoubt/campaign/journal.hpp>
#include <redoubt/campaign/timing.hpp>
#include <redoubt/io/checksum.hpp>
#include <redoubt/io/dataset.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace redoubt::app::inline REDOUBT_ABI {

/// A campaign over some engines: what run() does, step by step.
class session {
public:
    session(options o, program_defaults defaults, std::vector<std::unique_ptr<engine>> engines)
        : options_{std::move(o)}, defaults_{std::move(defaults)}, engines_{std::move(engines)} {}

    result<void> run() {
        if (options_.names) return print_names();
        if (auto r = load_images(); !r) return r;
        if (auto r = check_output_folder(); !r) return r;
        for (const std::string& model : options_.models)
            for (const std::string& number : options_.numbers)
                if (auto r = prepare_engine(model, number); !r) return r;
        if (!options_.dump_outputs.empty()) return {};
        if (auto r = open_journal(); !r) return r;
        if (auto r = join_shards(); !r) return r;
        if (options_.shard.empty()) std::printf("%s\n", table_row(nullptr).c_str());
        for (std::size_t c = 0; c < cells_.size(); ++c)
            if (auto r = run_cell(c); !r) return r;
        if (!options_.shard.empty()) {
            std::printf("Shard %s is in %s.\n", options_.shard.c_str(), journal_->path().c_str());
            return {};
        }
        compare_cells(cells_, test_.size());
        for (const std::string& fault : options_.faults)
            std::printf("%s in %s covers %s.\n", options_.flips != 0 ? "The count" : "BER", fault.c_str(),
                        campaign::covers_of(kind_of(fault), options_.flips != 0).c_str());
        if (options_.margin > 0.0 || options_.relative_margin > 0.0)
            std::printf("Intervals: 95 %% at every look at once, over at most %d trials of %zu images. time, memory: factors over none, fault-free.\n",
                        options_.trials, test_.size());
        else if (options_.sampling == "exhaustive")
            std::printf("Every place was struck once, over %zu images: no interval. time, memory: factors over none, fault-free.\n",
                        test_.size());
        else
            std::printf("Intervals: 95 %% over %d trials of %zu images. time, memory: factors over none, fault-free.\n",
                        options_.trials, test_.size());
        return write();
    }

    /// Strikes recorded faults again, each trial of the record alone, and prints what becomes of it.
    result<void> replay(const std::vector<replayed_trial>& trials) {
        if (auto r = load_images(); !r) return r;
        std::printf("%-11s %-9s %-6s %-14s %6s %6s %6s %6s %6s %6s %8s\n", "faults in", "model", "number", "protection", "trial",
                    "faults", "right", "SDC-1", "masked", "DUE", "unusable");
        std::string prepared;
        for (const replayed_trial& t : trials) {
            engine& e = pick(t.model, t.number);
            if (const std::string what = t.model + " " + t.number + " " + t.protection; what != prepared) {
                if (auto r = load_weights(e, t.model); !r) return r;
                e.prepare(training_, std::vector<std::string>{t.protection}, options_.threads);
                golden_ = {e.find(t.protection)->golden(test_, options_.threads)};
                prepared = what;
            }
            const auto got = e.find(t.protection)->replay(t.kind, t.faults, test_, golden_[0]);
            if (!got) return error{"trial "} << t.trial << ": " << got.reason().text();
            std::printf("%-11s %-9s %-6s %-14s %6d %6llu %6u %6u %6u %6u %8u\n", std::string{name_of(t.kind)}.c_str(), t.model.c_str(),
                        t.number.c_str(), t.protection.c_str(), t.trial, static_cast<unsigned long long>(got->faults), got->right,
                        got->changed, got->masked, got->due, got->unusable);
        }
        return {};
    }

    const std::string& journal_path() const { return journal_->path(); }
    std::vector<std::unique_ptr<engine>> take_engines() { return std::move(engines_); }

private:
    /// run() has seen that it exists.
    engine& pick(const std::string& model, const std::string& number) {
        return **std::find_if(engines_.begin(), engines_.end(),
                              [&](const auto& e) { return e->model() == model && e->number() == number; });
    }

    result<void> print_names() {
        for (const std::string& model : options_.models) {
            const auto layers = pick(model, options_.numbers.front()).layers();
            std::printf("# %s\n%s", model.c_str(), io::describe_expected(layers).c_str());
        }
        return {};
    }

    result<void> load_images() {
        const engine& first = pick(options_.models.front(), options_.numbers.front());
        const auto by = io::parse_normalisation(options_.normalise, first.input().channels);
        if (!by) return error{"--normalise: "} << by.reason().text();
        for (const auto which : {io::part::test, io::part::train}) {
            const auto set = io::load_dataset(options_.data, which);
            if (!set) return error{"--data: "} << set.reason().text();
            for (const std::string& model : options_.models) {
                const engine& e = pick(model, options_.numbers.front());
                if (auto r = check_images(*set, options_.data, model, e.input(), e.classes()); !r) return r;
            }
            const int wanted = which == io::part::test ? options_.images : options_.calibration;
            if (which == io::part::test && static_cast<std::size_t>(wanted) > set->size())
                return error{"--images: "} << wanted << " asked for, the test set has " << set->size();
            (which == io::part::test ? test_ : training_) = campaign::prepare(*set, *by, static_cast<std::size_t>(wanted));
        }
        if (!io::has_separate_parts(options_.data))
            std::fprintf(stderr, "note: %s is one file, so scales and bounds come from the images under test\n", options_.data.c_str());
        return {};
    }

    result<void> check_output_folder() {
        std::error_code failure;
        std::filesystem::create_directories(options_.out, failure);
        if (!std::filesystem::is_directory(options_.out)) return error{"--out: '"} << options_.out << "' cannot be made a folder";
        return {};
    }

    std::string weights_path(const std::string& model) const {
        if (!options_.weights.empty()) return options_.weights;
        std::string path = defaults_.weights;
        if (const auto at = path.find("{model}"); at != std::string::npos) path.replace(at, 7, model);
        return path;
    }

    /// Protections of one kind of fault, "none" among them for the factors; unless they were asked for, those of the usual that all engines have.
    std::vector<std::string> protections_for(campaign::fault_kind kind) const {
        if (!options_.protections.empty()) return options_.protections;
        if (kind == campaign::fault_kind::bounds) return {"range"};
        std::vector<std::string> usual{"none", "range", "dmr", "tmr"};
        if (in_parameters(kind)) usual = {"none", "range", "tmr_parameters", "crc"};
        std::erase_if(usual, [&](const std::string& p) {
            return std::any_of(engines_.begin(), engines_.end(), [&](const auto& e) {
                const auto has = e->protections();
                return std::find(has.begin(), has.end(), p) == has.end();
            });
        });
        return usual;
    }
    std::vector<double> rates_for(campaign::fault_kind kind) const {
        if (options_.flips != 0 || options_.sampling != "uniform") return {0.0};
        if (!options_.rates.empty()) return options_.rates;
        if (in_parameters(kind)) return {1e-6, 1e-5, 1e-4};
        return {1e-6};
    }

    /// Reads a model's checkpoint into an engine, and notes which it was.
    result<void> load_weights(engine& e, const std::string& model) {
        const std::string path = weights_path(model);
        const auto bytes = io::read_file(path);
        if (!bytes) return bytes.reason();
        const auto file = io::parse_safetensors(*bytes, path);
        if (!file) return file.reason();
        if (auto r = e.load(*file, path); !r) return r;
        note_weights(model, path, *bytes);
        if (options_.ranking.empty()) return {};
        const auto ranking_bytes = io::read_file(options_.ranking, std::size_t{1} << 31);
        if (!ranking_bytes) return ranking_bytes.reason();
        const auto ranking = analyze::ranking_from_bytes(*ranking_bytes, options_.ranking);
        if (!ranking) return ranking.reason();
        ranking_crc32c_ = io::checksum_text(*ranking_bytes);
        auto r = e.order_by(*ranking);
        return r ? result<void>{} : result<void>{error{options_.ranking} << ": " << r.reason().text()};
    }

    /// One engine's presets and its share of the cells.
    result<void> prepare_engine(const std::string& model, const std::string& number) {
        engine& e = pick(model, number);
        if (auto r = load_weights(e, model); !r) return r;
        std::vector<std::string> wanted{"none"};
        for (const std::string& fault : options_.faults)
            for (const std::string& p : protections_for(kind_of(fault)))
                if (std::find(wanted.begin(), wanted.end(), p) == wanted.end()) wanted.push_back(p);
        if (!options_.dump_outputs.empty()) wanted = {"none"};
        else if (!options_.ranking.empty() && std::none_of(wanted.begin(), wanted.end(), [&](const std::string& p) { return e.counts_channels(p); }))
            return error{"--ranking: none of the protections asked for has channels computed more than once, so their order changes nothing"};
        e.prepare(training_, wanted, options_.threads);
        if (!options_.dump_outputs.empty()) return dump(e);

        std::vector<const campaign::subject*> subjects;
        const std::size_t first = golden_.size();
        for (const std::string& p : wanted) {
            subjects.push_back(e.find(p));
            if (subjects.back() == nullptr) return error{"--protect "} << p << ": is not for " << number;
            golden_.push_back(subjects.back()->golden(test_, options_.threads));
        }
        const auto times = options_.shard.empty() ? campaign::best_times(subjects, test_.image(0), 60)
                                                  : std::vector<double>(subjects.size(), 1.0);
        for (const std::string& fault : options_.faults) {
            for (double rate : rates_for(kind_of(fault))) {
                for (const std::string& p : protections_for(kind_of(fault))) {
                    const auto i = static_cast<std::size_t>(std::find(wanted.begin(), wanted.end(), p) - wanted.begin());
                    planned_cell cell{{}, subjects[i], first + i};
                    const campaign::golden_run& golden = golden_[first + i];
                    cell.summary.model = model;
                    cell.summary.number = number;
                    cell.summary.protection = p;
                    cell.summary.clean_accuracy = static_cast<double>(golden.right) / static_cast<double>(test_.size());
                    std::size_t same = 0;
                    for (std::size_t n = 0; n < test_.size(); ++n) same += golden.top1[n] == golden_[first].top1[n] ? 1u : 0u;
                    cell.summary.clean_top1_as_none = static_cast<double>(same) / static_cast<double>(test_.size());
                    cell.summary.time_factor = times[i] / times[0];
                    cell.summary.memory_factor = static_cast<double>(subjects[i]->memory_bytes()) /
                                                 static_cast<double>(subjects[0]->memory_bytes());
                    if (auto r = plan_cell(cell, options_, kind_of(fault), rate); !r) return r;
                    cells_.push_back(std::move(cell));
                }
            }
        }
        return {};
    }

    /// Everything on which results depend, in one line.
    std::string plan_line() const {
        nlohmann::ordered_json plan = plan_json(options_);
        plan["program"] = "redoubt 0.1.0";
        plan["weights_crc32c"] = nlohmann::ordered_json::object();
        for (const weights_result& w : weights_) plan["weights_crc32c"][w.model] = w.crc32c;
        if (!ranking_crc32c_.empty()) plan["ranking_crc32c"] = ranking_crc32c_;
        plan["images_crc32c"] = io::checksum_text(std::as_bytes(std::span{test_.pixels}));
        plan["calibration_crc32c"] = io::checksum_text(std::as_bytes(std::span{training_.pixels}));
        return plan.dump();
    }

    /// Journals are named by their plans, so that campaigns may share a folder.
    result<void> open_journal() {
        const std::string plan = plan_line();
        std::string name = "journal-" + io::checksum_text(std::as_bytes(std::span{plan.data(), plan.size()}));
        if (!options_.shard.empty()) {
            name += "-" + options_.shard;
            std::replace(name.begin(), name.end(), '/', '-');
        }
        std::vector<int> trials;
        for (const planned_cell& c : cells_) trials.push_back(c.summary.spec.trials);
        auto opened = campaign::journal::open((std::filesystem::path{options_.out} / (name + ".txt")).string(), plan, trials);
        if (!opened) return opened.reason();
        journal_ = std::make_unique<campaign::journal>(std::move(*opened));
        std::size_t found = 0, all = 0;
        for (std::size_t c = 0; c < cells_.size(); ++c) {
            found += journal_->cell(c).finished();
            all += journal_->cell(c).done.size();
        }
        if (found != 0) std::fprintf(stderr, "%s: goes on after %zu of %zu trials\n", journal_->path().c_str(), found, all);
        return {};
    }

    /// Takes over the trials of shards' journals, which together must have every trial of the plan.
    result<void> join_shards() {
        if (options_.join.empty()) return {};
        std::vector<int> trials;
        for (const planned_cell& c : cells_) trials.push_back(c.summary.spec.trials);
        for (const std::string& path : options_.join) {
            const auto bytes = io::read_file(path);
            if (!bytes) return bytes.reason();
            const auto shard = campaign::parse_journal(path, {reinterpret_cast<const char*>(bytes->data()), bytes->size()}, trials);
            if (!shard) return shard.reason();
            if (shard->plan != plan_line()) return error{path} << ": is a shard of another campaign; its plan: " << shard->plan;
            for (std::size_t c = 0; c < cells_.size(); ++c)
                for (std::size_t t = 0; t < shard->cells[c].done.size(); ++t) {
                    if (shard->cells[c].done[t] == 0) continue;
                    const auto& mine = journal_->cell(c);
                    if (mine.done[t] != 0 && !(mine.results[t] == shard->cells[c].results[t]))
                        return error{path} << ": cell " << c << " trial " << t << " differs from the same trial of another shard";
                    journal_->add(c, static_cast<int>(t), shard->cells[c].results[t]);
                }
        }
        if (auto r = journal_->flush(); !r) return r;
        for (std::size_t c = 0; c < cells_.size(); ++c) {
            const std::size_t all = journal_->cell(c).done.size(), there = journal_->cell(c).finished();
            if (there != all)
                return error{"the shards lack "} << all - there << " of " << all << " trials of " << cells_[c].summary.model << " "
                                                 << cells_[c].summary.number << " " << cells_[c].summary.protection
                                                 << "; the rest is in " << journal_->path() << ", which the campaign can resume";
        }
        return {};
    }

    /// The trials of a cell, of the first `end`, that are still to be run, of this shard; all of them where their faults are to be
    /// recorded.
    std::vector<int> missing(std::size_t c, std::size_t end) const {
        int i = 1, n = 1;
        if (!options_.shard.empty()) read_shard(options_.shard, i, n);
        std::vector<int> trials;
        const auto& done = journal_->cell(c).done;
        for (std::size_t t = 0; t < end; ++t)
            if ((done[t] == 0 || !options_.record.empty()) && static_cast<int>(t) % n == i - 1) trials.push_back(static_cast<int>(t));
        return trials;
    }

    result<void> run_cell(std::size_t c) {
        planned_cell& cell = cells_[c];
        campaign::cell_summary& summary = cell.summary;
        std::vector<campaign::fault_record> records;
        int end = 0;
        do {
            const int before = end;
            end = summary.spec.stop.asked() ? campaign::next_look(end, summary.spec.trials) : summary.spec.trials;
            if (auto r = run_trials(cell, c, missing(c, static_cast<std::size_t>(end)), before, records); !r) return r;
            const auto& all = journal_->cell(c).results;
            if (options_.shard.empty()) summary.trials.assign(all.begin(), all.begin() + end);
        } while (end < summary.spec.trials && !campaign::may_stop(summary.spec.stop, summary.trials, test_.size()));
        if (!options_.shard.empty()) return {};
        const campaign::cell_strata strata = cell.subject->strata(summary.spec);
        campaign::summarise(summary, test_.size(), strata.view());
        if (auto r = campaign::check_injected(summary, test_.size()); !r) return r;
        if (options_.fit_per_megabit > 0.0)
            summary.field = campaign::fit_of(campaign::upset_rate::per_megabit(options_.fit_per_megabit),
                                             static_cast<double>(summary.site_bits), summary.sdc1);
        add_places(cell);
        std::printf("%s\n", table_row(&summary).c_str());
        std::fflush(stdout);
        if (!options_.record.empty()) {
            labels_.push_back(std::string{name_of(summary.spec.kind)} + "," + summary.model + "," + summary.number + "," +
                              summary.protection + "," + impl::amount(summary.spec));
            records_.push_back(std::move(records));
        }
        return {};
    }

    /// Runs trials of a cell into the journal.
    result<void> run_trials(const planned_cell& cell, std::size_t c, std::vector<int> trials, int before,
                            std::vector<campaign::fault_record>& records) {
        const campaign::cell_summary& summary = cell.summary;
        if (!options_.record.empty()) trials.erase(trials.begin(), std::lower_bound(trials.begin(), trials.end(), before));
        progress bar{summary.model + " " + summary.number + " " + summary.protection + " " + std::string{name_of(summary.spec.kind)},
                     trials.size()};
        auto flushed = std::chrono::steady_clock::now();
        const auto flush = [&] {
            if (auto r = journal_->flush(); !r) throw std::runtime_error{r.reason().c_str()};
            flushed = std::chrono::steady_clock::now();
        };
        cell.subject->run(summary.spec, test_, golden_[cell.golden], options_.threads, trials,
                          [&](int trial, const campaign::trial_result& r) {
                              journal_->add(c, trial, r);
                              bar.step();
                              if (std::chrono::steady_clock::now() - flushed > std::chrono::milliseconds{200}) flush();
                          },
                          options_.record.empty() ? nullptr : &records);
        flush();
        bar.finish();
        return {};
    }

    result<void> dump(const engine& e) {
        io::tensor_file file;
        std::vector<float> all;
        for (std::size_t i = 0; i < test_.size(); ++i) {
            const auto some = e.outputs(test_.image(i));
            all.insert(all.end(), some.begin(), some.end());
        }
        const auto raw = std::as_bytes(std::span{all});
        file.tensors.push_back({"outputs", io::dtype::f32, {test_.size(), static_cast<std::size_t>(e.classes())}, {raw.begin(), raw.end()}});
        file.metadata = {{"model", std::string{e.model()}}, {"number", std::string{e.number()}}};
        return io::write_safetensors(options_.dump_outputs, file);
    }

    void note_weights(const std::string& model, const std::string& path, std::span<const std::byte> bytes) {
        for (const weights_result& w : weights_)
            if (w.model == model) return;
        weights_.push_back({model, path, io::checksum_text(bytes)});
    }

    result<void> write() {
        const auto folder = std::filesystem::path{options_.out};
        std::vector<campaign::cell_summary> cells;
        for (const planned_cell& c : cells_) cells.push_back(c.summary);
        const std::string results = (folder / "results.json").string(), page = (folder / "report.html").string();
        const std::string text = results_json(options_, weights_, cells, test_.size(), ranking_crc32c_).dump(1) + "\n";
        if (auto r = io::write_file_atomically(results, text); !r) return r;
        if (auto r = io::write_file_atomically((folder / "results.csv").string(), results_csv(cells)); !r) return r;
        if (!options_.record.empty())
            if (auto r = io::write_file_atomically(options_.record, records_csv(labels_, records_)); !r) return r;
        if (auto r = write_report(results, page); !r) return r;
        std::printf("Wrote %s, %s and %s.\n", results.c_str(), (folder / "results.csv").string().c_str(), page.c_str());
        return {};
    }

    options options_;
    program_defaults defaults_;
    std::vector<std::unique_ptr<engine>> engines_;
    std::string ranking_crc32c_;
    campaign::prepared_images test_, training_;
    std::vector<weights_result> weights_;
    std::vector<campaign::golden_run> golden_;
    std::vector<planned_cell> cells_;
    std::unique_ptr<campaign::journal> journal_;
    std::vector<std::string> labels_;
    std::vector<std::vector<campaign::fault_record>> records_;
};

}  // namespace redoubt::app::inline REDOUBT_ABI
