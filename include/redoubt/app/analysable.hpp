// SPDX-License-Identifier: MIT
// A network that can be ranked, hardened and pruned, behind an interface that does not name the type.
#pragma once

#include <redoubt/analyze/deepvigor.hpp>
#include <redoubt/analyze/hardening.hpp>
#include <redoubt/analyze/measured.hpp>
#include <redoubt/analyze/pruning.hpp>
#include <redoubt/analyze/vulnerability.hpp>
#include <redoubt/analyze/weight_scores.hpp>
#include <redoubt/app/announced.hpp>
#include <redoubt/campaign/parallel.hpp>
#include <redoubt/io/channel_selection.hpp>

#include <array>
#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt::app::inline v1 {

/// Rankings by the names of their formulas; those from `first_of_weights` on need no images.
inline constexpr std::array<std::string_view, 8> formula_names{"parameter-vulnerability", "batch-vulnerability", "taylor", "deepvigor", "measured", "l2-norm", "salience", "random"};
inline constexpr std::size_t first_of_weights = 5;

/// A ranking to be made.
struct ranking_request {
    std::string formula{formula_names[0]};
    std::uint64_t faults = 200;  ///< most in one channel, of measured ones
    std::uint64_t seed = 1;
    unsigned threads = 1;        ///< results do not depend on it
};

/// A network of the command line while it is analysed.
class analysable {
public:
    virtual ~analysable() = default;

    virtual std::string_view model() const = 0;
    virtual shape input() const = 0;
    virtual int classes() const = 0;
    /// The weights that all that follows is about.
    virtual result<void> take(io::tensor_file file, const std::string& source) = 0;
    virtual result<analyze::ranking> rank(const ranking_request& by, const campaign::prepared_images& images) const = 0;
    virtual result<analyze::hardening_plan> harden(const analyze::ranking& r, const analyze::hardening_budget& budget) const = 0;
    virtual result<analyze::pruning_plan> prune(const analyze::ranking& r, const analyze::pruning_budget& budget) const = 0;
    virtual result<analyze::pruning_plan> prune_in_rounds(int rounds, const analyze::pruning_budget& budget, const ranking_request& by, const campaign::prepared_images& images) const = 0;
    /// The weights' file with the channels of a plan; errors where they are not those that the plan was made for.
    virtual result<io::tensor_file> file_for(const analyze::hardening_plan& plan) const = 0;
    virtual result<io::tensor_file> file_for(const analyze::pruning_plan& plan) const = 0;
    /// The predicted class of each image; with a plan, of the network without the channels that it removes.
    virtual result<std::vector<int>> answers(const campaign::prepared_images& images, const analyze::pruning_plan* without, unsigned threads) const = 0;
};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

/// The analysable of one network type, given in float32 without protections.
template <network_type Net>
    requires(std::same_as<typename Net::number_type, float32>)
class typed_analysable final : public analysable {
public:
    explicit typed_analysable(std::string model) : model_{std::move(model)} {}

    std::string_view model() const override { return model_; }
    shape input() const override { return Net::input_shape; }
    int classes() const override { return Net::outputs; }
    result<void> take(io::tensor_file file, const std::string& source) override {
        auto weights = std::make_unique<parameters<Net>>();
        if (auto r = io::load<Net>(file, source, *weights); !r) return r;
        weights_ = std::move(weights);
        file_ = std::move(file);
        source_ = source;
        return {};
    }
    result<analyze::ranking> rank(const ranking_request& by, const campaign::prepared_images& images) const override { return rank(*weights_, by, images); }
    result<analyze::hardening_plan> harden(const analyze::ranking& r, const analyze::hardening_budget& budget) const override { return analyze::plan_hardening<Net>(r, budget); }
    result<analyze::pruning_plan> prune(const analyze::ranking& r, const analyze::pruning_budget& budget) const override { return analyze::plan_pruning<Net>(r, budget); }
    result<analyze::pruning_plan> prune_in_rounds(int rounds, const analyze::pruning_budget& budget, const ranking_request& by, const campaign::prepared_images& images) const override {
        return analyze::prune_in_rounds<Net>(*weights_, rounds, budget, [&](const parameters<Net>& now) { return rank(now, by, images); });
    }
    result<io::tensor_file> file_for(const analyze::hardening_plan& plan) const override {
        if (auto wrong = analyze::misfit<Net>(plan, *weights_)) return *wrong;
        return io::select_channels<Net>(file_, source_, plan.orders);
    }
    result<io::tensor_file> file_for(const analyze::pruning_plan& plan) const override {
        if (auto wrong = analyze::misfit<Net>(plan, *weights_)) return *wrong;
        return io::select_channels<Net>(file_, source_, plan.kept);
    }
    result<std::vector<int>> answers(const campaign::prepared_images& images, const analyze::pruning_plan* without, unsigned threads) const override {
        const parameters<Net>* read = weights_.get();
        std::unique_ptr<parameters<Net>> some;
        if (without != nullptr) {
            auto left = analyze::masked<Net>(*weights_, *without);
            if (!left) return left.reason();
            some = std::move(*left);
            read = some.get();
        }
        struct worker {
            std::unique_ptr<workspace<Net>> space = std::make_unique<workspace<Net>>();
            state<Net> own{};
        };
        std::vector<int> classes(images.size());
        campaign::parallel_for(images.size(), threads, [] { return worker{}; }, [&](worker& w, std::size_t i) { classes[i] = infer<Net>(*read, w.own, images.image(i), *w.space).top1(); });
        return classes;
    }

private:
    static_assert(!Net::input::planar, "redoubt: the command line analyses networks whose images have channels last");

    static result<analyze::ranking> rank(const parameters<Net>& weights, const ranking_request& by, const campaign::prepared_images& images) {
        const analyze::gradient_spec gradients{.threads = by.threads};
        if (by.formula == formula_names[0]) return analyze::parameter_vulnerability<Net>(weights, images, gradients);
        if (by.formula == formula_names[1]) return analyze::batch_vulnerability<Net>(weights, images, gradients);
        if (by.formula == formula_names[2]) return analyze::taylor<Net>(weights, images, gradients);
        if (by.formula == formula_names[3] && images.size() > analyze::most_traced_images<Net>)
            return error{"deepvigor keeps what each image does in the network: of this one it takes at most "} << analyze::most_traced_images<Net> << " images, not " << images.size();
        if (by.formula == formula_names[3]) return analyze::channel_vulnerability<Net>(weights, images, {.seed = by.seed, .threads = by.threads});
        if (by.formula == formula_names[4])
            return analyze::measured_channels<Net>(weights, images, {.most_faults = by.faults, .seed = by.seed, .threads = by.threads});
        if (by.formula == formula_names[5]) return analyze::filter_norms<Net>(weights);
        if (by.formula == formula_names[6]) return analyze::salience<Net>(weights);
        if (by.formula == formula_names[7]) return analyze::random_scores<Net>(weights, by.seed);
        return error{"there is no ranking "} << by.formula;
    }

    std::string model_, source_;
    std::unique_ptr<parameters<Net>> weights_;
    io::tensor_file file_;
};

}  // namespace redoubt::app::inline REDOUBT_ABI
