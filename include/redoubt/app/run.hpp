// SPDX-License-Identifier: MIT
// The one function that gives any network a whole command line.
#pragma once

#include <redoubt/app/page.hpp>
#include <redoubt/app/report.hpp>
#include <redoubt/campaign/timing.hpp>
#include <redoubt/io/dataset.hpp>
#include <redoubt/kernel/crc32c.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace redoubt::app::inline REDOUBT_ABI {

namespace impl {

/// A campaign over some engines: what run() does, step by step.
class session {
public:
    session(options o, program_defaults defaults, std::vector<std::unique_ptr<engine>> engines)
        : options_{std::move(o)}, defaults_{std::move(defaults)}, engines_{std::move(engines)} {}

    result<void> run() {
        if (options_.names) return print_names();
        if (auto r = load_images(); !r) return r;
        if (auto r = check_output_folder(); !r) return r;
        if (options_.dump_outputs.empty()) std::printf("%s\n", table_row(nullptr).c_str());
        for (const std::string& model : options_.models)
            for (const std::string& number : options_.numbers)
                if (auto r = run_engine(model, number); !r) return r;
        if (!options_.dump_outputs.empty()) return {};
        for (const std::string& fault : options_.faults)
            std::printf("%s in %s covers %s.\n", options_.flips != 0 ? "The count" : "BER", fault.c_str(),
                        campaign::covers_of(kind_of(fault), options_.flips != 0).c_str());
        std::printf("Intervals: 95 %% over %d trials of %zu images. time, memory: factors over none, fault-free.\n",
                    options_.trials, test_.size());
        return write();
    }

private:
    static campaign::fault_kind kind_of(const std::string& word) {
        for (auto kind : {campaign::fault_kind::features, campaign::fault_kind::activations})
            if (word == name_of(kind)) return kind;
        return campaign::fault_kind::weights;
    }
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
                if (!(shape{set->channels, set->height, set->width} == e.input()))
                    return error{options_.data} << ": images are " << set->channels << "x" << set->height << "x" << set->width
                                                << ", " << model << " takes " << e.input().channels << "x" << e.input().height
                                                << "x" << e.input().width;
                if (set->classes > e.classes())
                    return error{options_.data} << ": has " << set->classes << " classes, " << model << " only " << e.classes();
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

    /// Protections of one kind of fault, "none" among them for the factors.
    std::vector<std::string> protections_for(campaign::fault_kind kind) const {
        if (!options_.protections.empty()) return options_.protections;
        if (kind == campaign::fault_kind::weights) return {"none", "range", "tmr_parameters", "crc"};
        return {"none", "range", "dmr", "tmr"};
    }
    std::vector<double> rates_for(campaign::fault_kind kind) const {
        if (options_.flips != 0) return {0.0};
        if (!options_.rates.empty()) return options_.rates;
        if (kind == campaign::fault_kind::weights) return {1e-6, 1e-5, 1e-4};
        return {1e-6};
    }

    /// Which checkpoint a model has, once for all of its numbers.
    result<void> note_weights(const std::string& model, const std::string& path) {
        if (std::any_of(weights_.begin(), weights_.end(), [&](const auto& w) { return w.model == model; })) return {};
        const auto bytes = io::read_file(path);
        if (!bytes) return bytes.reason();
        weights_.push_back({model, path, format("%08x", kernel::crc32c(bytes->data(), bytes->size()))});
        return {};
    }

    result<void> run_engine(const std::string& model, const std::string& number) {
        engine& e = pick(model, number);
        const std::string path = weights_path(model);
        const auto file = io::read_safetensors(path);
        if (!file) return file.reason();
        if (auto r = e.load(*file, path); !r) return r;
        if (auto r = note_weights(model, path); !r) return r;
        std::vector<std::string> wanted{"none"};
        for (const std::string& fault : options_.faults)
            for (const std::string& p : protections_for(kind_of(fault)))
                if (std::find(wanted.begin(), wanted.end(), p) == wanted.end()) wanted.push_back(p);
        if (!options_.dump_outputs.empty()) wanted = {"none"};
        e.prepare(training_, wanted, options_.threads);
        if (!options_.dump_outputs.empty()) return dump(e);

        std::vector<const campaign::subject*> subjects;
        std::vector<campaign::golden_run> golden;
        for (const std::string& p : wanted) {
            subjects.push_back(e.find(p));
            golden.push_back(subjects.back()->golden(test_, options_.threads));
        }
        const auto times = campaign::best_times(subjects, test_.image(0), 60);
        for (const std::string& fault : options_.faults) {
            for (double rate : rates_for(kind_of(fault))) {
                for (const std::string& p : protections_for(kind_of(fault))) {
                    const auto i = static_cast<std::size_t>(std::find(wanted.begin(), wanted.end(), p) - wanted.begin());
                    campaign::cell_summary cell;
                    cell.model = model;
                    cell.number = number;
                    cell.protection = p;
                    cell.clean_accuracy = static_cast<double>(golden[i].right) / static_cast<double>(test_.size());
                    std::size_t same = 0;
                    for (std::size_t n = 0; n < test_.size(); ++n) same += golden[i].top1[n] == golden[0].top1[n] ? 1u : 0u;
                    cell.clean_top1_as_none = static_cast<double>(same) / static_cast<double>(test_.size());
                    cell.time_factor = times[i] / times[0];
                    cell.memory_factor = static_cast<double>(subjects[i]->memory_bytes()) /
                                         static_cast<double>(subjects[0]->memory_bytes());
                    if (auto r = run_cell(cell, kind_of(fault), rate, *subjects[i], golden[i]); !r) return r;
                }
            }
        }
        return {};
    }

    result<void> run_cell(campaign::cell_summary& cell, campaign::fault_kind kind, double rate,
                          const campaign::subject& subject, const campaign::golden_run& golden) {
        campaign::cell_spec& spec = cell.spec;
        spec.kind = kind;
        spec.seed = options_.seed;
        spec.trials = options_.trials;
        spec.faults.rate = rate;
        spec.faults.count = options_.flips;
        read_bits(options_.bits, spec.faults);  // the command line was checked
        if (!options_.layer.empty()) {
            const auto names = subject.layer_names();
            const auto at = std::find(names.begin(), names.end(), options_.layer);
            if (at == names.end()) return error{"--layer: "} << cell.model << " has no layer '" << options_.layer << "'; see --names";
            spec.faults.only_slot = static_cast<int>(at - names.begin());
        }
        cell.site_bits = subject.site_bits(spec);
        if (cell.site_bits == 0)
            return error{"--bits "} << options_.bits << ": no such bits in " << name_of(kind) << " of " << cell.number;
        if (spec.faults.count > cell.site_bits)
            return error{"--flips: "} << spec.faults.count << " distinct bits asked for, there are " << cell.site_bits;
        std::vector<campaign::fault_record> records;
        cell.trials = subject.run(spec, test_, golden, options_.threads, options_.record.empty() ? nullptr : &records);
        campaign::summarise(cell, test_.size());
        if (auto r = campaign::check_injected(cell, test_.size()); !r) return r;
        std::printf("%s\n", table_row(&cell).c_str());
        std::fflush(stdout);
        if (!options_.record.empty()) {
            labels_.push_back(std::string{name_of(kind)} + "," + cell.model + "," + cell.number + "," + cell.protection + "," + amount(spec));
            records_.push_back(std::move(records));
        }
        cells_.push_back(std::move(cell));
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

    result<void> write() {
        const auto folder = std::filesystem::path{options_.out};
        const std::string results = (folder / "results.json").string(), page = (folder / "report.html").string();
        const std::string json = results_json(options_, weights_, cells_, test_.size()).dump(1) + "\n";
        if (auto r = io::write_file_atomically(results, json); !r) return r;
        if (auto r = io::write_file_atomically((folder / "results.csv").string(), results_csv(cells_)); !r) return r;
        if (!options_.record.empty())
            if (auto r = io::write_file_atomically(options_.record, records_csv(labels_, records_)); !r) return r;
        if (auto r = write_report(results, page); !r) return r;
        std::printf("Wrote %s, %s and %s.\n", results.c_str(), (folder / "results.csv").string().c_str(), page.c_str());
        return {};
    }

    options options_;
    program_defaults defaults_;
    std::vector<std::unique_ptr<engine>> engines_;
    campaign::prepared_images test_, training_;
    std::vector<weights_result> weights_;
    std::vector<campaign::cell_summary> cells_;
    std::vector<std::string> labels_;
    std::vector<std::vector<campaign::fault_record>> records_;
};

}  // namespace impl

/// Runs the command line over these engines: exit code 0, 1 for what went wrong at work, 2 for a wrong command line.
inline int run(int argc, const char* const* argv, std::vector<std::unique_ptr<engine>> engines,
               const program_defaults& defaults = {}) {
    std::vector<std::string> models, numbers;
    for (const auto& e : engines) {
        const std::string model{e->model()}, number{e->number()};
        if (std::find(models.begin(), models.end(), model) == models.end()) models.push_back(model);
        if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) numbers.push_back(number);
    }
    std::sort(models.begin(), models.end());
    std::sort(numbers.begin(), numbers.end());
    int exit_code = 0;
    const auto compiled = [&](const std::string& model, const std::string& number) {
        return std::any_of(engines.begin(), engines.end(),
                           [&](const auto& e) { return e->model() == model && e->number() == number; });
    };
    auto chosen = parse(argc, argv, defaults, models, numbers, exit_code);
    if (!chosen) return exit_code;
    for (const std::string& model : chosen->models) {
        for (const std::string& number : chosen->numbers) {
            if (compiled(model, number)) continue;
            std::fprintf(stderr, "%s: there is no %s of %s in this program\n", argv[0], number.c_str(), model.c_str());
            return 2;
        }
    }
    try {
        const auto done = impl::session{std::move(*chosen), defaults, std::move(engines)}.run();
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
    std::vector<std::unique_ptr<engine>> engines;
    for (engine_maker make : announced_engines()) engines.push_back(make());
    return run(argc, argv, std::move(engines), defaults);
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
