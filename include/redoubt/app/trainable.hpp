// SPDX-License-Identifier: MIT
// A network that can be trained, behind an interface that does not name the type.
#pragma once

#include <redoubt/app/announced.hpp>
#include <redoubt/train/accuracy.hpp>
#include <redoubt/train/adapt.hpp>
#include <redoubt/train/checkpoint.hpp>
#include <redoubt/train/deploy.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::app::inline v1 {

/// Called after each step: steps of this epoch so far, steps of an epoch, what the step did. An exception ends the epoch.
using step_watcher = std::function<void(std::uint64_t, std::uint64_t, const train::step_report&)>;

/// A network of the command line while it is trained.
class trainable {
public:
    virtual ~trainable() = default;

    virtual std::string_view model() const = 0;
    virtual shape input() const = 0;
    virtual int classes() const = 0;
    /// Fresh weights for a recipe. All that follows needs it.
    virtual void begin(train::recipe by) = 0;
    /// Weights to start from instead; with a function, stored words that it takes to them, and how many there were beyond its range.
    virtual result<train::adaptation> start_from(const io::tensor_file& file, std::string_view source, const std::optional<train::saturating_map>& through) = 0;
    virtual result<train::epoch_report> epoch(const io::image_set& set, const step_watcher& watch) = 0;
    virtual std::uint64_t epochs_done() const = 0;
    virtual bool is_finite() const = 0;
    virtual result<void> save(const std::string& path) = 0;
    virtual result<void> resume(const std::string& path) = 0;
    virtual io::tensor_file tensors() const = 0;
    virtual std::size_t right_answers(const io::image_set& set, const io::normalisation& by) = 0;
    /// This network with weights from a checkpoint as another's teacher.
    virtual result<train::teacher_network> teacher(const io::tensor_file& file, std::string_view source) const = 0;
};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

/// The trainable of one network type, given in float32 without protections.
template <network_type Net>
    requires(std::same_as<typename Net::number_type, float32>)
class typed_trainable final : public trainable {
public:
    explicit typed_trainable(std::string model) : model_{std::move(model)} {}

    std::string_view model() const override { return model_; }
    shape input() const override { return Net::input_shape; }
    int classes() const override { return Net::outputs; }
    void begin(train::recipe by) override { trainer_.emplace(std::move(by)); }
    result<train::adaptation> start_from(const io::tensor_file& file, std::string_view source, const std::optional<train::saturating_map>& through) override {
        if (auto r = trainer_->start_from(file, source); !r) return r.reason();
        return through ? train::adapt(*trainer_, *through) : train::adaptation{};
    }
    result<train::epoch_report> epoch(const io::image_set& set, const step_watcher& watch) override { return trainer_->epoch(set, watch); }
    std::uint64_t epochs_done() const override { return trainer_->epochs_done(); }
    bool is_finite() const override { return trainer_->is_finite(); }
    result<void> save(const std::string& path) override { return train::save(*trainer_, path); }
    result<void> resume(const std::string& path) override { return train::resume(*trainer_, path); }
    io::tensor_file tensors() const override { return trainer_->tensors(); }
    std::size_t right_answers(const io::image_set& set, const io::normalisation& by) override {
        return train::right_answers<Net>(*train::deploy<Net>(*trainer_), set, by, trainer_->parts().threads());
    }
    result<train::teacher_network> teacher(const io::tensor_file& file, std::string_view source) const override {
        const auto weights = std::make_shared<parameters<Net>>();
        if (auto r = io::load<Net>(file, source, *weights); !r) return r.reason();
        return train::teacher_network{[weights](std::span<const float> image, std::span<float> logits) {
            thread_local const std::unique_ptr<workspace<Net>> space = std::make_unique<workspace<Net>>();
            state<Net> memory;
            const auto got = infer<Net>(*weights, memory, image, *space);
            std::copy(got.logits.begin(), got.logits.end(), logits.begin());
        }};
    }

private:
    static_assert(!Net::input::planar, "redoubt: the command line trains networks whose images have channels last");
    std::string model_;
    std::optional<train::trainer<Net>> trainer_;
};

}  // namespace redoubt::app::inline REDOUBT_ABI
