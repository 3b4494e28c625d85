// SPDX-License-Identifier: MIT
// From weights to a ranking, and from that to a hardened or a smaller network: what `rank`, `harden` and `prune` do.
#pragma once

#include <redoubt/analyze/hardening_file.hpp>
#include <redoubt/analyze/pruning_file.hpp>
#include <redoubt/analyze/ranking_file.hpp>
#include <redoubt/app/analysable.hpp>
#include <redoubt/app/analysis_page.hpp>
#include <redoubt/app/fitting_images.hpp>
#include <redoubt/app/options.hpp>
#include <redoubt/base/philox.hpp>
#include <redoubt/io/checksum.hpp>
#include <redoubt/io/dataset.hpp>
#include <redoubt/io/safetensors.hpp>
#include <redoubt/io/split.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt::app::inline v1 {

/// What the three commands can be told.
struct analysis_options {
    std::string model, weights, data, normalise, out = ".";
    std::vector<std::string> formulas{std::string{formula_names[0]}};
    std::string ranking;              ///< a file; empty: it is made
    std::string name;                 ///< of the plan: its files and its header's namespace
    std::uint64_t images = 500;       ///< training images that rankings are made from
    ranking_request by{};
    analyze::hardening_budget hardening{};
    analyze::pruning_budget pruning{};
    int rounds = 1;
    std::optional<analyze::guarantee> asked;
    std::uint64_t calibration = 1000; ///< test images that the guarantee is of
    std::string command;              ///< as it was typed, for the page
};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

/// One of the commands over its network. Files are written whole or not at all, the page last.
class analysis_session {
public:
    analysis_session(analysis_options o, std::vector<std::unique_ptr<analysable>> all) : o_{std::move(o)}, all_{std::move(all)} {}

    result<void> rank() {
        if (auto r = begin(); !r) return r;
        std::vector<analyze::ranking> made;
        for (const std::string& formula : o_.formulas) {
            auto r = ranked(formula);
            if (!r) return r.reason();
            if (auto written = analyze::write_ranking(in_folder("ranking-" + formula + ".json"), *r); !written) return written;
            std::printf("Wrote %s.\n", in_folder("ranking-" + formula + ".json").c_str());
            made.push_back(std::move(*r));
        }
        return write("rank.html", ranking_page(made, notes_));
    }
    result<void> harden() {
        if (auto r = begin(); !r) return r;
        const auto by = given_or_ranked();
        if (!by) return by.reason();
        const auto plan = net_->harden(*by, o_.hardening);
        if (!plan) return plan.reason();
        if (auto r = write_plan(*plan); !r) return r;
        std::printf("copies add %.1f %% of %llu multiply-adds\n", 100.0 * static_cast<double>(plan->added) / static_cast<double>(plan->multiply_adds), static_cast<unsigned long long>(plan->multiply_adds));
        return write(o_.name + ".html", hardening_page(*plan, notes_));
    }
    result<void> prune() {
        if (auto r = begin(); !r) return r;
        if (o_.rounds > 1 && !o_.ranking.empty()) return error{"--rounds: rankings are made anew in each round, so there is no use for the file of --ranking"};
        if (o_.asked && !io::has_separate_parts(o_.data) && o_.ranking.empty())
            return error{"--guarantee: "} << o_.data << " is one file, so the images that the ranking is from would be those that the promise is from";
        result<analyze::ranking> by = o_.rounds > 1 ? analyze::ranking{} : given_or_ranked();
        if (!by) return by.reason();
        if (o_.rounds > 1)
            if (auto r = load_lessons(o_.by.formula = o_.formulas.front()); !r) return r;
        if (auto r = load_part(io::part::test, tested_, o_.asked ? static_cast<std::size_t>(o_.calibration) : std::size_t{1}); !r) return r;
        pruning_judgement judged;
        const auto whole = net_->answers(*tested_, nullptr, o_.by.threads);
        if (!whole) return whole.reason();
        if (o_.asked)
            if (auto r = choose_ratio(*by, *whole, judged); !r) return r;
        const auto plan = o_.rounds > 1 ? net_->prune_in_rounds(o_.rounds, o_.pruning, o_.by, lessons_ ? *lessons_ : campaign::prepared_images{}) : net_->prune(*by, o_.pruning);
        if (!plan) return plan.reason();
        const auto left = net_->answers(*tested_, &*plan, o_.by.threads);
        if (!left) return left.reason();
        judged.images = tested_->size();
        for (std::size_t i = 0; i < tested_->size(); ++i) {
            judged.right += (*left)[i] == tested_->labels[i] ? 1u : 0u;
            judged.right_whole += (*whole)[i] == tested_->labels[i] ? 1u : 0u;
        }
        if (auto r = write_plan(*plan); !r) return r;
        std::printf("%llu of %llu multiply-adds and %llu of %llu weights are left; right on %llu of %llu test images, before on %llu\n", static_cast<unsigned long long>(plan->left),
                    static_cast<unsigned long long>(plan->multiply_adds), static_cast<unsigned long long>(plan->words_left), static_cast<unsigned long long>(plan->words),
                    static_cast<unsigned long long>(judged.right), static_cast<unsigned long long>(judged.images), static_cast<unsigned long long>(judged.right_whole));
        return write(o_.name + ".html", pruning_page(*plan, judged, notes_));
    }

private:
    std::string in_folder(const std::string& name) const { return (std::filesystem::path{o_.out} / name).string(); }

    result<void> begin() {
        const auto found = pick_model(all_, o_.model, "--model", "analyses");
        if (!found) return found.reason();
        net_ = *found;
        const auto bytes = io::read_file(o_.weights);
        if (!bytes) return bytes.reason();
        auto file = io::parse_safetensors(*bytes, o_.weights);
        if (!file) return file.reason();
        if (auto r = net_->take(std::move(*file), o_.weights); !r) return r;
        std::error_code failure;
        std::filesystem::create_directories(o_.out, failure);
        if (!std::filesystem::is_directory(o_.out)) return error{"--out: '"} << o_.out << "' cannot be made a folder";
        notes_ = {o_.command, o_.model, o_.weights, io::checksum_text(*bytes), o_.data};
        return {};
    }
    /// The first images of a part, normalised; at least so many.
    result<void> load_part(io::part part, std::optional<campaign::prepared_images>& to, std::size_t least, std::size_t most = ~std::size_t{0}) {
        const auto set = io::load_dataset(o_.data, part);
        if (!set) return error{"--data: "} << set.reason().text();
        if (auto r = check_images(*set, o_.data, o_.model, net_->input(), net_->classes()); !r) return r;
        if (set->size() < least) return error{o_.data} << ": has " << set->size() << " images, needed " << least;
        const auto by = io::parse_normalisation(o_.normalise, set->channels);
        if (!by) return error{"--normalise: "} << by.reason().text();
        to = campaign::prepare(*set, *by, most);
        return {};
    }
    /// The training images that a ranking is from, where it needs some.
    result<void> load_lessons(const std::string& formula) {
        const auto needs_none = std::find(formula_names.begin() + static_cast<std::ptrdiff_t>(first_of_weights), formula_names.end(), formula);
        if (needs_none != formula_names.end() || lessons_) return {};
        return load_part(io::part::train, lessons_, static_cast<std::size_t>(o_.images), static_cast<std::size_t>(o_.images));
    }
    result<analyze::ranking> ranked(const std::string& formula) {
        if (auto r = load_lessons(formula); !r) return r.reason();
        ranking_request by = o_.by;
        by.formula = formula;
        return net_->rank(by, lessons_ ? *lessons_ : campaign::prepared_images{});
    }
    result<analyze::ranking> given_or_ranked() {
        o_.by.formula = o_.formulas.front();
        return o_.ranking.empty() ? ranked(o_.by.formula) : analyze::read_ranking(o_.ranking);
    }
    result<void> choose_ratio(const analyze::ranking& by, const std::vector<int>& whole, pruning_judgement& judged) {
        judged.asked = *o_.asked;
        judged.calibration = o_.calibration;
        // drawn: the first ones of a set may be of a kind
        random_stream random{o_.by.seed, {0, 0, 0, 0x43414c49u}};
        const auto drawn = io::drawn_first(tested_->size(), static_cast<std::size_t>(o_.calibration), random);
        campaign::prepared_images few{tested_->image_size, {}, {}};
        for (std::size_t i = 0; i < o_.calibration; ++i) {
            const auto pixels = tested_->image(drawn[i]);
            few.pixels.insert(few.pixels.end(), pixels.begin(), pixels.end());
            few.labels.push_back(tested_->labels[drawn[i]]);
        }
        std::vector<std::uint64_t> changed;
        // the order of the choices, and where they end, are fixed before an image is seen
        for (int percent = 2; percent <= 90; percent += 2) {
            analyze::pruning_budget budget = o_.pruning;
            budget.ratio = percent / 100.0;
            const auto plan = net_->prune(by, budget);
            if (!plan) return plan.reason();
            const auto left = net_->answers(few, &*plan, o_.by.threads);
            if (!left) return left.reason();
            changed.push_back(0);
            for (std::size_t i = 0; i < few.size(); ++i) changed.back() += (*left)[i] != whole[drawn[i]] ? 1u : 0u;
            judged.tried.push_back({budget.ratio, changed.back(), analyze::binomial_p_value(changed.back(), o_.calibration, o_.asked->alpha)});
            judged.taken = analyze::choices_with_guarantee(changed, o_.calibration, *o_.asked);
            if (judged.taken < changed.size()) break;
        }
        if (judged.taken == 0)
            return error{"--guarantee: not even a ratio of "} << rate_text(judged.tried[0].ratio) << " can be promised: " << changed[0] << " of " << o_.calibration << " answers differ";
        o_.pruning.ratio = judged.tried[judged.taken - 1].ratio;
        std::printf("a ratio of %s is within the guarantee\n", rate_text(o_.pruning.ratio).c_str());
        return {};
    }
    template <class Plan>
    result<void> write_plan(const Plan& plan) {
        const auto file = net_->file_for(plan);
        if (!file) return file.reason();
        const auto header = analyze::plan_header(plan, o_.name);
        if (!header) return header.reason();
        const std::string weights = in_folder(o_.name + ".safetensors");
        std::error_code none;
        if (std::filesystem::equivalent(weights, o_.weights, none)) return error{weights} << ": would be written over the weights that were read; --name or --out says another place";
        if (auto r = io::write_safetensors(weights, *file); !r) return r;
        if (auto r = analyze::write_plan(in_folder(o_.name + ".json"), plan); !r) return r;
        if (auto r = io::write_file_atomically(in_folder(o_.name + ".hpp"), std::string_view{*header}); !r) return r;
        std::printf("Wrote %s, %s and %s.\n", in_folder(o_.name + ".json").c_str(), in_folder(o_.name + ".hpp").c_str(), weights.c_str());
        return {};
    }
    result<void> write(const std::string& name, const std::string& page) {
        if (auto r = io::write_file_atomically(in_folder(name), std::string_view{page}); !r) return r;
        std::printf("Wrote %s.\n", in_folder(name).c_str());
        return {};
    }

    analysis_options o_;
    std::vector<std::unique_ptr<analysable>> all_;
    analysable* net_ = nullptr;
    analysis_notes notes_;
    std::optional<campaign::prepared_images> lessons_, tested_;
};

}  // namespace redoubt::app::inline REDOUBT_ABI
