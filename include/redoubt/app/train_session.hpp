// SPDX-License-Identifier: MIT
// A training run from a recipe to its files.
#pragma once

#include <redoubt/app/curves.hpp>
#include <redoubt/app/fitting_images.hpp>
#include <redoubt/app/progress.hpp>
#include <redoubt/app/trainable.hpp>
#include <redoubt/app/training_recipe.hpp>
#include <redoubt/io/checksum.hpp>
#include <redoubt/io/dataset.hpp>
#include <redoubt/io/safetensors.hpp>
#include <redoubt/io/split.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace redoubt::app::inline v1 {

/// How and where a recipe is run; results do not depend on it.
struct training_options {
    std::string recipe, data, out = ".";  ///< data: instead of the recipe's, where not empty
    unsigned threads = 1;
};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

/// What `train` does, step by step. In the folder: checkpoint.safetensors after each epoch, from which the same recipe goes on with the bits of a run that was never stopped; log.csv and curves.svg
/// so far; at the end weights.safetensors and training.json. Each is written whole or not at all.
class train_session {
public:
    train_session(training_request request, training_options o, std::vector<std::unique_ptr<trainable>> all)
        : request_{std::move(request)}, options_{std::move(o)}, all_{std::move(all)} {}

    result<void> run() {
        const auto found = pick_model(all_, request_.model, "model", "trains");
        if (!found) return found.reason();
        net_ = *found;
        if (auto r = load_images(); !r) return r;
        std::error_code failure;
        std::filesystem::create_directories(options_.out, failure);
        if (!std::filesystem::is_directory(options_.out)) return error{"--out: '"} << options_.out << "' cannot be made a folder";
        if (auto r = begin(); !r) return r;
        while (net_->epochs_done() < request_.by.epochs)
            if (auto r = run_epoch(); !r) return r;
        return finish();
    }

private:
    using clock = std::chrono::steady_clock;

    std::string in_folder(const char* name) const { return (std::filesystem::path{options_.out} / name).string(); }
    result<void> load_images() {
        const std::string& from = options_.data.empty() ? request_.data : options_.data;
        auto lessons = io::load_dataset(from, io::part::train), exam = io::load_dataset(from, io::part::test);
        for (const auto* set : {&lessons, &exam}) {
            if (!*set) return error{"data: "} << set->reason().text();
            if (auto r = check_images(**set, from, request_.model, net_->input(), net_->classes()); !r) return r;
        }
        auto by = io::parse_normalisation(request_.normalise, lessons->channels);
        if (!by) return error{"normalise: "} << by.reason().text();
        request_.by.augment.normalise = *by;
        if (request_.validation >= lessons->size())
            return error{"validation: "} << request_.validation << " images of " << lessons->size() << " leave none to train on";
        exam_ = std::move(*exam);
        if (request_.validation == 0) {
            lessons_ = std::move(*lessons);
        } else {
            auto parts = io::split(*lessons, static_cast<std::size_t>(request_.validation), request_.by.seed);
            lessons_ = std::move(parts.first);
            validation_ = std::move(parts.second);
        }
        return {};
    }
    /// A file that the recipe names; a checkpoint is of one recipe, and of what these hold.
    result<io::tensor_file> read_named(const std::string& path) {
        const auto bytes = io::read_file(path);
        if (!bytes) return bytes.reason();
        request_.by.name += ", " + path + " " + io::checksum_text(*bytes);
        return io::parse_safetensors(*bytes, path);
    }
    result<void> begin() {
        request_.by.threads = options_.threads;
        if (!request_.teacher.empty())
            if (auto r = take_teacher(); !r) return r;
        io::tensor_file start;
        if (!request_.start.empty()) {
            auto file = read_named(request_.start);
            if (!file) return file.reason();
            start = std::move(*file);
        }
        request_.by.name += ", images " + io::checksum_text(std::as_bytes(std::span{lessons_.pixels})) + io::checksum_text(std::as_bytes(std::span{lessons_.labels}));
        net_->begin(request_.by);
        if (const std::string checkpoint = in_folder("checkpoint.safetensors"); std::filesystem::exists(checkpoint)) return resume(checkpoint);
        if (request_.start.empty()) return {};
        const auto adapted = net_->start_from(start, request_.start, request_.function);
        if (!adapted) return adapted.reason();
        if (request_.function)
            std::printf("%s: %zu of %zu weights lay beyond the function's range and were clipped\n", request_.start.c_str(), adapted->beyond, adapted->weights);
        return {};
    }
    result<void> take_teacher() {
        const auto who = pick_model(all_, request_.teacher_model, "model", "trains");
        if (!who) return who.reason();
        if (!((*who)->input() == net_->input()) || (*who)->classes() != net_->classes()) return error{"teacher: "} << request_.teacher_model << " takes other images or knows other classes";
        const auto file = read_named(request_.teacher);
        if (!file) return file.reason();
        auto teacher = (*who)->teacher(*file, request_.teacher);
        if (!teacher) return teacher.reason();
        request_.by.teacher = std::move(*teacher);
        return {};
    }
    result<void> resume(const std::string& checkpoint) {
        if (auto r = net_->resume(checkpoint); !r) return r;
        if (const std::string log = in_folder("log.csv"); std::filesystem::exists(log)) {
            auto rows = read_training_csv(log, net_->epochs_done());
            if (!rows) return rows.reason();
            rows_ = std::move(*rows);
        }
        std::fprintf(stderr, "%s: goes on after epoch %d of %d\n", checkpoint.c_str(), static_cast<int>(net_->epochs_done()), static_cast<int>(request_.by.epochs));
        return {};
    }
    result<void> run_epoch() {
        const auto start = clock::now();
        const auto seconds = [&] { return std::chrono::duration<double>(clock::now() - start).count(); };
        const int epochs = static_cast<int>(request_.by.epochs), epoch = static_cast<int>(net_->epochs_done()) + 1;
        terminal_line line;
        const auto watch = [&](std::uint64_t step, std::uint64_t steps, const train::step_report& did) {
            if (!std::isfinite(did.loss) || (request_.by.faulty.only_below == 0.0 && !std::isfinite(did.faulty_loss)))
                throw std::runtime_error{"the loss of epoch " + std::to_string(epoch) + ", step " + std::to_string(step + 1) + " is " + shortest_text(did.loss) + ", under faults " +
                                         shortest_text(did.faulty_loss) + what_is_kept(epoch)};
            if (!line.is_due()) return;
            const double done = static_cast<double>(step + 1), speed = done / seconds();
            line.draw("epoch %d of %d: loss %.4f, %s%.0f images a second, %.0f s left", epoch, epochs, did.loss, last_accuracy().c_str(), speed * static_cast<double>(request_.by.batch),
                      (static_cast<double>(steps) * (epochs - epoch + 1) - done) / speed);
        };
        const auto did = net_->epoch(lessons_, watch);
        line.clear();
        if (!did) return did.reason();
        if (!net_->is_finite()) return error{"after epoch "} << epoch << " some weights are no numbers" << what_is_kept(epoch);
        const io::image_set& judged = validation_.size() != 0 ? validation_ : exam_;
        const double accuracy = static_cast<double>(net_->right_answers(judged, request_.by.augment.normalise)) / static_cast<double>(judged.size());
        rows_.push_back({did->epoch, did->rate, did->loss, did->faulty_loss, accuracy, seconds()});
        std::printf("epoch %d of %d: loss %.4f, %s %.2f %%, %.0f s\n", epoch, epochs, did->loss, validation_.size() != 0 ? "validation" : "test", 100.0 * accuracy, seconds());
        std::fflush(stdout);
        if (auto r = io::write_file_atomically(in_folder("log.csv"), training_csv(rows_)); !r) return r;
        if (auto r = io::write_file_atomically(in_folder("curves.svg"), training_svg(rows_, request_.model + ", " + options_.recipe, validation_.size() != 0)); !r) return r;
        return net_->save(in_folder("checkpoint.safetensors"));
    }
    static std::string what_is_kept(int epoch) {
        return (epoch > 1 ? "; the checkpoint is of epoch " + std::to_string(epoch - 1) : "; there is no checkpoint yet") + ". A smaller 'rate' of 'schedule', or 'clip_norm', may help";
    }
    std::string last_accuracy() const { return rows_.empty() ? std::string{} : percent_text(rows_.back().accuracy) + " % right, "; }
    result<void> finish() {
        const std::string weights = in_folder("weights.safetensors");
        if (auto r = io::write_safetensors(weights, net_->tensors()); !r) return r;
        const auto bytes = io::read_file(weights);
        if (!bytes) return bytes.reason();
        const std::size_t right = net_->right_answers(exam_, request_.by.augment.normalise);
        nlohmann::ordered_json about;
        about["program"] = "redoubt 0.1.0";
        about["recipe"] = request_.json;
        about["test_images"] = exam_.size();
        about["right"] = right;
        about["weights_crc32c"] = io::checksum_text(*bytes);
        if (auto r = io::write_file_atomically(in_folder("training.json"), about.dump(1) + "\n"); !r) return r;
        std::printf("right on %zu of %zu test images\nWrote %s, %s, %s and %s.\n", right, exam_.size(), weights.c_str(), in_folder("training.json").c_str(), in_folder("log.csv").c_str(),
                    in_folder("curves.svg").c_str());
        return {};
    }

    training_request request_;
    training_options options_;
    std::vector<std::unique_ptr<trainable>> all_;
    trainable* net_ = nullptr;
    io::image_set lessons_, validation_, exam_;
    std::vector<training_row> rows_;
};

}  // namespace redoubt::app::inline REDOUBT_ABI
